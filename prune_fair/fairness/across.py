"""Techniques over several tasks: what the runs of all tasks say together.

Scores are better when higher. Runs are resampled within their task, so that tasks stay as they are.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from prune_fair.fairness.paired import loss_bound
from prune_fair.fairness.statistics import FEWEST_SEEDS, RESAMPLES, Interval, percentile_interval

QUARTILES = 0.25, 0.75
LIMIT = 0.975
ROUNDING = 1e-9


def stratified_weights(
    runs: Sequence[int], resamples: int = RESAMPLES
) -> list[Float[np.ndarray, "rows runs"]]:
    """Weights of each task's runs in each resample, which sum to 1; row 0 is the sample itself.

    Of n runs of a task n - 1 are drawn, with replacement, and of each task by itself: means then
    vary as much as those of n new runs, where n draws vary less.

    Args:
        runs: how many each task has.
        resamples: how often they are drawn.

    Source: Agarwal et al. 2021, section 4.1, the stratified bootstrap; Rao & Wu 1988, n - 1 draws.
    There runs of each technique are drawn by themselves; here a run is a seed that all share.

    Example:
        >>> first, second = stratified_weights([2, 4], resamples=10)
        >>> first.shape, second[0].tolist()
        ((11, 2), [0.25, 0.25, 0.25, 0.25])
    """
    return [_weights(number, resamples, task) for task, number in enumerate(runs)]


def interquartile_mean(
    values: Float[np.ndarray, " runs"], weights: Float[np.ndarray, "rows runs"]
) -> Float[np.ndarray, " rows"]:
    """The mean of the middle half of the runs by weight, under each row of weights.

    A run that lies across a quartile counts with the part of it inside. Where weights are equal
    and the number of runs is a multiple of 4 it is the mean trimmed by a quarter at each end.

    Args:
        values: of all runs.
        weights: of each, at least 0; rows sum to 1.

    Source: Agarwal et al. 2021, section 4.3; `scipy.stats.trim_mean(values, 0.25)`, which leaves
    out whole runs.

    Example:
        >>> values, equal = np.array([1.0, 3, 5, 7, 9, 100]), np.full((1, 6), 1 / 6)
        >>> float(interquartile_mean(values, equal)[0].round(9))
        6.0
    """
    order = np.argsort(values, kind="stable")
    ordered = weights[:, order]
    upper = np.cumsum(ordered, axis=1)
    low, high = QUARTILES
    inside = np.minimum(upper, high) - np.maximum(upper - ordered, low)
    inside = np.clip(inside, 0, None)
    return inside @ values[order] / inside.sum(axis=1)


def interquartile_interval(
    means: Float[np.ndarray, "rows *shape"], runs: int, confidence: float = 0.95, *, tasks: int
) -> Interval:
    """The interval of an `interquartile_mean` of several tasks, or of a difference of two.

    Percentiles of the resamples, which are spread by t / z (of 97.5 %) around the sample's value:
    those of few runs stand for quantiles of the normal. Where tasks lie apart only those in the
    middle vary, so t has (runs - 1) * tasks / 2 degrees of freedom, runs - 1 at least.

    Args:
        means: under each row of weights; row 0 is the sample's.
        runs: of the task that has the fewest; below 3 the bounds are NaN.
        confidence: in (0, 1).
        tasks: how many.

    Source: `percentile_interval`; the spread is ours, chosen by simulation.

    Example:
        >>> rows = np.concatenate([[0.0], np.random.default_rng(0).normal(size=2000)])
        >>> [bound.round(1).item() for bound in interquartile_interval(rows, 3, tasks=2)]
        [0.0, -4.3, 4.2]
    """
    from scipy.special import ndtri, stdtrit

    if runs < FEWEST_SEEDS:
        return percentile_interval(means, runs, confidence)
    freedom = (runs - 1) * max(1.0, tasks / 2)
    factor = stdtrit(freedom, LIMIT) / ndtri(LIMIT)
    return percentile_interval(means[0] + (means - means[0]) * factor, runs, confidence)


def performance_profile(
    values: Float[np.ndarray, " runs"],
    weights: Float[np.ndarray, "rows runs"],
    thresholds: Float[np.ndarray, " thresholds"],
) -> Float[np.ndarray, "rows thresholds"]:
    """The share of runs, by weight, that score at least each threshold.

    Args:
        values: of all runs.
        weights: of each; rows sum to 1.
        thresholds: of scores.

    Source: Agarwal et al. 2021, section 4.2, score distributions (there: above the threshold);
    Dolan & Moré 2002.

    Example:
        >>> values, equal = np.array([0.1, 0.2, 0.3, 0.4]), np.full((1, 4), 0.25)
        >>> performance_profile(values, equal, np.array([0.0, 0.2, 0.5])).tolist()
        [[1.0, 0.75, 0.0]]
    """
    return weights @ (values[:, None] >= thresholds).astype(float)


def improvement_probability(
    values: Float[np.ndarray, "runs techniques"], weights: Float[np.ndarray, "rows runs"]
) -> Float[np.ndarray, "rows techniques techniques"]:
    """In one task, how probably a run of the first technique scores more than one of the second.

    All pairs of two runs are looked at, but not a run with itself: techniques share seeds, and with
    these pairs intervals cover too little. (A row that draws one run alone has no other pair.)
    Equal scores count one half. For several tasks it is the mean over tasks.

    Args:
        values: of each run and technique.
        weights: of each run; rows sum to 1.

    Source: Agarwal et al. 2021, section 4.3; Mann & Whitney 1947.

    Example:
        >>> values, equal = np.array([[3.0, 1.0], [1.0, 2.0]]), np.full((1, 2), 0.5)
        >>> improvement_probability(values, equal)[0].tolist()
        [[0.5, 0.75], [0.25, 0.5]]
    """
    techniques, own = values.shape[1], (weights**2).sum(axis=1)
    alone = own > 1 - ROUNDING
    pairs = np.where(alone, 1.0, 1 - own)
    found = np.full((len(weights), techniques, techniques), 0.5)
    for one, other in combinations(range(techniques), 2):
        signs = np.sign(values[:, None, one] - values[None, :, other])
        all_pairs = np.einsum("ri,ri->r", weights @ signs, weights)
        with_itself = np.where(alone, 0.0, weights**2 @ np.diag(signs))
        balance = (all_pairs - with_itself) / pairs
        found[:, one, other] = (1 + balance) / 2
        found[:, other, one] = (1 - balance) / 2
    return found


def improvement_interval(
    probabilities: Float[np.ndarray, "rows *shape"],
    runs: int,
    confidence: float = 0.95,
    *,
    tasks: int,
) -> Interval:
    """The interval of the mean of `improvement_probability` over tasks.

    Percentiles; but where all pairs of runs say the same, and so all resamples do, the exact bound
    for as many runs of as many tasks.

    Args:
        probabilities: under each row of weights; row 0 is the sample's.
        runs: of the task that has the fewest; below 3 the bounds are NaN.
        confidence: in (0, 1).
        tasks: that were averaged.

    Source: `percentile_interval`; Clopper & Pearson 1934, `loss_bound`.

    Example:
        >>> bounds = improvement_interval(np.ones((11, 1)), runs=8, tasks=3)
        >>> bounds.low.round(2).tolist(), bounds.high.tolist()
        ([0.86], [1.0])
    """
    found = percentile_interval(probabilities, runs, confidence)
    if runs < FEWEST_SEEDS:
        return found
    unseen = loss_bound(np.array(0), tasks * runs, (1 + confidence) / 2)
    always, never = found.estimate > 1 - ROUNDING, found.estimate < ROUNDING
    low = np.where(always, 1 - unseen, found.low)
    return Interval(found.estimate, low, np.where(never, unseen, found.high))


def confidence_of_each(rows: Float[np.ndarray, "rows cells"], confidence: float = 0.95) -> float:
    """The confidence that percentile intervals of single cells need to hold all together.

    It is found from how far out the cell lies that is farthest out in a resample, in ranks of its
    own resamples: cells that go together cost less than Bonferroni's correction. Cells that do not
    vary have no say.

    Args:
        rows: of cells, under resamples that they share; row 0 is the sample's.
        confidence: that all intervals hold, in (0, 1).

    Source: Beran 1988, one level for all; Romano & Wolf 2005, the maximum over resamples.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(2001, 4))
        >>> round(confidence_of_each(rows), 2), round(confidence_of_each(rows[:, :1]), 2)
        (0.99, 0.95)
    """
    from scipy.stats import rankdata

    shares = (rankdata(rows[1:], axis=0) - 0.5) / (len(rows) - 1)
    tails = np.minimum(shares, 1 - shares).min(axis=1, initial=0.5)
    return 1 - 2 * float(np.quantile(tails, 1 - confidence))


def _weights(runs: int, resamples: int, random_seed: int) -> Float[np.ndarray, "rows runs"]:
    draws = max(1, runs - 1)
    chances = np.full(runs, 1 / runs)
    drawn = np.random.default_rng(random_seed).multinomial(draws, chances, size=resamples)
    return np.vstack([chances, drawn / draws])
