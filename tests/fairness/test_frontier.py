import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from prune_fair.fairness import (
    non_dominated,
    non_dominated_probability,
    rank_agreement,
    sparsest,
)

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


@settings(max_examples=1000)
@given(
    hnp.arrays(float, st.tuples(st.integers(0, 15), st.sampled_from([2, 3, 4])), elements=coarse)
)
def test_equals_brute_force(points):
    assert non_dominated(points).tolist() == brute_force(list(points))


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_many_points_equal_brute_force(rng, objectives):
    """More than are held against the others together, with ties and values apart in size."""
    points = rng.integers(0, 12, (400, objectives)) * 10.0 ** np.arange(objectives)
    points[rng.integers(0, 400, 5), 0] = np.nan
    assert non_dominated(points).tolist() == brute_force(list(points))


def test_infinite_and_nearly_equal_values():
    tiny = np.nextafter(1.0, 2)
    points = np.array([[np.inf, -np.inf], [1e16, 1.0], [1e16, tiny], [np.inf, -np.inf]])
    assert non_dominated(points).tolist() == [1, 0, 1, 1]


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
def test_the_sparsest_that_qualifies_by_hand(change, level):
    qualifies, sparsity = np.array(change) >= -0.01, np.arange(len(change)) / 10
    assert sparsest(qualifies, sparsity) == level
    pair = np.stack([qualifies, qualifies])
    assert sparsest(pair, np.stack([sparsity, sparsity])).tolist() == [level, level]


@given(
    hnp.arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 9), st.just(3)), elements=coarse)
)
def test_probability_is_the_share_of_frontiers(points):
    each = [brute_force(list(resample)) for resample in points]
    assert non_dominated_probability(points).tolist() == np.mean(each, axis=0).tolist()


def test_probability_of_what_always_loses(rng):
    """Points far below others are left out early; the answer is that of all."""
    points = np.linspace(0, 1, 150)[:, None] + rng.normal(0, 0.02, (20, 150, 3))
    points[3, 7] = np.nan
    expected = np.mean([non_dominated(resample) for resample in points], axis=0)
    assert non_dominated_probability(points).tolist() == expected.tolist()
    assert (expected == 0).sum() > 75
    assert non_dominated_probability(points[:0]).tolist() == [0] * 150


@given(
    hnp.arrays(float, st.tuples(st.just(2), st.integers(1, 4), st.integers(1, 7)), elements=coarse)
)
def test_rank_agreement_equals_scipy(values):
    first, second = values
    with np.errstate(invalid="ignore"):
        theirs = [
            stats.kendalltau(*row).statistic
            if len(row[0]) > 1 and not np.isnan(row).any()
            else np.nan
            for row in zip(first, second, strict=True)
        ]
    np.testing.assert_allclose(rank_agreement(first, second), theirs, atol=1e-12)


def test_rank_agreement_by_hand():
    """Of six pairs five agree and one does not: (5 - 1) / 6; a tie on one side, 5 / sqrt(5 * 6)."""
    order = np.array([1.0, 2, 3, 4])
    assert rank_agreement(order, np.array([1.0, 3, 2, 4])) == pytest.approx(4 / 6)
    assert rank_agreement(np.array([1.0, 2, 2, 4]), order) == pytest.approx(5 / np.sqrt(30))
    assert rank_agreement(order, -order) == pytest.approx(-1)
