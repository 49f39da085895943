"""Tests between populations, against SciPy and statsmodels and by hand."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from prune_fair.fairness import (
    benjamini_hochberg,
    holm,
    paired_difference,
    seeds_needed,
    welch,
)


def test_welch_equals_scipy(rng):
    first, second = rng.normal(size=(7, 3, 2)), 2 * rng.normal(size=(12, 3, 2)) + 0.5
    theirs = stats.ttest_ind(first, second, equal_var=False).pvalue
    np.testing.assert_allclose(welch(first, second), theirs, rtol=1e-10)
    first[2, 1, 0] = second[:3, 0, 1] = np.nan
    theirs = stats.ttest_ind(first, second, equal_var=False, nan_policy="omit").pvalue
    np.testing.assert_allclose(welch(first, second), theirs, rtol=1e-10)


def test_welch_by_hand():
    """Means 2 and 5, squared errors 1/3 and 1/3: t = 3 / sqrt(2/3) at 4 degrees of freedom."""
    p = welch(np.array([1.0, 2, 3]), np.array([4.0, 5, 6]))
    assert p == pytest.approx(2 * stats.t.sf(3 / np.sqrt(2 / 3), 4))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0.1] * 7, [0.2] * 5),  # neither varies, though their computed variances may
        ([0.1] * 7, [0.1] * 5),
        ([0.1], [0.2, 0.3]),
        ([0.1, np.nan], [0.2, 0.3]),
        ([np.nan, np.nan], [0.2, 0.3]),
    ],
)
def test_welch_is_undefined(first, second):
    assert np.isnan(welch(np.array(first), np.array(second)))


def test_welch_where_one_varies():
    first, second = np.full(5, 0.25), np.array([0.1, 0.2, 0.3])
    assert welch(first, second) == pytest.approx(stats.ttest_1samp(second, 0.25).pvalue)


@pytest.mark.parametrize(("ours", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_corrections_equal_statsmodels(rng, ours, method):
    p = rng.uniform(size=20) ** 3
    p[3:5] = p[7]
    expected = multipletests(p, method=method)[1]
    np.testing.assert_allclose(ours(p), expected)
    holed = np.insert(p, [2, 9], np.nan)
    np.testing.assert_allclose(ours(holed)[~np.isnan(holed)], expected)
    assert np.isnan(ours(holed)[np.isnan(holed)]).all()
    np.testing.assert_allclose(ours(p.reshape(4, 5)), expected.reshape(4, 5))
    assert np.isnan(ours(np.full(3, np.nan))).all()


def test_corrections_by_hand():
    p = np.array([0.01, 0.03, 0.02, 0.5])
    np.testing.assert_allclose(holm(p), [0.04, 0.06, 0.06, 0.5])
    np.testing.assert_allclose(benjamini_hochberg(p), [0.04, 0.04, 0.04, 0.5])


def test_paired_difference_equals_scipy(rng):
    first, second = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
    found = paired_difference(first, second)
    np.testing.assert_allclose(found.p, stats.ttest_rel(first, second).pvalue, rtol=1e-10)
    np.testing.assert_allclose(found.sd, (first - second).std(axis=0, ddof=1))
    assert (found.mean.low < found.mean.estimate).all()
    first[4, 2] = np.nan
    found = paired_difference(first, second)
    theirs = stats.ttest_rel(first, second, nan_policy="omit").pvalue
    np.testing.assert_allclose(found.p, theirs, rtol=1e-10)
    assert found.pairs.tolist() == [9, 9, 8, 9]


def test_paired_difference_that_is_always_the_same():
    first = np.array([0.1, 0.5, 0.25, 1.0])
    found = paired_difference(first, first - 0.0)
    assert (found.mean.estimate, found.mean.low, found.mean.high) == (0, 0, 0)
    assert np.isnan(found.p)
    assert found.sd == 0


def test_few_pairs():
    found = paired_difference(np.array([1.0, 2.0]), np.array([0.0, 0.5]))
    assert found.mean.estimate == 1.25
    assert np.isnan(found.mean.low)
    assert found.p == pytest.approx(stats.ttest_1samp([1.0, 1.5], 0).pvalue)
    alone = paired_difference(np.array([1.0]), np.array([0.0]))
    assert np.isnan([alone.p, alone.sd]).all()


@pytest.mark.parametrize("size", [0.1, 0.3, 0.8, 1.5, 4.0])
@pytest.mark.parametrize(("power", "alpha"), [(0.8, 0.05), (0.95, 0.01)])
def test_seeds_needed_equals_statsmodels(size, power, alpha):
    seeds = seeds_needed(np.array(-2 * size), np.array(2.0), power, alpha).item()
    assert TTestPower().power(size, seeds, alpha) >= power
    assert seeds == 2 or not TTestPower().power(size, seeds - 1, alpha) >= power  # it may be NaN


def test_seeds_needed_at_the_edges():
    effect = np.array([0.0, 0.1, np.nan, 0.1, 0.0, 1e6, 1e-6])
    sd = np.array([0.1, 0.0, 0.1, np.nan, 0.0, 1.0, 1.0])
    found = seeds_needed(effect, sd)
    np.testing.assert_array_equal(found[:6], [np.inf, 2, np.nan, np.nan, np.inf, 2])
    assert found[6] == pytest.approx(7.849e12, rel=1e-3)
