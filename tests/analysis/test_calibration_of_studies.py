"""Calibration of studies: figures by NumPy, changes against the same seed, failures, refusals."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, fairness, open_study
from prune_fair.data import MEMBERS
from prune_fair.engine.calibration import CALIBRATION
from prune_fair.fairness import TEMPERATURES

NAMES = ("ece", "classwise_ece", "gap", "brier", "nll", "temperature", "scaled_nll")


@pytest.fixture
def results(calibrated_study) -> xr.Dataset:
    return open_study(calibrated_study)["digits/mlp"].to_dataset().load()


def of_network(results, technique, seed, level):
    """A network's figures, the long way round."""
    test = results.sel(split="test").isel(technique=technique, seed=seed, level=level)
    images, hits, sums = test.reliability.sum("true").transpose("total", "bin").values.astype(float)
    of_class = np.abs(
        test.class_reliability.sel(total="hits") - test.class_reliability.sel(total="probability")
    ).sum("bin")
    count, brier, nll = test.scores.sum("true").values.astype(float)
    right = np.trace(test.confusion.values)
    losses = results.temperature_nll.isel(technique=technique, seed=seed, level=level).astype(float)
    best = fairness.best_temperature(losses.sel(split="validation").values)
    scaled = fairness.at_temperature(losses.sel(split="test").values, best)
    assert hits.sum() == right
    assert images.sum() == count == test.confusion.sum()
    return {
        "ece": np.abs(hits - sums).sum() / count,
        "classwise_ece": of_class.mean().item() / count,
        "gap": sums.sum() / count - right / count,
        "brier": brier / count,
        "nll": nll / count,
        "temperature": best,
        "scaled_nll": scaled / count,
    }


def test_figures_and_their_changes(results):
    table = analysis.calibration(results)
    dense, pruned = ([of_network(results, 0, seed, level) for seed in range(4)] for level in (0, 1))
    for name in NAMES:
        values = np.array([each[name] for each in pruned], float)
        change = values - [each[name] for each in dense]
        own = table.isel(technique=0, level=1)
        np.testing.assert_allclose(own[name].sel(estimate="mean"), values.mean(), rtol=1e-5)
        expected = fairness.student_interval(change)
        np.testing.assert_allclose(own[f"{name}_change"], expected, rtol=1e-3, atol=1e-6)
        assert (table[f"{name}_change"].isel(level=0) == 0).all()
        assert table[name].attrs["over"] == "seeds"
    assert table.networks.values.tolist() == [[4, 4]] * results.sizes["technique"]
    assert table.control.any()
    assert table.scaled_nll.sel(estimate="mean").isel(level=0).max() < 1.2


def test_classes_together_and_by_themselves(results):
    table = analysis.calibration(results).isel(technique=0, level=1)
    weights = table.class_images / table.class_images.sum()
    for name in ("gap", "brier", "nll"):
        by_class = table[f"class_{name}"].sel(estimate="mean")
        np.testing.assert_allclose(
            (by_class * weights).sum(), table[name].sel(estimate="mean"), rtol=1e-5
        )
    means = table.class_classwise_ece.sel(estimate="mean").mean("true")
    np.testing.assert_allclose(means, table.classwise_ece.sel(estimate="mean"))
    rise = table.class_gap_change
    wide = (rise.sel(estimate="high") - rise.sel(estimate="low")) / 2
    sums = results.sel(split="test").isel(technique=0).reliability.sum("bin").astype(float)
    gaps = (sums.sel(total="probability") - sums.sel(total="hits")) / sums.sel(total="images")
    change = gaps.isel(level=1) - gaps.isel(level=0)
    change = change.transpose("seed", "true").values
    expected = fairness.student_interval(change, 1 - 0.05 / 10)  # of 10 classes together
    np.testing.assert_allclose(wide, (expected.high - expected.low) / 2, rtol=1e-3)


def spoiled(results, **changes):
    """A pruned network, the first seed's, that failed."""
    one = {"technique": 0, "seed": 0, "level": 1}
    results = results.copy(deep=True)
    for name, value in changes.items():
        results[name][one] = value
    wrong = fairness.all_wrong(results.confusion.transpose(*MEMBERS, "split", ...)[0, 0, 1].values)
    results["confusion"][one] = wrong
    return results


@pytest.mark.parametrize("how", ["diverged", "collapsed"])
def test_a_network_that_failed_counts_as_certain_and_wrong(results, how):
    nothing = {} if how == "collapsed" else dict.fromkeys(
        [name for name in CALIBRATION if name in results], np.nan
    )  # fmt: skip
    sound, table = (
        analysis.calibration(each).isel(technique=0, level=1)
        for each in (results, spoiled(results, **{how: True}, **nothing))
    )
    assert table.failures == 1
    for name, worst in (("ece", 1), ("gap", 1), ("brier", 2), ("classwise_ece", 0.2)):
        values = [of_network(results, 0, seed, 1)[name] for seed in range(1, 4)]
        mean = table[name].sel(estimate="mean")
        np.testing.assert_allclose(mean, (sum(values) + worst) / 4, rtol=1e-5)
    assert table.class_ece.sel(estimate="mean").min() >= 0.25
    shares = table.class_images.values / table.class_images.values.sum()
    gained = table.class_classwise_ece.sel(estimate="mean").values
    assert (gained >= (shares + np.roll(shares, 1)) / 4).all()
    for name in ("nll", "temperature", "scaled_nll", "class_nll"):
        assert table[name].isnull().all()
        assert sound[name].notnull().all()


def test_unfinished_networks_and_few_seeds_have_no_interval(results):
    some = results.copy(deep=True)
    for name in ("sparsity", *[name for name in CALIBRATION if name in some]):
        some[name] = some[name].where((some.seed < 2) | (some.level < 1))
    table = analysis.calibration(some).isel(technique=0)
    assert table.networks.values.tolist() == [4, 2]
    assert table.ece.isel(level=1).notnull().values.tolist() == [True, False, False]
    one = analysis.calibration(results.isel(seed=[0])).isel(technique=0, level=1)
    assert one.ece.notnull().values.tolist() == [True, False, False]
    assert one.ece.attrs["over"] == ""


def test_groups_and_results_of_one_split(results):
    test = results.sel(split="test", drop=True).assign_coords(group=["a", "b"])
    halves = [test.reliability.isel(true=slice(first, first + 5)).sum("true") for first in (0, 5)]
    scores = [test.scores.isel(true=slice(first, first + 5)).sum("true") for first in (0, 5)]
    test["group_reliability"] = xr.concat(halves, test["group"])
    test["group_scores"] = xr.concat(scores, test["group"])
    table = analysis.calibration(test).isel(technique=0, level=1)
    assert "temperature" not in table
    weights = table.group_images / table.group_images.sum()
    for name in ("gap", "brier", "nll"):
        by_group = table[f"group_{name}"].sel(estimate="mean")
        np.testing.assert_allclose(
            (by_group * weights).sum(), table[name].sel(estimate="mean"), rtol=1e-5
        )
    assert table.group_ece.sel(estimate="mean").min() > 0


def test_refusals(results, toy_results):
    with pytest.raises(InputError, match=r"run it with --calibration .*calibration=True"):
        analysis.calibration(toy_results)
    with pytest.raises(InputError, match="unknown technique"):
        analysis.calibration(results, "magnitude")
    with pytest.raises(InputError, match="confidence 95.0: expected"):
        analysis.calibration(results, confidence=95.0)


def test_the_grid_is_what_a_study_stores(results):
    assert list(map(float, results.temperature.values)) == TEMPERATURES.tolist()
