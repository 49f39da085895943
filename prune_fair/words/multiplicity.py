"""Multiplicity: how many predictions pruning changes, and on how many images networks disagree."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from prune_fair.words import failures
from prune_fair.words.metrics import lost, told
from prune_fair.words.numbers import (
    NONE,
    counted,
    estimate,
    fixed,
    of_confidence,
    percent,
    written,
)

NAMED = 3  # classes or groups that a sentence names
_FLIPPED = "changed by pruning,\nin % of images", "right before,\nright now"
HEADER = (
    *_FLIPPED, "two networks differ,\nin % (churn)", "not all agree,\nin % (ambiguity)",
    "the two most apart,\nin % (discrepancy)",
)  # fmt: skip
BY_PART = (
    *_FLIPPED, "churn, in %\n(pruned / dense)", "ambiguity, in %\n(pruned / dense)",
    "discrepancy, in %\n(pruned / dense)",
)  # fmt: skip
_FLIPPED = "changed by pruning,\nin % of images", "right before,\nright now"
HEADER = (
    *_FLIPPED, "two networks differ,\nin % (churn)", "not all agree,\nin % (ambiguity)",
    "the two most apart,\nin % (discrepancy)",
)  # fmt: skip
BY_PART = (
    *_FLIPPED, "churn, in %\n(pruned / dense)", "ambiguity, in %\n(pruned / dense)",
    "discrepancy, in %\n(pruned / dense)",
)  # fmt: skip
UNRESOLVED = "not resolved: the interval of the difference holds 0"


def multiplicity_in_words(
    row: xr.Dataset, controls: Mapping[str, xr.Dataset] | None = None
) -> list[str]:
    """What pruning changes beside what seeds alone do, on which classes, a sentence or two each.

    Args:
        row: of a technique and level, as `analysis.multiplicity` gives it.
        controls: rows of networks that are not pruned, by technique, as `controls_of` gives them.
    """
    if not is_pruned(row):
        return [failures.NOTHING_PRUNED]
    kind = "network that is not pruned" if row["control"] else "pruned network"
    was_right, is_right = (percent(row[name].item(), 1) for name in ("lost", "won"))
    lines = [
        f"A {kind} says another class than its dense network on {_share(row['flip_rate'])} of the "
        f"test images: it was right before on {was_right}, and is right now on {is_right}."
    ]
    if row["dense_churn"].sel(estimate="mean").notnull():
        lines += [_beyond_seeds(row), _churn(row), _set(row)]
    lines += [_control(name, own) for name, own in (controls or {}).items()]
    return [*lines, *_parts(row, "class", "true"), *_parts(row, "group", "group")]


def is_pruned(row: xr.Dataset) -> bool:
    """Whether a row is of finished networks of a level after the dense one."""
    return bool(row["networks"] > 0) and bool(row["level"] > 0)


def controls_of(table: xr.Dataset, level: int) -> dict[str, xr.Dataset]:
    """Of each technique that has pruned nothing at some level, the row of the last up to a level.

    Args:
        table: as `analysis.multiplicity` gives it.
        level: at which other techniques are shown, that as many retrainings are compared.
    """
    table = table.sel(level=table["level"] <= level)
    found = {}
    for place, name in enumerate(table["technique"].values):
        own = table.isel(technique=place)
        levels = np.flatnonzero(own["control"].values)
        if len(levels):
            found[str(name)] = own.isel(level=levels[-1])
    return found


def _beyond_seeds(row: xr.Dataset) -> str:
    """Flips beside what two dense networks of other seeds differ by."""
    beside = _beside(row["beyond_seeds"], "two dense networks of different seeds")
    return f"That {beside}, which differ on {_share(row['dense_churn'])}."


def _churn(row: xr.Dataset) -> str:
    """How far networks of other seeds differ, beside dense ones."""
    share, beside = _share(row["churn"]), _beside(row["churn_change"], "two dense ones")
    return f"Two of these networks, of different seeds, differ on {share}, which {beside}."


def _beside(values: xr.DataArray, other: str) -> str:
    """More than the other, less, or not resolved."""
    difference = estimate(values)
    shown = told("_difference", difference)
    if not difference.bounded:
        return f"is {shown} more, without an interval, than {other}"
    if difference.rises:
        return f"is {shown} more than {other}"
    if difference.falls:
        return f"is {lost(difference)} less than {other}"
    return f"cannot be told from {other} (a difference of {shown})"


def _set(row: xr.Dataset) -> str:
    """Ambiguity and discrepancy of the set, which is named."""
    networks, spread = int(row["networks"]), _percent(row["accuracy_range"].item())
    most, dense_most = (
        percent(row[name].item(), 1) for name in ("discrepancy", "dense_discrepancy")
    )
    return (
        f"The accuracies of the {networks} networks lie within {spread} points of each other. On "
        f"{_share(row['ambiguity'])} of the images not all of them agree (ambiguity; of the "
        f"{networks} dense ones on {_share(row['dense_ambiguity'])}); the two that are furthest "
        f"apart differ on {most} (discrepancy; dense {dense_most})."
    )


def _control(name: str, row: xr.Dataset) -> str:
    """What the same training does without pruning."""
    return (
        f"Control: {name} has pruned nothing at level {row['level'].item()}, and changes "
        f"{_share(row['flip_rate'])} of the predictions; two of its networks differ on "
        f"{_share(row['churn'])}."
    )


def _parts(row: xr.Dataset, part: str, dim: str) -> list[str]:
    """The classes or groups with the most flips; nothing where there are none."""
    if f"{part}_flip_rate" not in row:
        return []
    rates = [row[f"{part}_flip_rate"].isel({dim: place}) for place in range(row.sizes[dim])]
    known = [each for each in rates if each.sel(estimate="mean").notnull()]
    known.sort(key=lambda each: -each.sel(estimate="mean").item())
    named = ", ".join(f"{each[dim].item()} ({_share(each)})" for each in known[:NAMED])
    bounded = bool(known) and bool(known[0].notnull().all())
    together = f" Intervals hold for {counted(len(known), part)} together." if bounded else ""
    return [f"Highest by {part}: {named}.{together}"] if known else []


def cells(row: xr.Dataset) -> Sequence[str]:
    """Flips and their parts, churn, ambiguity and discrepancy, as `HEADER` names them."""
    return (
        *_flipped(row, ""),
        *(_cell(row[name]) for name in ("churn", "ambiguity")),
        _number(row["discrepancy"]),
    )


def part_cells(row: xr.Dataset, prefix: str) -> Sequence[str]:
    """The same of a class or group, each after flips beside that of the dense networks."""
    pairs = []
    for name in ("churn", "ambiguity", "discrepancy"):
        each = (row[f"{prefix}{kind}{name}"] for kind in ("", "dense_"))
        means = (value if value.ndim == 0 else value.sel(estimate="mean") for value in each)
        pairs.append(" / ".join(map(_number, means)))
    return (*_flipped(row, prefix), *pairs)


def class_rows(row: xr.Dataset) -> list[tuple[str, ...]]:
    """Each class, and its `part_cells`."""
    parts = (row.isel(true=place) for place in range(row.sizes["true"]))
    return [(str(own["true"].item()), *part_cells(own, "class_")) for own in parts]


def legend(networks: int, confidence: float) -> str:
    """What the columns of multiplicity are."""
    over = {1: "over the test images of one network", 2: "none, of two networks"}
    kind = over.get(networks, "over seeds and test images; of ambiguity over images alone")
    return (
        "changed: another class than the dense network of the seed; churn, ambiguity and "
        "discrepancy are of the finished networks of a row, one a seed, and the last two grow with "
        f"their number; [low, high]: {of_confidence(confidence)} {kind}; those by class, or by "
        "group, hold together"
    )


def _share(values: xr.DataArray) -> str:
    return told("accuracy", estimate(values))


def _flipped(row: xr.Dataset, prefix: str) -> Sequence[str]:
    before, now = (_number(row[f"{prefix}{name}"]) for name in ("lost", "won"))
    return _cell(row[f"{prefix}flip_rate"]), f"{before}, {now}"


def _cell(values: xr.DataArray) -> str:
    value = estimate(values)
    return written(value, _percent).text if value.known else NONE


def _number(value: xr.DataArray) -> str:
    return _percent(value.item()) if value.notnull() else NONE


def _percent(share: float) -> str:
    return fixed(100 * share, 1)
