"""Exemplars by hand, and what holds for any votes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binomtest

from prune_fair.fairness import (
    count_by_class,
    count_votes,
    modal_exemplars,
    modal_label,
    over_index,
    taxicab,
)

ballots = hnp.arrays(np.int32, (2, 6, 4), elements=st.integers(0, 5))  # few, so that labels tie


@pytest.mark.parametrize(
    ("pruned", "dense", "exemplar", "distance"),
    [
        ([4, 0, 0], [4, 0, 0], False, 0.0),
        ([0, 4, 0], [4, 0, 0], True, 2.0),
        ([1, 3, 0], [3, 1, 0], True, 1.0),
        ([3, 1, 0], [4, 0, 0], False, 0.5),
        ([2, 2, 0], [4, 0, 0], False, 1.0),  # a tie that dense networks share a label with
        ([0, 2, 2], [4, 0, 0], True, 2.0),  # a tie of two others
        ([2, 2, 0], [0, 2, 2], False, 1.0),  # two ties that share one
        ([1, 0, 0], [5, 3, 0], False, 0.75),  # fewer networks on one side
        ([0, 0, 0], [4, 0, 0], False, np.nan),  # nothing is finished
    ],
)
def test_exemplars_by_hand(pruned, dense, exemplar, distance):
    pair = np.array([[pruned]]), np.array([[dense]])
    assert modal_exemplars(*pair).tolist() == [[exemplar]]
    assert taxicab(*pair)[0, 0] == pytest.approx(distance, nan_ok=True)


@settings(deadline=None)
@given(
    hnp.arrays(np.uint8, (5, 3), elements=st.sampled_from([0, 1, 3, 254, 255])),
    st.sampled_from([4, 255]),
)
def test_votes_equal_a_plain_loop_and_what_is_missing_votes_for_nothing(predictions, classes):
    expected = np.zeros((3, classes), int)
    for network in predictions:
        for image, label in enumerate(network):
            if label < classes:
                expected[image, label] += 1
    assert np.array_equal(count_votes(predictions, classes), expected)
    wider = predictions.astype(np.uint16)
    assert np.array_equal(count_votes(wider, 300)[:, :classes], expected)
    assert not count_votes(predictions[:0], classes).any()


def test_modal_label_of_a_tie_is_the_smallest():
    assert modal_label(np.array([[1, 2, 2], [0, 0, 0], [0, 1, 4]])).tolist() == [1, 0, 2]


@settings(deadline=None)
@given(ballots, st.permutations(range(4)))
def test_no_class_is_preferred(votes, order):
    permuted = votes[..., order]
    assert np.array_equal(modal_exemplars(*votes), modal_exemplars(*permuted))
    assert np.array_equal(taxicab(*votes), taxicab(*permuted), equal_nan=True)


@settings(deadline=None)
@given(ballots)
def test_exemplars_are_so_whichever_way_ties_are_broken(votes):
    found = np.asarray(modal_exemplars(*votes))
    smallest = np.argmax(votes, axis=-1)
    largest = 3 - np.argmax(votes[..., ::-1], axis=-1)
    for pruned in (smallest[0], largest[0]):
        for dense in (smallest[1], largest[1]):
            assert not (found & (pruned == dense)).any()


@settings(deadline=None)
@given(ballots)
def test_distance_is_symmetric_bounded_and_that_of_shares(votes):
    distance = np.asarray(taxicab(*votes))
    assert np.array_equal(distance, taxicab(*votes[::-1]), equal_nan=True)
    known = votes.any(axis=-1).all(axis=0)
    assert (np.isnan(distance) == ~known).all()
    assert ((distance[known] >= 0) & (distance[known] <= 2)).all()
    shares = votes[:, known] / votes[:, known].sum(axis=-1, keepdims=True)
    assert distance[known] == pytest.approx(np.abs(shares[0] - shares[1]).sum(axis=-1))


def test_over_index_by_hand():
    exemplars = np.array([[True, True, True, False, True, False], [False] * 6])
    counts = count_by_class(exemplars, np.array([0, 0, 0, 0, 1, 2]), 3)
    assert counts.tolist() == [[3, 1, 0], [0, 0, 0]]
    index = over_index(counts, np.array([50, 25, 25]))
    assert index.estimate[0].tolist() == [1.5, 1.0, 0.0]
    assert np.isnan(np.stack(index)[:, 1]).all()
    for c, (count, share) in enumerate(((3, 0.5), (1, 0.25), (0, 0.25))):
        exact = binomtest(count, 4).proportion_ci(1 - 0.05 / 3)
        assert index.low[0, c] == pytest.approx(exact.low / share)
        assert index.high[0, c] == pytest.approx(exact.high / share)


def test_over_index_of_a_class_with_all_exemplars_and_one_without_images():
    index = over_index(np.array([4, 0, 0]), np.array([50, 50, 0]))
    assert index.estimate[:2].tolist() == [2.0, 0.0]
    assert index.high[0] == 2
    assert index.low[1] == 0
    assert np.isnan(np.stack(index)[:, 2]).all()
