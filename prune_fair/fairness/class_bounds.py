"""Bounds and intervals of each class's mean change, which hold where few images changed too."""

import numpy as np
from jaxtyping import Bool, Float, Int

from prune_fair.fairness.paired import loss_bound
from prune_fair.fairness.statistics import Interval
from prune_fair.fairness.two_way import TwoWay, lower_bound, negative, two_way_interval

FEWEST_LOST = 8  # images, of equal losses, below which an error cannot be told from them


def class_lower_bounds(
    found: TwoWay,
    image_changes: Float[np.ndarray, "*points images"],
    labels: Int[np.ndarray, " images"],
    confidence: float = 0.95,
) -> Float[np.ndarray, "*points classes"]:
    """What the mean change of each class at each point is above: each bound by itself.

    Where losses sit on few images (`rests_on_few`), an error that is estimated from them says
    little; the bound is then the exact one, of the sum of the images' losses (`loss_bound`), if
    that is lower. So no bound is 0 wide. The exact one takes the seeds at hand for all there are:
    that a seed to come loses a class that none of these touched is not in it.

    Args:
        found: `two_way` of each cell, (points, classes).
        image_changes: of each image, the mean over seeds of right minus right before.
        labels: the class of each image.
        confidence: one-sided, of each bound, in (0.5, 1).

    Source: as `lower_bound` and `loss_bound`; when which is ours.

    Example:
        >>> from prune_fair.fairness import by_class
        >>> nothing, labels = np.zeros((16, 52)), np.zeros(52, int)
        >>> found = by_class(nothing, labels, 1)
        >>> bounds = class_lower_bounds(found, nothing.mean(axis=0), labels, confidence=0.975)
        >>> bounds.round(3).tolist()
        [-0.068]
    """
    return bounds_at(found, image_changes, labels, confidence, confidence)


def class_intervals(
    found: TwoWay,
    image_changes: Float[np.ndarray, "*points images"],
    labels: Int[np.ndarray, " images"],
    confidence: float = 0.95,
) -> Interval:
    """The mean change of each class with its interval over seeds and images, never 0 wide.

    The end away from 0 is `class_lower_bounds`, or its mirror image of a gain: that more is lost
    than these images show. The end towards 0, and past it, is that of `two_way_interval`: an exact
    bound there would add gains of which no image is a sign to losses that images show.

    Args:
        found: `two_way` of each cell, (points, classes).
        image_changes: of each image, the mean over seeds of right minus right before.
        labels: the class of each image.
        confidence: in (0, 1), of both bounds of one class.

    Source: as `class_lower_bounds` and `two_way_interval`; which end is which is ours, from the
    simulated studies of `experiments/benchmarks/coverage.py`.

    Example:
        >>> from prune_fair.fairness import by_class
        >>> values, labels = np.zeros((16, 52)), np.zeros(52, int)
        >>> found = by_class(values, labels, 1)
        >>> interval = class_intervals(found, values.mean(axis=0), labels)
        >>> float(interval.low[0].round(3)), float(interval.high[0].round(3))
        (-0.068, 0.068)
    """
    level = 1 - (1 - confidence) / 2
    low, high = two_way_interval(found, confidence)[1:]
    lowest = class_lower_bounds(found, image_changes, labels, level)
    highest = -class_lower_bounds(negative(found), -image_changes, labels, level)
    low = np.where(np.isnan(low) | (found.mean <= 0), lowest, low)
    high = np.where(np.isnan(high) | (found.mean >= 0), highest, high)
    return Interval(found.mean, low, high)


def rests_on_few(
    image_changes: Float[np.ndarray, "*points images"],
    labels: Int[np.ndarray, " images"],
    classes: int,
) -> Bool[np.ndarray, "*points classes"]:
    """Whether a class's losses sit on fewer than 8 images, counted by their weight.

    Losses l_i count as (sum of l_i)^2 / (sum of l_i^2) images, which is their number where they
    are equal.

    Source: Kish 1965, effective sample size; the limit of 8 is ours, from the simulated studies of
    `experiments/benchmarks/simulated.py`: of 3, 5 and 8 the first with which one-sided bounds were
    missed as often as they say, where classes have 50 images.

    Example:
        >>> changes = np.array([-1.0] * 9 + [0.0] + [-1.0] + [-0.01] * 9)
        >>> rests_on_few(changes, np.repeat([0, 1], 10), 2).tolist()
        [False, True]
    """
    losses = np.maximum(-image_changes, 0)
    total, squares = (_by_class(values, labels, classes) for values in (losses, losses**2))
    return total**2 < (FEWEST_LOST - 1e-9) * squares + 1e-12


def bounds_at(
    found: TwoWay,
    image_changes: Float[np.ndarray, "*points images"],
    labels: Int[np.ndarray, " images"],
    level: float,
    exact_level: float,
) -> Float[np.ndarray, "*points classes"]:
    """`class_lower_bounds`, at another level where losses rest on few images."""
    classes = found.mean.shape[-1]
    few = rests_on_few(image_changes, labels, classes)
    lost = _by_class(np.maximum(-image_changes, 0), labels, classes)
    exact = -loss_bound(lost, np.bincount(labels, minlength=classes), exact_level)
    told = lower_bound(found, np.where(few, exact_level, level))
    return np.where(few, np.fmin(told, exact), told)


def _by_class(values: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Sums over the images of each class."""
    return values @ (labels[:, None] == np.arange(classes)).astype(float)
