"""`prune-fair select`."""

from typing import Annotated, Any

import tyro
import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, tasks_of
from prune_fair.store import open_study

NOTHING_QUALIFIES = 1
Repeated = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]


def select(
    study: StudyPath,
    require: Repeated = (),
    maximise: str = analysis.SPARSITY,
    weigh: Repeated = (),
    certify: bool = False,
    confidence: float = analysis.CONFIDENCE,
    pooled: bool = False,
    json: bool = False,
) -> None:
    """The operating point for stated values, and what accuracy alone would have cost whom.

    It is chosen on the validation images and reported on the test images. The exit status is 1
    where no operating point of a task qualifies.

    Args:
        study: directory that an experiment wrote.
        require: a constraint, such as "recall_group_min>=0.8"; may be given again. Without any,
            no class's mean recall may fall by more than 5 points.
        maximise: the metric to be best in, in its better direction, or sparsity.
        weigh: in place of that, what a unit of a metric is worth, such as "accuracy=2"; may be
            given again.
        certify: constraints hold for the bad end of the interval, not only for the mean.
        confidence: of the intervals, in (0, 1).
        pooled: metrics of the counts summed over seeds, not the mean of each network's.
        json: print one JSON document.
    """
    results = open_study(study)
    weights = analysis.named_numbers("weight", weigh) if weigh else None
    asked = require or analysis.DEFAULT_REQUIRE, maximise, weights, confidence, pooled, certify
    choices = {name: analysis.select(node, *asked) for name, node in tasks_of(results)}
    if json:
        tasks = {name: _document(choice) for name, choice in choices.items()}
        console.print_answer(
            results, {"confidence": confidence, "certify": certify, "tasks": tasks}
        )
    else:
        screen = console.make_console()
        for name, choice in choices.items():
            console.print_choice(screen, name, choice)
        console.print_caveats(screen, results, confidence)
    if any(choice.chosen is None for choice in choices.values()):
        raise SystemExit(NOTHING_QUALIFIES)


def _document(choice: analysis.Choice) -> dict[str, Any]:
    def row(point: int | None, points: xr.Dataset = choice.points) -> Any:
        return None if point is None else console.point_rows(points.isel(point=[point]))[0]

    return {
        "require": [str(constraint) for constraint in choice.rule.constraints],
        "worth": dict(choice.rule.worth),
        "accuracy_alone_requires": [str(each) for each in choice.accuracy_rule.constraints],
        "chosen_on": choice.judged_on._asdict(),
        "chosen": row(choice.chosen),
        "chosen_as_judged": row(choice.chosen, choice.judged),
        "drop": None if choice.drop is None else _by_name(choice.drop),
        "floor": row(
            None if choice.chosen is None else analysis.floor_of(choice.points, choice.chosen)
        ),
        "accuracy_alone": row(choice.accuracy_alone),
        "price": None if choice.price is None else _by_name(choice.price),
        "nearest": [
            {
                **nearest._asdict(),
                "constraint": str(nearest.constraint),
                "point": row(nearest.point, choice.judged),
            }
            for nearest in choice.nearest
        ],
    }


def _by_name(table: xr.Dataset) -> dict[str, Any]:
    return {name: console.keyed(table[name]) for name in map(str, table.data_vars)}
