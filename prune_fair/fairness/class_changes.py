"""By how much each class's recall differs between networks of the same seeds: intervals, bounds.

One question with three ways to be off: other seeds, other test images, or both. Which images each
network has right is all that is needed.
"""

from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from prune_fair.fairness.class_bounds import class_intervals, class_lower_bounds
from prune_fair.fairness.crossed import by_class
from prune_fair.fairness.paired import Paired, paired, paired_interval, paired_lower_bound, wilson
from prune_fair.fairness.statistics import FEWEST_SEEDS, Interval
from prune_fair.fairness.two_way import TwoWay, over_images, two_way

Over: TypeAlias = Literal["seeds", "images", "both"]
Right: TypeAlias = Bool[np.ndarray, "seeds images"]


def class_change_interval(
    before: Right,
    after: Right,
    labels: Int[np.ndarray, " images"],
    classes: int,
    confidence: float = 0.95,
    over: Over = "both",
) -> Interval:
    """The mean over seeds of each class's recall after minus before, with its interval, (classes).

    Of several seeds over both seeds and images or over images alone (`class_intervals`); of a
    single network over its images (`paired_interval`). Bounds are NaN for two seeds, whose spread
    tells nothing, and for classes without images; no interval is 0 wide.

    Args:
        before: whether each network has each image right.
        after: the same of the networks that are compared with those of the same seed.
        labels: the class of each image.
        classes: how many there are.
        confidence: in (0, 1), of one class's interval.
        over: `both` or `images`; of one network it is images in either case.

    Example:
        >>> right = np.ones((1, 50), bool)
        >>> interval = class_change_interval(right, right, np.zeros(50, int), 1)
        >>> [round(float(bound[0]), 3) for bound in interval]
        [0.0, -0.071, 0.071]
    """
    if len(before) == 1:
        return paired_interval(_counts(before, after, labels, classes), confidence)
    changes = after.astype(float) - before
    found, present = _found(changes, labels, classes, over), np.unique(labels)
    interval = class_intervals(found, changes.mean(axis=0), labels, confidence)
    known = np.isin(np.arange(classes), present) & (len(before) >= FEWEST_SEEDS)
    low, high = (np.where(known, bound, np.nan) for bound in interval[1:])
    return Interval(found.mean, low, high)


def class_change_bound(
    before: Right,
    after: Right,
    labels: Int[np.ndarray, " images"],
    classes: int,
    confidence: float = 0.95,
    over: Over = "both",
) -> Float[np.ndarray, " classes"]:
    """What the mean change of each class's recall is above, one-sided, each class by itself.

    Args:
        before: whether each network has each image right.
        after: the same of the networks that are compared with those of the same seed.
        labels: the class of each image.
        classes: how many there are.
        confidence: one-sided, in (0.5, 1).
        over: as in `class_change_interval`.

    Returns:
        NaN for classes without images, and for two seeds.

    Source: `class_lower_bounds` of several seeds, `paired_lower_bound` of one.

    Example:
        >>> right = np.ones((1, 59), bool)
        >>> class_change_bound(right, right, np.zeros(59, int), 1).round(3).tolist()
        [-0.05]
    """
    if len(before) == 1:
        return paired_lower_bound(_counts(before, after, labels, classes), confidence)
    if len(before) < FEWEST_SEEDS:
        return np.full(classes, np.nan)
    changes = after.astype(float) - before
    found = _found(changes, labels, classes, over)
    bounds = class_lower_bounds(found, changes.mean(axis=0), labels, confidence)
    return np.where(np.isin(np.arange(classes), labels), bounds, np.nan)


def class_recall_interval(
    right: Right,
    labels: Int[np.ndarray, " images"],
    classes: int,
    confidence: float = 0.95,
    over: Over = "both",
) -> Interval:
    """The mean over seeds of each class's recall with its interval, (classes).

    Args:
        right: whether each network has each image right.
        labels: the class of each image.
        classes: how many there are.
        confidence: in (0, 1), of one class's interval.
        over: as in `class_change_interval`.

    Source: as `class_lower_bounds`, of what is wrong for the lower end and of what is right for the
    upper one; of a single network Wilson 1927.

    Example:
        >>> right = np.ones((3, 50), bool)
        >>> interval = class_recall_interval(right, np.zeros(50, int), 1)
        >>> [round(float(bound[0]), 3) for bound in interval]
        [1.0, 0.929, 1.0]
    """
    present = np.isin(np.arange(classes), labels)
    if len(right) == 1:
        own, images = (np.bincount(each, minlength=classes) for each in (labels[right[0]], labels))
        return wilson(own, images, confidence)
    level, bounds = 1 - (1 - confidence) / 2, []
    for values in (right - 1.0, -right.astype(float)):
        found = _found(values, labels, classes, over)
        bound = class_lower_bounds(found, values.mean(axis=0), labels, level)
        bounds.append(np.where(found.error > 0, bound, np.fmin(bound, found.mean)))
    known = present & (len(right) >= FEWEST_SEEDS)
    low, high = (np.where(known, bound, np.nan) for bound in (1 + bounds[0], -bounds[1]))
    return Interval(-found.mean, np.maximum(low, 0), np.minimum(high, 1))


def _found(changes: np.ndarray, labels: np.ndarray, classes: int, over: Over) -> TwoWay:
    error_of = {"both": two_way, "images": over_images}[over]  # of seeds alone there is no error
    return by_class(changes, labels, classes, error_of)


def _counts(before: Right, after: Right, labels: np.ndarray, classes: int) -> Paired:
    """The four kinds of images of each class, of one network."""
    of_class = [(before[0, labels == true], after[0, labels == true]) for true in range(classes)]
    return Paired(*map(np.stack, zip(*(paired(*pair) for pair in of_class), strict=True)))
