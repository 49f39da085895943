import numpy as np
import pytest
from scipy.stats import bootstrap

from prune_fair.fairness import (
    bootstrap_weights,
    corrected_interval,
    known_seeds,
    mean_interval,
    percentile_interval,
    weighted_means,
)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("seeds", [5, 30])
def test_mean_interval_agrees_with_scipy(rng, seeds, confidence):
    values = rng.gamma(2.0, size=seeds)
    theirs = bootstrap(
        (values,),
        np.mean,
        n_resamples=20000,
        method="percentile",
        confidence_level=confidence,
        rng=rng,
    ).confidence_interval
    ours = mean_interval(values, confidence)
    width = theirs.high - theirs.low
    assert ours.estimate == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)


def test_equals_scipy_on_the_same_resamples(rng):
    """SciPy drawing our very resamples gives our very interval."""
    values = np.array([0.3, 0.9, 0.4, 0.7])
    weights = bootstrap_weights(4, resamples=200)
    rows = [np.repeat(np.arange(4), np.round(4 * row).astype(int)) for row in weights[1:]]
    means = np.array([values[row].mean() for row in rows])
    interval = mean_interval_of(values, weights)
    assert interval.low == pytest.approx(np.quantile(means, 0.025))
    assert interval.high == pytest.approx(np.quantile(means, 0.975))


def mean_interval_of(values, weights):
    return percentile_interval(weighted_means(weights, values), len(values))


def test_axes_after_the_seeds_are_kept(rng):
    values = rng.normal(size=(6, 2, 3))
    interval = mean_interval(values)
    assert interval.low.shape == (2, 3)
    alone = mean_interval(values[:, 1, 2])
    assert interval.low[1, 2] == pytest.approx(alone.low)


def test_too_few_seeds_have_no_interval():
    interval = mean_interval(np.array([0.1, 0.2]))
    assert interval.estimate == pytest.approx(0.15)
    assert np.isnan(interval.low)
    assert np.isnan(interval.high)


def test_unfinished_networks_are_left_out():
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    means = weighted_means(bootstrap_weights(3, resamples=5), values)
    assert means[0, 0] == 2
    assert np.isnan(means[:, 1]).all()


def test_weights_are_resamples():
    weights = bootstrap_weights(7, resamples=50)
    assert np.allclose(weights.sum(axis=1), 1)
    assert np.allclose(weights[0], 1 / 7)
    assert np.array_equal(weights, bootstrap_weights(7, resamples=50))


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.999])
@pytest.mark.parametrize(("rows", "shape"), [(4, ()), (11, (3,)), (200, (2, 700)), (7, (0,))])
def test_bounds_are_quantiles(rng, rows, shape, confidence):
    resampled = rng.normal(size=(rows, *shape)).round(1)
    interval = percentile_interval(resampled, 5, confidence)
    tail = (1 - confidence) / 2
    expected = np.quantile(resampled[1:], [tail, 1 - tail], axis=0) if resampled.size else [[], []]
    np.testing.assert_allclose([interval.low, interval.high], expected, rtol=1e-14, atol=1e-16)


def test_resamples_without_a_value_are_left_out(rng):
    resampled = rng.normal(size=(9, 3))
    resampled[4:7, 1] = np.nan
    interval = percentile_interval(resampled, 5)
    expected = np.nanquantile(resampled[1:], [0.025, 0.975], axis=0)
    np.testing.assert_allclose([interval.low, interval.high], expected)


def test_intervals_need_three_seeds_that_are_known(rng):
    values = rng.normal(size=(6, 4))
    values[1:, 0] = values[2:, 1] = values[3:, 2] = np.nan
    assert known_seeds(values).tolist() == [1, 2, 3, 6]
    interval = mean_interval(values)
    assert np.isnan(interval.low).tolist() == [True, True, False, False]
    assert np.isfinite(interval.estimate).all()


def test_thousands_of_columns_are_those_alone(rng):
    values = rng.normal(size=(5, 1200))
    interval = mean_interval(values)
    for column in (0, 255, 256, 1199):
        alone = mean_interval(values[:, column])
        np.testing.assert_allclose([part[column] for part in interval], alone, rtol=1e-12)


def test_bias_is_taken_off(rng):
    """The square of a mean is too large by the variance of the mean; corrected it is not."""
    values = rng.normal(1, 1, (20, 400))
    squares = weighted_means(bootstrap_weights(20), values) ** 2
    plain, corrected = percentile_interval(squares, 20), corrected_interval(squares, 20)
    assert plain.estimate.mean() - corrected.estimate.mean() == pytest.approx(1 / 20, rel=0.1)
    np.testing.assert_allclose(corrected.low, 2 * plain.estimate - plain.high)
    assert (corrected.low <= corrected.estimate).all()
    assert np.isnan(corrected_interval(squares, 2).low).all()
