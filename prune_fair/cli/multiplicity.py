"""`prune-fair multiplicity`."""

from typing import Annotated

import tyro

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, check_level, opened, shown_level, tasks_of
from prune_fair.data import TEST
from prune_fair.words.multiplicity import controls_of


def multiplicity(
    study: StudyPath,
    technique: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    level: int | None = None,
    json: bool = False,
    confidence: float = analysis.CONFIDENCE,
    split: str = TEST,
) -> None:
    """How many predictions pruning changes, and how many another seed does; with --predictions.

    Args:
        study: directory that an experiment wrote.
        technique: this technique only.
        level: whose classes to show; the last finished one where it is not given.
        json: print one JSON document, with every class of every level.
        confidence: of the intervals, in (0, 1).
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    results = opened(study, split)
    tables = {}
    for name, node in tasks_of(results):
        check_level(level, node.sizes["level"] - 1)
        tables[name] = analysis.multiplicity(node, technique, confidence)
    if json:
        tasks = {name: console.multiplicity_rows(table) for name, table in tables.items()}
        return console.print_answer(results, {"confidence": confidence, "tasks": tasks})
    screen = console.make_console()
    for name, table in tables.items():
        console.print_multiplicity(screen, name, table)
        for place in range(table.sizes["technique"]):
            own = table.isel(technique=place)
            at = shown_level(own, level)
            console.print_parts(screen, name, own.isel(level=at), controls_of(table, at))
    return console.print_multiplicity_caveats(screen, results, confidence)
