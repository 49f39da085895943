"""What accuracy alone chooses at several tolerances, by hand."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import analysis

# Falls of accuracy by level, and of class c1, which alone loses.
FALLS = np.array([0.0, 0.002, 0.004, 0.009, 0.03])


@pytest.fixture
def study(results_of):
    recall = np.full((1, 4, 5, 2), 0.9)
    recall[..., 1] -= 2 * FALLS[:, None].T
    return results_of(recall)


def test_the_sparsest_level_within_each_tolerance(study):
    table = analysis.accuracy_alone(study)
    assert table.tolerated.values.tolist() == [0.0025, 0.005, 0.01, 0.02]
    assert table.level.values.tolist() == [1, 2, 3, 3]
    assert table.technique.values.tolist() == ["m0"] * 4
    assert table.worst_class.values.tolist() == ["c1"] * 4
    assert table.sparsity.sel(estimate="mean").values.tolist() == [0.5, 0.75, 0.875, 0.875]
    lost = table.sel(estimate="mean")
    assert lost.change.values == pytest.approx(-2 * FALLS[[1, 2, 3, 3]])
    assert lost.accuracy_change.values == pytest.approx(-FALLS[[1, 2, 3, 3]])


def test_looser_tolerances_are_never_denser(by_hand):
    table = analysis.accuracy_alone(by_hand, [0.0, 0.001, 0.01, 0.1, 1.0])
    assert (np.diff(table.sparsity.sel(estimate="mean")) >= 0).all()
    assert table.level.values.tolist() == [0, 0, 1, 2, 2]
    assert table.worst_class.values.tolist() == ["", "", "c1", "c1", "c1"]
    assert table.technique.values[0] == "dense"
    assert (table.sparsity[0] == 0).all()


def test_a_control_is_not_taken(study):
    control = study.assign_coords(technique=["dense-rewind"]).copy(deep=True)
    control["confusion"][:] = control["confusion"].sel(level=[0]).values
    whole = xr.concat([control, study], "technique").assign(control=("technique", [True, False]))
    xr.testing.assert_allclose(analysis.accuracy_alone(whole), analysis.accuracy_alone(study))


def test_chosen_on_validation_images_and_reported_on_test_images(study):
    """On validation images all is half as bad, and class c0 loses in place of c1."""
    kinder = study["confusion"].copy(data=study["confusion"].values[..., ::-1, ::-1].copy())
    kinder[:, :, 1:] = (kinder[:, :, :1].values + kinder[:, :, 1:]) // 2
    both = study.drop_vars("confusion").assign(
        confusion=xr.concat(
            [kinder, study["confusion"]], xr.Variable("split", ["validation", "test"])
        )
    )
    table = analysis.accuracy_alone(both, [0.0025])
    assert table.level.item() == 2
    assert table.worst_class.item() == "c0"
    assert table.accuracy_change.sel(estimate="mean").item() == pytest.approx(-0.004)
    assert table.change.sel(estimate="mean").item() == pytest.approx(0, abs=1e-9)


def test_intervals_are_over_both_where_predictions_are_kept(study, with_predictions):
    kept = with_predictions(study, nested=False)
    both, seeds = (analysis.accuracy_alone(kept, over=over) for over in (None, "seeds"))
    np.testing.assert_allclose(both.sel(estimate="mean").change, seeds.sel(estimate="mean").change)
    own = (each.change for each in (both, seeds))
    wide, narrow = (each.sel(estimate="high") - each.sel(estimate="low") for each in own)
    assert (wide > narrow).all()
