"""Ways to make a task harder or smaller before anything is trained; each gives a new dataset.

Those that make classes rare or labels wrong leave the test set and the validation split untouched.
"""

import numbers
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Int, UInt8

from prune_fair.data import VALIDATION, Dataset
from prune_fair.errors import check, lookup
from prune_fair.values import check_number, check_whole, shortened

NOISE_SEED = 0


def check_classes(classes: Sequence[str]) -> None:
    """Raises `InputError` for a choice of one class, or of a class twice; none chosen is all.

    Example:
        >>> check_classes(("3", "3"))
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: classes 3, 3: expected at least two names, each once
    """
    check(
        not classes or len({*classes}) == len(classes) >= 2,
        f"classes {', '.join(classes)}: expected at least two names, each once",
    )


def check_downsample(factor: int) -> None:
    """Raises `InputError` for a factor below 1.

    Example:
        >>> check_downsample(0)
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: downsample 0: expected at least 1, at most 10,000
    """
    check_whole("downsample", factor)


def check_label_noise(fraction: float) -> None:
    """Raises `InputError` for a fraction outside [0, 1).

    Example:
        >>> check_label_noise(1.0)
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: label_noise 1.0: expected a fraction in [0, 1)
    """
    check_number("label_noise", fraction, lambda noise: 0 <= noise < 1, "a fraction in [0, 1)")


def check_fractions(keep: Mapping[str, float]) -> None:
    """Raises `InputError` for a fraction outside (0, 1].

    Example:
        >>> check_fractions({"8": 2.0})
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: keep fraction 2.0 of class '8': expected (0, 1]
    """
    for name, fraction in keep.items():
        fine = isinstance(fraction, numbers.Real) and 0 < fraction <= 1
        check(fine, f"keep fraction {shortened(fraction)} of class {name!r}: expected (0, 1]")


def check_imbalance_factor(factor: float) -> None:
    """Raises `InputError` for a factor below 1.

    Example:
        >>> check_imbalance_factor(100.0)  # as it should be: nothing happens
    """
    expected = "at least 1 (largest class over smallest), and finite"
    check_number("imbalance_factor", factor, lambda factor: factor >= 1, expected)


def choose_classes(dataset: Dataset, classes: Sequence[str]) -> Dataset:
    """Only the named classes, of training and every split, labelled anew in their names' order.

    Args:
        dataset: any dataset.
        classes: at least two names, each once; none leaves the dataset as it is.

    Raises:
        InputError: for a class that is not there, one named twice, a single one, or classes of
            which training or a split has no image.

    Example:
        >>> from prune_fair.datasets import load
        >>> choose_classes(load("digits"), ("8", "3")).class_names
        ('8', '3')
    """
    check_classes(classes)
    if not classes:
        return dataset
    positions = {name: label for label, name in enumerate(dataset.class_names)}
    relabel = np.full(len(positions), -1, np.int32)
    relabel[[lookup(positions, name, "class") for name in classes]] = np.arange(len(classes))
    for part in ("train", *dataset.splits):
        images, labels, groups = dataset.part(part)
        labels, kept = relabel[labels], relabel[labels] >= 0
        check(
            bool(kept.any()),
            f"classes {', '.join(classes)}: none has a {part} image; choose others"
            + (", or use validation 0" if part == VALIDATION else ""),
        )
        groups = None if groups is None else groups[kept]
        dataset = dataset.with_part(part, images[kept], labels[kept], groups)
    return dataset._replace(class_names=tuple(classes))


def downsample(dataset: Dataset, factor: int) -> Dataset:
    """Smaller images: the mean over blocks of factor x factor pixels, rounded, halves to even.

    Args:
        dataset: any dataset.
        factor: at least 1; it has to divide both sides of the images.

    Raises:
        InputError: for a factor below 1, or one that does not divide a side.

    Example:
        >>> from prune_fair.datasets import load
        >>> downsample(load("digits"), 2).train_images.shape
        (1257, 4, 4, 1)
    """
    check_downsample(factor)
    height, width = dataset.train_images.shape[1:3]
    check(
        height % factor == 0 and width % factor == 0,
        f"downsample {factor}: images of {height}x{width} are not divided by it; expected a common "
        "divisor of both sides",
    )

    def smaller(images: UInt8[np.ndarray, "n h w c"]) -> UInt8[np.ndarray, "n rows columns c"]:
        shape = len(images), height // factor, factor, width // factor, factor, images.shape[3]
        return np.rint(images.reshape(shape).mean(axis=(2, 4))).astype(np.uint8)

    if factor == 1:
        return dataset
    for part in ("train", *dataset.splits):
        images, labels, groups = dataset.part(part)
        dataset = dataset.with_part(part, smaller(images), labels, groups)
    return dataset


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


def label_noise(dataset: Dataset, fraction: float) -> Dataset:
    """Wrong training labels: a fraction of them is replaced by another class, drawn uniformly.

    Source: the symmetric noise of Patrini et al. 2017, arXiv 1609.03683: a label stays with 1 - p
    and becomes each of the C - 1 others with p / (C - 1). (Zhang et al. 2017, arXiv 1611.03530,
    draw from all C classes, so that fewer become wrong.) Exactly round(fraction * n) labels are
    wrong here, rather than each by a coin of its own. The draw has a fixed seed, and the labels
    that a smaller fraction replaces are among those of a larger one.

    Args:
        dataset: any dataset of at least two classes.
        fraction: of the training labels, in [0, 1).

    Raises:
        InputError: for a fraction outside [0, 1), or a single class.

    Example:
        >>> from prune_fair.datasets import load
        >>> noisy = label_noise(load("digits"), 0.2)
        >>> round((noisy.train_labels != load("digits").train_labels).mean().item(), 3)
        0.2
    """
    check_label_noise(fraction)
    labels, classes = dataset.train_labels.copy(), len(dataset.class_names)
    if fraction == 0:
        return dataset
    check(classes >= 2, f"label_noise {fraction}: expected at least two classes, found {classes}")
    draw = np.random.default_rng(NOISE_SEED)
    order, steps = draw.permutation(len(labels)), draw.integers(1, classes, len(labels))
    wrong = order[: round(fraction * len(labels))]
    labels[wrong] = (labels[wrong] + steps[wrong]) % classes
    return dataset._replace(train_labels=labels)


def take_training(dataset: Dataset, kept: Bool[np.ndarray, " train"]) -> Dataset:
    """Of the training images only those."""
    images, labels, groups = dataset.part("train")
    groups = None if groups is None else groups[kept]
    return dataset.with_part("train", images[kept], labels[kept], groups)


def _first_of_each_class(dataset: Dataset, counts: Int[np.ndarray, " classes"]) -> Dataset:
    """The first `counts[c]` training images of each class c, in their order."""
    labels = dataset.train_labels
    one_hot = labels[:, None] == np.arange(len(counts))
    rank = np.take_along_axis(one_hot.cumsum(axis=0), labels[:, None].astype(int), axis=1)[:, 0] - 1
    return take_training(dataset, rank < counts[labels])
