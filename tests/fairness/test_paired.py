"""One network before and after: against statsmodels, a paper's example and a plain formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import contingency_tables
from statsmodels.stats.proportion import proportion_confint

from prune_fair.fairness import (
    Paired,
    images_needed,
    loss_bound,
    mcnemar,
    paired,
    paired_interval,
    paired_lower_bound,
    sidak,
    wilson,
)

COUNTS = st.integers(0, 60)


def newcombe(e, f, g, h):
    """Method 10 for one table, with statsmodels' score interval of one proportion."""
    n = e + f + g + h
    first, second = (e + f) / n, (e + g) / n
    (l1, u1), (l2, u2) = (proportion_confint(x, n, method="wilson") for x in (e + f, e + g))
    product, cross = (e + f) * (g + h) * (e + g) * (f + h), e * h - f * g
    if cross > 0:
        cross = max(cross - n / 2, 0)
    phi = cross / np.sqrt(product) if product else 0
    below = (first - l1) ** 2 - 2 * phi * (first - l1) * (u2 - second) + (u2 - second) ** 2
    above = (second - l2) ** 2 - 2 * phi * (second - l2) * (u1 - first) + (u1 - first) ** 2
    return first - second - np.sqrt(below), first - second + np.sqrt(above)


def counts(both, lost, won, neither):
    return Paired(*map(np.array, (both, lost, won, neither)))


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_interval_is_newcombes(both, lost, won, neither):
    if both + lost + won + neither == 0:
        return
    interval = paired_interval(counts(both, lost, won, neither))
    low, high = newcombe(both, won, lost, neither)
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))
    assert interval.low <= interval.estimate <= interval.high
    assert interval.low < interval.high
    turned = paired_interval(counts(both, won, lost, neither))
    assert turned.low == pytest.approx(-interval.high)


def test_a_table_worked_by_hand():
    """36, 12, 2, 0: phi is -0.1147; Wilson's bounds: 48/50 0.865, 0.989; 38/50 0.626, 0.857."""
    interval = paired_interval(counts(36, 2, 12, 0))
    phi = -12 * 2 / np.sqrt(48 * 2 * 38 * 12)
    first, second = 0.96 - 0.8654, 0.8570 - 0.76
    below = np.sqrt(first**2 - 2 * phi * first * second + second**2)
    first, second = 0.76 - 0.6259, 0.9890 - 0.96
    above = np.sqrt(first**2 - 2 * phi * first * second + second**2)
    assert interval.low == pytest.approx(0.2 - below, abs=1e-3)
    assert interval.high == pytest.approx(0.2 + above, abs=1e-3)


def test_interval_shrinks_with_images():
    few, many = (paired_interval(counts(40 * k, 4 * k, k, 5 * k)) for k in (1, 4))
    assert many.high - many.low < few.high - few.low


@given(st.integers(1, 300), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_wilson_equals_statsmodels(images, data, confidence):
    right = data.draw(st.integers(0, images))
    low, high = proportion_confint(right, images, alpha=1 - confidence, method="wilson")
    interval = wilson(np.array(right), np.array(images), confidence)
    assert interval.estimate == right / images
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-12)
    assert interval.low <= interval.estimate <= interval.high


def test_wilson_by_hand():
    """Of 0 of n it is z^2 / (n + z^2): 1.96^2 / (10 + 1.96^2) = 0.2775."""
    interval = wilson(np.array([0, 10]), np.array([10, 10]))
    np.testing.assert_allclose(interval.high, [0.2775, 1], atol=1e-4)
    np.testing.assert_allclose(interval.low, [0, 0.7225], atol=1e-4)


def test_class_without_images_has_none():
    empty = counts(0, 0, 0, 0)
    assert all(np.isnan(end) for end in wilson(np.array(0), np.array(0)))
    assert np.isnan(paired_interval(empty).low)
    assert np.isnan(paired_lower_bound(empty))
    assert np.isnan(loss_bound(np.array(0), np.array(0)))


@given(COUNTS, COUNTS)
def test_mcnemar_equals_statsmodels(lost, won):
    theirs = contingency_tables.mcnemar([[5, lost], [won, 7]], exact=True).pvalue
    assert mcnemar(np.array(lost), np.array(won)) == pytest.approx(1 if lost == won else theirs)


@given(st.integers(1, 300), st.data())
def test_loss_bound_is_clopper_and_pearsons(images, data):
    lost = data.draw(st.integers(0, images))
    theirs = proportion_confint(lost, images, alpha=0.1, method="beta")[1]
    assert loss_bound(np.array(lost), images, 0.95) == pytest.approx(theirs if lost < images else 1)


def test_images_needed():
    assert images_needed(0.05, 0.975) == 72
    assert 0.95**72 <= 0.025 < 0.95**71
    for tolerance, classes in ((0.05, 1), (0.02, 10), (0.1, 3)):
        number, each = images_needed(tolerance, 0.95, classes), sidak(0.95, classes)
        assert loss_bound(np.array(0), number, each) <= tolerance
        assert loss_bound(np.array(0), number - 1, each) > tolerance
    assert images_needed(0.5, 0.5) == 1


def test_more_classes_lower_every_bound():
    table = counts(40, 3, 1, 6)
    assert paired_lower_bound(table, classes=10) < paired_lower_bound(table)
    none = counts(52, 0, 0, 0)
    assert paired_lower_bound(none) == pytest.approx(-(1 - 0.05 ** (1 / 52)))


def test_level_of_bounds_by_enumeration():
    """A class of 20, 52 or 100 images that loses 6 points passes at 0.95 in at most 5 %."""
    for images in (20, 52, 100):
        lost = np.arange(images + 1)
        bounds = paired_lower_bound(counts(images - lost, lost, 0 * lost, 0 * lost))
        chance = stats.binom.pmf(lost, images, 0.06)
        assert chance[bounds >= -0.05].sum() <= 0.05


def test_counts():
    dense = np.array([[True, True, False, False], [True, True, True, True]])
    pruned = np.array([[True, False, True, False], [False, True, True, True]])
    assert [part.tolist() for part in paired(dense, pruned)] == [[1, 3], [1, 1], [1, 0], [1, 0]]
    assert paired(dense, pruned).images.tolist() == [4, 4]
