"""Exemplars as tables and as JSON types."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console

from prune_fair.console.documents import point_rows
from prune_fair.console.tables import print_rows, state_in_words, with_interval
from prune_fair.store import DENSE


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
    rows = [(name, *_cells(point)) for name, point in points if point["seeds"] > 0]
    heading = f"{title}: images on which pruned networks disagree with dense ones"
    print_rows(console, heading, header, rows)


def _cells(point: xr.Dataset) -> list[str]:
    number, right = point["number"].item(), ""
    if number:
        dense, pruned = (point[f"{name}_accuracy"].item() for name in ("dense", "pruned"))
        right = f"{dense:.0%} -> {pruned:.0%}"
    return [
        str(point["level"].item()),
        f"{point['sparsity'].item():.3f}",
        f"{number:.0f} ({point['share'].item():.1%})",
        "-" if point["across"].isnull() else f"{point['across'].item():.1f}",
        f"{point['taxicab'].item():.3f}",
        right,
        _over_indexed(point) if number else "",
    ]


def _over_indexed(point: xr.Dataset) -> str:
    by_class = point["over_index"].sel(estimate="mean").values
    most = int(np.argmax(np.nan_to_num(by_class)))
    worst = point["over_index"].isel(true=most)
    images = point["class_number"].isel(true=most).item()
    return f"{worst['true'].item()}: {with_interval(worst, 1.0, '.1f')}, {images:.0f} images"


def print_exemplar_images(console: Console, images: Mapping[str, tuple[int, xr.Dataset]]) -> None:
    """The farthest exemplars of each technique: an image, its class, and what is made of it."""
    for technique, (level, part) in images.items():
        header = "image", "true class", "dense label", "pruned label", "distance"
        columns = [map(str, part[name].values) for name in ("image", "true", "dense", "pruned")]
        distances = (f"{distance:.2f}" for distance in part["taxicab"].values)
        rows = list(zip(*columns, distances, strict=True))
        title = f"{technique}, level {level}: the exemplars with the farthest votes"
        print_rows(console, title, header, rows)


def print_exemplar_caveats(console: Console, results: xr.DataTree, confidence: float) -> None:
    """What a reader has to know of the numbers above."""
    for node in results.leaves:
        line = (
            "an exemplar's modal label differs from the dense one; 'even against odd seeds' holds "
            "pruned networks against dense ones of other seeds, and at level 0 shows what seeds "
            f"alone make; [low, high]: {confidence:.0%} for all classes together, over exemplars, "
            f"not over the {node.sizes['seed']} seeds"
        )
        line += state_in_words(node, "vote for a wrong class on every image")
        console.print(f"{node.path.strip('/')}: {line}", markup=False, soft_wrap=True)
