"""Uncertainty over seeds: bootstrap intervals.

Seeds are resampled whole, so quantities computed from one set of weights are paired.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

FEWEST_SEEDS = 3
RESAMPLES = 2000
COLUMNS_AT_ONCE = 256  # what bounds the memory: a column is 2001 numbers, a few times over


class Interval(NamedTuple):
    """A point estimate and its confidence interval; NaN bounds where seeds are too few.

    Example:
        >>> [bound.round(3).item() for bound in mean_interval(np.array([0.8, 0.9, 0.85, 0.95]))]
        [0.875, 0.825, 0.925]
    """

    estimate: Float[np.ndarray, "*shape"]
    low: Float[np.ndarray, "*shape"]
    high: Float[np.ndarray, "*shape"]


@lru_cache(maxsize=4)
def bootstrap_weights(
    seeds: int, resamples: int = RESAMPLES, random_seed: int = 0
) -> Float[np.ndarray, "rows seeds"]:
    """Weights of each seed in each resample; row 0 is the sample itself. Not to be written to.

    Source: Efron & Tibshirani 1993, chapter 6.

    Example:
        >>> bootstrap_weights(4, resamples=10)[0].tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    draws = np.random.default_rng(random_seed).multinomial(
        seeds, np.full(seeds, 1 / seeds), size=resamples
    )
    weights = np.vstack([np.ones(seeds), draws]) / seeds
    weights.flags.writeable = False
    return weights


def weighted_means(
    weights: Float[np.ndarray, "rows seeds"], values: Float[np.ndarray, "seeds *shape"]
) -> Float[np.ndarray, "rows *shape"]:
    """Means over seeds under each row of weights, of the seeds whose value is a finite number.

    Networks that a running study has not finished are NaN and left out; where a row has none that
    are finished its mean is NaN.

    Example:
        >>> weighted_means(np.array([[0.5, 0.5]]), np.array([[0.8], [0.9]])).round(3)
        array([[0.85]])
    """
    known = np.isfinite(values)
    if known.all():  # half of the work, and the rule
        return np.tensordot(weights / weights.sum(axis=1, keepdims=True), values, axes=1)
    total = np.tensordot(weights, np.where(known, values, 0.0), axes=1)
    share = np.tensordot(weights, known.astype(float), axes=1)
    return np.divide(total, share, out=np.full_like(total, np.nan), where=share > 0)


def known_seeds(values: Float[np.ndarray, "seeds *shape"]) -> Int[np.ndarray, "*shape"]:
    """How many seeds have a value that is a finite number.

    Example:
        >>> int(known_seeds(np.array([0.5, np.nan, 1.0])))
        2
    """
    return np.asarray(np.isfinite(values).sum(axis=0))


def percentile_interval(
    resampled: Float[np.ndarray, "rows *shape"],
    seeds: int | Int[np.ndarray, "*shape"],
    confidence: float = 0.95,
) -> Interval:
    """The interval of a statistic from its values under `bootstrap_weights`.

    Resamples that drew none of the seeds it is known for, whose value is NaN, are left out.

    Args:
        resampled: the statistic under each row of weights; row 0 is the point estimate.
        seeds: how many seeds it is known for; below 3 the bounds are NaN.
        confidence: in (0, 1).

    Source: Efron & Tibshirani 1993, chapter 13, the percentile interval; quantiles as
    `numpy.nanquantile`.

    Example:
        >>> interval = percentile_interval(np.array([2.0, 1.0, 2.0, 3.0]), seeds=3, confidence=0.5)
        >>> [float(bound) for bound in interval]
        [2.0, 1.5, 2.5]
    """
    estimate, tail = resampled[0], (1 - confidence) / 2
    columns = resampled[1:].reshape(len(resampled) - 1, -1)
    blocks = [_quantiles(block, (tail, 1 - tail)) for block in _blocks(columns)]
    bounds = np.concatenate(blocks, axis=1).reshape(2, *estimate.shape)
    low, high = np.where(np.asarray(seeds) < FEWEST_SEEDS, np.nan, bounds)
    return Interval(estimate, low, high)


def corrected_interval(
    resampled: Float[np.ndarray, "rows *shape"], seeds: int, confidence: float = 0.95
) -> Interval:
    """The interval of a statistic that noise biases, such as a best value or a hypervolume.

    Resampling repeats the bias, so that it can be taken off: the estimate is twice that of the
    sample minus the mean of the resamples, the bounds are the resamples' mirrored at the sample's.

    Args:
        resampled: the statistic under each row of weights; row 0 is the sample's.
        seeds: how many seeds were resampled; below 3 nothing is corrected and bounds are NaN.
        confidence: in (0, 1).

    Source: Efron & Tibshirani 1993, chapter 10; Davison & Hinkley 1997, equation 5.6, the basic
    bootstrap interval.

    Example:
        >>> interval = corrected_interval(np.array([2.0, 2.0, 3.0, 4.0]), seeds=3, confidence=0.5)
        >>> [float(bound) for bound in interval]
        [1.0, 0.5, 1.5]
    """
    sample, low, high = percentile_interval(resampled, seeds, confidence)
    if seeds < FEWEST_SEEDS:
        return Interval(sample, low, high)
    return Interval(2 * sample - resampled[1:].mean(axis=0), 2 * sample - high, 2 * sample - low)


def mean_interval(
    values: Float[np.ndarray, "seeds *shape"],
    confidence: float = 0.95,
    weights: Float[np.ndarray, "rows seeds"] | None = None,
) -> Interval:
    """The mean over seeds with its bootstrap interval.

    Memory beyond that of the values does not grow with the number of columns.

    Args:
        values: a seed a row.
        confidence: in (0, 1).
        weights: of the sample and its resamples; by default `bootstrap_weights`.

    Example:
        >>> interval = mean_interval(np.array([1.0, 2.0, 3.0]))
        >>> float(interval.estimate), float(interval.low) >= 1, float(interval.high) <= 3
        (2.0, True, True)
    """
    seeds = len(values)
    weights = bootstrap_weights(seeds) if weights is None else weights
    intervals = [
        percentile_interval(weighted_means(weights, block), known_seeds(block), confidence)
        for block in _blocks(values.reshape(seeds, -1))
    ]
    shape = values.shape[1:]
    estimate, low, high = (
        np.concatenate(part).reshape(shape) for part in zip(*intervals, strict=True)
    )
    return Interval(estimate, low, high)


def _blocks(columns: np.ndarray) -> Iterator[np.ndarray]:
    """The columns, some at a time; one block without columns where there are none."""
    for start in range(0, max(columns.shape[1], 1), COLUMNS_AT_ONCE):
        yield columns[:, start : start + COLUMNS_AT_ONCE]


def _quantiles(columns: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """`numpy.nanquantile(columns, shares, axis=0)`, by sorting each column as it lies in a row."""
    ordered = np.ascontiguousarray(columns.T)
    ordered.sort(axis=1)  # NaN come last
    last = np.maximum(0, np.count_nonzero(~np.isnan(ordered), axis=1) - 1)[:, None]
    place = np.asarray(shares) * last
    below = np.floor(place).astype(int)
    first = np.take_along_axis(ordered, below, axis=1)
    second = np.take_along_axis(ordered, np.minimum(below + 1, last), axis=1)
    part, step = place - below, second - first
    return np.where(part < 0.5, first + step * part, second - step * (1 - part)).T
