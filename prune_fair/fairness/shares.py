"""Shares of images by network and image, such as those that flip: means by part, with intervals."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from prune_fair.fairness.class_bounds import class_intervals, class_lower_bounds, rests_on_few
from prune_fair.fairness.crossed import by_class
from prune_fair.fairness.statistics import FEWEST_SEEDS, Interval
from prune_fair.fairness.two_way import lower_bound, negative, two_way_interval


def rate_intervals(
    values: Float[np.ndarray, "networks images"] | Bool[np.ndarray, "networks images"],
    parts: Int[np.ndarray, " images"],
    count: int,
    confidence: float = 0.95,
) -> Interval:
    """Shares of images, such as of flips, by part, with intervals over networks and images.

    Of one network the interval is over its images. Where what happened rests on few images, and
    where nothing did, bounds are exact ones: no interval is 0 wide. Two networks have no bounds, a
    part without images is NaN.

    Args:
        values: by network and image: whether it happened, or as `influence` gives them.
        parts: of which part each image is, from 0 on; below 0 it is of none.
        count: how many parts there are.
        confidence: in (0, 1), of both bounds of one part.

    Source: as `class_lower_bounds` for the upper bound, of what happened as losses, and
    `lower_bound` for the lower one; Clopper & Pearson 1934 on few images and of one network.

    Example:
        >>> flipped = np.random.default_rng(0).uniform(size=(16, 100)) < 0.1
        >>> interval = rate_intervals(flipped, np.zeros(100, int), 1)
        >>> [float(bound[0].round(3)) for bound in interval]
        [0.102, 0.087, 0.118]
    """
    return _by_part(_rates, np.asarray(values, float), parts, count, confidence)


def change_intervals(
    values: Float[np.ndarray, "networks images"],
    parts: Int[np.ndarray, " images"],
    count: int,
    confidence: float = 0.95,
) -> Interval:
    """As `rate_intervals`, of the difference of two such values, which has any sign.

    There are no bounds below 3 networks. Bounds are exact ones only where the differences of both
    signs together rest on few images: of one sign alone there may be none.

    Source: `two_way_interval`; on few images as `class_intervals`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> one, other = rng.uniform(size=(2, 16, 100)) < 0.1
        >>> interval = change_intervals(one - other.astype(float), np.zeros(100, int), 1)
        >>> bool(interval.low[0] < 0 < interval.high[0])
        True
    """
    return _by_part(_changes, np.asarray(values, float), parts, count, confidence)


def _by_part(
    intervals: Callable[..., Interval],
    values: np.ndarray,
    parts: np.ndarray,
    count: int,
    confidence: float,
) -> Interval:
    """Intervals of the parts that have images; NaN for the others."""
    there, place = np.unique(parts[parts >= 0], return_inverse=True)
    whole = Interval(*(np.full(count, np.nan) for _ in range(3)))
    if len(there) and len(values):
        level = 1 - (1 - confidence) / 2
        found = intervals(values[:, parts >= 0], place, len(there), level)
        for bound, each in zip(whole, found, strict=True):
            bound[there] = each
    return whole


def _rates(values: np.ndarray, place: np.ndarray, count: int, level: float) -> Interval:
    """Of shares; `level` is that of each bound."""
    shares, images = values.mean(axis=0), np.bincount(place, minlength=count)
    happened = np.bincount(place, shares, minlength=count)
    exact = _clopper_pearson(happened, images, level)
    if len(values) < FEWEST_SEEDS:
        return exact if len(values) == 1 else _unbounded(exact.estimate)
    found = by_class(values, place, count)
    high = -class_lower_bounds(negative(found), -shares, place, level)
    low, few = lower_bound(found, level), rests_on_few(-shares, place, count)
    low = np.where(few, np.fmin(low, exact.low), low)
    return Interval(found.mean, np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0))


def _changes(values: np.ndarray, place: np.ndarray, count: int, level: float) -> Interval:
    """Of differences; `level` is that of each bound."""
    found = by_class(values, place, count)
    if len(values) < FEWEST_SEEDS:
        return _unbounded(found.mean)
    shares = values.mean(axis=0)
    mean, low, high = two_way_interval(found, 1 - 2 * (1 - level))
    exact = class_intervals(found, shares, place, 1 - 2 * (1 - level))
    few = rests_on_few(-np.abs(shares), place, count)
    return Interval(mean, np.where(few, exact.low, low), np.where(few, exact.high, high))


def _unbounded(mean: np.ndarray) -> Interval:
    return Interval(mean, *(np.full_like(mean, np.nan) for _ in range(2)))


def _clopper_pearson(happened: np.ndarray, images: np.ndarray, level: float) -> Interval:
    """Exact bounds of a share; what happened in part counts for that part."""
    from scipy.special import betaincinv  # takes a quarter of a second to import

    none, all_of = happened <= 0, happened >= images
    rest = images - happened
    low = betaincinv(np.where(none, 1, happened), rest + 1, 1 - level)
    high = betaincinv(happened + 1, np.where(all_of, 1, rest), level)
    return Interval(happened / images, np.where(none, 0.0, low), np.where(all_of, 1.0, high))
