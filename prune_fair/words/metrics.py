"""Metrics as people read them: their names, units and values."""

import math

from prune_fair import analysis
from prune_fair.fairness import EVERY_CLASS, METRICS
from prune_fair.words.numbers import MINUS, UNDEFINED, Estimate, Figure, fixed, significant, written
from prune_fair.words.numbers import sparsity as sparsity_in_percent

CHANGES = ("change", "excessive", "normalised", "spared")
DISTANCES = ("_difference", "_std", "_to_overall", "_difference_max")
FRACTIONS = ("accuracy", "_group_min", "_group_max")
HEADINGS = {
    "sparsity": "sparsity",
    "accuracy": "accuracy",
    "accuracy_change": "change of accuracy",
    "recall_group_min": "worst class's recall",
    "recall_difference": "best minus worst recall",
    "recall_ratio": "worst over best recall",
    "recall_change_min": "change of recall, worst class of each network",
    EVERY_CLASS: "mean change of recall, worst class",
}
WITHIN = {"accuracy_change": "mean accuracy", EVERY_CLASS: "every class's mean recall"}
SYMBOLS = {">=": "\N{GREATER-THAN OR EQUAL TO}", "<=": "\N{LESS-THAN OR EQUAL TO}"}


def unit(name: str) -> str:
    """What a metric is counted in: percent, points (of percent), or nothing.

    Example:
        >>> unit("recall_change_min"), unit("accuracy"), unit("recall_gini")
        ('points', '%', '')
    """
    if any(part in name for part in CHANGES) or (
        name.endswith(DISTANCES) and not name.endswith("ratio_to_overall")
    ):
        return "points"
    return "%" if name == analysis.SPARSITY or name.endswith(FRACTIONS) else ""


def heading(name: str) -> str:
    """A metric's name above a column."""
    return HEADINGS.get(name, name)


def described(name: str) -> str:
    """A metric in words."""
    return "sparsity" if name == analysis.SPARSITY else METRICS[name].description


def in_short(name: str) -> str:
    """A metric as its heading, or where it has none in words.

    Example:
        >>> in_short("recall_group_min"), in_short("cev")
        ("worst class's recall", 'spread of relative changes of fpr and fnr, percent^2')
    """
    return HEADINGS[name] if name in HEADINGS else described(name)


def figure(name: str, value: Estimate) -> Figure:
    """A value of a metric and its interval, without the unit.

    Example:
        >>> figure("recall_change_min", Estimate(-0.044, -0.051, -0.037))
        Figure(mean='−4.4', interval='[−5.1, −3.7]')
    """
    return written(value, lambda each: number(name, each))


def told(name: str, value: Estimate) -> str:
    """A value in a sentence, with its unit and interval.

    Example:
        >>> told("accuracy", Estimate(0.9594, 0.957, 0.962))
        '95.9 % [95.7, 96.2]'
    """
    mean, interval = figure(name, value)
    return " ".join(part for part in (mean, unit(name) if value.known else "", interval) if part)


def lost(value: Estimate) -> str:
    """A fall as a positive number of points.

    Example:
        >>> lost(Estimate(-0.044, -0.051, -0.037))
        '4.4 points [3.7, 5.1]'
    """
    return told("_difference", Estimate(-value.mean, -value.high, -value.low))


def bound(name: str, value: float) -> str:
    """A stated bound with its unit.

    Example:
        >>> bound("recall_change_min", -0.05)
        '−5 points'
    """
    scale, units = (100, f" {unit(name)}") if unit(name) else (1, "")
    single = units == " points" and abs(scale * value) == 1
    return f"{scale * value:g}".replace("-", MINUS) + (" point" if single else units)


def constraint(stated: analysis.Constraint) -> str:
    """A constraint in words.

    Example:
        >>> constraint(analysis.Constraint.parse("mean_recall_change_min>=-0.05"))
        "every class's mean recall within 5 points of dense"
        >>> constraint(analysis.Constraint.parse("recall_group_min>=0.8"))
        "worst class's recall ≥ 80 %"
    """
    if stated.name in WITHIN and stated.relation == ">=" and stated.bound <= 0:
        return f"{WITHIN[stated.name]} within {bound(stated.name, -stated.bound)} of dense"
    limit = bound(stated.name, stated.bound)
    return f"{in_short(stated.name)} {SYMBOLS[stated.relation]} {limit}"


def number(name: str, value: float) -> str:
    """One value of a metric, without its unit."""
    if math.isnan(value):
        return UNDEFINED
    if not unit(name):
        return fixed(value)
    if name == analysis.SPARSITY:
        return sparsity_in_percent(value)
    return fixed(100 * value, 1, "+" if any(part in name for part in CHANGES) else "")


def reference(point: dict[str, float]) -> str:
    """The point that hypervolumes are measured from.

    Example:
        >>> reference({"sparsity": 0.0, "accuracy": 0.1})
        'sparsity 0, accuracy 0.1'
    """
    return ", ".join(f"{heading(name)} {significant(value)}" for name, value in point.items())
