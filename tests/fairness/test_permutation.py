"""Permutations over classes: by brute force with statsmodels and scipy, and by hand."""

import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from prune_fair.fairness import permute_units


def brute_force(outcome, covariate, nuisance, orders):
    """The covariate's columns change units, and each order is fitted anew by statsmodels."""
    tasks, units = outcome.shape
    columns, own = nuisance.reshape(tasks * units, -1), np.tile(np.arange(units), tasks)
    options = {"groups": own, "use_correction": False}
    found = [
        OLS(outcome.ravel(), np.column_stack([columns, covariate[:, list(order)].ravel()]))
        .fit(cov_type="cluster", cov_kwds=options)
        .tvalues[-1]
        for order in orders
    ]
    return np.mean(np.abs(found) >= abs(found[0]) * (1 - 1e-9))


def test_p_is_that_of_fitting_every_permutation_anew(rng):
    """Three tasks of five classes, beside the tasks, the classes and another covariate."""
    outcome, covariate, other = rng.normal(size=(3, 3, 5))
    outcome += covariate
    task, unit = np.indices((3, 5))
    nuisance = np.concatenate(
        [np.eye(3)[task], np.eye(5)[unit][..., 1:], other[..., None]], axis=-1
    )
    found = permute_units(outcome, covariate, nuisance, np.zeros(5, int))
    expected = brute_force(outcome, covariate, nuisance, itertools.permutations(range(5)))
    assert found.p == pytest.approx(expected)
    assert (found.permutations, found.exact) == (120, True)


def test_one_task_is_scipys_permutation_of_pairings(rng):
    covariate, outcome = rng.normal(size=(2, 6))

    def statistic(values):
        left, own = values - values.mean(), covariate - covariate.mean()
        rest = left - own * (own @ left) / (own @ own)
        return np.abs(own @ left) / np.sqrt(((own * rest) ** 2).sum())

    expected = stats.permutation_test(
        (outcome,),
        statistic,
        permutation_type="pairings",
        n_resamples=np.inf,
        alternative="greater",
        vectorized=False,
    )
    found = permute_units(outcome[None], covariate[None], np.ones((1, 6, 1)), np.zeros(6, int))
    assert found.p == pytest.approx(expected.pvalue)


def test_two_rare_of_ten_that_lose_most(rng):
    """The pair is one of 45, so p is 1/45, as near as draws come; another covariate beside it."""
    lost = np.array([0.1, 0.3, 0.2, -6.0, 0.0, 0.2, 0.1, 0.15, -5.9, 0.25])[None]
    rare = np.isin(np.arange(10), (3, 8)).astype(float)[None]
    beside = np.column_stack([np.ones(10), rng.normal(size=10)])[None]
    for nuisance in (np.ones((1, 10, 1)), beside):
        found = permute_units(lost, rare, nuisance, np.zeros(10, int))
        assert not found.exact
        assert found.p == pytest.approx(1 / 45, abs=0.006)


def test_units_stay_in_their_block(rng):
    outcome, covariate = rng.normal(size=(2, 1, 5))
    blocks = np.array([1, 0, 1, 0, 1])
    found = permute_units(outcome, covariate, np.eye(2)[blocks][None], blocks)
    within = [
        order for order in itertools.permutations(range(5)) if (blocks[[*order]] == blocks).all()
    ]
    assert found.permutations == len(within) == 12
    expected = brute_force(outcome, covariate, np.eye(2)[blocks][None], within)
    assert found.p == pytest.approx(expected)


def test_a_class_that_a_task_lacks(rng):
    outcome, covariate = rng.normal(size=(2, 2, 5))
    outcome[0, 3] = np.nan
    found = permute_units(outcome, covariate, np.eye(2)[np.indices((2, 5))[0]], np.zeros(5, int))
    assert 0 < found.p <= 1


def test_nothing_to_test():
    nuisance = np.ones((1, 4, 1))
    outcome = np.arange(4.0)[None]
    assert np.isnan(permute_units(outcome, np.ones((1, 4)), nuisance, np.zeros(4, int)).p)
    two = permute_units(outcome[:, :2], outcome[:, :2], nuisance[:, :2], np.zeros(2, int))
    assert two.p == 1


def test_draws_are_near_all(rng):
    outcome, covariate = rng.normal(size=(2, 1, 7))
    arguments = outcome, covariate, np.ones((1, 7, 1)), np.zeros(7, int)
    every, some = permute_units(*arguments), permute_units(*arguments, most=3000)
    assert (every.exact, some.exact, some.permutations) == (True, False, 3000)
    assert some.p == pytest.approx(every.p, abs=0.04)
