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
    """Seeds drawn again with all images, images with all seeds: both moves are added."""
    values = rng.normal(size=(2, 3, 5))
    labels = np.array([0, 2, 0, 2, 2])
    seed_weights = rng.multinomial(3, [1 / 3] * 3, size=7) / 3
    weights = image_weights(labels, 6)
    rows = crossed_means(values, labels, 3, seed_weights, weights)
    assert np.isnan(rows[:, :, 1]).all()
    for row, point, true in np.ndindex(7, 2, 3):
        own = np.flatnonzero(labels == true)
        if not len(own):
            continue
        mean = sum(values[point, s, i] for s in range(3) for i in own) / (3 * len(own))
        moved = [0.0, 0.0]
        for seed in range(3):
            for image in own:
                away = values[point, seed, image] - mean
                moved[0] += seed_weights[row, seed] * away / len(own)
                moved[1] += weights[row, image] * away / 3
        assert rows[row, point, true] == pytest.approx(mean + sum(moved))


def test_image_weights_are_of_each_class():
    labels = np.array([2, 0, 2, 2])
    weights = image_weights(labels, 50)
    np.testing.assert_allclose(weights @ np.eye(3)[labels], np.tile([1, 0, 1], (51, 1)))
    assert weights[0].tolist() == [1 / 3, 1, 1 / 3, 1 / 3]
    assert not weights.flags.writeable
    assert image_weights(labels.astype(np.int32), 50) is weights  # drawn once for all points
    assert image_weights(labels, 50, random_seed=2) is not weights


def pigeonholes(rng, values, labels, classes, rows=3000):
    """The crossed bootstrap as it is defined: drawn seeds and drawn images of each class."""
    seeds, means = values.shape[-2], []
    for row in range(rows + 1):
        drawn_seeds = rng.integers(0, seeds, seeds) if row else np.arange(seeds)
        by_class = []
        for true in range(classes):
            own = np.flatnonzero(labels == true)
            images = rng.choice(own, len(own)) if row else own
            by_class.append(values[:, drawn_seeds][:, :, images].mean(axis=(-1, -2)))
        means.append(np.stack(by_class, axis=-1))
    return np.array(means)


def test_crossed_bootstrap_agrees_with_a_brute_one(rng):
    """Spread as their errors say, both have the same ends, of means and of the smallest of them."""
    seeds, labels = 16, np.repeat([0, 1], [40, 60])
    effects = 0.1 * rng.normal(size=(1, seeds, 1)), 0.4 * rng.normal(size=(1, 1, 100))
    values = effects[0] + effects[1] + 0.5 * rng.normal(size=(2, seeds, 100))
    found = by_class(values, labels, 2)
    ours = scaled(crossed_means(values, labels, 2), found)
    brute = scaled(pigeonholes(rng, values, labels, 2), found)
    np.testing.assert_allclose(ours[0], brute[0])
    for reduce in (lambda rows: rows[:, 0, 0], lambda rows: rows.min(axis=(1, 2)),
                   lambda rows: rows[:, 0, 1] - rows[:, 1, 1]):  # fmt: skip
        ends, theirs = (np.quantile(reduce(rows)[1:], [0.025, 0.975]) for rows in (ours, brute))
        np.testing.assert_allclose(ends, theirs, atol=0.08 * (theirs[1] - theirs[0]))
    together, apart = (np.corrcoef(rows[1:, 0, 0], rows[1:, 1, 0])[0, 1] for rows in (ours, brute))
    assert together > 0.3  # the points share their seeds and images
    assert together == pytest.approx(apart, abs=0.25)  # and not what is left, which brute ones draw


def test_crossed_means_leave_the_rest_out(rng):
    """The brute one counts it three times; without it rows spread as images and seeds do."""
    values = drawn(rng, 8, 20)
    rows = crossed_means(values, np.zeros(20, int), 1)[1:, 0]
    of_seeds, of_images = (values.mean(axis=axis).var() for axis in (1, 0))
    assert rows.mean() == pytest.approx(values.mean(), abs=0.02)
    assert rows.var() == pytest.approx(of_seeds / 8 + of_images / 20, rel=0.1)
    assert rows.var() < pigeonholes(rng, values[None], np.zeros(20, int), 1)[1:].var()


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


def test_the_end_towards_0_is_no_exact_one():
    """20 of 50 images are lost: the far end may be exact or skewed, the near one is t's."""
    lost, labels = np.zeros((16, 50)), np.zeros(50, int)
    lost[:, :20] = -1.0
    found = by_class(lost, labels, 1)
    interval = class_intervals(found, lost.mean(axis=0), labels)
    near = stats.t.interval(0.95, 49, -0.4, stats.sem(lost[0]))
    assert interval.high[0] == pytest.approx(near[1])
    assert interval.low[0] < near[0]
    won = class_intervals(negative(found), -lost.mean(axis=0), labels)
    assert (won.low[0], won.high[0]) == (pytest.approx(-near[1]), -interval.low[0])


def test_a_lost_image_does_not_show_a_gain():
    """One image of 50, lost by every network: 8 % may be lost, 2 % may be won, not 7."""
    lost, labels = np.zeros((16, 50)), np.zeros(50, int)
    lost[:, 0] = -1.0
    interval = class_intervals(by_class(lost, labels, 1), lost.mean(axis=0), labels)
    assert -interval.low[0] >= loss_bound(np.array(1), 50, 0.975)
    assert interval.high[0] == pytest.approx(-0.02 + 0.02 * stats.t.ppf(0.975, 49))


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
    bonferroni = class_lower_bounds(five, np.repeat(shown, 5, axis=0), labels, 1 - 0.05 / 15)
    np.testing.assert_allclose(bounds, np.repeat(one, 5, axis=0), rtol=0.01)
    assert (bounds <= one + 1e-12).all()
    assert (bounds > bonferroni + 0.01).all()


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
