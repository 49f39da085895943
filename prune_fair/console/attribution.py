"""What the change of a class's recall goes with, as a table."""

import xarray as xr
from rich.console import Console

from prune_fair.console.tables import print_lines, print_rows
from prune_fair.words.attribution import (
    attribution_in_words,
    basis,
    coefficient,
    term_rows,
    without_one,
)
from prune_fair.words.numbers import counted, p_value, sparsity


def print_attribution(console: Console, title: str, table: xr.Dataset) -> None:
    """The coefficients of covariates, sentences, and what to know of them."""
    over = f"p over {counted(table.classes, 'class')}"
    header = "term", "points of recall", over, "one class left out", "the change that goes with"
    rows = [
        (row["term"], coefficient(row), p_value(row["p"]), without_one(row), row["meaning"])
        for row in term_rows(table)
    ]
    print_rows(console, f"{title}, at {sparsity(table.sparsity)} % sparsity", header, rows)
    notes = [f"note: {note}" for note in table.notes]
    print_lines(console, [*attribution_in_words(table), *notes, basis(table)])
