"""A validation split: images that are taken from training, to choose on what is not reported."""

import numpy as np

from prune_fair.data import Dataset
from prune_fair.errors import check
from prune_fair.values import check_number

VALIDATION_SEED = 1


def check_validation(fraction: float) -> None:
    """Raises `InputError` for a fraction outside [0, 1).

    Example:
        >>> check_validation(1.0)
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: validation 1.0: expected a fraction in [0, 1)
    """
    check_number("validation", fraction, lambda part: 0 <= part < 1, "a fraction in [0, 1)")


def hold_out(dataset: Dataset, fraction: float) -> Dataset:
    """Takes from training that fraction of each class's images as the validation split.

    Of each class as many as are nearest to it, though training keeps one at least. The draw has a
    fixed seed of its own, and the images that a smaller fraction takes are among those of a larger.

    Source: stratified, as `sklearn.model_selection.train_test_split(stratify=labels)`.

    Args:
        dataset: any dataset without a validation split.
        fraction: in [0, 1); 0 takes none.

    Raises:
        InputError: for a fraction outside [0, 1), or one that takes nothing.

    Example:
        >>> from prune_fair.datasets import load
        >>> held = hold_out(load("digits"), 0.15)
        >>> np.bincount(held.validation_labels)
        array([19, 19, 19, 19, 19, 19, 19, 19, 18, 19])
    """
    check_validation(fraction)
    if fraction == 0:
        return dataset
    labels = dataset.train_labels
    draw, taken = np.random.default_rng(VALIDATION_SEED), np.zeros(len(labels), bool)
    for label in range(len(dataset.class_names)):
        own = draw.permutation(np.flatnonzero(labels == label))
        taken[own[: min(round(fraction * len(own)), max(0, len(own) - 1))]] = True
    check(
        bool(taken.any()),
        f"validation {fraction}: takes no image of any class; expected a larger fraction, or 0",
    )
    return dataset._replace(
        train_images=dataset.train_images[~taken],
        train_labels=labels[~taken],
        validation_images=dataset.train_images[taken],
        validation_labels=labels[taken],
    )
