"""`prune-fair shift`."""

import numpy as np
import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, by_task, check_level
from prune_fair.errors import check
from prune_fair.store import open_study


def shift(
    study: StudyPath,
    level: int | None = None,
    json: bool = False,
    confidence: float = analysis.CONFIDENCE,
) -> None:
    """Which classes lose under distribution shift and sparsity together; with --data.shift.

    Args:
        study: directory that an experiment wrote.
        level: that is shown; each technique's last finished one if not said.
        json: print one JSON document, with every class of every level.
        confidence: of the intervals over seeds, in (0, 1); those of a class hold for all classes.
    """
    results = open_study(study)
    found = by_task(results, lambda node: _checked(node, level, confidence))
    if json:
        tasks = {name: console.shift_rows(table) for name, table in found.items()}
        return console.print_answer(results, {"confidence": confidence, "tasks": tasks})
    screen = console.make_console()
    for name, table in found.items():
        for technique in table["technique"].values:
            own = table.sel(technique=technique)
            at = _last_finished(own) if level is None else level
            console.print_shift(screen, f"{name}: {technique}", own.isel(level=at))
    return console.print_shift_caveats(screen, results, confidence)


def _checked(node: xr.Dataset, level: int | None, confidence: float) -> xr.Dataset:
    last = node.sizes["level"] - 1
    check(last >= 1, "this study has no pruned levels: there is nothing to compare with the dense")
    check_level(level, last)
    return analysis.under_shift(node, confidence)


def _last_finished(own: xr.Dataset) -> int:
    finished = np.flatnonzero(own["sparsity"].notnull().values)
    check(bool((finished > 0).any()), "no pruned network is finished: let the study run on")
    return int(finished[-1])
