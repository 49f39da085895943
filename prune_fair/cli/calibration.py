"""`prune-fair calibration`."""

from typing import Annotated

import tyro
import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, by_task, check_level, opened, shown_level
from prune_fair.data import TEST
from prune_fair.words.multiplicity import controls_of


def calibration(
    study: StudyPath,
    technique: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    level: int | None = None,
    json: bool = False,
    confidence: float = analysis.CONFIDENCE,
    split: str = TEST,
) -> None:
    """Whether pruned networks are as sure as they are right, and of which classes; --calibration.

    Args:
        study: directory that an experiment wrote.
        technique: this technique only.
        level: whose classes to show; the last finished one where it is not given.
        json: print one JSON document, with every class of every level.
        confidence: of the intervals, in (0, 1).
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    results = opened(study, split)

    def answer(node: xr.Dataset) -> xr.Dataset:
        check_level(level, node.sizes["level"] - 1)
        return analysis.calibration(node, technique, confidence)

    tables = by_task(results, answer)
    if json:
        tasks = {name: console.multiplicity_rows(table) for name, table in tables.items()}
        return console.print_answer(results, {"confidence": confidence, "tasks": tasks})
    screen = console.make_console()
    for name, table in tables.items():
        console.print_calibrations(screen, name, table)
        for place in range(table.sizes["technique"]):
            own = table.isel(technique=place)
            at = shown_level(own, level)
            row, controls = own.isel(level=at), controls_of(table, at)
            console.print_calibration_parts(screen, name, row, controls)
    return console.print_calibration_caveats(screen, results, confidence)
