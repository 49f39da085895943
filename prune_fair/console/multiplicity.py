"""Multiplicity as tables and as JSON types."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console

from prune_fair.console.documents import keyed, point_rows
from prune_fair.console.tables import print_lines, print_rows, print_split
from prune_fair.store import DENSE
from prune_fair.words import failures, multiplicity
from prune_fair.words.numbers import NONE, typed

PARTS = {"class": "true", "group": "group"}


def multiplicity_rows(table: xr.Dataset) -> dict[str, Any]:
    """What `analysis.multiplicity` gives, as JSON types: a row a technique and level."""
    sizes = [f"{part}_images" for part in PARTS if f"{part}_images" in table]
    points = table.drop_vars(sizes).stack(point=("technique", "level"), create_index=False)
    return {**{name: keyed(table[name]) for name in sizes}, "points": point_rows(points)}


def print_multiplicity(console: Console, title: str, table: xr.Dataset) -> None:
    """A row a technique and level, the dense networks once; controls are marked."""
    rows = []
    for place, name in enumerate(table["technique"].values):
        for level in range(table.sizes["level"]):
            row = table.isel(technique=place, level=level)
            if not row["networks"] or (level == 0 and place):
                continue
            which = DENSE if level == 0 else f"{name} (control)" if row["control"] else str(name)
            shown = multiplicity.cells(row)
            shown = (NONE, NONE, *shown[2:]) if level == 0 else shown
            place_of = which, str(row["level"].item()), typed(row["sparsity"].item())
            rows.append((*place_of, *shown, network_count(row)))
    header = "technique", "level", "sparsity", *multiplicity.HEADER, "networks"
    print_rows(console, f"{title}: what pruning and seeds change in single images", header, rows)


def network_count(row: xr.Dataset) -> str:
    """How many networks there are, and how many of them failed."""
    lost = int(row["failures"])
    return f"{int(row['networks'])} ({lost} failed)" if lost else str(int(row["networks"]))


def print_parts(
    console: Console, task: str, row: xr.Dataset, controls: Mapping[str, xr.Dataset]
) -> None:
    """A technique and level in words, and its classes and groups, those with most flips first."""
    title = f"{task}: {row['technique'].item()}, level {row['level'].item()}"
    for part, dim in PARTS.items():
        if f"{part}_flip_rate" not in row or not multiplicity.is_pruned(row):
            continue
        rates = row[f"{part}_flip_rate"].sel(estimate="mean").values
        rows = [
            (
                str(own[dim].item()),
                str(int(own[f"{part}_images"])),
                *multiplicity.part_cells(own, f"{part}_"),
            )
            for own in (row.isel({dim: place}) for place in np.argsort(-rates, kind="stable"))
        ]
        header = part, "images", *multiplicity.BY_PART
        print_rows(console, f"{title}, by {part}", header, rows)
    print_lines(console, multiplicity.multiplicity_in_words(row, controls))


def print_multiplicity_caveats(console: Console, results: xr.DataTree, confidence: float) -> None:
    """What a reader has to know of the numbers above."""
    print_split(console, results)
    for node in results.leaves:
        legend = multiplicity.legend(node.sizes["seed"], confidence)
        line = f"{node.path.strip('/')}: {legend}."
        print_lines(console, [" ".join([line, *failures.state(node, failures.DISAGREE)])])
