"""Fairness frontiers: the operating points that no other dominates, and choices along a method."""

import numpy as np
from jaxtyping import Bool, Float, Int


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
    known = np.logical_not(np.isnan(points).any(axis=1))
    on_frontier = known.copy()
    for row in np.flatnonzero(known):
        at_least, better = (points >= points[row]).all(axis=1), (points > points[row]).any(axis=1)
        on_frontier[row] = not (known & at_least & better).any()
    return on_frontier


def sparsest_within(
    change: Float[np.ndarray, "*rows levels"], tolerance: float
) -> Int[np.ndarray, "*rows"]:
    """The last level at which a change has not fallen by more than the tolerance.

    Args:
        change: change against level 0 by level; levels are in order of sparsity. NaN never
            qualifies.
        tolerance: the fall that is still accepted, at least 0; level 0 always qualifies.

    Example:
        >>> int(sparsest_within(np.array([0.0, -0.02, -0.01, -0.3]), 0.01))
        2
    """
    accepted = change >= -tolerance
    accepted[..., 0] = True
    return np.asarray(change.shape[-1] - 1 - np.argmax(accepted[..., ::-1], axis=-1))
