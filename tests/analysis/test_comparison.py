"""Techniques at one sparsity and classes against dense, by hand and against SciPy."""

import numpy as np
import pytest
from scipy import stats

from prune_fair import InputError, analysis


def test_between_levels_by_hand(by_hand):
    """Densities 1, 1/2, 1/4: log density halves the way from level 1 to 2 at 1 / (2 sqrt 2)."""
    between = analysis.at_sparsity(by_hand, "accuracy", 1 - 0.5**1.5)
    assert between.mean("seed").values == pytest.approx([(0.8475 + 0.8) / 2, (0.835 + 0.4) / 2])
    exact = analysis.at_sparsity(by_hand, "accuracy", 0.5)
    assert exact.values == pytest.approx(
        analysis.network_metrics(by_hand, ["accuracy"]).accuracy.sel(level=1).values
    )
    assert np.isnan(analysis.at_sparsity(by_hand, "accuracy", 0.76)).all()


def test_reach_is_that_of_each_network(by_hand):
    by_hand["sparsity"] = by_hand.sparsity.copy()
    by_hand.sparsity[0, 1, 2] = np.nan  # not finished
    by_hand.sparsity[0, 2, 2] = 0.5  # as sparse as the level before: the last counts
    values = analysis.at_sparsity(by_hand, "recall_group_min", 0.75)
    assert np.isnan(values.values).tolist() == [[False, True, True, False], [False] * 4]
    last = analysis.at_sparsity(by_hand, "recall_group_min", 0.5).values
    assert last[0] == pytest.approx([0.78, 0.79, 0.70, 0.80])


def test_pairs_by_hand(by_hand):
    by_hand.confusion[0, 0, 2, 1] = [0, 1000]
    found = analysis.compare(by_hand, sparsity=0.75)
    values = analysis.network_metrics(by_hand, ["recall_group_min"]).recall_group_min.sel(level=2)
    (first, second), pair = values.values, found.isel(pair=0)
    assert (pair["first"], pair["second"]) == ("m0", "m1")
    assert pair.difference.sel(estimate="mean") == pytest.approx((first - second).mean())
    assert pair.p == pytest.approx(stats.ttest_rel(first, second).pvalue)
    assert pair.p_holm == pair.p
    assert pair.seeds == 4
    assert found.value.sel(estimate="mean").values == pytest.approx(values.mean("seed").values)


def test_pairs_are_one_family(results_of, rng):
    recall = 0.8 + rng.normal(0, 0.05, (3, 6, 2, 2)).clip(-0.15, 0.15)
    found = analysis.compare(results_of(recall), effect=0.01)
    p = np.sort(found.p.values)
    assert np.sort(found.p_holm.values)[0] == pytest.approx(min(1, 3 * p[0]))
    assert found.attrs == {"metric": "recall_group_min", "sparsity": 0.5, "left_out": []}
    expected = (0.01 / found["sd"].values) ** -2 * 7.849  # the normal approximation
    assert found.seeds_needed.values == pytest.approx(expected, abs=4)


def test_default_is_the_sparsest_that_enough_seeds_of_all_techniques_reach(by_hand):
    assert analysis.common_sparsity(by_hand) == 0.75
    by_hand["sparsity"] = by_hand.sparsity.copy()
    by_hand.sparsity[1, :2, 2] = np.nan
    assert analysis.common_sparsity(by_hand) == 0.5
    assert analysis.common_sparsity(by_hand.isel(seed=[2, 3])) == 0.75
    by_hand.sparsity[:] = np.nan
    with pytest.raises(InputError, match="no level is finished"):
        analysis.compare(by_hand)


def test_few_seeds_have_no_intervals(by_hand):
    found = analysis.compare(by_hand.isel(seed=[0]))
    assert np.isnan(found.difference.sel(estimate="low")).all()
    assert np.isnan(found.p).all()
    assert np.isnan(found.seeds_needed).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: analysis.compare(r, "recall_min"), "unknown metric 'recall_min'"),
        (lambda r: analysis.compare(r, sparsity=0.8), "all reach those from 0 to 0.7500"),
        (lambda r: analysis.compare(r, sparsity=1.0), "sparsity 1.0"),
        (lambda r: analysis.compare(r.isel(technique=[1])), "only one technique, 'm1'"),
        (lambda r: analysis.compare(r, effect=0.0), "effect 0"),
        (lambda r: analysis.compare(r, confidence=2.0), "confidence 2.0"),
    ],
)
def test_refusals(by_hand, call, message):
    with pytest.raises(InputError, match=message):
        call(by_hand)


@pytest.fixture
def noisy(results_of, rng):
    """Class c2 of m0 falls by 20 points at level 2; nothing else happens."""
    recall = np.full((2, 12, 3, 3), 0.8)
    recall[0, :, 2, 2] -= 0.2
    return results_of(recall + rng.normal(0, 0.03, recall.shape).clip(-0.1, 0.1))


def test_class_tests_equal_scipy(noisy):
    found = analysis.class_tests(noisy)
    recall = analysis.class_recall(noisy)
    beyond = recall - analysis.network_metrics(noisy, ["accuracy"]).accuracy
    for level, c in [(1, 0), (2, 2)]:
        populations = (beyond.sel(technique="m0", level=x)[:, c].values for x in (level, 0))
        expected = stats.ttest_ind(*populations, equal_var=False).pvalue
        ours = found.p.sel(technique="m0", level=level)[c]
        assert ours == pytest.approx(expected, rel=1e-5)
    means = recall.mean("seed") - recall.mean(("seed", "true"))
    formula = means - means.sel(level=0)
    found_mean = found.normalised_recall_difference.sel(estimate="mean")
    np.testing.assert_allclose(found_mean.transpose(*formula.dims), formula, atol=1e-6)


def test_who_pays_is_flagged(noisy):
    found = analysis.class_tests(noisy)
    assert found.flagged_holm.sel(technique="m0", level=2).values.tolist()[2]
    assert not found.flagged_holm.sel(technique="m1").any()
    assert not found.flagged_holm.sel(level=0).any()
    assert np.isnan(found.p.sel(level=0)).all()
    assert (found.flagged_bh | ~found.flagged_holm).all()  # Holm's are among the others'
    smallest = found.p.sel(technique="m0").min().item()
    assert found.p_holm.sel(technique="m0").min() == pytest.approx(6 * smallest)
    change = found.recall_change.sel(technique="m0", level=2, true="c2")
    assert change.sel(estimate="high") < -0.15


def test_what_does_not_vary_is_no_test(results_of):
    found = analysis.class_tests(results_of(np.full((1, 4, 2, 2), 0.75)))
    assert np.isnan(found.p).all()
    assert np.isnan(found.p_holm).all()
    assert not found.flagged_bh.any()
