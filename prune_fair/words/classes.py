"""Classes: which of them pay, and what a choice by accuracy alone costs whom."""

import xarray as xr

from prune_fair import analysis
from prune_fair.data import TEST
from prune_fair.words.metrics import figure, lost, told
from prune_fair.words.numbers import NONE, Figure, change, counted, estimate, estimates, fixed

NAMED = 3  # payers that a sentence names
RECALLS = ["dense", "pruned", "change"]
ACCURACY_ALONE = (
    "if mean accuracy may fall\nby so many points",
    "accuracy alone prunes",
    "to sparsity, in %",
    "accuracy changes by\n(points)",
    "the recall of the class that\npays most changes by (points)",
)
PRICE = (
    "technique",
    "accuracy alone prunes to sparsity, in %\n(mean accuracy within 1 point of dense)",
    "which costs the worst-off class\n(change of its recall, in points)",
    "every class is kept up to sparsity, in %\n(its mean recall within 5 points of dense)",
)


def payers(recalls: xr.Dataset) -> str:
    """Which classes lose recall, the one that loses most first.

    Args:
        recalls: by class (true, estimate): recall `dense` and `pruned`, and its `change`.
    """
    names = [str(name) for name in recalls["true"].values]
    dense, pruned, change = (estimates(recalls[name], "true") for name in RECALLS)
    losers = sorted((c for c in range(len(names)) if change[c].falls), key=lambda c: change[c].mean)
    if not losers:
        return "That recall falls is resolved of no class."
    first, *others = losers
    line = (
        f"Class {names[first]} pays most: its recall falls from {told('accuracy', dense[first])} "
        f"to {told('accuracy', pruned[first])}, by {lost(change[first])}"
    )
    if others:
        named = ", ".join(f"{names[c]} by {lost(change[c])}" for c in others[: NAMED - 1])
        line += f"; next class {named}"
    if not change[first].bounded:
        return f"{line}. {len(losers)} of {len(names)} classes lose recall."
    return (
        f"{line}. In {len(losers)} of {len(names)} classes the whole interval of the change lies "
        "below 0."
    )


def flag(row: xr.Dataset) -> str:
    """What a test says of a class: that it pays, that it is spared, or nothing.

    Args:
        row: of one class, as `analysis.class_tests` gives it.
    """
    if not row["flagged_holm"].item():
        return ""
    fell = row["normalised_recall_difference"].sel(estimate="mean").item() < 0
    return "pays" if fell else "lost less than average"


def price_cells(row: xr.Dataset) -> tuple[str, str, str]:
    """What accuracy alone would choose for one technique, what that costs, what keeps all classes.

    Args:
        row: of one technique, as `analysis.price_of_accuracy` gives it.
    """
    alone, fair = (_sparsity(row[f"{name}_sparsity"]).text for name in ("accuracy", "fair"))
    return alone, f"class {row.worst_class.item()}: {change(estimate(row.cost))}", fair


def accuracy_alone_rows(table: xr.Dataset) -> list[tuple[str, ...]]:
    """What accuracy alone would choose at each tolerance, and what the class that pays most pays.

    Args:
        table: as `analysis.accuracy_alone` gives it.
    """
    return [_accuracy_alone(table.isel(tolerated=at)) for at in range(table.sizes["tolerated"])]


def _accuracy_alone(row: xr.Dataset) -> tuple[str, ...]:
    tolerance = f"{100 * row['tolerated'].item():g}"
    if not row["level"].item():
        return (tolerance, "nothing", *[NONE] * 3)
    changes = (change(estimate(row[name])) for name in ("accuracy_change", "change"))
    accuracy, paid = changes
    technique, sparsity = str(row["technique"].item()), _sparsity(row["sparsity"]).mean
    return tolerance, technique, sparsity, accuracy, f"class {row['worst_class'].item()}: {paid}"


def price_in_words(price: xr.Dataset, split: str = TEST) -> str:
    """The sparsest of all techniques' choices by accuracy alone, as a sentence.

    Args:
        price: as `analysis.price_of_accuracy` gives it.
        split: of the images that the choices were made on; what they cost is of test images.

    Example:
        >>> from prune_fair import open_example
        >>> said = price_in_words(analysis.price_of_accuracy(open_example()["digits/mlp"]))
        >>> said.partition(", and ")[2].partition(":")[0]
        'class 8 would pay with 5.4 points of its recall'
    """
    row = price.isel(technique=int(price.accuracy_sparsity.sel(estimate="mean").values.argmax()))
    chosen, fair = estimate(row.accuracy_sparsity), estimate(row.fair_sparsity)
    cost = row.cost.sel(estimate="mean").item()
    choice = (
        f"By accuracy alone one would prune with {row['technique'].item()} to "
        f"{figure(analysis.SPARSITY, chosen).mean} % sparsity"
    )
    if cost >= 0:
        return f"{choice}, where no class has lost recall."
    of, on = ("", "") if split == TEST else (" on test images", f" on {split} images")
    until = f"there too{on}"
    if fair.mean < chosen.mean:
        until = f"only up to {figure(analysis.SPARSITY, fair).mean} % sparsity{on}"
    return (
        f"{choice}, and class {row.worst_class.item()} would pay with {fixed(-100 * cost, 1)} "
        f"points of its recall{of}: every class's mean recall is within 5 points of dense {until}."
    )


def images(least: int, most: int | None = None) -> str:
    """How many images there are of a class, or of several.

    Example:
        >>> images(1), images(24), images(45, 130)
        ('1 image', '24 images', '45 to 130 images')
    """
    if most is None or most == least:
        return counted(least, "image")
    return f"{least:,} to {counted(most, 'image')}"


def others(number: int) -> str:
    """The classes that are not named.

    Example:
        >>> others(1), others(8)
        ('1 other class', '8 other classes')
    """
    return counted(number, "other class")


def _sparsity(values: xr.DataArray) -> Figure:
    return figure(analysis.SPARSITY, estimate(values))
