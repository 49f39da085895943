"""`prune-fair metrics`, and how operating points are printed."""

import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, by_task, opened
from prune_fair.data import TEST
from prune_fair.fairness import Over

COLUMNS = 6  # that fit beside each other


def metrics(
    study: StudyPath,
    names: tuple[str, ...] = tuple(analysis.DEFAULT_METRICS),
    pooled: bool = False,
    over: Over | None = None,
    json: bool = False,
    confidence: float = analysis.CONFIDENCE,
    split: str = TEST,
) -> None:
    """Metrics of every technique and level, with intervals.

    Args:
        study: directory that an experiment wrote.
        names: metrics, as in `prune-fair list`; `all` for all.
        pooled: metrics of the counts summed over seeds, not the mean of each network's.
        over: what intervals are over; not said, seeds and images where a metric is of images that
            are right and predictions were kept, else seeds. Of others both take seconds.
        json: print one JSON document, with the recall of each class.
        confidence: of the intervals, in (0, 1).
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    results = opened(study, split)
    asked = confidence, pooled, json, over
    points = by_task(
        results, lambda node: analysis.operating_points(node, _names(node, names), *asked)
    )
    if json:
        tasks = {name: console.point_rows(part) for name, part in points.items()}
        return console.print_answer(results, {"confidence": confidence, "tasks": tasks})
    screen = console.make_console()
    for name, part in points.items():
        columns = list(map(str, part["metric"].values))
        for first in range(0, len(columns), COLUMNS):
            console.print_points(screen, name, part, columns[first : first + COLUMNS])
    shown = {str(name) for part in points.values() for name in part["metric"].values}
    shown -= {analysis.SPARSITY}
    return console.print_caveats(screen, results, confidence, sorted(shown), False, over)


def _names(node: xr.Dataset, names: tuple[str, ...]) -> list[str]:
    return analysis.known_metrics(node) if names == ("all",) else list(names)
