"""What the change of a class's recall goes with: sentences and what they stand on."""

from typing import Any

import xarray as xr

from prune_fair.analysis import COVARIATES
from prune_fair.words.numbers import (
    Estimate,
    counted,
    fixed,
    of_confidence,
    sparsity,
    written,
)

# A covariate's step that costs recall, the step's size in its units, and what is compared with.
STEPS = {
    "share": ("a class with half the share of the training images", -1.0),
    "complexity": ("a class of one standard deviation more {complexity}", 1.0),
    "dense_recall": ("a class whose dense recall is 10 points lower", -10.0),
}


def attribution_in_words(table: xr.Dataset) -> list[str]:
    """A sentence for each covariate's effect at the table's sparsity, and further on.

    Args:
        table: as `analysis.attribute` gives it.
    """
    terms = {row["term"]: row for row in term_rows(table)}
    return [
        _sentence(table, terms[name], terms.get(f"{name}:compression"), *STEPS[name])
        for name in COVARIATES
        if name in terms
    ]


def term_rows(table: xr.Dataset) -> list[dict[str, Any]]:
    """Terms as JSON types."""
    names = [str(name) for name in table.data_vars]
    return [
        {"term": str(term), **{name: table[name][index].item() for name in names}}
        for index, term in enumerate(table["term"].values)
    ]


def coefficient(row: dict[str, Any]) -> str:
    """A term's coefficient, in points of recall."""
    value = Estimate(row["estimate"], row["low"], row["high"])
    return written(value, lambda number: fixed(number, 2, "+")).text


def _sentence(
    table: xr.Dataset, row: dict[str, Any], further: dict[str, Any] | None, who: str, step: float
) -> str:
    who = who.format(complexity=table.complexity.replace("_", " "))
    sentence = f"At {sparsity(table.sparsity)} % sparsity {who} loses {lost(row, step)}"
    if row["low"] <= 0 <= row["high"]:
        sentence += " (the interval holds 0)"
    if further is not None:
        sentence += f"; with each doubling of compression, {lost(further, step)}"
    return f"{sentence}."


def lost(row: dict[str, Any], step: float) -> str:
    """A loss with its interval, turned so that its estimate is above 0.

    Example:
        >>> lost({"estimate": 4.67, "low": 4.14, "high": 5.2}, -1.0)
        '4.7 points more [4.1, 5.2]'
    """
    more = row["estimate"] * step <= 0
    sign = -step if more else step
    low, high = sorted((sign * row["low"], sign * row["high"]))
    value = Estimate(sign * row["estimate"], low, high)
    mean, interval = written(value, lambda number: fixed(number, 1))
    return f"{mean} points {'more' if more else 'less'} {interval}".rstrip()


def basis(table: xr.Dataset) -> str:
    """What the intervals stand on."""
    return (
        f"[low, high]: {of_confidence(table.confidence)}, clustered by "
        f"{table.cluster.replace('_', ' ')} ({counted(table.clusters, 'cluster')}); "
        f"{counted(table.rows, 'change')} of a class's recall, R² {fixed(table.r_squared, 2)}. "
        "They say what other seeds would give for these classes, not what other classes would; "
        f"effects are associations{_averaged(len(table.techniques))}"
    )


def _averaged(techniques: int) -> str:
    return (
        f", taken for equal over {techniques} techniques (--techniques for one)"
        if techniques > 1
        else ""
    )
