"""`prune-fair select`."""

from typing import Annotated, Any, NamedTuple

import tyro
import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, by_task, opened, tasks_of
from prune_fair.data import TEST
from prune_fair.fairness import Over

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
    over: Over | None = None,
    json: bool = False,
    split: str = TEST,
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
        certify: one-sided bounds over seeds and images hold the constraints, not only means, at
            that confidence for all classes, points and techniques together.
        confidence: of the intervals, in (0, 1).
        pooled: metrics of the counts summed over seeds, not the mean of each network's.
        over: what intervals are over; not said, seeds and images where a number is of images that
            are right and predictions were kept.
        json: print one JSON document.
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    results = opened(study, split)
    weights = analysis.named_numbers("weight", weigh) if weigh else None
    stated = require or analysis.DEFAULT_REQUIRE
    asked = stated, maximise, weights, confidence, pooled, certify, over
    choices = by_task(results, lambda node: analysis.select(node, *asked))
    beside = {
        name: Beside() if pooled else _beside(node, choices[name], over)
        for name, node in tasks_of(results)
    }
    if json:
        tasks = {name: _document(choice, beside[name]) for name, choice in choices.items()}
        console.print_answer(
            results, {"confidence": confidence, "certify": certify, "tasks": tasks}
        )
    else:
        screen = console.make_console()
        for name, choice in choices.items():
            cross_fit, groups, alone = beside[name]
            console.print_choice(screen, name, choice, cross_fit)
            if groups is not None:
                console.print_groups(screen, choice, groups)
            if alone is not None:
                console.print_accuracy_alone(screen, name, alone)
        shown = next(iter(choices.values())).shown
        console.print_caveats(screen, results, confidence, shown, True, over)
    if any(choice.chosen is None for choice in choices.values()):
        raise SystemExit(NOTHING_QUALIFIES)


class Beside(NamedTuple):
    """What is told beside a choice of networks; nothing beside one of pooled counts."""

    cross_fit: analysis.CrossFit | None = None
    groups: xr.Dataset | None = None
    alone: xr.Dataset | None = None


def _beside(node: xr.Dataset, choice: analysis.Choice, over: Over | None) -> Beside:
    return Beside(
        analysis.cross_fit_of(node, choice),
        analysis.group_changes(node, choice.confidence, over) if "group" in node.dims else None,
        analysis.accuracy_alone(node, confidence=choice.confidence, over=over),
    )


def _document(choice: analysis.Choice, beside: Beside) -> dict[str, Any]:
    cross_fit, groups, alone = beside

    def row(point: int | None, points: xr.Dataset = choice.points) -> Any:
        return None if point is None else console.point_rows(points.isel(point=[point]))[0]

    return {
        "require": [str(constraint) for constraint in choice.rule.constraints],
        "worth": dict(choice.rule.worth),
        "accuracy_alone_requires": [str(each) for each in choice.accuracy_rule.constraints],
        "chosen_on": choice.judged_on._asdict(),
        "groups": None if groups is None else _groups(choice, groups),
        "cross_fitted": None if cross_fit is None else _cross_fitted(cross_fit),
        "certified": None if choice.certified is None else _certified(choice),
        "chosen": row(choice.chosen),
        "chosen_as_judged": row(choice.chosen, choice.judged),
        "drop": None if choice.drop is None else _by_name(choice.drop),
        "floor": row(
            None if choice.chosen is None else analysis.floor_of(choice.points, choice.chosen)
        ),
        "accuracy_alone": row(choice.accuracy_alone),
        "accuracy_alone_by_tolerance": None if alone is None else _tolerances(alone),
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


def _groups(choice: analysis.Choice, table: xr.Dataset) -> dict[str, Any]:
    """Each group at the chosen point, or at that of accuracy alone."""
    point = choice.points.isel(point=choice.chosen or choice.accuracy_alone or 0)
    own = table.sel(level=point["level"].item())  # at 0 all techniques have the dense networks
    dense = not point["level"].item()
    own = own.isel(technique=0) if dense else own.sel(technique=point["technique"].item())
    return _by_name(own.reset_coords(drop=True))


def _tolerances(table: xr.Dataset) -> list[dict[str, Any]]:
    """What accuracy alone would choose at each tolerance, and what the worst class pays."""
    rows = (table.isel(tolerated=place) for place in range(table.sizes["tolerated"]))
    return [{"tolerated": row["tolerated"].item(), **_by_name(row)} for row in rows]


def _certified(choice: analysis.Choice) -> dict[str, Any]:
    """What certifies: the bound of each constraint at the chosen point, and what blocks."""
    assert choice.certified is not None
    bounds = choice.certified.bounds
    at = choice.chosen
    return {
        "bounds": {str(c): None if at is None else float(bounds[c][at]) for c in bounds},
        "one_sided_confidence_of_a_technique": choice.certified.confidence,
        "too_few": [each._asdict() for each in choice.certified.too_few],
    }


def _cross_fitted(found: analysis.CrossFit) -> dict[str, Any]:
    names = [str(name) for name in found.reported["metric"].values]
    return {**found._asdict(), "reported": _by_name(found.reported[names])}


def _by_name(table: xr.Dataset) -> dict[str, Any]:
    return {name: console.keyed(table[name]) for name in map(str, table.data_vars)}
