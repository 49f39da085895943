"""Formats of numbers: estimates with intervals, percent, points, p, counts and times."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

from prune_fair.analysis import ESTIMATES

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
UNDEFINED = "undefined"
SAME = 1e-9  # bounds that are nearer are one number: nothing varies
LEAST_P = 0.001


class Estimate(NamedTuple):
    """A mean and the bounds of its interval; bounds are NaN where there is no interval."""

    mean: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is a mean."""
        return not math.isnan(self.mean)

    @property
    def bounded(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.low)

    @property
    def falls(self) -> bool:
        """Whether it is below 0: all of its interval, or the mean where there is none."""
        return (self.high if self.bounded else self.mean) < 0

    @property
    def rises(self) -> bool:
        """Whether it is above 0: all of its interval, or the mean where there is none."""
        return (self.low if self.bounded else self.mean) > 0


class Figure(NamedTuple):
    """A number and its interval as text; the interval is empty where there is none."""

    mean: str
    interval: str

    @property
    def text(self) -> str:
        """Both.

        Example:
            >>> Figure("0.95", "[0.93, 0.97]").text, Figure("0.95", "").text
            ('0.95 [0.93, 0.97]', '0.95')
        """
        return " ".join(part for part in self if part)


def estimate(values: xr.DataArray) -> Estimate:
    """The estimate that an array along `estimate` holds."""
    return Estimate(*np.asarray(values.sel(estimate=list(ESTIMATES)).values, float).tolist())


def estimates(values: xr.DataArray, dim: str) -> list[Estimate]:
    """The estimates of an array along another axis and `estimate`."""
    rows = values.sel(estimate=list(ESTIMATES)).transpose(dim, "estimate").values
    return [Estimate(*row) for row in np.asarray(rows, float).tolist()]


def written(value: Estimate, form: Callable[[float], str]) -> Figure:
    """An estimate in the form of its numbers; no interval where there is none or nothing varies.

    Example:
        >>> written(Estimate(0.5, 0.4, 0.6), str), written(Estimate(0.5, 0.5, 0.5), str).text
        (Figure(mean='0.5', interval='[0.4, 0.6]'), '0.5')
    """
    if not value.known:
        return Figure(UNDEFINED, "")
    if not value.bounded or value.high - value.low < SAME:
        return Figure(form(value.mean), "")
    return Figure(form(value.mean), f"[{form(value.low)}, {form(value.high)}]")


def typed(value: float, digits: int = 3, sign: str = "") -> str:
    """A number as a command takes it: with a hyphen for a minus; 0 has no sign.

    Example:
        >>> typed(-0.0481), typed(-0.0001), typed(0.25, 1, "+")
        ('-0.048', '0.000', '+0.2')
    """
    text = f"{value:{sign}.{digits}f}"
    return text if text.strip("+-0.") else text.strip("+-")


def fraction(value: Estimate, digits: int = 3, sign: str = "") -> str:
    """An estimate and its interval, in the unit in which a command takes its bound.

    Example:
        >>> fraction(Estimate(-0.0481, -0.0692, -0.0303))
        '-0.048 [-0.069, -0.030]'
    """
    return written(value, lambda number: typed(number, digits, sign)).text


def fixed(value: float, digits: int = 3, sign: str = "") -> str:
    """A number with a minus sign; 0 has no sign.

    Example:
        >>> fixed(-4.81, 1), fixed(0.04, 1, "+"), fixed(1.26, 1, "+")
        ('−4.8', '0.0', '+1.3')
    """
    return typed(value, digits, sign).replace("-", MINUS)


def change(value: Estimate, digits: int = 1) -> str:
    """A change in points, from one that is a fraction.

    Example:
        >>> change(Estimate(-0.0481, -0.0692, -0.0303))
        '−4.8 [−6.9, −3.0]'
    """
    return written(value, lambda number: fixed(100 * number, digits, "+")).text


def percent(share: float, digits: int = 0) -> str:
    """A share.

    Example:
        >>> percent(0.404), percent(0.0074, 1)
        ('40 %', '0.7 %')
    """
    return f"{100 * share:.{digits}f} %"


def of_confidence(confidence: float) -> str:
    """The confidence of an interval.

    Example:
        >>> of_confidence(0.95), of_confidence(0.999)
        ('95 %', '99.9 %')
    """
    return f"{100 * confidence:g} %"


def sparsity(value: float) -> str:
    """A sparsity in percent, without the unit; with so many digits that 99.95 % is not all.

    Example:
        >>> sparsity(0.9088), sparsity(0.9986), sparsity(0.9995)
        ('90.9', '99.86', '99.950')
    """
    return fixed(100 * value, 1 if value < 0.99 else 2 if value < 0.999 else 3)


def short(text: str) -> str:
    """A number without zeros at the end of its decimals.

    Example:
        >>> short("99.950"), short("50.0"), short("100")
        ('99.95', '50', '100')
    """
    return text.rstrip("0").rstrip(".") if "." in text else text


def significant(value: float) -> str:
    """A number of three digits.

    Example:
        >>> significant(0.06894), significant(0.1), significant(50.0)
        ('0.0689', '0.1', '50')
    """
    return f"{value:.3g}"


def plain(value: float, digits: int = 3) -> str:
    """A number without a unit; a dash where there is none."""
    return fixed(value, digits) if math.isfinite(value) else NONE


def p_value(p: float) -> str:
    """A p, as small as it is worth reading; a dash where there is none."""
    return f"< {LEAST_P}" if p < LEAST_P else plain(p)


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


def speed(seconds_each: float, left: int) -> str:
    """How many models a minute, and how long those that are left take.

    Example:
        >>> speed(0.03, 1000)
        '2,000 models/min  00:00:30 left'
    """
    remaining = time.strftime("%H:%M:%S", time.gmtime(seconds_each * left))
    return f"{60 / seconds_each:,.0f} models/min  {remaining} left"


def counted(number: int, noun: str) -> str:
    """How many of something: `1 seed`, `1,536 networks`."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number:,} {noun if number == 1 else plural}"
