"""Fairness frontiers: the operating points that no other dominates, and choices along one."""

import numpy as np
from jaxtyping import Bool, Float, Int

AT_ONCE = 128  # points that the others are held against together


def non_dominated(points: Float[np.ndarray, "points objectives"]) -> Bool[np.ndarray, " points"]:
    """Which points no other dominates; every objective is better when higher.

    A point dominates another if it is at least as good in every objective and better in one, so
    equal points do not dominate each other. A point with a NaN is on no frontier and dominates
    nothing.

    Source: Pareto dominance; Deb 2001, section 2.4.

    Example:
        >>> non_dominated(np.array([[0.9, 0.5], [0.8, 0.7], [0.8, 0.4]])).tolist()
        [True, True, False]
    """
    on_frontier = np.zeros(len(points), bool)
    rows = np.flatnonzero(~np.isnan(points).any(axis=1))
    ranks = _dense_ranks(points[rows].T)
    ranks = np.vstack([ranks, _dense_ranks(ranks.sum(axis=0, dtype=np.int32)[None])])
    order = np.argsort(-ranks[-1], kind="stable")
    rows, ranks = rows[order], ranks.take(order, axis=1)
    while len(rows):
        head = ranks[:, :AT_ONCE]
        kept = np.flatnonzero(~_dominated(head, head))
        on_frontier[rows[kept]] = True
        rest = AT_ONCE + np.flatnonzero(~_dominated(ranks[:, AT_ONCE:], head.take(kept, axis=1)))
        rows, ranks = rows[rest], ranks.take(rest, axis=1)
    return on_frontier


def non_dominated_probability(
    points: Float[np.ndarray, "resamples points objectives"],
) -> Float[np.ndarray, " points"]:
    """In which share of the resamples no other point dominates a point.

    Where a point has a NaN, it is not on that resample's frontier.

    Source: `non_dominated` under each resample.

    Example:
        >>> once, again = [[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
        >>> non_dominated_probability(np.array([once, again])).tolist()
        [1.0, 0.5]
    """
    count = np.zeros(points.shape[1])
    if not len(points):
        return count
    candidates = np.flatnonzero(~_always_dominated(points))
    for resample in points:
        count[candidates] += non_dominated(resample[candidates])
    return count / len(points)


def sparsest(
    qualifies: Bool[np.ndarray, "*rows levels"], sparsity: Float[np.ndarray, "*rows levels"]
) -> Int[np.ndarray, "*rows"]:
    """The sparsest level that qualifies, the first of equal ones; level 0 where none does.

    Example:
        >>> int(sparsest(np.array([True, False, True, False]), np.array([0.0, 0.5, 0.75, 0.9])))
        2
    """
    return np.asarray(np.argmax(np.where(qualifies, sparsity, -1.0), axis=-1))


def rank_agreement(
    first: Float[np.ndarray, "*rows items"], second: Float[np.ndarray, "*rows items"]
) -> Float[np.ndarray, "*rows"]:
    """Kendall's tau-b between two rankings of the same items: 1 the same order, -1 the reverse.

    Ranks, or the values that are ranked. NaN where a value is NaN, and where all items of one
    ranking are tied.

    Source: Kendall 1945; `scipy.stats.kendalltau`.

    Example:
        >>> round(float(rank_agreement(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))), 3)
        0.333
    """
    one, other = np.triu_indices(first.shape[-1], 1)
    signs, others = (np.sign(values[..., one] - values[..., other]) for values in (first, second))
    untied = np.sqrt(np.abs(signs).sum(axis=-1)) * np.sqrt(np.abs(others).sum(axis=-1))
    agreement = np.full(np.shape(untied), np.nan)
    return np.divide((signs * others).sum(axis=-1), untied, out=agreement, where=untied > 0)


def _dense_ranks(rows: np.ndarray) -> np.ndarray:
    """Ranks along each row from 0 on, equal ones for equal values, in few bytes."""
    rows = np.ascontiguousarray(rows)
    order = rows.argsort(axis=1)
    ordered = np.take_along_axis(rows, order, axis=1)
    small = np.int16 if rows.shape[1] <= np.iinfo(np.int16).max else np.int32
    steps = np.zeros(rows.shape, small)
    ranks = np.empty_like(steps)
    np.cumsum(ordered[:, 1:] != ordered[:, :-1], axis=1, out=steps[:, 1:])
    np.put_along_axis(ranks, order, steps, axis=1)
    return ranks


def _dominated(ranks: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Which points one of the others dominates: (objectives and their sum, points), all ranks.

    The sum of ranks, whole numbers, tells better from equal without rounding.
    """
    dominates = by[-1][:, None] > ranks[-1]
    for theirs, ours in zip(by[:-1, :, None], ranks[:-1, None], strict=True):
        dominates &= theirs >= ours
    return dominates.any(axis=0)


def _always_dominated(points: np.ndarray) -> np.ndarray:
    """Points that one and the same other dominates in every resample: on no frontier.

    Not all of them: only those whose best resample is not better than the other's worst.
    """
    worst, best = points.min(axis=0), points.max(axis=0)
    dominated = np.zeros(len(worst), bool)
    for start in range(0, len(worst), AT_ONCE):
        part = worst[start : start + AT_ONCE, None]
        dominated |= ((part >= best).all(axis=2) & (part > best).any(axis=2)).any(axis=0)
    return dominated
