"""Exemplars: the images on which pruned networks and dense ones disagree."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from prune_fair.words.metrics import told
from prune_fair.words.numbers import (
    Estimate,
    counted,
    estimate,
    fixed,
    of_confidence,
    percent,
    plain,
    written,
)

NOT_KEPT = (
    "What networks predict for each test image was not kept, so that it is not known on which "
    "images pruned networks disagree with dense ones. A study that is run with --predictions knows."
)


def exemplars_in_words(row: xr.Dataset, dense: xr.Dataset, images: int) -> list[str]:
    """How many exemplars there are, how many chance makes, and of which classes.

    Args:
        row: of a technique and level, as `analysis.exemplars` gives it.
        dense: its row of level 0.
        images: on which networks voted.
    """
    pruned = "the pruned network says another class than the dense one."
    if row["seeds"] != 1:
        pruned = "most pruned networks say another class than most dense ones."
    number = int(row["number"])
    share = percent(number / images, 1)
    lines = [f"On {number} of {counted(images, 'test image')} ({share}) {pruned}"]
    across, chance = row["across"].item(), dense["across"].item()
    if np.isfinite(across + chance):
        lines.append(
            "Between halves of the seeds that share no seed, such images number "
            f"{fixed(across, 1)} from dense to pruned, and {fixed(chance, 1)} from dense to dense: "
            "that many seeds make alone."
        )
    if over := over_indexed(row):
        named = ", ".join(f"{name} {told('ratio', value)} times" for name, value in over[:3])
        lines.append(f"Classes that are exemplars more often than their share of images: {named}.")
    return lines


def over_indexed(row: xr.Dataset) -> list[tuple[str, Estimate]]:
    """The classes whose over-index lies above 1 with all of its interval, the highest first."""
    names = [str(name) for name in row["true"].values]
    index = [(name, estimate(row["over_index"].sel(true=name))) for name in names]
    return sorted((each for each in index if each[1].low > 1), key=lambda each: -each[1].mean)


def cells(row: xr.Dataset) -> Sequence[str]:
    """Number and share of exemplars, halves, distance, who is right, and the class they are of."""
    number = int(row["number"])
    right = [percent(row[f"{name}_accuracy"].item()) for name in ("dense", "pruned") if number]
    return (
        f"{number} ({percent(row['share'].item(), 1)})",
        plain(row["across"].item(), 1),
        distance(row["taxicab"].item(), 3),
        " -> ".join(right),
        _most_over_indexed(row) if number else "",
    )


def distance(taxicab: float, digits: int = 2) -> str:
    """How far votes have moved."""
    return fixed(taxicab, digits)


def _most_over_indexed(row: xr.Dataset) -> str:
    by_class = row["over_index"].sel(estimate="mean").values
    worst = row.isel(true=int(np.argmax(np.nan_to_num(by_class))))
    index = written(estimate(worst["over_index"]), lambda value: fixed(value, 1)).text
    images = counted(int(worst["class_number"].item()), "image")
    return f"{worst['true'].item()}: {index}, {images}"


def legend(seeds: int, confidence: float) -> str:
    """What the columns of exemplars are."""
    return (
        "an exemplar's modal label differs from the dense one; 'even against odd seeds' holds "
        "pruned networks against dense ones of other seeds, and at level 0 shows what seeds "
        f"alone make; [low, high]: {of_confidence(confidence)} for all classes together, over "
        f"exemplars, not over the {counted(seeds, 'seed')}"
    )
