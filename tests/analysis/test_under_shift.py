"""What classes lose under shift and sparsity together, by hand, and answers of another split."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, fairness

MEMBERS = ("technique", "seed", "level")


@pytest.fixture
def shifted(results_of):
    """One technique, four seeds, two levels, three classes, on test images and two shifts.

    Class c1 loses 0.1 on clean images and 0.3 under noise@2; c2 has no image.
    """
    clean = np.array([[0.9, 0.8, 0.0], [0.88, 0.7, 0.0]])
    noisy = np.array([[0.8, 0.7, 0.0], [0.8, 0.4, 0.0]])
    worse = np.array([[0.5, 0.2, 0.0], [0.3, 0.2, 0.0]])
    seeds = np.array([-0.02, 0.0, 0.0, 0.02])[:, None, None] * [[[0.0], [1.0]]]
    parts = [results_of((each + seeds)[None].clip(0, 1)) for each in (clean, noisy, worse)]
    split = xr.Variable("split", ["test", "noise@2", "blur@5"])
    counts = xr.concat([part["confusion"] for part in parts], split)
    counts = counts.where(counts["true"] != "c2", 0)
    return parts[0].assign(confusion=counts.transpose(*MEMBERS, "split", ...))


def test_changes_and_interactions_by_hand(shifted):
    table = analysis.under_shift(shifted).isel(technique=0).sel(level=1)
    mean = table.sel(estimate="mean")
    np.testing.assert_allclose(mean["change"].sel(true="c0"), [-0.02, 0.0, -0.2], atol=1e-9)
    np.testing.assert_allclose(mean["change"].sel(true="c1"), [-0.1, -0.3, 0.0], atol=1e-9)
    np.testing.assert_allclose(mean["interaction"].sel(true="c1"), [0, -0.2, 0.1], atol=1e-9)
    np.testing.assert_allclose(mean["mean_change"], [-0.06, -0.15, -0.1], atol=1e-9)
    np.testing.assert_allclose(mean["mean_interaction"], [0, -0.09, -0.04], atol=1e-9)
    np.testing.assert_allclose(mean["worst_recall"], [0.7, 0.4, 0.2], atol=1e-9)
    np.testing.assert_allclose(mean["dense_recall"], [0.85, 0.75, 0.35], atol=1e-9)
    assert mean["change"].sel(true="c2").isnull().all()
    assert table["worst_class"].values.tolist() == ["c1", "c1", "c0"]
    assert table["corruption"].values.tolist() == ["test", "noise", "blur"]
    assert table["severity"].values.tolist() == [0, 2, 5]


def test_intervals_hold_for_all_classes_together_and_seeds_are_paired(shifted):
    table = analysis.under_shift(shifted, 0.9).isel(technique=0).sel(level=1, split="noise@2")
    off = np.array([-0.02, 0.0, 0.0, 0.02])
    alone = fairness.mean_interval(-0.3 + off, 1 - 0.1 / 3)  # three classes, one without images
    found = table["change"].sel(true="c1").values
    np.testing.assert_allclose(found, [float(part) for part in alone], atol=1e-9)
    # What differs between seeds is the same on clean images: of the interaction nothing is left.
    np.testing.assert_allclose(table["interaction"].sel(true="c1"), -0.2, atol=1e-9)


def test_level_0_has_changed_by_nothing(shifted):
    table = analysis.under_shift(shifted).isel(technique=0).sel(level=0)
    for name in ("change", "interaction", "mean_change", "mean_interaction"):
        values = table[name].values
        assert (values[np.isfinite(values)] == 0).all()


def test_few_seeds_have_no_interval_and_unfinished_ones_are_left_out(shifted):
    two = analysis.under_shift(shifted.isel(seed=slice(2)))
    assert two["change"].sel(estimate=["low", "high"]).isnull().all()
    there = xr.DataArray([True, True, False, False], dims="seed") | (shifted["level"] < 1)
    running = shifted.assign(
        confusion=shifted["confusion"].where(there, 0), sparsity=shifted["sparsity"].where(there)
    )
    found, few = (
        analysis.under_shift(each)["mean_change"].sel(level=1, estimate="mean")
        for each in (running, shifted.isel(seed=slice(2)))
    )
    np.testing.assert_allclose(found, few, atol=1e-9)


def test_what_has_no_shift_is_refused(by_hand, shifted):
    with pytest.raises(InputError, match="no shift of the test images was counted"):
        analysis.under_shift(by_hand)
    with pytest.raises(InputError, match="confidence 1.5"):
        analysis.under_shift(shifted, 1.5)
    with pytest.raises(InputError, match="no level 0"):
        analysis.under_shift(shifted.sel(level=[1]))


def test_every_split_by_name(shifted, by_hand):
    assert analysis.shifts_of(shifted) == ("noise@2", "blur@5")
    assert analysis.shifts_of(by_hand) == ()
    noisy = analysis.reported_on(shifted, "noise@2")
    assert analysis.split_of(noisy) == "noise@2"
    assert "split" not in noisy.dims
    assert analysis.class_recall(noisy).sel(level=1, true="c1").mean().item() == pytest.approx(0.4)
    assert analysis.reported_on(shifted, "test") is shifted
    assert analysis.as_dataset(noisy, "noise@2").identical(analysis.as_dataset(noisy))
    for results in (shifted, noisy, by_hand):
        with pytest.raises(InputError, match="unknown split 'noise@3'"):
            analysis.as_dataset(results, "noise@3")


def test_validation_stays_what_is_chosen_on(shifted):
    named = ["validation", "noise@2", "blur@5", "test"]
    both = shifted.isel(split=[0, 1, 2, 0]).assign_coords(split=named)
    asked = analysis.reported_on(both.isel(split=[0, 3, 1, 2]), "noise@2")
    assert asked["split"].values.tolist() == ["validation", "test"]
    on = analysis.judged_on(asked)
    assert (on.split, on.reported, on.is_reported) == ("validation", "noise@2", False)
    choice = analysis.select(asked, ["accuracy>=0.7"])
    clean = analysis.select(analysis.as_dataset(both, "validation"), ["accuracy>=0.7"])
    assert choice.chosen == clean.chosen
    shown = choice.points["accuracy"].isel(point=choice.chosen).sel(estimate="mean").item()
    assert shown == pytest.approx(0.6)
