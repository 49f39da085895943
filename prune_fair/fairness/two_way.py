"""Means over networks that share their test images: errors and intervals over both.

A value for each seed and image, such as right after pruning minus right before, is mu + seed +
image + what is left. Seeds alone, or images alone, see one part of how far the mean may be off.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from prune_fair.fairness.statistics import FEWEST_SEEDS, Interval

FEWEST_IMAGES = 2


class TwoWay(NamedTuple):
    """A mean over seeds and images, and how far other seeds and other images may move it.

    Attributes:
        mean: over all of them.
        error: its standard error over both; 0 where nothing varies; NaN below 3 seeds or 2 images.
        freedom: degrees of freedom of the error, by Satterthwaite.
        skewness: of the mean over seeds and images; below 0 where few images or seeds lose much.

    Example:
        >>> found = two_way(np.array([[0.0, -1, 0], [0, -1, 0], [0, 0, 0]]))
        >>> [round(float(part), 3) for part in found]
        [-0.222, 0.222, 1.882, -0.875]
    """

    mean: Float[np.ndarray, "*shape"]
    error: Float[np.ndarray, "*shape"]
    freedom: Float[np.ndarray, "*shape"]
    skewness: Float[np.ndarray, "*shape"]


def two_way(values: Float[np.ndarray, "*shape seeds images"]) -> TwoWay:
    """The mean of values of seeds and images that are crossed: every network saw every image.

    The squared error is V(seeds) / S + V(images) / I - V(rest) / (S I), from the variances (over
    n - 1) of the S means by seed, of the I means by image, and of what is left (over
    (S - 1) (I - 1)). The first two both hold a share of the rest, so that it is taken off once:
    without any effects the estimate is not biased. Values of a class's images give that class's
    change of recall; those of all images the change of accuracy.

    Args:
        values: in [-1, 1], all known: leave out networks that are not finished.

    Source: Owen 2007, "The pigeonhole bootstrap", section 3, balanced case; Cameron, Gelbach &
    Miller 2011, for two-way clusters; Satterthwaite 1946. Ours: the squared error is never below
    that of seeds alone or of images alone, which the estimate may be by chance.

    Example:
        >>> values = np.array([[0.0, 0, -1, 0], [0, 0, -1, -1], [0, 0, 0, 0]])
        >>> found = two_way(values)
        >>> float(found.mean), round(float(found.error), 3)
        (-0.25, 0.186)
    """
    by_seed, by_image = values.mean(axis=-1), values.mean(axis=-2)
    seeds, images = values.shape[-2:]
    mean = np.asarray(by_image.mean(axis=-1))
    if seeds < FEWEST_SEEDS or images < FEWEST_IMAGES:
        return TwoWay(mean, *(np.full_like(mean, np.nan) for _ in range(3)))
    of_seeds, of_images = (_variance(means) / means.shape[-1] for means in (by_seed, by_image))
    explained = images * (by_seed**2).sum(axis=-1) + seeds * (by_image**2).sum(axis=-1)
    rest = np.maximum(
        (values * values).sum(axis=(-1, -2)) - explained + seeds * images * mean**2, 0.0
    )
    rest = rest / ((seeds - 1) * (images - 1)) / (seeds * images)
    variance = np.maximum(of_seeds + of_images - rest, np.maximum(of_seeds, of_images))
    spread = of_seeds**2 / (seeds - 1) + of_images**2 / (images - 1)
    third = sum(_third(means) / means.shape[-1] ** 2 for means in (by_seed, by_image))
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(spread > 0, variance**2 / spread, min(seeds, images) - 1.0)
        skewness = np.where(variance > 0, third / variance**1.5, 0.0)
    return TwoWay(mean, np.asarray(np.sqrt(variance)), freedom, skewness)


def over_images(values: Float[np.ndarray, "*shape seeds images"]) -> TwoWay:
    """The mean of the same values with the error of other images alone: these seeds are all.

    Args:
        values: in [-1, 1], all known.

    Source: the standard error of the mean of the I means by image.

    Example:
        >>> found = over_images(np.array([[0.0, -1, 0], [0, -1, 0], [0, 0, 0]]))
        >>> round(float(found.error), 3), float(found.freedom)
        (0.222, 2.0)
    """
    by_image = values.mean(axis=-2)
    images, mean = values.shape[-1], np.asarray(by_image.mean(axis=-1))
    if images < FEWEST_IMAGES:
        return TwoWay(mean, *(np.full_like(mean, np.nan) for _ in range(3)))
    variance, third = _variance(by_image) / images, _third(by_image) / images**2
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = np.where(variance > 0, third / variance**1.5, 0.0)
    return TwoWay(mean, np.sqrt(variance), np.full_like(mean, images - 1.0), skewness)


def two_way_interval(found: TwoWay, confidence: float = 0.95) -> Interval:
    """The interval of a mean over seeds and images; NaN where nothing varies.

    Both bounds are `lower_bound`, of the mean and of its negative. An error of 0 gives no interval:
    nothing that varied says how far it could (`loss_bound` does).

    Args:
        found: by `two_way`.
        confidence: in (0, 1), of both bounds together.

    Source: as `lower_bound`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> changes = -(rng.uniform(size=(16, 50)) < rng.uniform(0, 0.2, 50)).astype(float)
        >>> [round(float(bound), 3) for bound in two_way_interval(two_way(changes))]
        [-0.087, -0.12, -0.061]
    """
    level = 1 - (1 - confidence) / 2
    high = np.asarray(-lower_bound(negative(found), level))
    return Interval(found.mean, lower_bound(found, level), high)


def lower_bound(
    found: TwoWay, level: float | Float[np.ndarray, "..."]
) -> Float[np.ndarray, "*shape"]:
    """What a mean over seeds and images is above, at a one-sided level; NaN where nothing varies.

    With q the quantile of t, it is the value whose distance to the mean is q errors *at that
    value*, as in Wilson's interval of a proportion: where the mean is skewed towards losses, larger
    losses have larger errors, and the bound lies further out than mean - q error. The squared
    error is taken to change by skewness * error for each unit of the mean. A skewness towards
    gains is not used: no bound lies nearer for it.

    Args:
        found: by `two_way`.
        level: in (0.5, 1), such as 0.95; may differ from mean to mean.

    Source: Wilson 1927, for the score form; the slope of the variance, third cumulant over second,
    is that of an exponential family through the sample (Efron 1981, "Nonparametric standard
    errors and confidence intervals", section 11). Their use together, and leaving the shorter tail
    as it is, are ours.

    Example:
        >>> found = TwoWay(*map(np.array, (-0.1, 0.01, 1e9, 0.0)))
        >>> bounds = [lower_bound(found._replace(skewness=np.array(s)), 0.975) for s in (0, -0.5)]
        >>> [round(float(bound), 4) for bound in bounds]
        [-0.1196, -0.1314]
    """
    from scipy.special import stdtrit

    reach = stdtrit(found.freedom, level)
    half = reach * np.maximum(-found.skewness, 0) / 2
    error = np.where(found.error > 0, found.error, np.nan)
    return np.asarray(found.mean - reach * (half + np.sqrt(1 + half**2)) * error)


def negative(found: TwoWay) -> TwoWay:
    """The same of the negative values: gains for losses.

    Example:
        >>> float(negative(two_way(np.array([[0.0, 1], [0, 1], [0, 0]]))).mean.round(3))
        -0.333
    """
    return found._replace(mean=np.asarray(-found.mean), skewness=np.asarray(-found.skewness))


def _variance(means: np.ndarray) -> np.ndarray:
    """Over n - 1; 0 where all are equal, which a mean's rounding may hide."""
    equal = means.max(axis=-1) == means.min(axis=-1)
    return np.where(equal, 0.0, means.var(axis=-1, ddof=1))


def _third(means: np.ndarray) -> np.ndarray:
    """The third central moment without bias; 0 below 3."""
    count = means.shape[-1]
    if count < 3:
        return np.zeros(means.shape[:-1])
    away = means - means.mean(axis=-1, keepdims=True)
    return np.asarray((away**3).sum(axis=-1) * count / ((count - 1) * (count - 2)))
