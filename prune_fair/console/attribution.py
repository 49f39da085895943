"""What the change of a class's recall goes with, as a table."""

import xarray as xr
from rich.console import Console

from prune_fair.console.tables import print_lines, print_rows
from prune_fair.words.attribution import attribution_in_words, basis, coefficient, term_rows
from prune_fair.words.numbers import p_value, sparsity


def print_attribution(console: Console, title: str, table: xr.Dataset) -> None:
    """The coefficients of covariates and interactions, sentences, and what to know of them."""
    header = "term", "points of recall", "p", "the change of recall that goes with"
    rows = [
        (row["term"], coefficient(row), p_value(row["p"]), row["meaning"])
        for row in term_rows(table)
        if row["kind"] != "fixed effect"
    ]
    print_rows(console, f"{title}, at {sparsity(table.sparsity)} % sparsity", header, rows)
    notes = [f"note: {note}" for note in table.notes]
    print_lines(console, [*attribution_in_words(table), *notes, basis(table)])
