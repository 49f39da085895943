"""What the change of a class's recall goes with: sentences and what they stand on."""

import math
from typing import Any

import xarray as xr

from prune_fair.analysis import COVARIATES
from prune_fair.words.numbers import (
    NONE,
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
ROTATE = "`--data.rotate-rare` rotates which classes are rare"


def attribution_in_words(table: xr.Dataset) -> list[str]:
    """What was varied, and a sentence for each covariate's effect at the table's sparsity.

    Args:
        table: as `analysis.attribute` gives it.
    """
    rows = {row["term"]: row for row in term_rows(table)}
    told = [_sentence(table, rows[name], *STEPS[name]) for name in COVARIATES if name in rows]
    return [*([varied(table)] if "share" in rows else []), *told]


def varied(table: xr.Dataset) -> str:
    """What was done to classes' shares, and so whether share can be told from the classes."""
    count = len(table.rare_classes)
    *others, last = table.rare_classes or [""]
    named = f"{', '.join(others)} and {last}" if others else last
    if table.rarity == "rotated":
        if count == 1:
            return f"Rarity was varied in class {named} alone: one class tells what share does."
        over = "" if count == table.classes else f"{count} of "
        return (
            f"Rarity was rotated over {over}{counted(table.classes, 'class')} in "
            f"{counted(len(table.tasks), 'task')}: each class is compared with itself."
        )
    if table.rarity == "fixed":
        who = f"Class {named} was" if count == 1 else f"Classes {named} were"
        return (
            f"{who} made rare in every task: what share does cannot be told from what else is "
            f"special about {'it' if count == 1 else 'them'}; {ROTATE}."
        )
    if table.rarity == "long tail":
        return (
            "The long tail makes classes rare by their order: what share does cannot be told from "
            "which classes come last."
        )
    return (
        "Shares are those of the data: what share does cannot be told from which classes are rare "
        f"there; {ROTATE}."
    )


def term_rows(table: xr.Dataset) -> list[dict[str, Any]]:
    """Terms as JSON types."""
    names = [str(name) for name in table.data_vars]
    return [
        {"term": str(term), **{name: table[name][index].item() for name in names}}
        for index, term in enumerate(table["term"].values)
    ]


def coefficient(row: dict[str, Any]) -> str:
    """A term's coefficient with its interval, in points of recall."""
    value = Estimate(row["estimate"], row["low"], row["high"])
    return written(value, lambda number: fixed(number, 2, "+")).text


def without_one(row: dict[str, Any]) -> str:
    """The range of a term's coefficient if any one class is left out; a dash where there is none.

    Example:
        >>> without_one({"least": 1.81, "most": 4.92})
        '+1.81 to +4.92'
    """
    if math.isnan(row["least"]):
        return NONE
    return f"{fixed(row['least'], 2, '+')} to {fixed(row['most'], 2, '+')}"


def resolved(table: xr.Dataset, row: dict[str, Any]) -> bool:
    """Whether the sign of an effect is told: by its interval, its p and with any class left out."""
    held = row["low"] > 0 or row["high"] < 0
    same = row["least"] * row["most"] > 0 and not row["needs"]
    return bool(held and same and row["p"] <= 1 - table.confidence)


def _sentence(table: xr.Dataset, row: dict[str, Any], who: str, step: float) -> str:
    who = who.format(complexity=table.complexity.replace("_", " "))
    sentence = f"At {sparsity(table.sparsity)} % sparsity {who} loses {lost(row, step)}"
    verdict = "" if resolved(table, row) else ": not resolved"
    return f"{sentence}{_hinges(row, step)}{verdict}."


def _hinges(row: dict[str, Any], step: float) -> str:
    """The class without which least is left of an effect, and how much."""
    if row["needs"]:
        return f"; without class {row['needs']} nothing can be said"
    end = "least" if row["estimate"] > 0 else "most"
    if math.isnan(row[end]):
        return ""
    sign = abs(step) if row["estimate"] > 0 else -abs(step)
    return f", and {fixed(sign * row[end], 1)} without class {row[f'{end}_without']}"


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
    """What intervals and p stand on."""
    classes = counted(table.classes, "class")
    averaged = f"{_seeds(table)} and {counted(len(table.techniques), 'technique')}"
    shuffled = f"{'all ' if table.exact else ''}{table.permutations:,}"
    freedom = table.degrees_of_freedom
    interval = (
        f"[low, high]: {of_confidence(table.confidence)}, of t with {counted(freedom, 'degree')} "
        "of freedom, if classes were drawn anew. "
        if freedom > 0 and table.converged
        else ""
    )
    return (
        f"The units are {classes}, each with its mean change over {averaged} in each task; more "
        f"networks do not make them more. {interval}p: that a covariate goes with nothing, from "
        f"{shuffled} permutations of the changes over classes. Not resolved: the interval holds 0, "
        f"p is above {1 - table.confidence:.2g}, or the sign turns, or cannot be told, with one "
        "class left out. Effects are associations."
    )


def _seeds(table: xr.Dataset) -> str:
    least, most = min(table.seeds), max(table.seeds)
    return counted(most, "seed") if least == most else f"{least:,} to {most:,} seeds"
