"""Statistics over several tasks, against scipy, autorank, published tables and plain loops."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from prune_fair import fairness

# Of the studentized range, over the square root of 2, as Demšar 2006 tabulates it from Nemenyi.
CRITICAL = {
    0.05: (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164),
    0.10: (1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920),
}


def equal(runs):
    return np.full((1, runs), 1 / runs)


@pytest.mark.parametrize("runs", [4, 8, 24, 160])
def test_interquartile_mean_is_scipys_trimmed_mean(runs, rng):
    values = rng.normal(size=runs)
    ours = fairness.interquartile_mean(values, equal(runs))[0]
    assert ours == pytest.approx(stats.trim_mean(values, 0.25))


def test_interquartile_mean_by_hand():
    values = np.array([9.0, 1.0, 7.0, 3.0, 5.0])  # the middle half: 3/4 of 3, 5, 3/4 of 7
    assert fairness.interquartile_mean(values, equal(5))[0] == pytest.approx(5)
    skewed = np.array([0.0, 0.0, 1.0, 4.0, 100.0])  # (3/4 * 0 + 1 + 3/4 * 4) / 2.5
    assert fairness.interquartile_mean(skewed, equal(5))[0] == pytest.approx(1.6)


def test_a_weight_is_a_run_that_often(rng):
    values, counts = rng.normal(size=6), np.array([3, 0, 1, 2, 0, 2])
    repeated = np.repeat(values, counts)
    ours = fairness.interquartile_mean(values, counts[None] / 8)[0]
    assert ours == pytest.approx(stats.trim_mean(repeated, 0.25))
    at = np.array([-1.0, 0.0, 1.0])
    profile = fairness.performance_profile(values, counts[None] / 8, at)[0]
    np.testing.assert_allclose(profile, [(repeated >= each).mean() for each in at])


def test_improvement_is_a_share_of_pairs(rng):
    values = rng.integers(0, 4, (7, 3)).astype(float)  # with ties
    counts = np.array([[1, 1, 1, 1, 1, 1, 1], [2, 0, 3, 1, 0, 1, 0]])
    ours = fairness.improvement_probability(values, counts / 7)
    for row, (a, b) in itertools.product(range(2), itertools.product(range(3), repeat=2)):
        won = total = 0.0
        for i, j in itertools.permutations(range(7), 2):
            pair = counts[row, i] * counts[row, j]
            total += pair
            won += pair * (0.5 + 0.5 * np.sign(values[i, a] - values[j, b]))
        expected = 0.5 if a == b else won / total
        assert ours[row, a, b] == pytest.approx(expected)


def test_improvement_is_mann_whitneys_of_two_blocks(rng):
    """Where runs of the same seed say what others do: of 200 seeds the diagonal is 1/200."""
    values = rng.normal((0.3, 0.0), 1, (200, 2))
    ours = fairness.improvement_probability(values, equal(200))[0, 0, 1]
    test = stats.mannwhitneyu(values[:, 0], values[:, 1])
    assert ours == pytest.approx(test.statistic / 200**2, abs=0.005)


def test_certain_improvements_have_the_exact_bound():
    rows = np.stack([np.ones(51), np.zeros(51), np.linspace(0.4, 0.6, 51)], axis=1)
    rows[0, 2] = 0.5
    found = fairness.improvement_interval(rows, 4, 0.9, tasks=3)
    assert found.low[0] == pytest.approx(0.05 ** (1 / 12))  # p^12 = 0.05
    assert found.high[1] == pytest.approx(1 - 0.05 ** (1 / 12))
    assert (found.high[0], found.low[1]) == (1, 0)
    assert 0.4 <= found.low[2] < 0.42
    few = fairness.improvement_interval(rows, 2, tasks=3)
    assert np.isnan(few.low).all()


def test_resampled_means_vary_as_means_of_new_runs_do(rng):
    values = rng.normal(size=6)
    (weights,) = fairness.stratified_weights([6], resamples=100_000)
    means = weights @ values
    assert means[0] == pytest.approx(values.mean())
    assert means[1:].var() == pytest.approx(values.var(ddof=1) / 6, rel=0.03)
    np.testing.assert_allclose(weights.sum(axis=1), 1)


def test_tasks_are_drawn_apart():
    first, second = fairness.stratified_weights([8, 8], resamples=1000)
    together = np.corrcoef(first[1:, 0], second[1:, 0])[0, 1]
    assert abs(together) < 0.1
    assert fairness.stratified_weights([1])[0].tolist() == [[1.0]] * 2001


@pytest.mark.parametrize("alpha", CRITICAL)
@pytest.mark.parametrize("techniques", range(2, 11))
def test_critical_difference_is_the_published_one(alpha, techniques):
    quantile = CRITICAL[alpha][techniques - 2]
    ranks = np.tile(np.arange(1.0, techniques + 1), (14, 1))
    found = fairness.rank_test(ranks, alpha)
    expected = quantile * np.sqrt(techniques * (techniques + 1) / (6 * 14))
    assert found.critical_difference == pytest.approx(expected, abs=0.001)


def test_demsars_worked_example():
    """4 classifiers on 14 data sets: 1.25 at 0.05, 1.12 at 0.10."""
    ranks = np.tile(np.arange(1.0, 5), (14, 1))
    found = [fairness.rank_test(ranks, alpha).critical_difference for alpha in (0.05, 0.10)]
    np.testing.assert_allclose(found, [1.25, 1.12], atol=0.005)


@pytest.mark.parametrize(("tasks", "techniques"), [(5, 3), (8, 4), (20, 6)])
def test_ranks_are_autoranks(tasks, techniques, rng):
    from autorank import autorank

    scores = (rng.normal(size=(tasks, techniques)) + 0.5 * np.arange(techniques)).round(1)
    names = [f"t{i}" for i in range(techniques)]
    theirs = autorank(
        pd.DataFrame(scores, columns=names), alpha=0.05, order="descending",
        force_mode="nonparametric",
    )  # fmt: skip
    ours = fairness.rank_test(fairness.score_ranks(scores))
    ranks = theirs.rankdf["meanrank"].loc[names].to_numpy()
    np.testing.assert_allclose(ours.mean_ranks, ranks)
    assert ours.critical_difference == pytest.approx(theirs.cd, rel=1e-3)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.p == pytest.approx(stats.friedmanchisquare(*scores.T).pvalue)


def test_what_has_no_friedman_p():
    assert np.isnan(fairness.rank_test(np.array([[1.0, 2.0]] * 5)).p)
    assert np.isnan(fairness.rank_test(np.full((5, 3), 2.0)).p)


@pytest.mark.parametrize("techniques", [2, 3, 4, 8])
def test_fewest_tasks_are_those_of_which_the_largest_difference_is_told_apart(techniques):
    def largest_is_told_apart(tasks):
        found = fairness.rank_test(np.tile(np.arange(1.0, techniques + 1), (tasks, 1)))
        return np.ptp(found.mean_ranks) >= found.critical_difference

    fewest = fairness.rank_test(np.tile(np.arange(1.0, techniques + 1), (2, 1))).fewest_tasks
    assert largest_is_told_apart(fewest)
    assert not largest_is_told_apart(fewest - 1)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(1, 8), min_size=2, max_size=8), st.floats(0.1, 8))
def test_groups_are_the_largest_that_are_not_told_apart(ranks, needed):
    means = np.array(ranks)
    groups = [{*group} for group in fairness.indistinct_groups(means, needed)]
    joined = {pair for group in groups for pair in itertools.combinations(sorted(group), 2)}
    near = {
        (i, j)
        for i, j in itertools.combinations(range(len(means)), 2)
        if max(means[i], means[j]) - min(means[i], means[j]) < needed
    }
    assert joined == near
    assert not any(one < other for one in groups for other in groups)


def test_intervals_of_all_pairs_hold_together(rng):
    """Of independent cells each needs Šidák's share; of cells that are one, as much as one."""
    rows = rng.normal(size=(40_001, 6))
    apart = fairness.confidence_of_each(rows, 0.9)
    assert apart == pytest.approx(0.9 ** (1 / 6), abs=0.004)
    bounds = fairness.percentile_interval(rows, 9, apart)
    inside = ((rows[1:] >= bounds.low) & (rows[1:] <= bounds.high)).all(axis=1)
    assert inside.mean() == pytest.approx(0.9, abs=0.001)
    same = np.repeat(rows[:, :1], 6, axis=1) * [1, 2, 3, -1, -2, 0]  # the last does not vary
    assert fairness.confidence_of_each(same, 0.9) == pytest.approx(0.9, abs=0.001)


def test_intervals_of_interquartile_means_stand_for_t(rng):
    rows = np.concatenate([[0.0], rng.normal(size=200_000)])
    for tasks, runs, freedom in ((2, 8, 7), (6, 4, 9), (1, 5, 4)):
        found = fairness.interquartile_interval(rows, runs, tasks=tasks)
        assert found.high == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.02)
        assert found.low == pytest.approx(-found.high, rel=0.03)
    assert np.isnan(fairness.interquartile_interval(rows, 2, tasks=5).low)
