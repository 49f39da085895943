"""Multiplicity by hand, against plain loops, and what holds for any predictions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binomtest

from prune_fair import fairness
from prune_fair.fairness import (
    ambiguous,
    change_intervals,
    disagreement,
    discrepancy,
    flips,
    influence,
    rate_intervals,
    two_way,
)

CLASSES = 3  # 255 is what a network that failed says
said_by_any = hnp.arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 2, 255]))
PARTS = np.array([0, 0, 1, 1, 1, -1, 3])  # part 2 has no image, and one image no part


def differ(one, other):
    return one != other or one >= CLASSES


def test_by_hand():
    """Three networks and four images: dense ones agree but on the last."""
    dense = np.array([[0, 1, 2, 0], [0, 1, 2, 0], [0, 1, 2, 1]], np.uint8)
    said = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [0, 1, 1, 1]], np.uint8)
    labels = np.array([0, 1, 1, 0])
    found = flips(said, dense, labels, CLASSES)
    assert found.all.sum(axis=1).tolist() == [1, 3, 1]
    assert found.lost.sum(axis=1).tolist() == [0, 2, 0]  # images 1 and 3 of the second
    assert found.won.sum(axis=1).tolist() == [1, 1, 1]  # image 2 of all
    assert disagreement(said, CLASSES).mean(axis=0).tolist() == pytest.approx([0, 2 / 3, 0, 2 / 3])
    assert ambiguous(said, CLASSES).tolist() == [False, True, False, True]
    assert ambiguous(dense, CLASSES).tolist() == [False, False, False, True]
    one_part = np.zeros(4, int)
    assert discrepancy(said, one_part, 1, CLASSES) == 0.5  # the first and the second
    assert discrepancy(said, labels, 2, CLASSES).tolist() == [0.5, 0.5]
    assert discrepancy(dense, labels, 2, CLASSES).tolist() == [0.5, 0]


@settings(deadline=None)
@given(said_by_any, said_by_any)
def test_equal_to_plain_loops_over_pairs(said, dense):
    images = range(said.shape[1])
    pairs = [*itertools.combinations(range(len(said)), 2)]
    by_pair = {(s, t): [differ(said[s, i], said[t, i]) for i in images] for s, t in pairs}
    shares = disagreement(said, CLASSES)
    for s, i in itertools.product(range(len(said)), images):
        others = [differ(said[s, i], said[t, i]) for t in range(len(said)) if t != s]
        assert shares[s, i] == pytest.approx(np.mean(others))
    assert shares.mean() == pytest.approx(np.mean([*by_pair.values()]))
    for reference in range(len(said)):  # Marx et al.: against whichever network of the set
        others = [t for t in range(len(said)) if t != reference]
        conflict = [any(differ(said[t, i], said[reference, i]) for t in others) for i in images]
        assert ambiguous(said, CLASSES).tolist() == conflict
    most = discrepancy(said, PARTS, 4, CLASSES)
    for part in range(4):
        own = np.flatnonzero(part == PARTS)
        if not len(own):
            assert np.isnan(most[part])
            continue
        assert most[part] == max(np.mean([pair[i] for i in own]) for pair in by_pair.values())
    changed = flips(said, dense, PARTS, CLASSES).all
    plain = [[differ(said[s, i], dense[s, i]) for i in images] for s in range(len(said))]
    assert changed.tolist() == plain


@settings(deadline=None)
@given(said_by_any)
def test_influence_is_the_jackknife_of_the_mean_over_pairs(said):
    """Its mean over seeds is churn; by seed it is S churn - (S - 1) churn without that seed."""
    values, whole = influence(disagreement(said, CLASSES)), disagreement(said, CLASSES).mean()
    assert values.mean() == pytest.approx(whole)
    for s in range(len(said)):
        without = disagreement(np.delete(said, s, axis=0), CLASSES).mean()
        assert values[s].mean() == pytest.approx(5 * whole - 4 * without)


@settings(deadline=None)
@given(said_by_any)
def test_order_of_things(said):
    """Churn is at most discrepancy, which is at most ambiguity."""
    churn, most = disagreement(said, CLASSES).mean(), discrepancy(said, PARTS * 0, 1, CLASSES)[0]
    assert churn <= most + 1e-12 <= ambiguous(said, CLASSES).mean() + 2e-12


@pytest.mark.parametrize("most", [1, 6])
def test_votes_are_counted_of_few_images_at_a_time(monkeypatch, most):
    said = np.random.default_rng(0).integers(0, CLASSES, (5, 7)).astype(np.uint8)
    expected = disagreement(said, CLASSES)
    monkeypatch.setattr("prune_fair.fairness.multiplicity.MOST_VOTES", most)
    assert np.array_equal(disagreement(said, CLASSES), expected)


def test_one_network_and_two():
    said = np.array([[0, 1, 1]], np.uint8)
    parts = np.zeros(3, int)
    assert np.isnan(disagreement(said, CLASSES)).all()
    assert not ambiguous(said, CLASSES).any()
    assert np.isnan(discrepancy(said, parts, 1, CLASSES)).all()
    two = np.array([[0, 1, 1], [0, 1, 0]], np.uint8)
    interval = rate_intervals(influence(disagreement(two, CLASSES)), parts, 1)
    assert interval.estimate == pytest.approx(1 / 3)
    assert np.isnan([interval.low, interval.high]).all()


def test_the_interval_of_one_network_is_exact():
    happened = np.arange(50) < 7
    interval = rate_intervals(happened[None], np.zeros(50, int), 1, 0.9)
    exact = binomtest(7, 50).proportion_ci(0.9)
    assert [each[0] for each in interval] == pytest.approx([0.14, exact.low, exact.high])
    none, every = (rate_intervals(np.full((1, 50), x), np.zeros(50, int), 1) for x in (False, True))
    assert (none.low[0], every.high[0]) == (0, 1)
    assert none.high[0] == pytest.approx(1 - every.low[0])
    assert none.high[0] == pytest.approx(binomtest(0, 50).proportion_ci(0.95).high)


def test_the_interval_of_many_networks_is_about_that_of_a_crossed_bootstrap():
    """Brute force: seeds and images drawn with replacement, all pairs of different seeds anew.

    It counts what is left of seed and image three times, so that it is a little wider.
    """
    rng = np.random.default_rng(0)
    hard = rng.uniform(0, 0.5, 120) ** 2
    said = (rng.uniform(size=(12, 120)) < hard + rng.uniform(0, 0.1, (12, 1))).astype(np.uint8)
    found = two_way(influence(disagreement(said, CLASSES)))
    drawn = []
    for _ in range(400):
        seeds, images = rng.integers(0, 12, 12), rng.integers(0, 120, 120)
        pairs = [
            np.mean(said[s][images] != said[t][images])
            for s, t in itertools.combinations(seeds, 2)
            if s != t
        ]
        drawn.append(np.mean(pairs))
    assert np.mean(drawn) == pytest.approx(found.mean, abs=0.01)
    assert 0.75 <= found.error / np.std(drawn) <= 1.1


def test_no_interval_is_0_wide_and_parts_without_images_have_none():
    nothing = np.zeros((8, 7))
    for intervals in (rate_intervals, change_intervals):
        interval = intervals(nothing, PARTS, 4)
        assert np.isnan(np.stack(interval)[:, 2]).all()
        assert (interval.high - interval.low)[[0, 1, 3]].min() > 0.4
    assert (rate_intervals(nothing, PARTS, 4).low[[0, 1, 3]] == 0).all()


def test_a_difference_of_many_images_of_one_sign_is_told():
    """Though there is no image of the other sign, the bound there is no exact one."""
    values = np.random.default_rng(0).uniform(size=(16, 300)) < 0.1
    interval = change_intervals(values.astype(float), np.zeros(300, int), 1)
    assert 0.05 < interval.low[0] < interval.estimate[0] < interval.high[0] < 0.15
    plain = fairness.two_way_interval(two_way(values.astype(float)))
    assert (interval.low[0], interval.high[0]) == pytest.approx(tuple(map(float, plain[1:])))
