"""Classes against the dense networks, as a person reads it."""

import numpy as np
import xarray as xr
from rich.console import Console

from prune_fair.console.tables import p_value, print_rows, with_interval


def print_classes(console: Console, title: str, tests: xr.Dataset) -> None:
    """The classes of one technique and level, the one that lost most first."""
    header = (
        "class", "recall since dense,\nin points", "beyond all classes together,\nin points",
        "p (Holm)", "p (Benjamini-\nHochberg)", "",
    )  # fmt: skip
    order = np.argsort(tests["normalised_recall_difference"].sel(estimate="mean").values)
    rows = []
    for index in order:
        row = tests.isel(true=index)
        changes = (
            with_interval(row[name], 100.0, "+.1f")
            for name in ("recall_change", "normalised_recall_difference")
        )
        adjusted = (p_value(row[name].item()) for name in ("p_holm", "p_bh"))
        rows.append((str(row["true"].item()), *changes, *adjusted, _flag(row)))
    print_rows(console, f"{title}, level {tests['level'].item()}", header, rows)


def _flag(row: xr.Dataset) -> str:
    if not row["flagged_holm"].item():
        return ""
    fell = row["normalised_recall_difference"].sel(estimate="mean").item() < 0
    return "pays" if fell else "lost less than average"
