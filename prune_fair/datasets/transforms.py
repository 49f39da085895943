"""Ways to make classes under-represented in training; test sets stay untouched."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from prune_fair.errors import check, lookup
from prune_fair.types import Dataset


def check_fractions(keep: Mapping[str, float]) -> None:
    """Raises `InputError` for a fraction outside (0, 1]."""
    for name, fraction in keep.items():
        check(0 < fraction <= 1, f"keep fraction {fraction} of class {name!r}: expected (0, 1]")


def check_imbalance_factor(factor: float) -> None:
    """Raises `InputError` for a factor below 1."""
    check(
        factor >= 1,
        f"imbalance_factor {factor}: expected at least 1 (largest class over smallest)",
    )


def keep_fractions(dataset: Dataset, keep: Mapping[str, float]) -> Dataset:
    """Keeps of each named class only that fraction of its training images.

    Args:
        dataset: any dataset.
        keep: class name -> fraction in (0, 1] of its training images, rounded, at least one.

    Raises:
        InputError: for a class that is not there, or a fraction outside (0, 1].

    Example:
        >>> from prune_fair.datasets import load
        >>> int(keep_fractions(load("digits"), {"8": 0.2}).train_count()[8])
        24
    """
    check_fractions(keep)
    counts = dataset.train_count()
    positions = {name: label for label, name in enumerate(dataset.class_names)}
    for name, fraction in keep.items():
        label = lookup(positions, name, "class")
        counts[label] = max(1, round(fraction * counts[label]))
    return _first_of_each_class(dataset, counts)


def long_tail(dataset: Dataset, imbalance_factor: float) -> Dataset:
    """An exponential long tail: class c of C keeps n * factor^(-c / (C - 1)) training images.

    n is the size of the smallest class, so that the stated sizes can be had; the first class
    keeps n, the last n / factor.

    Source: Cui et al. 2019, arXiv 1901.05555, whose balanced datasets have n in every class.

    Args:
        dataset: any dataset.
        imbalance_factor: largest class over smallest, at least 1.

    Raises:
        InputError: for a factor below 1.

    Example:
        >>> from prune_fair.datasets import load
        >>> long_tail(load("digits"), 100.0).train_count()
        array([122,  73,  44,  26,  16,   9,   6,   3,   2,   1])
    """
    check_imbalance_factor(imbalance_factor)
    counts = dataset.train_count()
    exponent = np.arange(len(counts)) / max(1, len(counts) - 1)
    wanted = np.round(counts.min() * imbalance_factor**-exponent).astype(int)
    return _first_of_each_class(dataset, np.maximum(1, wanted))


def _first_of_each_class(dataset: Dataset, counts: Int[np.ndarray, " classes"]) -> Dataset:
    """The first `counts[c]` training images of each class c, in their order."""
    labels = dataset.train_labels
    one_hot = labels[:, None] == np.arange(len(counts))
    rank = np.take_along_axis(one_hot.cumsum(axis=0), labels[:, None].astype(int), axis=1)[:, 0] - 1
    kept = rank < counts[labels]
    return dataset._replace(train_images=dataset.train_images[kept], train_labels=labels[kept])
