"""Groups of images beside their class: intersections of several, and those too small to judge."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from prune_fair.data import Dataset
from prune_fair.errors import check
from prune_fair.values import check_whole

AND, OTHERS = "+", "others"
PARTS = ("train", "test", "validation")


def check_fewest(fewest: int, groups: str) -> None:
    """Raises `InputError` unless it is a whole number, at least 1, and 1 where there are no groups.

    Example:
        >>> check_fewest(20, groups="age")  # as it should be: nothing happens
    """
    check_whole("fewest_in_group", fewest)
    check(
        bool(groups) or fewest == 1,
        f"fewest_in_group {fewest} without groups: expected both, or none",
    )


def intersected(datasets: Sequence[Dataset]) -> Dataset:
    """The same images, grouped by all that they are grouped by: "young+female".

    Only intersections that a test or validation image belongs to are groups. A training image of
    another, or one of which a group is not known, belongs to none.

    Args:
        datasets: of the same images in one order, each with groups.

    Source: Buolamwini & Gebru 2018, intersectional accuracy.

    Example:
        >>> images, labels = np.zeros((2, 8, 8, 1), np.uint8), np.array([0, 1])
        >>> data = Dataset(images, labels, images, labels, ("cat", "dog"))
        >>> grouped = [
        ...     data._replace(test_groups=np.array(each), group_names=names)
        ...     for each, names in (([0, 1], ("young", "old")), ([1, 1], ("dark", "light")))
        ... ]
        >>> intersected(grouped).group_names, intersected(grouped).test_groups.tolist()
        (('young+light', 'old+light'), [0, 1])
    """
    first, sizes = datasets[0], [len(each.group_names) for each in datasets]
    codes = {}
    for part in PARTS:
        own = [each.part(part)[2] for each in datasets]
        if all(groups is not None for groups in own):
            known = np.stack([groups for groups in own if groups is not None])
            flat = np.ravel_multi_index(tuple(np.maximum(known, 0)), sizes)
            codes[part] = np.where((known >= 0).all(axis=0), flat, -1)
    judged = np.concatenate([codes[part] for part in first.splits])
    used = np.unique(judged)
    names = [
        AND.join(each.group_names[place] for each, place in zip(datasets, places, strict=True))
        for places in zip(*np.unravel_index(used, sizes), strict=True)
    ]
    fields = {f"{part}_groups": _positions(each, used) for part, each in codes.items()}
    missing = {f"{part}_groups": None for part in PARTS if part not in codes}
    return first._replace(group_names=tuple(names), **fields, **missing)


def merge_small_groups(dataset: Dataset, fewest: int) -> Dataset:
    """Groups of fewer test images, or validation images, than that become one: "others".

    Args:
        dataset: with groups or without; without it is given back.
        fewest: images that a group needs in each split that networks are judged on.

    Raises:
        InputError: where no group has so many, or one is called "others" already.

    Example:
        >>> images, labels = np.zeros((4, 8, 8, 1), np.uint8), np.array([0, 1, 0, 1])
        >>> data = Dataset(images, labels, images, labels, ("cat", "dog"))
        >>> data = data._replace(test_groups=np.array([0, 0, 1, 2]), group_names=("a", "b", "c"))
        >>> merged = merge_small_groups(data, 2)
        >>> merged.group_names, merged.test_groups.tolist()
        (('a', 'others'), [0, 0, 1, 1])
    """
    if not dataset.group_names:
        return dataset
    groups = [dataset.part(part)[2] for part in dataset.splits]
    counts = [np.bincount(each, minlength=len(dataset.group_names)) for each in groups]
    large = np.flatnonzero(np.min(counts, axis=0) >= fewest)
    if len(large) == len(dataset.group_names):
        return dataset
    most = int(np.min(counts, axis=0).max())
    check(
        len(large) > 0,
        f"fewest_in_group {fewest}: the largest group has {most} images in a split that is judged; "
        "expected at most that",
    )
    names = tuple(dataset.group_names[place] for place in large)
    check(OTHERS not in names, f"a group is called {OTHERS!r}, as the small ones together would be")
    fields = {
        f"{part}_groups": _positions(own, large, len(large))
        for part in PARTS
        if (own := dataset.part(part)[2]) is not None
    }
    return dataset._replace(group_names=(*names, OTHERS), **fields)


def _positions(
    codes: Int[np.ndarray, " n"], used: Int[np.ndarray, " used"], otherwise: int = -1
) -> Int[np.ndarray, " n"]:
    """Where each code stands among those that are used; unknown ones, below 0, stay -1."""
    place = np.searchsorted(used, codes).clip(max=len(used) - 1)
    found = np.where(used[place] == codes, place, otherwise)
    return np.where(codes < 0, -1, found).astype(np.int32)
