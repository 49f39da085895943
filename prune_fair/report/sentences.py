"""What the card says of a task, in sentences that a release manager can defend."""

import xarray as xr

from prune_fair import analysis
from prune_fair.report.card import Card, TaskCard
from prune_fair.words import (
    budgets,
    calibration,
    caveats,
    choices,
    classes,
    failures,
    groups,
    multiplicity,
    votes,
)
from prune_fair.words.certificates import certificate, cross_fitted

SHOWN = {
    "chosen": "the chosen point",
    "accuracy_alone": "the point that accuracy alone would choose",
    "nearest": "the pruned point that comes nearest to what was asked",
    "last": "the sparsest finished point",
}


def headlines(card: Card) -> list[tuple[str, str]]:
    """Each task's name and its decision.

    Example:
        >>> from prune_fair import open_example, report
        >>> [(name, said)] = headlines(report.make_card(open_example().attrs["path"]))
        >>> print(f"{name}: {said.partition(';')[0]}")
        digits/mlp: Prune with magnitude-global-rewind to 90.9 % sparsity
    """
    return [(task.name, choices.headline(task.answers.choice)) for task in card.tasks]


def reasons(task: TaskCard) -> list[str]:
    """Why, who pays, and what accuracy alone would have said; each a sentence or two."""
    choice = task.answers.choice
    lines = [choices.asked(choice)]
    if choice.chosen is None:
        lines += [choices.nearest(choice, near) for near in choice.nearest]
    elif choice.chosen > 0:  # the first point is the dense network
        lines += [*choices.holds(choice), choices.accuracy(choice), payers(task)]
    else:
        lines += certificate(choice)
    return [*lines, accuracy_alone(task)]


def payers(task: TaskCard) -> str:
    """Which classes lose recall at the shown point."""
    return classes.payers(task.answers.recalls())


def group_payers_of(task: TaskCard) -> str:
    """Which group of images pays most at the shown point; nothing without groups."""
    answers = task.answers
    if answers.groups is None or answers.shown is None:
        return ""
    return groups.group_payers(answers.groups, *answers.at(answers.shown))


def accuracy_alone(task: TaskCard) -> str:
    """What accuracy alone would have chosen, and at whose cost."""
    choice, change = task.answers.choice, None
    if choice.accuracy_alone is not None:
        change = task.answers.classes_at(choice.accuracy_alone)["recall_change"]
    return choices.accuracy_alone(choice, change)


def shown_as(task: TaskCard) -> str:
    """Which point the tables of classes are of, and why."""
    answers = task.answers
    if answers.shown is None:
        return failures.NOTHING_PRUNED
    place = choices.place_and_level(answers.choice, answers.shown)
    return f"At {SHOWN[answers.shown_as]}: {place}."


def interval_in_words(task: TaskCard) -> str:
    """What the brackets of a table of points hold."""
    answers, columns = task.answers, [n for n in task.decision.columns if n != analysis.SPARSITY]
    known = caveats.by_interval(answers.results, columns)
    return caveats.intervals(answers.confidence, known) or caveats.NO_INTERVALS


def network_interval_in_words(task: TaskCard) -> str:
    """What the brackets hold of numbers that networks have, such as hypervolumes."""
    answers = task.answers
    return caveats.interval(answers.confidence, answers.uncertainty) or caveats.NO_INTERVALS


def class_interval_in_words(task: TaskCard) -> str:
    """What the brackets of a table of classes hold."""
    answers = task.answers
    return caveats.interval(answers.confidence, answers.of_classes) or caveats.NO_INTERVALS


def exemplars_in_words(task: TaskCard) -> list[str]:
    """How many exemplars there are and of which classes, or why nothing is known of them."""
    if task.answers.exemplars is None:
        return [failures.NOTHING_PRUNED if task.answers.shown is None else votes.NOT_KEPT]
    dense, row = (task.answers.exemplars.isel(level=place) for place in (0, 1))
    return votes.exemplars_in_words(row, dense, task.answers.results.sizes["image"])


def noise_floors_in_words(task: TaskCard) -> list[str]:
    """What retraining does by itself, a line for each control, at the level that is shown."""
    answers = task.answers
    if answers.shown is None:
        return []
    return budgets.noise_floors(answers.choice, answers.at(answers.shown)[1])


def budgets_in_words(task: TaskCard) -> str:
    """That techniques are not trained equally long; nothing where they are."""
    return budgets.unequal(task.answers.results)


def _uncontrolled(task: TaskCard) -> str:
    """That the shown point has no control, where it should have one."""
    shown = task.answers.shown
    return "" if shown is None else budgets.uncontrolled(task.answers.choice, shown)


def multiplicity_in_words(task: TaskCard) -> list[str]:
    """How many predictions pruning changes beside other seeds, or why nothing is known of it."""
    table = task.answers.multiplicity
    row = _at_shown(task, table)
    if table is None or row is None:
        return exemplars_in_words(task)
    return multiplicity.multiplicity_in_words(
        row, multiplicity.controls_of(table, int(row["level"]))
    )


def multiplicity_rows(task: TaskCard) -> list[tuple[str, ...]]:
    """A row of text a class, in the order of the dataset; none where nothing is known."""
    row = _at_shown(task, task.answers.multiplicity)
    return [] if row is None else multiplicity.class_rows(row)


def _at_shown(task: TaskCard, table: xr.Dataset | None) -> xr.Dataset | None:
    """What a table by technique and level has of the shown point; None where there is neither."""
    if table is None or task.answers.shown is None:
        return None
    technique, level = task.answers.at(task.answers.shown)
    return table.sel(technique=technique).sel(level=level)


def calibration_in_words(task: TaskCard) -> list[str]:
    """Whether networks are as sure as they are right at the shown point, and what that is over."""
    table, results = task.answers.calibration, task.answers.results
    row = _at_shown(task, table)
    if table is None or row is None:
        return []
    controls = multiplicity.controls_of(table, int(row["level"]))
    over = calibration.legend(results.sizes["seed"], task.answers.confidence)
    return [*calibration.calibration_in_words(row, controls), f"{over}."]


def calibration_rows(task: TaskCard) -> list[tuple[str, ...]]:
    """A row of text a class, in the order of the dataset; none where nothing is known."""
    row = _at_shown(task, task.answers.calibration)
    return [] if row is None else calibration.class_rows(row)


def limits_in_words(task: TaskCard) -> list[str]:
    """What the numbers of a task do not say, a sentence or two each."""
    limits, choice, known = task.limits, task.answers.choice, task.answers.uncertainty
    of_classes, cross_fit = task.answers.of_classes, task.answers.cross_fit
    tested = any(row.p == row.p for row in task.classes)  # p is NaN where there is no test
    lines = [
        *caveats.covered(known, of_classes),
        *caveats.narrow(known, limits.smallest[1]),
        caveats.looked_at(limits.looked_at) if choice.judged_on.is_reported else "",
        caveats.chosen_on(choice.judged_on),
        "" if cross_fit is None else cross_fitted(cross_fit, choice.rule),
        caveats.many_intervals(len(task.sizes), tested),
        caveats.grain(*limits.smallest),
        _uncontrolled(task),
        "" if choice.certified or not choice.rule.constraints else caveats.HELD_BY_MEANS,
        failures.unfinished(limits.finished),
        failures.diverged(limits.diverged),
        failures.collapsed(limits.collapsed),
        *(failures.undefined(*found) for found in limits.undefined.items()),
    ]
    return [line for line in lines if line]
