"""Groups of images at a point: how accurate networks are of each, and what they lost."""

import xarray as xr

from prune_fair.words.metrics import told
from prune_fair.words.numbers import Estimate, change, estimates, fraction

HEADINGS = ("group", "test images", "accuracy, dense", "accuracy, pruned", "change\n(points)")


def group_rows(table: xr.Dataset, technique: str, level: int) -> list[tuple[str, ...]]:
    """A row of text a group, in the order of the data.

    Args:
        table: as `analysis.group_changes` gives it.
        technique: of the point.
        level: of the point.
    """
    dense, pruned, changed = _columns(table, technique, level)
    names, images = map(str, table["group"].values), table["images"].values
    return [
        (name, f"{int(number):,}", fraction(before), fraction(after), change(by))
        for name, number, before, after, by in zip(
            names, images, dense, pruned, changed, strict=True
        )
    ]


def group_payers(table: xr.Dataset, technique: str, level: int) -> str:
    """Which group loses most of its accuracy, where that is resolved.

    Args:
        table: as `analysis.group_changes` gives it.
        technique: of the point.
        level: of the point.
    """
    names, changed = [*map(str, table["group"].values)], _columns(table, technique, level)[2]
    both = zip(names, changed, strict=True)
    losers = [(name, by) for name, by in both if by.bounded and by.falls]
    if not losers:
        return "That accuracy falls is resolved of no group."
    name, by = min(losers, key=lambda each: each[1].mean)
    others = f", of {len(losers)} groups that lose" if len(losers) > 1 else ""
    return f"Group {name} pays most{others}: its accuracy changes by {told('accuracy_change', by)}."


def _columns(table: xr.Dataset, technique: str, level: int) -> tuple[list[Estimate], ...]:
    """Accuracy of the dense networks and at the point, and its change, by group."""
    own = table.sel(technique=technique)
    here = own.sel(level=level)
    parts = own["accuracy"].sel(level=0), here["accuracy"], here["change"]
    return tuple(estimates(part.drop_vars(["technique", "level"]), "group") for part in parts)
