"""Calibration as tables and as JSON types."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from rich.console import Console

from prune_fair.console.multiplicity import PARTS, network_count
from prune_fair.console.tables import print_lines, print_rows
from prune_fair.store import DENSE
from prune_fair.words import calibration, failures
from prune_fair.words.multiplicity import is_pruned
from prune_fair.words.numbers import typed


def print_calibrations(console: Console, title: str, table: xr.Dataset) -> None:
    """A row a technique and level, the dense networks once; controls are marked."""
    rows = []
    for place, name in enumerate(table["technique"].values):
        for level in range(table.sizes["level"]):
            row = table.isel(technique=place, level=level)
            if not row["networks"] or (level == 0 and place):
                continue
            which = DENSE if level == 0 else f"{name} (control)" if row["control"] else str(name)
            place_of = which, str(row["level"].item()), typed(row["sparsity"].item())
            rows.append((*place_of, *calibration.cells(row), network_count(row)))
    header = "technique", "level", "sparsity", *calibration.HEADER, "networks"
    print_rows(console, f"{title}: are networks as sure as they are right?", header, rows)


def print_calibration_parts(
    console: Console, task: str, row: xr.Dataset, controls: Mapping[str, xr.Dataset]
) -> None:
    """A technique and level in words, and its classes and groups, the most overconfident first."""
    title = f"{task}: {row['technique'].item()}, level {row['level'].item()}"
    for part, dim in PARTS.items():
        if f"{part}_gap_change" not in row or not is_pruned(row):
            continue
        moved = row[f"{part}_gap_change"].sel(estimate="mean").values
        ordered = (row.isel({dim: place}) for place in np.argsort(-moved, kind="stable"))
        rows = [
            (
                str(own[dim].item()),
                str(int(own[f"{part}_images"])),
                *calibration.part_cells(own, f"{part}_"),
            )
            for own in ordered
        ]
        print_rows(console, f"{title}, by {part}", (part, "images", *calibration.BY_PART), rows)
    print_lines(console, calibration.calibration_in_words(row, controls))


def print_calibration_caveats(console: Console, results: xr.DataTree, confidence: float) -> None:
    """What a reader has to know of the numbers above."""
    for node in results.leaves:
        legend = calibration.legend(node.sizes["seed"], confidence)
        line = f"{node.path.strip('/')}: {legend}."
        print_lines(console, [" ".join([line, *failures.state(node, calibration.DIVERGED)])])
