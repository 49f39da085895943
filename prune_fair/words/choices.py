"""A choice among operating points: what was asked, what was chosen, why, and what misses it."""

import math

import xarray as xr

from prune_fair import analysis
from prune_fair.analysis import Choice, Constraint, Nearest, Rule
from prune_fair.fairness import METRICS
from prune_fair.store import DENSE
from prune_fair.words.certificates import certificate, certified_over
from prune_fair.words.metrics import bound, constraint, described, heading, number, told
from prune_fair.words.numbers import Estimate, estimate, estimates, of_confidence
from prune_fair.words.reservations import all_holds, reservation

NAMED = 3  # classes that a sentence names


def rule_as_typed(choice: Choice) -> str:
    """What was asked, in the names and the units of the command's flags."""
    rule = choice.rule
    wanted = " + ".join(f"{each:g} {name}" for name, each in rule.worth.items())
    wanted = f"best {next(iter(rule.worth))}" if len(rule.worth) == 1 else f"most of {wanted}"
    stated = " and ".join(map(str, rule.constraints)) or "no constraint"
    if choice.certified is None:
        return f"{wanted} with {stated}"
    return f"{wanted} with {stated}, certified at {of_confidence(choice.confidence)}"


def verdict(choice: Choice) -> str:
    """The decision in a word or two."""
    if choice.chosen is None:
        return "Nothing qualifies"
    return "Prune" if _pruned(choice, choice.chosen) else "Do not prune"


def headline(choice: Choice) -> str:
    """The decision as a sentence, with what speaks against it.

    Example:
        >>> from prune_fair import open_example
        >>> print(headline(analysis.select(open_example()["digits/mlp"])))
        Prune with magnitude-global-rewind to 90.9 % sparsity; an interval reaches past the bound.
    """
    holds = "is certified to hold" if choice.certified else "holds"
    if choice.chosen is None:
        return f"No operating point {holds} what was asked, not even the dense network."
    if _pruned(choice, choice.chosen):
        return f"Prune with {place(choice, choice.chosen)}{reservation(choice)}."
    if choice.points["qualifies"].sum() == 1:
        return f"Do not prune: only the dense network {holds} what was asked."
    return f"Do not prune: by {objective(choice.rule)} the dense network is best."


def place(choice: Choice, point: int) -> str:
    """Where a point is: its technique and sparsity."""
    if not _pruned(choice, point):
        return "the dense network"
    sparsity = told(analysis.SPARSITY, _value(choice, point, analysis.SPARSITY))
    return f"{choice.points['technique'].values[point]} to {sparsity} sparsity"


def place_and_level(choice: Choice, point: int) -> str:
    """Where a point is, with its level of the schedule."""
    if not _pruned(choice, point):
        return place(choice, point)
    return f"{place(choice, point)}, level {choice.points['level'].values[point]}"


def asked(choice: Choice) -> str:
    """What had to hold, and what was best among what holds it."""
    held = "by the mean"
    if choice.certified:
        held = f"certified at {of_confidence(choice.confidence)} over {certified_over(choice)}"
    if not choice.rule.constraints:
        return f"Asked: nothing has to hold; {objective(choice.rule)} decides."
    stated = " and ".join(map(constraint, choice.rule.constraints))
    return f"Asked: {stated}, {held}; of what holds that, {objective(choice.rule)} decides."


def objective(rule: Rule) -> str:
    """What a rule is to be best in."""
    if len(rule.worth) > 1:
        wanted = (f"{each:g} x {heading(name)}" for name, each in rule.worth.items())
        return f"most of {' + '.join(wanted)}"
    (name,) = rule.worth
    return "most sparsity" if name == analysis.SPARSITY else f"best {heading(name)}"


def rule_in_short(rule: Rule) -> str:
    """A rule as a picture's key says it: its constraints, or else what it is to be best in."""
    return " and ".join(map(constraint, rule.constraints)) or objective(rule)


def holds(choice: Choice) -> list[str]:
    """By how much the chosen point holds each constraint, and whether all of its interval does.

    Where it was chosen on validation images, what test images say of it too; where it was
    certified, the bound.
    """
    assert choice.chosen is not None
    lines = [_held(choice, choice.chosen, stated) for stated in choice.rule.constraints]
    return lines + certificate(choice)


def _held(choice: Choice, point: int, stated: Constraint) -> str:
    whose = ", each network's own," if _of_other_classes(stated.name) else ""
    value = _value(choice, point, stated.name)
    line = f"{described(stated.name)}{whose} is"
    if choice.judged_on.is_reported:
        line, kept = f"It holds: {line} {told(stated.name, value)}", True
    else:
        judged = estimate(choice.judged[stated.name].isel(point=point))
        kept = bool(analysis.holds(stated.slack(value.mean)))
        says = "hold it too" if kept else "do not"
        line = (
            f"It holds on validation images, where {line} {told(stated.name, judged)}; test images "
            f"{says}: {told(stated.name, value)}"
        )
        if choice.drop is not None and _scaled(stated):
            drop = told("_difference", estimate(choice.drop[stated.name]))
            line += f" (validation less test, over seeds: {drop})"
    if not value.bounded:
        return f"{line}; without an interval, how far that may be off is not known."
    if not kept or choice.certified:  # what is certified is said beside
        return f"{line}."
    if not all_holds(stated, value):
        return f"{line}. The interval reaches past the bound: it is not shown to hold."
    return f"{line}, and so does all of the interval."


def _of_other_classes(name: str) -> bool:
    """Whether a metric may be of another class in another network."""
    return name in METRICS and METRICS[name].extreme


def accuracy(choice: Choice) -> str:
    """Accuracy at the chosen point beside the dense network's."""
    assert choice.chosen is not None
    here, dense, change = (
        told(name, _value(choice, point, name))
        for name, point in (
            ("accuracy", choice.chosen),
            ("accuracy", 0),
            ("accuracy_change", choice.chosen),
        )
    )
    return f"Accuracy is {here}, dense {dense}, a change of {change}."


def accuracy_alone(choice: Choice, change: xr.DataArray | None = None) -> str:
    """What accuracy alone would have chosen, and at whose cost.

    Args:
        choice: among points of which the first is the dense network.
        change: of each class's recall where accuracy alone would go, (true, estimate), to name the
            worst where nothing was chosen to compare with.
    """
    rule = " and ".join(map(constraint, choice.accuracy_rule.constraints)) or "no constraint"
    alone = f"By accuracy alone ({rule}; {objective(choice.accuracy_rule)})"
    other = choice.accuracy_alone
    if other is None:
        return f"{alone} nothing would qualify."
    if other == choice.chosen:
        return f"{alone} one would choose the same."
    would = f"{alone} one would take {place(choice, other)}"
    if choice.price is not None:
        return would + _spared(choice.price["spared"])
    rows = {} if change is None or not _pruned(choice, other) else _by_name(change)
    known = [(name, value) for name, value in rows.items() if value.known]
    if not known:
        return f"{would}."
    name, worst = min(known, key=lambda each: each[1].mean)
    lost = told("recall_change", worst)
    return f"{would}, where the recall of class {name} changes by {lost}."


def _spared(spared: xr.DataArray) -> str:
    """From whom it would take more recall, where the interval says so."""
    taken = [
        (name, value) for name, value in _by_name(spared).items() if value.bounded and value.rises
    ]
    taken.sort(key=lambda each: -each[1].mean)
    if not taken:
        return "; that any class would lose by that is not resolved."
    named = ", ".join(
        f"class {name} by {told('_difference', value)}" for name, value in taken[:NAMED]
    )
    more = f", and {len(taken) - NAMED} classes more" if len(taken) > NAMED else ""
    return f", where recall would be lower: {named}{more}."


def nearest(choice: Choice, near: Nearest) -> str:
    """What excludes all points, and the one that comes nearest."""
    where, stated = place_and_level(choice, near.point), constraint(near.constraint)
    stated = stated[0].upper() + stated[1:]
    if near.held:
        return f"{stated} by itself is held, by {where}."
    if math.isinf(near.slack):
        why = "networks failed, or the metric is undefined for some"
        return f"{stated} cannot be judged: at every point {why}."
    others = near.binds and len(choice.rule.constraints) > 1
    which = "of the points that hold all else, " if others else ""
    return f"{stated} binds: {which}the nearest is {where}, which misses it by {_missed(near)}."


def _missed(near: Nearest) -> str:
    """How far a point is from a bound, in points where the metric has a unit."""
    if _scaled(near.constraint):
        return f"{number('_difference', -near.slack)} points"
    return number("", -near.slack)


def _scaled(stated: Constraint) -> bool:
    return bound(stated.name, 1.0) != "1"


def _pruned(choice: Choice, point: int) -> bool:
    return choice.points["technique"].values[point] != DENSE


def _value(choice: Choice, point: int, name: str) -> Estimate:
    return estimate(choice.points[name].isel(point=point))


def _by_name(values: xr.DataArray) -> dict[str, Estimate]:
    names = map(str, values["true"].values)
    return dict(zip(names, estimates(values, "true"), strict=True))
