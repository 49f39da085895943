"""The decision in sentences that a release manager can defend. Text, marked up by nobody yet."""

import math

from prune_fair import analysis
from prune_fair.analysis import Constraint, Nearest, Rule
from prune_fair.fairness import METRICS
from prune_fair.report.card import Card, TaskCard
from prune_fair.report.classes import ClassRow
from prune_fair.report.decision import Decision, Point
from prune_fair.report.evidence import Ranking
from prune_fair.report.figures import bound, described, lost, number, told

NAMED = 3  # payers that a sentence names
SYMBOLS = {">=": "\N{GREATER-THAN OR EQUAL TO}", "<=": "\N{LESS-THAN OR EQUAL TO}"}
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
        >>> headlines(report.make_card(open_example().attrs["path"]))
        [('digits/mlp', 'Prune with magnitude-global-rewind to 90.9 % sparsity.')]
    """
    return [(task.name, headline(task.decision)) for task in card.tasks]


def verdict(decision: Decision) -> str:
    """The decision in a word or two."""
    if decision.chosen is None:
        return "Nothing qualifies"
    return "Prune" if decision.chosen.pruned else "Do not prune"


def headline(decision: Decision) -> str:
    """The decision as a sentence."""
    if decision.chosen is None:
        return "No operating point holds what was asked, not even the dense network."
    if decision.chosen.pruned:
        return f"Prune with {place(decision.chosen)}."
    if sum(point.qualifies for point in decision.points) == 1:
        return "Do not prune: only the dense network holds what was asked."
    return f"Do not prune: by {_objective(decision.rule)} the dense network is best."


def place(point: Point) -> str:
    """Where a point is: its technique and sparsity."""
    if not point.pruned:
        return "the dense network"
    return f"{point.technique} to {told(analysis.SPARSITY, point.sparsity)} sparsity"


def asked(decision: Decision) -> str:
    """What had to hold, and what was best among what holds it."""
    held = "by the mean"
    if decision.confidence is not None:
        held = f"at the bad end of the {100 * decision.confidence:g} % interval"
    if not decision.rule.constraints:
        return f"Asked: nothing has to hold; {_objective(decision.rule)} decides."
    stated = " and ".join(map(constraint, decision.rule.constraints))
    return f"Asked: {stated}, {held}; of what holds that, {_objective(decision.rule)} decides."


def constraint(stated: Constraint) -> str:
    """A constraint in words."""
    limit = bound(stated.name, stated.bound)
    return f"{described(stated.name)} {SYMBOLS[stated.relation]} {limit}"


def _objective(rule: Rule) -> str:
    (name,) = rule.worth
    return "most sparsity" if name == analysis.SPARSITY else f"best {described(name)}"


def reasons(task: TaskCard) -> list[str]:
    """Why, who pays, and what accuracy alone would have said; each a sentence or two."""
    decision = task.decision
    lines = [asked(decision)]
    if decision.chosen is None:
        lines += [nearest(decision, each) for each in decision.nearest]
    elif decision.chosen.pruned:
        lines += holds(task)
        lines += [accuracy(decision, decision.chosen), payers(task.classes)]
    return [*lines, accuracy_alone(task)]


def holds(task: TaskCard) -> list[str]:
    """By how much the chosen point holds each constraint, and how surely."""
    decision, lines = task.decision, []
    assert decision.chosen is not None
    for stated in decision.rule.constraints:
        value = decision.chosen.values[stated.name]
        whose = ", each network's own," if _of_other_classes(stated.name) else ""
        line = f"It holds: {described(stated.name)}{whose} is {told(stated.name, value)}"
        bad = value.low if stated.bad_end() == "low" else value.high
        beyond = bad < stated.bound if stated.relation == ">=" else bad > stated.bound
        if not value.bounded:
            lines.append(f"{line}; how sure that is cannot be said without an interval.")
        elif beyond:
            lines.append(f"{line}. The interval reaches past the bound: that it holds is not sure.")
        else:
            lines.append(f"{line}, and so does all of the interval.")
    return lines


def _of_other_classes(name: str) -> bool:
    """Whether a metric may be of another class in another network."""
    return name in METRICS and METRICS[name].extreme


def accuracy(decision: Decision, point: Point) -> str:
    """Accuracy at a point beside the dense network's."""
    here, dense, change = (
        told(name, where.values[name])
        for name, where in (
            ("accuracy", point),
            ("accuracy", decision.dense),
            ("accuracy_change", point),
        )
    )
    return f"Accuracy is {here}, dense {dense}, a change of {change}."


def payers(rows: tuple[ClassRow, ...]) -> str:
    """Which classes lose recall at the shown point, the one that loses most first."""
    losers = sorted((row for row in rows if row.change.falls), key=lambda row: row.change.mean)
    if not losers:
        return "Of no class does recall fall for sure."
    first, *others = losers
    dense, pruned = told("accuracy", first.dense), told("accuracy", first.pruned)
    line = (
        f"Class {first.size.name} pays most: its recall falls from {dense} to {pruned}, by "
        f"{lost(first.change)}"
    )
    if others:
        named = ", ".join(f"{row.size.name} by {lost(row.change)}" for row in others[: NAMED - 1])
        line += f"; next class {named}"
    if not first.change.bounded:
        return f"{line}. {len(losers)} of {len(rows)} classes lose recall."
    return (
        f"{line}. In {len(losers)} of {len(rows)} classes the whole interval of the change lies "
        "below 0."
    )


def accuracy_alone(task: TaskCard) -> str:
    """What accuracy alone would have chosen, and at whose cost."""
    decision = task.decision
    rule = " and ".join(map(constraint, decision.accuracy_rule.constraints)) or "no constraint"
    alone = f"By accuracy alone ({rule}; {_objective(decision.accuracy_rule)})"
    other = decision.accuracy_alone
    if other is None:
        return f"{alone} nothing would qualify."
    if other == decision.chosen:
        return f"{alone} one would choose the same."
    would = f"{alone} one would take {place(other)}"
    if decision.chosen is None or not task.classes:
        worst = min(
            (row for row in task.classes if row.accuracy_alone is not None),
            key=lambda row: row.accuracy_alone.mean if row.accuracy_alone else math.inf,
            default=None,
        )
        if not other.pruned or worst is None or worst.accuracy_alone is None:
            return f"{would}."
        change = told("recall_change", worst.accuracy_alone)
        return f"{would}, where the recall of class {worst.size.name} changes by {change}."
    return would + _spared(task.classes)


def _spared(rows: tuple[ClassRow, ...]) -> str:
    """From whom it would take more recall, where the interval says so."""
    taken = [
        (row.size.name, row.spared)
        for row in rows
        if row.spared and (row.spared.low if row.spared.bounded else row.spared.mean) > 0
    ]
    taken.sort(key=lambda each: -each[1].mean)
    if not taken:
        return "; of no class is it sure that it would lose by that."
    named = ", ".join(
        f"class {name} by {told('_difference', value)}" for name, value in taken[:NAMED]
    )
    more = f", and {len(taken) - NAMED} classes more" if len(taken) > NAMED else ""
    return f", where recall would be lower still: {named}{more}."


def nearest(decision: Decision, near: Nearest) -> str:
    """What excludes all points, and the one that comes nearest."""
    where, stated = place(decision.points[near.point]), constraint(near.constraint)
    stated = stated[0].upper() + stated[1:]
    if near.held:
        return f"{stated} by itself is held, by {where}."
    if math.isinf(near.slack):
        return f"{stated} cannot be judged: the metric is undefined at every point."
    others = near.binds and len(decision.rule.constraints) > 1
    which = "of the points that hold all else, " if others else ""
    missed = number("_difference" if _scaled(near) else "", -near.slack)
    units = " points" if _scaled(near) else ""
    return f"{stated} binds: {which}the nearest is {where}, which misses it by {missed}{units}."


def _scaled(near: Nearest) -> bool:
    return bound(near.constraint.name, 1.0) != "1"


def shown_as(decision: Decision) -> str:
    """Which point the tables of classes are of, and why."""
    if decision.shown is None:
        return "No pruned network is finished yet."
    return f"At {SHOWN[decision.shown_as]}: {place(decision.shown)}, level {decision.shown.level}."


def ranking_in_words(ranking: Ranking) -> str:
    """Whether other techniques win once fairness counts."""
    if math.isnan(ranking.tau.mean):
        return (
            "Techniques are tied, or one has no finished network, or the recall of the worst class "
            "is undefined: there is no change of ranks."
        )
    moved = [row.technique for row in ranking.ranks if row.performance_rank != row.fairness_rank]
    order = f"changes the order of {', '.join(moved)}" if moved else "leaves the order as it is"
    line = f"Counting the worst class's recall too {order}: Kendall's tau is "
    line += f"{told('tau', ranking.tau)}."
    if math.isnan(ranking.first_place_changes):
        return line
    changes = 100 * ranking.first_place_changes
    return f"{line} In {changes:.0f} % of the resamples it puts another technique first."
