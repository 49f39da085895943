"""The retrospective model: known effects are found, and what cannot be told is left out, aloud."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError
from prune_fair.analysis import COVARIATES, attribute
from prune_fair.analysis.covariates import gather, mean_of_others

COUNTS = np.array([400, 30, 200, 100, 400, 60, 300, 150])
HARDNESS = np.array([0.1, 0.2, 0.4, 0.0, 0.3, 0.15, 0.25, 0.5])
SHARE = np.log2(COUNTS * 8 / COUNTS.sum())
HARD = (HARDNESS - HARDNESS.mean()) / HARDNESS.std()
ALL = tuple(COVARIATES)


@pytest.fixture
def study_of(results_of):
    """Results with these recalls (technique, seed, level, class), as `open_study` gives them."""

    def make(recalls, counts=COUNTS, hardness=HARDNESS):
        results = results_of(recalls, images=10**6)
        seeds = np.arange(recalls.shape[1])
        results = results.assign_coords(seed=seeds, measure=["hardness"])
        members = ("technique", "seed", "level")
        return results.assign(
            finished=(members, np.ones(recalls.shape[:3], bool)),
            train_count=("true", counts),
            complexity=(("measure", "true"), hardness[None]),
            margin=((*members, "true"), 2 * recalls - 1),
        )

    return make


def simulated(rng, seeds=20, levels=5, share=2.0, hard=-0.5, further=0.4, techniques=2):
    """Recalls whose changes follow the model; at compression 1 the effects are these, in points."""
    doublings = np.arange(levels)[None, None, :, None]
    dense = 0.8 + 0.02 * SHARE + rng.normal(0, 0.01, (1, seeds, 1, len(SHARE)))
    change = share * SHARE + hard * HARD + doublings * (further * SHARE - 0.3)
    change = change - 2.0 * np.arange(techniques)[:, None, None, None]
    change = change + rng.normal(0, 0.3, (techniques, seeds, 1, 1))
    change = change + rng.normal(0, 0.3, (techniques, seeds, levels, len(SHARE)))
    return dense + np.where(doublings == 0, 0, change) / 100


def estimate(table, term):
    row = table.sel(term=term)
    return tuple(row[name].item() for name in ("low", "estimate", "high"))


def test_known_effects_are_found(study_of, rng):
    table = attribute(study_of(simulated(rng)), "hardness", 0.75)
    doublings = 2
    expected = {
        "share": 2.0 + 0.4 * doublings,
        "complexity": -0.5,
        "compression": -0.3,
        "share:compression": 0.4,
        "complexity:compression": 0.0,
        "technique m1": -2.0,
    }
    for term, value in expected.items():
        low, middle, high = estimate(table, term)
        assert low < value < high
        assert middle == pytest.approx(value, abs=0.25)
    assert table.attrs["rows"] == 2 * 20 * 4 * 8
    assert table.attrs["clusters"] == 20
    assert table.notes == []


def test_fit_is_that_of_statsmodels_formulas(study_of, rng):
    """The centred fit is the plain one, its effects at a sparsity the plain one's contrasts."""
    import pandas as pd
    import statsmodels.formula.api as smf

    results = study_of(simulated(rng, seeds=6, levels=4))
    frame = pd.DataFrame(gather(results, "hardness").rows._asdict())
    formula = "change ~ C(technique) + (share + complexity + dense_recall) * compression"
    for cluster, groups in (
        ("dense_network", frame.seed),
        ("network", frame.seed + 100 * frame.technique + 1000 * frame.level),
    ):
        plain = smf.ols(formula, frame).fit(
            cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
        )
        table = attribute(results, "hardness", 0.75, 0.9, ALL, cluster)
        assert table.attrs["clusters"] == groups.nunique()
        for name in ALL:
            contrast = plain.t_test(f"{name} + 2 * {name}:compression = 0")
            low, high = contrast.conf_int(0.1)[0]
            assert estimate(table, name) == pytest.approx((low, contrast.effect[0], high))
            row, term = table.sel(term=f"{name}:compression"), f"{name}:compression"
            assert row.standard_error.item() == pytest.approx(plain.bse[term])
            assert row.p.item() == pytest.approx(plain.pvalues[term])
        assert table.r_squared == pytest.approx(plain.rsquared)


def test_order_of_classes_does_not_matter(study_of, rng):
    recalls, order = simulated(rng, seeds=5), rng.permutation(8)
    first = attribute(study_of(recalls), "hardness")
    second = attribute(study_of(recalls[..., order], COUNTS[order], HARDNESS[order]), "hardness")
    np.testing.assert_allclose(first.estimate, second.estimate, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(first.standard_error, second.standard_error, rtol=1e-8)


def test_chance_in_the_dense_recall_is_no_effect_of_it(study_of, rng):
    """Nothing happens but noise; the change against its own dense recall falls all the same."""
    naive, ours = [], []
    for _ in range(8):
        level = 0.8 + rng.permutation(np.linspace(-0.02, 0.02, 8))
        recalls = level + rng.normal(0, 0.02, (1, 60, 2, 8))
        dense, pruned = 100 * recalls[0, :, 0], 100 * recalls[0, :, 1]
        naive.append(np.polyfit(dense.ravel(), (pruned - dense).ravel(), 1)[0])
        table = attribute(study_of(recalls), "hardness", covariates=("dense_recall",))
        ours.append(estimate(table, "dense_recall")[1])
    assert np.mean(naive) < -0.5
    assert np.mean(ours) == pytest.approx(0, abs=3 * np.std(ours) / 8**0.5)
    assert abs(np.mean(ours)) < 0.1


def test_mean_of_others_leaves_out_the_own_and_the_unfinished():
    values = np.array([[1.0], [2.0], [np.nan], [6.0]])
    assert mean_of_others(values).ravel().tolist() == [4.0, 3.5, 3.0, 1.5]
    assert np.isnan(mean_of_others(np.ones((1, 1)))).all()


def test_balanced_data_leave_the_share_out(study_of, rng):
    table = attribute(study_of(simulated(rng), np.full(8, 100)), "hardness")
    assert "share" not in table.term
    assert table.notes == ["share: hardly differs between classes; left out"]


def test_classes_alike_in_complexity_leave_it_out(study_of, rng):
    table = attribute(study_of(simulated(rng), hardness=np.full(8, 0.2)), "hardness")
    assert "complexity" not in table.term
    assert "complexity: hardly differs" in table.notes[0]


def test_one_sparsity_leaves_its_interactions_out(study_of, rng):
    table = attribute(study_of(simulated(rng, levels=2)), "hardness")
    assert table.term.values.tolist() == ["intercept", "technique m1", "share", "complexity"]
    assert any("one sparsity only" in note for note in table.notes)
    assert table.sparsity == 0.5
    assert np.isfinite(table.standard_error).all()


def test_too_few_classes_to_tell_covariates_apart(study_of, rng):
    results = study_of(simulated(rng)).isel(true=[0, 1, 2], predicted=[0, 1, 2])
    table = attribute(results, "hardness", covariates=ALL)
    assert "dense_recall" not in table.term
    assert any("dense_recall: 3 classes cannot tell it" in note for note in table.notes)
    two = attribute(results.isel(true=[0, 1], predicted=[0, 1]), "hardness", covariates=ALL)
    assert {"complexity", "dense_recall"}.isdisjoint(two.term.values)
    assert np.isfinite(two.low).all()


def test_covariates_that_move_together_are_noted(study_of, rng):
    hardness = -SHARE + rng.normal(0, 0.1, 8)
    notes = attribute(study_of(simulated(rng), hardness=hardness), "hardness").notes
    assert len([note for note in notes if "hard to tell apart" in note]) == 2


def test_classes_without_images_are_left_out(study_of, rng):
    results = study_of(simulated(rng), np.where(np.arange(8) == 1, 0, COUNTS))
    table = attribute(results, "hardness")
    assert table.attrs["rows"] == 2 * 20 * 4 * 7
    assert table.notes == ["results: classes without training or test images left out: c1"]


def test_running_study_uses_what_is_finished(study_of, rng):
    results = study_of(simulated(rng, seeds=6)).copy(deep=True)
    results.finished[:, 5] = False
    results.confusion[:, 5] = 0
    results.sparsity[:, 5] = np.nan
    results.finished[1, 4, 3:] = False
    table = attribute(results, "hardness", covariates=ALL)
    whole = attribute(results.isel(seed=slice(5)), "hardness", covariates=ALL)
    assert table.estimate.values.tolist() == pytest.approx(whole.estimate.values.tolist())
    assert table.attrs["rows"] == 8 * (2 * 5 * 4 - 2)
    assert table.attrs["clusters"] == 5
    assert "still running" in table.notes[0]
    assert any("5 clusters" in note for note in table.notes)


def test_tasks_of_a_study_have_their_own_intercepts(study_of, rng):
    lower = simulated(rng)
    lower[:, :, 1:] -= 0.05
    tree = xr.DataTree.from_dict({"/a/m": study_of(simulated(rng)), "/b/m": study_of(lower)})
    table = attribute(tree, "hardness", 0.75)
    low, _, high = estimate(table, "task b/m")
    assert low < -5 < high
    assert table.attrs["clusters"] == 40
    assert estimate(table, "share")[1] == pytest.approx(2.8, abs=0.1)


def test_techniques_can_be_looked_at_alone(study_of, rng):
    results = study_of(simulated(rng, seeds=5))
    table = attribute(results, "hardness", techniques=["m1"])
    np.testing.assert_allclose(
        table.estimate, attribute(results.isel(technique=[1]), "hardness").estimate
    )
    assert "technique m1" not in table.term


def test_dense_margin_is_a_complexity(study_of, rng):
    table = attribute(study_of(simulated(rng)), "dense_margin", covariates=("complexity",))
    assert estimate(table, "complexity")[0] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"complexity": "hard"}, "unknown complexity 'hard': did you mean 'hardness'"),
        ({"sparsity": 0.99}, "sparsity 0.99: expected one between .* 0.5 and 0.9375"),
        ({"confidence": 1.0}, "confidence 1.0"),
        ({"covariates": ("shares",)}, "did you mean 'share'"),
        ({"cluster": "seed"}, "unknown cluster"),
        ({"techniques": ["m2"]}, "unknown technique 'm2'"),
    ],
)
def test_bad_questions(study_of, rng, options, message):
    with pytest.raises(InputError, match=message):
        attribute(study_of(simulated(rng, seeds=3)), **{"complexity": "hardness", **options})


def test_results_that_cannot_answer(study_of, rng):
    results = study_of(simulated(rng, seeds=3))
    with pytest.raises(InputError, match=r"2 seed\(s\) .* an interval cannot be had"):
        attribute(results.isel(seed=[0, 1]), "hardness")
    with pytest.raises(InputError, match=r"1 seed\(s\)"):
        attribute(results.isel(seed=[0]), "hardness")
    with pytest.raises(InputError, match="no pruned network is finished"):
        attribute(results.isel(level=[0]), "hardness")
    with pytest.raises(InputError, match="has no class complexity"):
        attribute(results.drop_dims("measure"), "hardness")
    with pytest.raises(InputError, match="nothing to attribute"):
        attribute(study_of(np.full((1, 3, 2, 8), 0.5)), "hardness")
