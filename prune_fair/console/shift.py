"""Who loses under distribution shift and sparsity together, as people and programs read it."""

from typing import Any

import xarray as xr
from rich.console import Console

from prune_fair.console.documents import keyed
from prune_fair.console.tables import print_lines, print_rows
from prune_fair.words import failures, shift


def shift_rows(table: xr.Dataset) -> dict[str, Any]:
    """What `analysis.under_shift` gives, as JSON types."""
    names = "corruption", "severity", *map(str, table.data_vars)
    return {name: keyed(table[name]) for name in names}


def print_shift(console: Console, title: str, own: xr.Dataset) -> None:
    """A technique's level: the clean test images first, then each shift."""
    rows = [shift.shift_cells(own.isel(split=place)) for place in range(own.sizes["split"])]
    level = own["level"].item()
    print_rows(console, f"{title}, level {level}: recall since dense", shift.COLUMNS, rows)


def print_shift_caveats(console: Console, results: xr.DataTree, confidence: float) -> None:
    """What a reader has to know of the numbers above."""
    for node in results.leaves:
        legend = shift.legend(node.sizes["seed"], node.sizes["true"], confidence)
        line = f"{node.path.strip('/')}: {legend}"
        print_lines(console, [" ".join([line, *failures.state(node)])])
