"""A validation split: images to choose on, that are neither trained on nor reported."""

import numpy as np

from prune_fair.data import VALIDATION, Dataset
from prune_fair.datasets.transforms import take_training
from prune_fair.errors import check
from prune_fair.values import check_number

VALIDATION_SEED = 1


def check_validation(fraction: float | None) -> None:
    """Raises `InputError` for a fraction outside [0, 1); None is none that is asked.

    Example:
        >>> check_validation(1.0)
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: validation 1.0: expected a fraction in [0, 1)
    """
    if fraction is not None:
        check_number("validation", fraction, lambda part: 0 <= part < 1, "a fraction in [0, 1)")


def with_validation(dataset: Dataset, fraction: float | None, default: float = 0.0) -> Dataset:
    """The dataset with the validation split that was asked for, or with none.

    Args:
        dataset: any dataset.
        fraction: of the training images that are taken, whatever split the source has; None for
            the source's own, or else the default.
        default: the fraction where none is asked and the source has no such split. It is not taken
            where the groups of training images are not known: they would be missing.

    Raises:
        InputError: as `hold_out`.

    Example:
        >>> from prune_fair.datasets import load
        >>> with_validation(load("digits"), None, default=0.15).splits
        ('validation', 'test')
    """
    if fraction is not None:
        return hold_out(dataset.with_part(VALIDATION, None, None), fraction)
    ungrouped = bool(dataset.group_names) and dataset.train_groups is None
    if VALIDATION in dataset.splits or ungrouped:
        return dataset
    return hold_out(dataset, default)


def hold_out(dataset: Dataset, fraction: float) -> Dataset:
    """Takes from training that fraction of each class's images as the validation split.

    Of each class as many as are nearest to it, though training keeps one at least. The draw has a
    fixed seed of its own, and the images that a smaller fraction takes are among those of a larger.
    Of a dataset with groups only images whose group is known are taken.

    Source: stratified, as `sklearn.model_selection.train_test_split(stratify=labels)`.

    Args:
        dataset: any dataset without a validation split.
        fraction: in [0, 1); 0 takes none.

    Raises:
        InputError: for a fraction outside [0, 1), one that takes nothing, or groups that are known
            of test images alone.

    Example:
        >>> from prune_fair.datasets import load
        >>> held = hold_out(load("digits"), 0.15)
        >>> np.bincount(held.validation_labels)
        array([19, 19, 19, 19, 19, 19, 19, 19, 18, 19])
    """
    check_validation(fraction)
    if fraction == 0:
        return dataset
    images, labels, groups = dataset.part("train")
    check(
        groups is not None or not dataset.group_names,
        f"validation {fraction}: the groups of training images are not known, and those that are "
        "taken would have none; add them to the data, or use validation 0",
    )
    draw, taken = np.random.default_rng(VALIDATION_SEED), np.zeros(len(labels), bool)
    known = np.ones(len(labels), bool) if groups is None else groups >= 0
    for label in range(len(dataset.class_names)):
        own = labels == label
        order = draw.permutation(np.flatnonzero(own & known))
        taken[order[: min(round(fraction * own.sum()), max(0, own.sum() - 1))]] = True
    check(
        bool(taken.any()),
        f"validation {fraction}: takes no image of any class; expected a larger fraction, or 0",
    )
    groups = None if groups is None else groups[taken]
    held = dataset.with_part(VALIDATION, images[taken], labels[taken], groups)
    return take_training(held, ~taken)
