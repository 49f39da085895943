"""Ranks of techniques with tasks as units: what they tell apart. Scores are better when higher."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

FEWEST_FOR_FRIEDMAN = 3  # techniques; of two, their ranks say the same as the sign test


class RankTest(NamedTuple):
    """What ranks over tasks tell apart.

    Attributes:
        mean_ranks: of each technique, 1 the best.
        p: of Friedman's test that all techniques have one mean rank; NaN for two techniques, and
            where all are tied.
        critical_difference: of two mean ranks, from which on they are told apart.
        fewest_tasks: with which any two mean ranks could be that far apart.

    Example:
        >>> found = rank_test(np.array([[1.0, 2, 3], [1, 3, 2], [1, 2, 3]]))
        >>> found.mean_ranks.round(2).tolist(), round(found.critical_difference, 2)
        ([1.0, 2.33, 2.67], 1.91)
        >>> found.fewest_tasks
        3
    """

    mean_ranks: Float[np.ndarray, " techniques"]
    p: float
    critical_difference: float
    fewest_tasks: int


def score_ranks(
    scores: Float[np.ndarray, "*rows techniques"],
) -> Float[np.ndarray, "*rows techniques"]:
    """Ranks along the last axis, 1 the best; equal scores share the mean of their ranks.

    Source: Demšar 2006, section 3.2.2; `scipy.stats.rankdata`.

    Example:
        >>> score_ranks(np.array([0.9, 0.7, 0.9, 0.8])).tolist()
        [1.5, 4.0, 1.5, 3.0]
    """
    from scipy.stats import rankdata

    return np.asarray(rankdata(-scores, axis=-1))


def rank_test(ranks: Float[np.ndarray, "tasks techniques"], alpha: float = 0.05) -> RankTest:
    """Which techniques ranks tell apart, taking tasks as drawn from all tasks of their kind.

    Args:
        ranks: of each task's techniques, as `score_ranks` gives them; two techniques at least.
        alpha: the probability that any two are told apart where all are equal, in (0, 1).

    Source: Demšar 2006, section 3.2.2: Friedman 1937, `scipy.stats.friedmanchisquare`,
    whose p is rough below some ten tasks; Nemenyi 1963, by `scipy.stats.studentized_range`.

    Example:
        >>> round(rank_test(np.array([[1.0, 2.0]] * 6)).critical_difference, 2)
        0.8
    """
    from scipy.stats import friedmanchisquare, studentized_range

    tasks, techniques = ranks.shape
    quantile = studentized_range.ppf(1 - alpha, techniques, np.inf) / np.sqrt(2)
    one_task = float(quantile * np.sqrt(techniques * (techniques + 1) / 6))
    tied = bool((ranks == ranks[:, :1]).all())
    p = np.nan
    if techniques >= FEWEST_FOR_FRIEDMAN and not tied:
        p = float(friedmanchisquare(*ranks.T).pvalue)
    fewest = int(np.ceil((one_task / (techniques - 1)) ** 2))
    return RankTest(ranks.mean(axis=0), p, one_task / float(np.sqrt(tasks)), fewest)


def indistinct_groups(
    mean_ranks: Float[np.ndarray, " techniques"], critical_difference: float
) -> list[tuple[int, ...]]:
    """The largest sets of techniques of which no two are told apart by their mean ranks.

    Returns:
        Positions in `mean_ranks`, the best first; of sets of two and more.

    Source: Demšar 2006, section 3.2.4, the bars of a critical-difference diagram.

    Example:
        >>> indistinct_groups(np.array([3.0, 1.0, 1.5, 3.5]), 2.0)
        [(1, 2), (2, 0), (0, 3)]
    """
    order = np.argsort(mean_ranks, kind="stable")
    ordered = mean_ranks[order]
    groups: list[tuple[int, ...]] = []
    reached = 0
    for start in range(len(order)):
        end = int(np.count_nonzero(ordered - ordered[start] < critical_difference))
        if end > max(reached, start + 1):
            groups.append(tuple(order[start:end].tolist()))
            reached = end
    return groups
