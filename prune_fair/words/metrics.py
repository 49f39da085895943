"""Metrics as people read them: their names, units and values."""

import math

from prune_fair import analysis
from prune_fair.fairness import EVERY_CLASS, METRICS
from prune_fair.words.numbers import MINUS, UNDEFINED, Estimate, Figure, fixed, significant, written
from prune_fair.words.numbers import sparsity as sparsity_in_percent

UNITS = {"fraction": "%", "points": "points"}  # as people read them; other numbers have none
CHANGES = ("recall_change", "spared")  # of a class: no metrics, in points and with their sign
OTHERS = {
    analysis.SPARSITY: "fraction",
    "_difference": "points",
    **dict.fromkeys(CHANGES, "points"),
}
AXES = {  # of values as they are drawn: points are differences of fractions
    "fraction": "fraction",
    "points": "fraction",
    "percent": "percent",
    "percent^2": "percent\N{SUPERSCRIPT TWO}",
}
WITHIN = {"accuracy_change": "mean accuracy", EVERY_CLASS: "every class's mean recall"}
SYMBOLS = {">=": "\N{GREATER-THAN OR EQUAL TO}", "<=": "\N{LESS-THAN OR EQUAL TO}"}


def unit(name: str) -> str:
    """What a metric is counted in: percent, points (of percent), or nothing.

    Example:
        >>> unit("recall_change_min"), unit("accuracy"), unit("recall_gini")
        ('points', '%', '')
    """
    kind = METRICS[name].unit if name in METRICS else OTHERS.get(name, "number")
    return UNITS.get(kind, "")


def heading(name: str) -> str:
    """A metric's name above a column."""
    return METRICS[name].label if name in METRICS else name


def on_axis(name: str) -> str:
    """What a metric is called on an axis, with its unit where it has one.

    Example:
        >>> on_axis("recall_group_min"), on_axis("recall_gini")
        ("worst class's recall (fraction)", 'Gini coefficient of recall')
    """
    if name == analysis.SPARSITY:
        return f"{name} (fraction)"
    row = METRICS[name]
    return f"{row.label} ({AXES[row.unit]})" if row.unit in AXES else row.label


def described(name: str) -> str:
    """A metric in words."""
    return "sparsity" if name == analysis.SPARSITY else METRICS[name].description


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
    return f"{heading(stated.name)} {SYMBOLS[stated.relation]} {limit}"


def number(name: str, value: float) -> str:
    """One value of a metric, without its unit."""
    if math.isnan(value):
        return UNDEFINED
    if not unit(name):
        return fixed(value)
    if name == analysis.SPARSITY:
        return sparsity_in_percent(value)
    has_sign = METRICS[name].bounds[0] < 0 if name in METRICS else name in CHANGES
    return fixed(100 * value, 1, "+" if has_sign else "")


def reference(point: dict[str, float]) -> str:
    """The point that hypervolumes are measured from.

    Example:
        >>> reference({"sparsity": 0.0, "accuracy": 0.1})
        'sparsity 0, accuracy 0.1'
    """
    return ", ".join(f"{heading(name)} {significant(value)}" for name, value in point.items())
