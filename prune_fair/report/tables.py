"""Which rows the card's tables have, and in which order."""

import math

from prune_fair.report.card import TaskCard
from prune_fair.report.classes import ClassRow
from prune_fair.report.decision import Decision, Point
from prune_fair.report.origin import Part
from prune_fair.words import classes, failures, groups

Labelled = list[tuple[str, Point | None]]


def named_points(decision: Decision) -> Labelled:
    """Dense, chosen or nearest, and accuracy alone; of two that are the same the first."""
    rows: Labelled = [("dense", decision.dense)]
    if decision.chosen is not None and decision.chosen.pruned:
        same = decision.chosen == decision.accuracy_alone
        rows.append(("chosen, also by accuracy alone" if same else "chosen", decision.chosen))
    for near in decision.nearest if decision.chosen is None else ():
        rows.append((f"nearest to {near.constraint}", decision.points[near.point]))
    if decision.accuracy_alone is not None and decision.accuracy_alone.pruned:
        rows.append(("accuracy alone", decision.accuracy_alone))
    seen: list[Point | None] = []
    return [row for row in rows if row[1] not in seen and not seen.append(row[1])]


def level_points(decision: Decision) -> Labelled:
    """The finished levels of the shown technique, and which of them hold what was asked."""
    if decision.shown is None:
        return []
    return [(_tag(decision, point), point) for point in decision.levels(decision.shown.technique)]


def technique_points(decision: Decision) -> Labelled:
    """Each technique's sparsest level that qualifies."""
    best = decision.best_by_technique()
    return list(best.items())


def _tag(decision: Decision, point: Point) -> str:
    if point == decision.chosen:
        return "chosen"
    if point == decision.accuracy_alone:
        return "accuracy alone"
    return "qualifies" if point.qualifies else ""


def knows_steps(decision: Decision) -> bool:
    """Whether the study says how many steps its networks were trained."""
    return not math.isnan(decision.dense.steps)


def level_of(point: Point) -> str:
    """A point's level, and how many of its networks failed."""
    return failures.level(point.level, point.diverged, point.collapsed)


def sorted_rows(rows: tuple[ClassRow, ...]) -> list[ClassRow]:
    """Classes, the one that loses most first."""
    return sorted(rows, key=lambda row: (math.isnan(row.change.mean), row.change.mean))


def spared_rows(rows: tuple[ClassRow, ...]) -> list[ClassRow]:
    """Classes, the one that the choice spares most first."""
    known = [row for row in rows if row.spared is not None]
    return sorted(known, key=lambda row: -row.spared.mean if row.spared else 0.0)


def group_heads() -> tuple[str, ...]:
    """What the columns of `group_rows_of` are."""
    return groups.HEADINGS


def group_rows_of(task: TaskCard) -> list[tuple[str, ...]]:
    """Each group of images at the shown point; none without groups."""
    answers = task.answers
    if answers.groups is None or answers.shown is None:
        return []
    return groups.group_rows(answers.groups, *answers.at(answers.shown))


def tolerance_heads() -> tuple[str, ...]:
    """What the columns of `tolerance_rows` are."""
    return classes.ACCURACY_ALONE


def tolerance_rows(task: TaskCard) -> list[tuple[str, ...]]:
    """What accuracy alone would choose at each of its tolerances, and who would pay."""
    return classes.accuracy_alone_rows(task.answers.alone)


def technique_parts(task: TaskCard) -> list[Part]:
    """Every part of the task's techniques, each once, by kind."""
    parts = dict.fromkeys(part for technique in task.techniques for part in technique.parts)
    kinds = list(dict.fromkeys(part.kind for part in parts))
    return sorted(parts, key=lambda part: kinds.index(part.kind))
