import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from prune_fair.fairness import non_dominated, sparsest_within

coarse = st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan])  # coarse, so that ties happen


def brute_force(points):
    def dominates(a, b):
        return all(x >= y for x, y in zip(a, b, strict=True)) and any(
            x > y for x, y in zip(a, b, strict=True)
        )

    known = [not np.isnan(p).any() for p in points]
    return [
        known[i] and not any(known[j] and dominates(q, p) for j, q in enumerate(points))
        for i, p in enumerate(points)
    ]


@given(
    hnp.arrays(float, st.tuples(st.integers(1, 15), st.sampled_from([2, 3, 4])), elements=coarse)
)
def test_equals_brute_force(points):
    assert non_dominated(points).tolist() == brute_force(points.tolist() and list(points))


def test_duplicates_are_both_on_the_frontier():
    assert non_dominated(np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]])).tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ([0, -0.005, -0.02], 1),
        ([0, -0.02, -0.02], 0),
        ([0, -0.02, 0.01], 2),
        ([0, -0.01, np.nan], 1),
        ([np.nan, np.nan, np.nan], 0),
    ],
)
def test_sparsest_within_by_hand(change, level):
    assert sparsest_within(np.array(change), 0.01) == level
    assert sparsest_within(np.array([change, change]), 0.01).tolist() == [level, level]
