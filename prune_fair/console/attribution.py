"""What the change of a class's recall goes with: tables, sentences and JSON rows."""

from typing import Any

import xarray as xr
from rich.console import Console

from prune_fair.analysis import COVARIATES
from prune_fair.console.tables import p_value, print_rows

# A covariate's step that costs recall, the step's size in its units, and what is compared with.
STEPS = {
    "share": ("a class with half the share of the training images", -1.0),
    "complexity": ("a class of one standard deviation more {complexity}", 1.0),
    "dense_recall": ("a class whose dense recall is 10 points lower", -10.0),
}


def print_attribution(console: Console, title: str, table: xr.Dataset) -> None:
    """The coefficients of covariates and interactions, sentences, and what to know of them."""
    header = "term", "points of recall", "p", "the change of recall that goes with"
    rows = [
        (
            row["term"],
            f"{row['estimate']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]",
            p_value(row["p"]),
            row["meaning"],
        )
        for row in term_rows(table)
        if row["kind"] != "fixed effect"
    ]
    print_rows(console, f"{title}, at sparsity {table.sparsity:.3f}", header, rows)
    for line in attribution_in_words(table):
        console.print(line, markup=False, soft_wrap=True)
    for note in table.notes:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    console.print(_basis(table), markup=False, soft_wrap=True)


def attribution_in_words(table: xr.Dataset) -> list[str]:
    """A sentence for each covariate's effect at the table's sparsity, and further on."""
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


def _sentence(
    table: xr.Dataset, row: dict[str, Any], further: dict[str, Any] | None, who: str, step: float
) -> str:
    who = who.format(complexity=table.complexity.replace("_", " "))
    sentence = f"At sparsity {table.sparsity:.3f} {who} loses {lost(row, step)}"
    if row["low"] <= 0 <= row["high"]:
        sentence += " (the interval holds 0)"
    if further is not None:
        sentence += f"; with each doubling of compression, {lost(further, step)}"
    return f"{sentence}."


def lost(row: dict[str, Any], step: float) -> str:
    """A loss with its interval, turned so that its estimate is above 0."""
    more = row["estimate"] * step <= 0
    sign = -step if more else step
    ends = sorted((sign * row["low"], sign * row["high"]))
    lost, low, high = (f"{value:z.1f}" for value in (sign * row["estimate"], *ends))
    return f"{lost} [{low}, {high}] points {'more' if more else 'less'}"


def _basis(table: xr.Dataset) -> str:
    """What the intervals stand on."""
    return (
        f"[low, high]: {table.confidence:.0%}, clustered by {table.cluster.replace('_', ' ')} "
        f"({table.clusters} clusters); {table.rows} changes of a class's recall, R² "
        f"{table.r_squared:.2f}. They say what other seeds would give for these classes, not what "
        f"other classes would; effects are associations{_averaged(len(table.techniques))}"
    )


def _averaged(techniques: int) -> str:
    return (
        f", taken for equal over {techniques} techniques (--techniques for one)"
        if techniques > 1
        else ""
    )
