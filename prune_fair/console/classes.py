"""Classes against the dense networks, as a person reads it."""

import numpy as np
import xarray as xr
from rich.console import Console

from prune_fair.console.tables import print_rows
from prune_fair.words.classes import flag
from prune_fair.words.numbers import change, estimate, p_value


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
            change(estimate(row[name]))
            for name in ("recall_change", "normalised_recall_difference")
        )
        adjusted = (p_value(row[name].item()) for name in ("p_holm", "p_bh"))
        rows.append((str(row["true"].item()), *changes, *adjusted, flag(row)))
    print_rows(console, f"{title}, level {tests['level'].item()}", header, rows)
