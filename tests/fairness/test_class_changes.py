"""Classes' changes and recalls over seeds, images or both: by hand, by SciPy and statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from prune_fair.fairness import (
    class_change_bound,
    class_change_interval,
    class_recall_interval,
    over_images,
    paired,
    paired_interval,
    paired_lower_bound,
    two_way,
)

WAYS = ("images", "both")


def drawn(seed, seeds=8, images=(60, 25, 40), lost=0.2, won=0.05):
    """Networks whose images are lost and won with chances of their own."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(images)), images)
    before = rng.uniform(size=(seeds, len(labels))) < 0.9
    goes = rng.uniform(size=(seeds, len(labels))) < rng.beta(0.5, 0.5 / lost, len(labels))
    comes = rng.uniform(size=(seeds, len(labels))) < won
    return before, np.where(before, ~goes, comes), labels


def means_in_loops(before, after, labels, classes):
    found = []
    for true in range(classes):
        own = np.flatnonzero(labels == true)
        changes = [int(a[i]) - int(b[i]) for b, a in zip(before, after, strict=True) for i in own]
        found.append(np.mean(changes) if changes else np.nan)
    return found


@pytest.mark.parametrize("over", WAYS)
@pytest.mark.parametrize("seeds", [1, 2, 3, 8])
def test_means_equal_loops(seeds, over):
    before, after, labels = drawn(0, seeds)
    interval = class_change_interval(before, after, labels, 4, over=over)
    expected = means_in_loops(before, after, labels, 4)
    np.testing.assert_allclose(interval.estimate, expected, atol=1e-12)
    recall = class_recall_interval(after, labels, 4, over=over)
    expected = means_in_loops(np.zeros_like(after), after, labels, 4)
    np.testing.assert_allclose(recall.estimate, expected, atol=1e-12)


def test_one_image_lost_by_all_of_three_networks():
    """Of 50 images: error 0.02, skewness 1 - 2 x 0.02 over sqrt(50 x 0.02 x 0.98), and t."""
    before, after = np.ones((2, 3, 50), bool)
    after[:, 7] = False
    interval = class_change_interval(before, after, np.zeros(50, int), 1)
    exact = proportion_confint(1, 50, alpha=0.05, method="beta")[1]
    assert interval.estimate[0] == pytest.approx(-0.02)
    assert interval.low[0] <= -exact + 1e-12
    reach = stats.t.ppf(0.975, 49)
    assert interval.high[0] == pytest.approx(-0.02 + reach * 0.02)
    skewness = stats.skew(np.eye(50)[0], bias=False) / np.sqrt(50)
    half = reach * skewness / 2
    told = -0.02 - reach * 0.02 * (half + np.sqrt(1 + half**2))
    assert interval.low[0] == pytest.approx(min(told, -exact))


@pytest.mark.parametrize("over", WAYS)
@pytest.mark.parametrize("seeds", [1, 3, 16])
def test_nothing_lost_is_clopper_and_pearsons_or_newcombes(seeds, over):
    right, labels = np.ones((seeds, 59), bool), np.zeros(59, int)
    bound = class_change_bound(right, right, labels, 1, 0.95, over)
    assert bound[0] == pytest.approx(-(1 - 0.05 ** (1 / 59)))
    assert bound[0] == pytest.approx(-0.05, abs=1e-3)  # 59 images are what 5 points need
    interval = class_change_interval(right, right, labels, 1, 0.95, over)
    off = proportion_confint(0, 59, method="wilson" if seeds == 1 else "beta")[1]
    assert (interval.low[0], interval.high[0]) == pytest.approx((-off, off))


def test_one_network_is_newcombes():
    before, after, labels = drawn(3, seeds=1)
    interval = class_change_interval(before, after, labels, 4, 0.9)
    bound = class_change_bound(before, after, labels, 4, 0.9)
    for true in range(3):
        own = paired(before[0, labels == true], after[0, labels == true])
        expected = [float(end) for end in paired_interval(own, 0.9)]
        assert [float(end[true]) for end in interval] == pytest.approx(expected)
        assert bound[true] == pytest.approx(float(paired_lower_bound(own, 0.9)))


def test_newcombes_worked_case_as_networks():
    """A pair of the paper, as in `test_paired`: 36 both, 12 won, 2 lost, none wrong in both."""
    before = np.repeat([True, False, True, False], [36, 12, 2, 0])[None]
    after = np.repeat([True, True, False, False], [36, 12, 2, 0])[None]
    interval = class_change_interval(before, after, np.zeros(50, int), 1)
    assert [round(float(end[0]), 4) for end in interval] == [0.2, 0.0569, 0.3404]


@pytest.mark.parametrize("over", WAYS)
def test_two_networks_have_no_interval(over):
    before, after, labels = drawn(0, seeds=2)
    for ends in (
        class_change_interval(before, after, labels, 3, over=over)[1:],
        class_recall_interval(after, labels, 3, over=over)[1:],
        [class_change_bound(before, after, labels, 3, over=over)],
    ):
        assert all(np.isnan(end).all() for end in ends)


@pytest.mark.parametrize("over", WAYS)
@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_a_class_without_images_is_unknown(seeds, over):
    before, after, labels = drawn(1, seeds)
    labels = labels + (labels > 0)  # none of class 1
    ends = [
        *class_change_interval(before, after, labels, 4, over=over),
        *class_recall_interval(after, labels, 4, over=over),
        class_change_bound(before, after, labels, 4, over=over),
    ]
    assert all(np.isnan(end[1]) for end in ends)
    assert seeds == 2 or all(np.isfinite(end[[0, 2, 3]]).all() for end in ends)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 4, 9]), st.sampled_from(WAYS))
@settings(max_examples=60, deadline=None)
def test_wider_for_more_confidence(seed, seeds, over):
    before, after, labels = drawn(seed, seeds, (3, 12, 30), lost=0.1)
    rising = (0.6, 0.8, 0.95, 0.99)
    bounds = [class_change_bound(before, after, labels, 3, level, over) for level in rising]
    assert (np.diff(bounds, axis=0) < 0).all()
    for found in (
        [class_change_interval(before, after, labels, 3, level, over) for level in rising],
        [class_recall_interval(after, labels, 3, level, over) for level in rising],
    ):
        assert (np.diff([each.low for each in found], axis=0) <= 1e-12).all()
        assert (np.diff([each.high for each in found], axis=0) >= -1e-12).all()
        assert all((each.low <= each.estimate + 1e-12).all() for each in found)
        assert all((each.high >= each.estimate - 1e-12).all() for each in found)
        assert all((each.low < each.high).all() for each in found)
    change = class_change_interval(before, after, labels, 3, 0.9, over)
    assert (bounds[2] <= change.estimate).all()
    if seeds > 1:  # the lower end where something was lost, else at least as far away
        assert (bounds[2] <= change.low + 1e-9)[change.estimate <= 0].all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 5]))
@settings(max_examples=30, deadline=None)
def test_a_gain_is_the_mirror_image_of_a_loss(seed, seeds):
    before, after, labels = drawn(seed, seeds, (9, 40))
    one = class_change_interval(before, after, labels, 2)
    other = class_change_interval(after, before, labels, 2)
    np.testing.assert_allclose(one.low, -other.high, atol=1e-12)
    np.testing.assert_allclose(one.high, -other.low, atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(3, 9), st.integers(2, 20))
@settings(max_examples=60, deadline=None)
def test_the_error_over_both_is_never_below_that_of_either(seed, seeds, images):
    """Intervals may be: the error of both has other degrees of freedom."""
    values = np.random.default_rng(seed).integers(-1, 2, (seeds, images)).astype(float)
    both, of_images, of_seeds = two_way(values), over_images(values), over_images(values.T)
    assert both.mean == pytest.approx(of_images.mean) == pytest.approx(of_seeds.mean)
    assert both.error >= max(of_images.error, of_seeds.error) - 1e-12


def test_error_of_images_is_that_of_their_means():
    values = np.random.default_rng(0).integers(-1, 2, (4, 30)).astype(float)
    found = over_images(values)
    assert found.error == pytest.approx(stats.sem(values.mean(axis=0)))
    assert found.freedom == 29
    skewness = stats.skew(values.mean(axis=0), bias=False) / np.sqrt(30)
    assert found.skewness == pytest.approx(skewness)
    assert np.isnan(over_images(values[:, :1]).error)


def test_over_images_agrees_with_scipys_bootstrap(rng):
    """Of many images with many losses; the far end is skewed outwards, a little."""
    before, after, labels = drawn(5, 8, (800,), lost=0.3, won=0.1)
    interval = class_change_interval(before, after, labels, 1, over="images")
    images = (after.astype(float) - before).mean(axis=0)
    theirs = stats.bootstrap((images,), np.mean, method="BCa", rng=rng).confidence_interval
    width = theirs.high - theirs.low
    assert interval.low[0] == pytest.approx(theirs.low, abs=0.1 * width)
    assert interval.high[0] == pytest.approx(theirs.high, abs=0.1 * width)
    near = stats.t.interval(0.95, 799, images.mean(), stats.sem(images))[1]
    assert interval.high[0] == pytest.approx(near)


def test_seeds_that_lose_in_turn_count_over_both_alone():
    """Every second network loses half of the images: other seeds may lose them all, or none."""
    before, after = np.ones((2, 16, 60), bool)
    after[::2, ::2] = False
    ways = {o: class_change_interval(before, after, np.zeros(60, int), 1, over=o) for o in WAYS}
    widths = {over: (each.high - each.low)[0] for over, each in ways.items()}
    assert widths["both"] > 1.5 * widths["images"]


@pytest.mark.parametrize("over", WAYS)
def test_recall_of_one_network_is_wilsons(over):
    right = np.repeat([True, False], [45, 5])[None]
    interval = class_recall_interval(right, np.zeros(50, int), 1, 0.9, over)
    expected = proportion_confint(45, 50, alpha=0.1, method="wilson")
    assert (interval.low[0], interval.high[0]) == pytest.approx(expected)


def test_recall_of_several_networks_is_within_0_and_1():
    labels = np.repeat([0, 1, 2], 20)
    right = np.broadcast_to(labels > 0, (5, 60)).copy()
    right[:, -10:] = False  # classes of which none, all and half are right
    interval = class_recall_interval(right, labels, 3)
    exact = proportion_confint(0, 20, alpha=0.05, method="beta")[1]
    assert interval.estimate.tolist() == [0, 1, 0.5]
    np.testing.assert_allclose(interval.low[:2], [0, 1 - exact])
    np.testing.assert_allclose(interval.high[:2], [exact, 1])
    assert interval.low[2] + interval.high[2] == pytest.approx(1)
    assert 0.2 < interval.low[2] < 0.3
