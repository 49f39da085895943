"""Exemplars as tables and as JSON types."""

from collections.abc import Mapping
from typing import Any

import xarray as xr
from rich.console import Console

from prune_fair.console.documents import point_rows
from prune_fair.console.tables import print_lines, print_rows, print_split
from prune_fair.store import DENSE
from prune_fair.words import failures, votes
from prune_fair.words.numbers import typed


def exemplar_rows(table: xr.Dataset) -> dict[str, Any]:
    """What `analysis.exemplars` gives, as JSON types: a row a technique and level."""
    images = table["class_images"]
    points = table.drop_vars("class_images").stack(point=("technique", "level"), create_index=False)
    return {
        "class_images": dict(zip(images["true"].values, images.values.tolist(), strict=True)),
        "points": point_rows(points),
    }


def image_rows(images: xr.Dataset) -> list[dict[str, Any]]:
    """What `analysis.exemplar_images` gives, as JSON types."""
    return point_rows(images.rename(exemplar="point"))


def print_exemplars(console: Console, title: str, table: xr.Dataset) -> None:
    """A row a technique and level: how many, how far, the class that is over-indexed the most."""
    header = (
        "technique", "level", "sparsity", "exemplars", "even against\nodd seeds", "distance",
        "right on them\ndense -> pruned", "most over-indexed class",
    )  # fmt: skip
    points = [
        (DENSE if level == 0 else str(name), table.isel(technique=technique, level=level))
        for technique, name in enumerate(table["technique"].values)
        for level in range(table.sizes["level"])
        if level > 0 or technique == 0
    ]
    rows = [
        (
            name,
            str(point["level"].item()),
            typed(point["sparsity"].item()),
            *votes.cells(point),
        )
        for name, point in points
        if point["seeds"] > 0
    ]
    heading = f"{title}: images on which pruned networks disagree with dense ones"
    print_rows(console, heading, header, rows)


def print_exemplar_images(console: Console, images: Mapping[str, tuple[int, xr.Dataset]]) -> None:
    """The farthest exemplars of each technique: an image, its class, and what is made of it."""
    for technique, (level, part) in images.items():
        header = "image", "true class", "dense label", "pruned label", "distance"
        columns = [map(str, part[name].values) for name in ("image", "true", "dense", "pruned")]
        distances = map(votes.distance, part["taxicab"].values.tolist())
        rows = list(zip(*columns, distances, strict=True))
        title = f"{technique}, level {level}: the exemplars with the farthest votes"
        print_rows(console, title, header, rows)


def print_exemplar_caveats(console: Console, results: xr.DataTree, confidence: float) -> None:
    """What a reader has to know of the numbers above."""
    print_split(console, results)
    for node in results.leaves:
        line = f"{node.path.strip('/')}: {votes.legend(node.sizes['seed'], confidence)}."
        print_lines(console, [" ".join([line, *failures.state(node, failures.MISVOTED)])])
