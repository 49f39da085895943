"""`prune-fair metrics`, and how operating points are printed."""

from collections.abc import Mapping, Sequence

import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, tasks_of
from prune_fair.fairness import METRICS
from prune_fair.store import open_study


def metrics(study: StudyPath, json: bool = False, confidence: float = 0.95) -> None:
    """Metrics of every method and level, with intervals over seeds.

    Args:
        study: directory that an experiment wrote.
        json: print one JSON document, with the recall of each class.
        confidence: of the intervals, in (0, 1).
    """
    results = open_study(study)
    columns = [analysis.SPARSITY, *METRICS]
    points = {
        name: analysis.operating_points(node, columns, confidence)
        for name, node in tasks_of(results)
    }
    print_points(results, points, columns, confidence, json)


def print_points(
    results: xr.DataTree,
    points: Mapping[str, xr.Dataset],
    columns: Sequence[str],
    confidence: float,
    json: bool,
) -> None:
    """Operating points of all tasks as tables, or as one JSON document."""
    if json:
        head = {key: results.attrs[key] for key in ("path", "fingerprint", "complete")}
        tasks = {name: console.point_rows(part) for name, part in points.items()}
        return console.print_json({**head, "confidence": confidence, "tasks": tasks})
    screen = console.make_console()
    for name, part in points.items():
        console.print_points(screen, name, part, columns)
    return console.print_caveats(screen, results, confidence)
