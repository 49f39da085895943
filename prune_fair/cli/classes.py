"""`prune-fair classes`."""

import numpy as np
import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, by_task, opened
from prune_fair.data import TEST
from prune_fair.errors import check
from prune_fair.fairness import Over


def classes(
    study: StudyPath,
    level: int | None = None,
    over: Over | None = None,
    json: bool = False,
    confidence: float = analysis.CONFIDENCE,
    split: str = TEST,
) -> None:
    """Which classes pruning hits otherwise than the networks as a whole, and is it chance?

    Args:
        study: directory that an experiment wrote.
        level: that is shown; each technique's last finished one if not said.
        over: what intervals are over; not said, seeds and images where predictions were kept.
        json: print one JSON document, with all levels.
        confidence: of the intervals, in (0, 1); p are compared with what is left to 1.
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    results = opened(study, split)
    asked = confidence, 1 - confidence, over
    found = by_task(results, lambda node: analysis.class_tests(_checked(node, level), *asked))
    if json:
        tasks = {
            name: {str(part): console.keyed(tests[part]) for part in tests.data_vars}
            for name, tests in found.items()
        }
        return console.print_answer(results, {"confidence": confidence, "tasks": tasks})
    screen = console.make_console()
    for name, tests in found.items():
        for technique in tests["technique"].values:
            own = tests.sel(technique=technique)
            shown = own.isel(level=_last_finished(own) if level is None else level)
            console.print_classes(screen, f"{name}: {technique}", shown)
    return console.print_caveats(screen, results, confidence, by_class=True, over=over)


def _checked(node: xr.Dataset, level: int | None) -> xr.Dataset:
    last = node.sizes["level"] - 1
    check(last >= 1, "this study has no pruned levels: there is nothing to compare with the dense")
    check(level is None or 1 <= level <= last, f"level {level}: expected 1 to {last}")
    return node


def _last_finished(tests: xr.Dataset) -> int:
    known = tests["recall_change"].sel(estimate="mean").notnull().any("true").values
    check(bool(known[1:].any()), "no pruned network is finished: let the study run on")
    return int(np.flatnonzero(known)[-1])
