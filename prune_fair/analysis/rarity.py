"""Which classes were made rare, and in which tasks: read from the tasks' configs."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import xarray as xr

ROTATED, FIXED, LONG_TAIL, AS_FOUND = "rotated", "fixed", "long tail", "as found"


class Rarity(NamedTuple):
    """What a study varied of its classes' shares of the training images.

    Attributes:
        kind: `rotated`, classes are rare in some tasks and not in others; `fixed`, the same ones
            are made rare in every task; `long tail`, classes are rare by their order; `as found`,
            the data's own shares.
        classes: those that were made rare, for the last two kinds none.

    Example:
        >>> from prune_fair import open_example
        >>> rarity_of([open_example()["digits/mlp"].to_dataset()])
        Rarity(kind='fixed', classes=('3', '8'))
    """

    kind: str
    classes: tuple[str, ...]


def rarity_of(tasks: Sequence[xr.Dataset]) -> Rarity:
    """What was varied, of tasks whose attributes have their configs.

    Tasks of one dataset are held against each other, those of different datasets are not. With
    several datasets a class is named with its own.

    Args:
        tasks: results, as `open_study` gives them; what has no config is taken as found.
    """
    data = [_data(task) for task in tasks]
    names = [dataset_of(task) for task in tasks]
    moved, kept = [], []
    for name in dict.fromkeys(names):
        own = [
            each.get("keep", {}) for each, other in zip(data, names, strict=True) if other == name
        ]
        for label in dict.fromkeys(label for keep in own for label in keep):
            fractions = {keep.get(label, 1.0) for keep in own}
            written = label if len({*names}) == 1 else f"{name} {label}"
            (moved if len(fractions) > 1 else kept).append((written, min(fractions)))
    if moved:
        return Rarity(ROTATED, tuple(name for name, _ in moved))
    rare = tuple(name for name, fraction in kept if fraction < 1)
    if rare:
        return Rarity(FIXED, rare)
    tail = any(each.get("imbalance_factor", 1) > 1 for each in data)
    return Rarity(LONG_TAIL if tail else AS_FOUND, ())


def dataset_of(task: xr.Dataset) -> str:
    """The name of a task's dataset; empty where its config is not known."""
    return str(_data(task).get("name", ""))


def _data(task: xr.Dataset) -> dict:
    return json.loads(task.attrs.get("config", "{}")).get("data", {})
