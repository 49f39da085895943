"""Numbers as people read them: percent, points, intervals and units."""

import math
from typing import NamedTuple

from prune_fair import analysis
from prune_fair.fairness import METRICS
from prune_fair.report.estimate import Estimate

MINUS = "\N{MINUS SIGN}"
UNDEFINED = "undefined"
SAME = 1e-9  # bounds that are nearer are one number: nothing varies
LEAST_P = 0.001
UNITS = {"fraction": "%", "points": "points"}  # as people read them; other numbers have none
CHANGES = ("recall_change", "spared")  # of a class: no metrics, in points and with their sign
OTHERS = {
    analysis.SPARSITY: "fraction",
    "_difference": "points",
    **dict.fromkeys(CHANGES, "points"),
}


class Figure(NamedTuple):
    """A number in its unit, and its interval; empty where there is none."""

    mean: str
    interval: str


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


def described(name: str) -> str:
    """A metric in words."""
    return "sparsity" if name == analysis.SPARSITY else METRICS[name].description


def figure(name: str, value: Estimate) -> Figure:
    """A value of a metric and its interval, without the unit.

    Example:
        >>> figure("recall_change_min", Estimate(-0.044, -0.051, -0.037))
        Figure(mean='−4.4', interval='(−5.1 to −3.7)')
    """
    if not value.known:
        return Figure(UNDEFINED, "")
    mean, low, high = (number(name, each) for each in value)
    if not value.bounded or value.high - value.low < SAME:
        return Figure(mean, "")
    return Figure(mean, f"({low} to {high})")


def told(name: str, value: Estimate) -> str:
    """A value in a sentence, with its unit and interval.

    Example:
        >>> told("accuracy", Estimate(0.9594, 0.957, 0.962))
        '95.9 % (95.7 to 96.2)'
    """
    mean, interval = figure(name, value)
    return " ".join(part for part in (mean, unit(name) if value.known else "", interval) if part)


def lost(value: Estimate) -> str:
    """A fall as a positive number of points.

    Example:
        >>> lost(Estimate(-0.044, -0.051, -0.037))
        '4.4 points (3.7 to 5.1)'
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


def number(name: str, value: float) -> str:
    """One value of a metric, without its unit."""
    if math.isnan(value):
        return UNDEFINED
    if not unit(name):
        return _signed(f"{value:.3f}")
    if name == analysis.SPARSITY:
        return _signed(f"{100 * value:.{_sparsity_digits(value)}f}")
    has_sign = METRICS[name].bounds[0] < 0 if name in METRICS else name in CHANGES
    return _signed(f"{100 * value:{'+' if has_sign else ''}.1f}")


def _sparsity_digits(sparsity: float) -> int:
    """So many that 99.95 % is not shown as all."""
    return 1 if sparsity < 0.99 else 2 if sparsity < 0.999 else 3


def _signed(text: str) -> str:
    """With a minus sign in place of a hyphen, and none before a zero."""
    zero = not text.strip("+-0.")
    return text.strip("+-") if zero else text.replace("-", MINUS)


def plain(value: float, digits: int = 3) -> str:
    """A number without a unit; a dash where there is none."""
    return "\N{EN DASH}" if math.isnan(value) else _signed(f"{value:.{digits}f}")


def p_value(p: float) -> str:
    """A p, as small as it is worth reading; a dash where there is none."""
    return "< 0.001" if p < LEAST_P else plain(p)


def duration(seconds: float) -> str:
    """A time as people say it.

    Example:
        >>> duration(62.7), duration(7290.0)
        ('1 min 3 s', '2 h 2 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {round(whole % 3600 / 60)} min"


def counted(number: int, noun: str) -> str:
    """How many of something: `1 seed`, `1,536 networks`."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number:,} {noun if number == 1 else plural}"
