"""Tests between populations of networks: Welch's and the paired t-test, corrections, power."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from prune_fair.fairness.statistics import FEWEST_SEEDS, Interval, mean_interval

FEWEST_PAIRS = 2  # of which there is a spread, and so a t-test
MOST_SEEDS = 1e5  # beyond, the normal approximation is right to a seed in a thousand


class PairedDifference(NamedTuple):
    """A mean difference over pairs.

    Attributes:
        mean: with its bootstrap interval.
        p: of the paired t-test against no difference.
        sd: standard deviation of the differences (over n - 1); NaN below 2 pairs.
        pairs: in which both values are known.

    Example:
        >>> found = paired_difference(np.array([0.9, 0.8, 0.85]), np.array([0.8, 0.75, 0.8]))
        >>> found.mean.estimate.round(3).item(), found.pairs.item()
        (0.067, 3.0)
    """

    mean: Interval
    p: Float[np.ndarray, "*shape"]
    sd: Float[np.ndarray, "*shape"]
    pairs: Float[np.ndarray, "*shape"]


def welch(
    first: Float[np.ndarray, "firsts *shape"], second: Float[np.ndarray, "seconds *shape"]
) -> Float[np.ndarray, "*shape"]:
    """Two-sided p of Welch's t-test that two populations have one mean, for each column.

    NaN values are left out. The p is NaN where one of them has fewer than 2 values, and where
    neither has any variance: there is nothing then to hold a difference against.

    Args:
        first: a value a row.
        second: the same of the other population, which may be of another size.

    Source: Welch 1947; `scipy.stats.ttest_ind(equal_var=False, nan_policy="omit")`.

    Example:
        >>> float(welch(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])))
        1.0
    """
    (mean, error, count), (other, other_error, others) = _moments(first), _moments(second)
    from scipy.special import stdtr

    both = error + other_error
    defined = (count >= FEWEST_PAIRS) & (others >= FEWEST_PAIRS) & (both > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = both**2 / (error**2 / (count - 1) + other_error**2 / (others - 1))
        statistic = (mean - other) / np.sqrt(both)
        p = 2 * stdtr(freedom, -np.abs(statistic))
    return np.where(defined, p, np.nan)


def paired_difference(
    first: Float[np.ndarray, "seeds *shape"],
    second: Float[np.ndarray, "seeds *shape"],
    confidence: float = 0.95,
) -> PairedDifference:
    """The mean over seeds of first minus second, with its interval and paired t-test.

    Seeds of which one value is NaN are left out. The p is NaN below 2 pairs, and where all
    differences are equal.

    Source: `scipy.stats.ttest_rel`; Efron & Tibshirani 1993, chapter 13.

    Example:
        >>> found = paired_difference(np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 3.0]))
        >>> [round(float(part), 3) for part in (found.mean.estimate, found.sd, found.p)]
        [2.0, 1.0, 0.074]
    """
    from scipy.special import stdtr

    differences = first - second
    mean, error, pairs = _moments(differences)
    defined = (pairs >= FEWEST_PAIRS) & (error > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(pairs - 1, -np.abs(mean) / np.sqrt(error))
    sd = np.where(pairs >= FEWEST_PAIRS, np.sqrt(error * pairs), np.nan)
    return PairedDifference(
        mean_interval(differences, confidence), np.where(defined, p, np.nan), sd, pairs
    )


def student_interval(
    values: Float[np.ndarray, "seeds *shape"], confidence: float = 0.95
) -> Interval:
    """The mean over seeds of each column with Student's t interval.

    NaN values are left out. Bounds are NaN below 3 seeds. Unlike quantiles of a bootstrap its
    bounds are good for the high confidence of one of many classes, and for few seeds.

    Args:
        values: a seed a row.
        confidence: in (0, 1).

    Source: Student 1908; `scipy.stats.t.interval`.

    Example:
        >>> [round(float(bound), 3) for bound in student_interval(np.array([1.0, 2.0, 3.0]))]
        [2.0, -0.484, 4.484]
    """
    from scipy.special import stdtrit

    mean, error, count = _moments(values)
    enough = count >= FEWEST_SEEDS
    quantile = stdtrit(np.where(enough, count - 1, 1), (1 + confidence) / 2)
    half = np.where(enough, quantile * np.sqrt(np.where(enough, error, 0)), np.nan)
    return Interval(mean, mean - half, mean + half)


def holm(p: Float[np.ndarray, "*tests"]) -> Float[np.ndarray, "*tests"]:
    """Holm's adjusted p: rejecting at alpha, the chance of any wrong rejection is at most alpha.

    All of `p` is one family; NaN stay NaN and are no tests.

    Source: Holm 1979; `statsmodels.stats.multitest.multipletests(method="holm")`.

    Example:
        >>> holm(np.array([0.01, 0.04, np.nan])).tolist()
        [0.02, 0.04, nan]
    """
    return _adjusted(p, lambda p, rank: np.maximum.accumulate(p * (len(p) + 1 - rank)))


def benjamini_hochberg(p: Float[np.ndarray, "*tests"]) -> Float[np.ndarray, "*tests"]:
    """Adjusted p: rejecting at alpha, wrong ones are at most the share alpha of the rejected.

    All of `p` is one family; NaN stay NaN and are no tests. Holds for independent tests and for
    positively dependent ones.

    Source: Benjamini & Hochberg 1995; `multipletests(method="fdr_bh")` of statsmodels.

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.04, 0.02, np.nan])).round(3).tolist()
        [0.03, 0.04, 0.03, nan]
    """
    return _adjusted(p, lambda p, rank: np.minimum.accumulate((p * len(p) / rank)[::-1])[::-1])


def seeds_needed(
    effect: Float[np.ndarray, "*shape"],
    sd: Float[np.ndarray, "*shape"],
    power: float = 0.8,
    alpha: float = 0.05,
) -> Float[np.ndarray, "*shape"]:
    """How many seeds a paired t-test needs to see a mean difference.

    Args:
        effect: the true mean difference; its sign does not matter.
        sd: standard deviation of the differences over seeds.
        power: the wanted probability that the two-sided test finds it, in (alpha, 1).
        alpha: the test's level, in (0, 1).

    Returns:
        A whole number, at least 2; inf for an effect of 0, 2 for an `sd` of 0, NaN for NaN.

    Source: Cohen 1988, chapter 2, by the noncentral t; `statsmodels.stats.power.TTestPower`.

    Example:
        >>> seeds_needed(np.array([0.5, 0.0]), np.array([1.0, 1.0])).tolist()
        [34.0, inf]
    """
    find = np.vectorize(lambda e, s: _fewest_seeds(abs(e), s, power, alpha), otypes=[float])
    return np.asarray(find(*np.broadcast_arrays(effect, sd)))


def _fewest_seeds(effect: float, sd: float, power: float, alpha: float) -> float:
    if np.isnan(effect) or np.isnan(sd):
        return np.nan
    if effect == 0:
        return np.inf
    if sd == 0:
        return float(FEWEST_PAIRS)
    from scipy.special import ndtri

    size = effect / sd
    normal = ((ndtri(1 - alpha / 2) + ndtri(power)) / size) ** 2
    if normal > MOST_SEEDS:
        return np.ceil(normal)
    return _first(lambda n: _power(n, size, alpha) >= power, max(FEWEST_PAIRS, int(normal)))


def _first(holds: Callable[[int], bool], start: int) -> float:
    """The smallest number from `start` on of which it holds."""
    number = start
    while not holds(number):
        number += 1
    return float(number)


def _power(seeds: int, size: float, alpha: float) -> float:
    """Of the two-sided one-sample t-test, for an effect in standard deviations."""
    from scipy.special import nctdtr, stdtrit

    beyond = stdtrit(seeds - 1, 1 - alpha / 2)
    shift = size * np.sqrt(seeds)
    missed, wrong_sign = nctdtr(seeds - 1, shift, [beyond, -beyond])
    # NaN comes of shifts so large that there is next to nothing in that tail.
    return float(1 - np.nan_to_num(missed) + np.nan_to_num(wrong_sign))


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, squared standard error (0 where all are equal) and number of the known values."""
    known = np.isfinite(values)
    count = np.asarray(known.sum(axis=0), dtype=float)
    filled = np.where(known, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = filled.sum(axis=0) / count
        squares = np.where(known, (filled - mean) ** 2, 0.0).sum(axis=0)
        error = squares / (count - 1) / count
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    error = np.where(low == high, 0.0, error)
    return np.asarray(mean), error, count


def _adjusted(p: np.ndarray, correct: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """Adjusted p from those that are known, smallest first, and their ranks from 1 on."""
    family, adjusted = p.ravel(), np.full(p.size, np.nan)
    order = np.argsort(family, kind="stable")[: np.count_nonzero(~np.isnan(family))]  # NaN last
    adjusted[order] = np.minimum(correct(family[order], np.arange(len(order)) + 1), 1)
    return adjusted.reshape(p.shape)
