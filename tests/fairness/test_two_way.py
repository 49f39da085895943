"""Errors and intervals over seeds and images, against loops, one-way formulas and SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from prune_fair.fairness import (
    TwoWay,
    by_class,
    class_intervals,
    class_lower_bounds,
    crossed_means,
    equivalence,
    image_weights,
    in_order,
    loss_bound,
    lower_bound,
    negative,
    scaled,
    simultaneous_lower_bounds,
    two_way,
    two_way_interval,
)


def drawn(rng, seeds=6, images=9):
    return rng.integers(-1, 2, size=(seeds, images)).astype(float)


def variance_in_loops(values):
    """Owen's three mean squares, cell by cell."""
    seeds, images = values.shape
    mean = values.mean()
    rows = sum((values[s].mean() - mean) ** 2 for s in range(seeds)) / (seeds - 1)
    columns = sum((values[:, i].mean() - mean) ** 2 for i in range(images)) / (images - 1)
    rest = sum(
        (values[s, i] - values[s].mean() - values[:, i].mean() + mean) ** 2
        for s in range(seeds)
        for i in range(images)
    ) / ((seeds - 1) * (images - 1))
    floor = max(rows / seeds, columns / images)
    return max(rows / seeds + columns / images - rest / (seeds * images), floor)


def test_error_equals_loops(rng):
    for _ in range(20):
        values = drawn(rng)
        found = two_way(values)
        assert found.mean == pytest.approx(values.mean())
        assert found.error**2 == pytest.approx(variance_in_loops(values))


def test_one_way_where_only_one_varies(rng):
    images = np.tile(rng.normal(size=30), (5, 1))
    found = two_way(images)
    assert found.error == pytest.approx(stats.sem(images[0]))
    assert found.freedom == pytest.approx(29)
    assert found.skewness == pytest.approx(stats.skew(images[0], bias=False) / np.sqrt(30))
    low, high = stats.t.interval(0.95, 29, images[0].mean(), stats.sem(images[0]))
    interval = two_way_interval(found._replace(skewness=np.zeros(())))
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))
    assert two_way(images.T).error == pytest.approx(found.error)


def test_error_is_not_biased(rng):
    """Of drawn effects of seeds, images and pairs; 4,000 draws are off by 2 % at most."""
    seeds, images, draws = 5, 8, 4000
    effects = rng.normal(size=(draws, seeds, 1)), rng.normal(size=(draws, 1, images))
    found = two_way(effects[0] + effects[1] + rng.normal(size=(draws, seeds, images)))
    true = 1 / seeds + 1 / images + 1 / (seeds * images)
    assert (found.error**2).mean() == pytest.approx(true, rel=0.05)
    assert found.mean.var() == pytest.approx(true, rel=0.1)


def test_too_few_have_no_error():
    assert np.isnan(two_way(np.zeros((2, 9))).error)
    assert np.isnan(two_way(np.zeros((9, 1))).error)
    same = two_way(np.full((9, 7), 0.1))
    assert same.error == 0
    assert np.isnan(two_way_interval(same).low)


@given(seed=st.integers(0, 2**32 - 1), seeds=st.integers(3, 7), images=st.integers(2, 12))
@settings(max_examples=60, deadline=None)
def test_order_does_not_matter(seed, seeds, images):
    rng = np.random.default_rng(seed)
    dense, pruned = rng.integers(0, 2, size=(2, seeds, images))
    change = (pruned - dense).astype(float)
    found = two_way(change)
    mixed = two_way(change[rng.permutation(seeds)][:, rng.permutation(images)])
    np.testing.assert_allclose(mixed, found, atol=1e-9)
    interval, mirrored = two_way_interval(found), two_way_interval(negative(found))
    if found.error > 0:
        assert interval.low < found.mean < interval.high
        assert mirrored.low == pytest.approx(-interval.high)


def test_interval_shrinks_with_seeds_and_images(rng):
    values = rng.integers(-1, 2, size=(5, 12)).astype(float)
    more = two_way_interval(two_way(np.tile(values, (3, 3))))
    few = two_way_interval(two_way(values))
    assert more.high - more.low < few.high - few.low


def test_crossed_means_equal_loops(rng):
    """Seeds and images drawn again and again, one by one."""
    values = rng.normal(size=(2, 3, 5))
    labels = np.array([0, 2, 0, 2, 2])
    seed_weights = rng.multinomial(3, [1 / 3] * 3, size=7) / 3
    weights = image_weights(labels, 6)
    rows = crossed_means(values, labels, 3, seed_weights, weights)
    assert np.isnan(rows[:, :, 1]).all()
    for row, point, true in np.ndindex(7, 2, 3):
        own = np.flatnonzero(labels == true)
        total, count = 0.0, 0
        for seed in range(3):
            for image in own:
                times = round(3 * seed_weights[row, seed] * len(own) * weights[row, image])
                total, count = total + times * values[point, seed, image], count + times
        if count:
            assert rows[row, point, true] == pytest.approx(total / count)


def test_crossed_bootstrap_agrees_with_a_brute_one(rng):
    values = drawn(rng, 8, 20)
    rows = crossed_means(values, np.zeros(20, int), 1)[1:, 0]
    brute = [values[rng.integers(0, 8, 8)][:, rng.integers(0, 20, 20)].mean() for _ in range(4000)]
    assert rows.mean() == pytest.approx(values.mean(), abs=0.02)
    assert rows.std() == pytest.approx(np.std(brute), rel=0.1)


def test_images_alone_agree_with_scipy(rng):
    images = rng.gamma(2.0, size=40)
    rows = crossed_means(np.tile(images, (3, 1)), np.zeros(40, int), 1)[1:, 0]
    theirs = stats.bootstrap((images,), np.mean, method="percentile", rng=rng).confidence_interval
    width = theirs.high - theirs.low
    np.testing.assert_allclose(np.quantile(rows, [0.025, 0.975]), theirs, atol=0.07 * width)


def test_variances_of_resampled_means(rng):
    """Crossed rows spread more than the error where much is left; scaled ones as they should."""
    values = rng.normal(size=(12, 30))
    labels = np.zeros(30, int)
    found, rows = by_class(values, labels, 1), crossed_means(values, labels, 1)
    assert found.error[0] < rows.std()
    wanted = found.error * stats.t.ppf(0.975, found.freedom) / stats.norm.ppf(0.975)
    assert scaled(rows, found)[1:].std() == pytest.approx(wanted[0], rel=1e-6)


def test_score_bound_is_wilsons_for_one_network():
    """Where a mean is a proportion of many images, the bound is that of a score interval."""
    lost = np.zeros((3, 400))
    lost[:, :20] = -1.0
    found = two_way(lost)
    bound = lower_bound(found._replace(freedom=np.array(1e9)), 0.975)
    wilson = stats.binomtest(20, 400).proportion_ci(0.95, "wilson").high
    assert -bound == pytest.approx(wilson, rel=0.02)


def test_cells_in_which_nothing_changed_have_the_exact_bound():
    labels = np.repeat([0, 1], [52, 20])
    nothing = np.zeros((16, 72))
    interval = class_intervals(by_class(nothing, labels, 2), nothing.mean(axis=0), labels)
    np.testing.assert_allclose(-interval.low, loss_bound(np.zeros(2), np.array([52, 20]), 0.975))
    np.testing.assert_allclose(interval.high, -interval.low)


def cells(rng, points=3, seeds=12, images=60, classes=3):
    labels = np.repeat(np.arange(classes), images)
    often = rng.beta(0.3, 2, size=(points, 1, classes * images))
    values = -(rng.uniform(size=(points, seeds, classes * images)) < often).astype(float)
    return values, labels


def test_bounds_of_all_cells_are_below_those_of_single_ones(rng):
    values, labels = cells(rng)
    found, shown = by_class(values, labels, 3), values.mean(axis=1)
    rows = crossed_means(values, labels, 3)
    alone = class_lower_bounds(found, shown, labels)
    together = simultaneous_lower_bounds(rows, found, shown, labels)
    bonferroni = class_lower_bounds(found, shown, labels, 1 - 0.05 / 9)
    assert (together < alone).all()
    assert (together >= bonferroni - 1e-12).all()
    again = simultaneous_lower_bounds(
        rows[..., ::-1], by_class(values, 2 - labels, 3), shown, 2 - labels
    )
    np.testing.assert_allclose(again[:, ::-1], together)


def test_points_that_go_together_cost_little(rng):
    """The same point five times is one point."""
    values, labels = cells(rng, points=1)
    found, shown = by_class(values, labels, 3), values.mean(axis=1)
    rows = crossed_means(values, labels, 3)
    five = TwoWay(*(np.repeat(part, 5, axis=0) for part in found))
    bounds = simultaneous_lower_bounds(
        np.repeat(rows, 5, axis=1), five, np.repeat(shown, 5, axis=0), labels
    )
    one = simultaneous_lower_bounds(rows, found, shown, labels)
    np.testing.assert_allclose(bounds, np.repeat(one, 5, axis=0))


def test_in_order():
    bounds = np.array([[-0.01, np.nan], [-0.05, np.nan], [-0.06, np.nan], [0.0, np.nan]])
    assert in_order(bounds, 0.05).tolist() == [True, True, False, False]
    assert not in_order(np.full((2, 2), np.nan), 0.05).any()


def test_equivalence_equals_t_tests(rng):
    """Where only images vary it is statsmodels' TOST."""
    from statsmodels.stats.weightstats import ttost_paired

    images = rng.normal(0.1, 1, size=50)
    p, lower, upper = ttost_paired(images, np.zeros(50), -0.5, 0.5)
    found = equivalence(two_way(np.tile(images, (4, 1))), 0.5)
    assert (found.p, found.no_harm, found.no_gain) == (
        pytest.approx(p),
        pytest.approx(lower[1]),
        pytest.approx(upper[1]),
    )
    assert np.isnan(equivalence(two_way(np.zeros((4, 4))), 0.05).p)
