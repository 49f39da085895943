"""Uncertainty over seeds: percentile bootstrap intervals.

Seeds are resampled whole, so quantities computed from one set of weights are paired.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

FEWEST_SEEDS = 3
RESAMPLES = 2000


class Interval(NamedTuple):
    """A point estimate and its confidence interval; NaN bounds where seeds are too few."""

    estimate: Float[np.ndarray, "*shape"]
    low: Float[np.ndarray, "*shape"]
    high: Float[np.ndarray, "*shape"]


def bootstrap_weights(
    seeds: int, resamples: int = RESAMPLES, random_seed: int = 0
) -> Float[np.ndarray, "rows seeds"]:
    """Weights of each seed in each resample; row 0 is the sample itself.

    Source: Efron & Tibshirani 1993, chapter 6.

    Example:
        >>> bootstrap_weights(4, resamples=10)[0].tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    draws = np.random.default_rng(random_seed).multinomial(
        seeds, np.full(seeds, 1 / seeds), size=resamples
    )
    return np.vstack([np.ones(seeds), draws]) / seeds


def weighted_means(
    weights: Float[np.ndarray, "rows seeds"], values: Float[np.ndarray, "seeds *shape"]
) -> Float[np.ndarray, "rows *shape"]:
    """Means over seeds under each row of weights, of the seeds whose value is not NaN.

    Networks that a running study has not finished are NaN and left out; where a row has none that
    are finished its mean is NaN.
    """
    known = ~np.isnan(values)
    total = np.tensordot(weights, np.where(known, values, 0.0), axes=1)
    share = np.tensordot(weights, known.astype(float), axes=1)
    return np.divide(total, share, out=np.full_like(total, np.nan), where=share > 0)


def percentile_interval(
    resampled: Float[np.ndarray, "rows *shape"], seeds: int, confidence: float = 0.95
) -> Interval:
    """The interval of a statistic from its values under `bootstrap_weights`.

    Args:
        resampled: the statistic under each row of weights; row 0 is the point estimate.
        seeds: how many seeds were resampled; below 3 the bounds are NaN.
        confidence: in (0, 1).

    Source: Efron & Tibshirani 1993, chapter 13, the percentile interval.
    """
    estimate = resampled[0]
    if seeds < FEWEST_SEEDS:
        return Interval(estimate, np.full_like(estimate, np.nan), np.full_like(estimate, np.nan))
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled[1:], [tail, 1 - tail], axis=0)
    return Interval(estimate, low, high)


def mean_interval(values: Float[np.ndarray, "seeds *shape"], confidence: float = 0.95) -> Interval:
    """The mean over seeds with its bootstrap interval.

    Example:
        >>> interval = mean_interval(np.array([1.0, 2.0, 3.0]))
        >>> float(interval.estimate), float(interval.low) >= 1, float(interval.high) <= 3
        (2.0, True, True)
    """
    seeds = len(values)
    return percentile_interval(weighted_means(bootstrap_weights(seeds), values), seeds, confidence)
