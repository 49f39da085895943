"""`prune-fair metrics` and `prune-fair frontier`."""

from collections.abc import Mapping, Sequence

import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, split_names, tasks_of
from prune_fair.store import open_study

COLUMNS = 6  # that fit beside each other


def metrics(
    study: StudyPath,
    names: str = ",".join(analysis.DEFAULT_METRICS),
    pooled: bool = False,
    json: bool = False,
    confidence: float = analysis.CONFIDENCE,
) -> None:
    """Metrics of every method and level, with intervals over seeds.

    Args:
        study: directory that an experiment wrote.
        names: metrics separated by commas, as in `prune-fair list`; `all` for all.
        pooled: metrics of the counts summed over seeds, not the mean of each network's.
        json: print one JSON document, with the recall of each class.
        confidence: of the intervals, in (0, 1).
    """
    results = open_study(study)
    points = {
        name: analysis.operating_points(node, _names(node, names), confidence, pooled, json)
        for name, node in tasks_of(results)
    }
    print_points(results, points, None, confidence, json)


def _names(node: xr.Dataset, names: str) -> list[str]:
    if names == "all":
        return analysis.known_metrics(node)
    return split_names(names)


def frontier(
    study: StudyPath,
    objectives: str = ",".join(analysis.DEFAULT_OBJECTIVES),
    json: bool = False,
    confidence: float = 0.95,
) -> None:
    """The operating points that no other dominates.

    Args:
        study: directory that an experiment wrote.
        objectives: names separated by commas: sparsity and metrics, each in its own direction.
        json: print one JSON document, with the dominated points too.
        confidence: of the intervals, in (0, 1).
    """
    results = open_study(study)
    columns = split_names(objectives)
    points = {
        name: analysis.frontier(node, columns, confidence) for name, node in tasks_of(results)
    }
    if not json:
        points = {name: part.isel(point=part.on_frontier.values) for name, part in points.items()}
    print_points(results, points, columns, confidence, json)


def print_points(
    results: xr.DataTree,
    points: Mapping[str, xr.Dataset],
    columns: Sequence[str] | None,
    confidence: float,
    json: bool,
) -> None:
    """Operating points of all tasks as tables, or as one JSON document; None for all columns."""
    if json:
        head = {key: results.attrs[key] for key in ("path", "fingerprint", "complete")}
        tasks = {name: console.point_rows(part) for name, part in points.items()}
        return console.print_json({**head, "confidence": confidence, "tasks": tasks})
    screen = console.make_console()
    for name, part in points.items():
        shown = list(map(str, part["metric"].values)) if columns is None else columns
        for first in range(0, len(shown), COLUMNS):
            console.print_points(screen, name, part, shown[first : first + COLUMNS])
    return console.print_caveats(screen, results, confidence)
