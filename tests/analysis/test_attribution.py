"""The retrospective model: known effects are found, and what cannot be told is left out, aloud."""

import json

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError
from prune_fair.analysis import COVARIATES, attribute
from prune_fair.analysis.class_changes import class_changes
from prune_fair.analysis.mixed import Mixed

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


def simulated(rng, seeds=20, levels=5, share=2.0, hard=-0.5, techniques=2, own=SHARE, of_class=0.0):
    """Recalls whose changes follow the model, the same at every level, in points."""
    doublings = np.arange(levels)[None, None, :, None]
    dense = 0.8 + 0.02 * own + rng.normal(0, 0.01, (1, seeds, 1, len(own)))
    change = share * own + hard * HARD + of_class - 2.0 * np.arange(techniques)[:, None, None, None]
    change = change + rng.normal(0, 0.3, (techniques, seeds, 1, 1))
    change = change + rng.normal(0, 0.3, (techniques, seeds, levels, len(own)))
    return dense + np.where(doublings == 0, 0, change) / 100


def rotated(study_of, rng, **options):
    """Eight tasks of one dataset, in each of which another class is rare."""
    tasks = {}
    of_class = rng.normal(0, 3, 8)
    for rare in range(8):
        counts = np.where(np.arange(8) == rare, 40, 200)
        own = np.log2(counts * 8 / counts.sum())
        results = study_of(simulated(rng, own=own, of_class=of_class, **options), counts)
        data = {"name": "digits", "keep": {f"c{rare}": 0.2}, "imbalance_factor": 1.0}
        tasks[f"/digits/mlp/rare-c{rare}"] = results.assign_attrs(config=json.dumps({"data": data}))
    return xr.DataTree.from_dict(tasks)


def estimate(table, term):
    row = table.sel(term=term)
    return tuple(row[name].item() for name in ("low", "estimate", "high"))


def test_known_effects_are_found(study_of, rng):
    table = attribute(study_of(simulated(rng)), "hardness", 0.75)
    for term, value in {"share": 2.0, "complexity": -0.5}.items():
        low, middle, high = estimate(table, term)
        assert low < value < high
        assert middle == pytest.approx(value, abs=0.1)
    assert (table.classes, table.seeds, table.techniques) == (8, [20], ["m0", "m1"])
    assert (table.rarity, table.converged, table.notes) == ("as found", True, [])


def test_fit_of_one_task_is_least_squares_over_classes(study_of, rng):
    """Eight values of each covariate, however many networks there are."""
    import statsmodels.api as sm

    recalls = simulated(rng, of_class=rng.normal(0, 1, 8))
    table = attribute(study_of(recalls), "hardness", 0.75, 0.9)
    change = 100 * (recalls[:, :, 2] - recalls[:1, :, 0]).mean(axis=(0, 1))
    plain = sm.OLS(change, sm.add_constant(np.column_stack([SHARE, HARD]))).fit()
    low, high = plain.conf_int(0.1)[1:].T
    assert table.estimate.values == pytest.approx(plain.params[1:], rel=1e-3)
    assert table.low.values == pytest.approx(low, rel=1e-2)
    assert table.high.values == pytest.approx(high, rel=1e-2)
    for term, column in (("share", 1), ("complexity", 2)):
        without = [
            sm.OLS(
                np.delete(change, c),
                sm.add_constant(np.delete(np.column_stack([SHARE, HARD]), c, axis=0)),
            )
            .fit()
            .params[column]
            for c in range(8)
        ]
        row = table.sel(term=term)
        assert row.least.item() == pytest.approx(min(without), rel=1e-3)
        assert row.most_without.item() == f"c{int(np.argmax(without))}"


def test_more_networks_do_not_narrow_what_classes_leave_open(study_of, rng):
    of_class = rng.normal(0, 2, 8)
    few = attribute(study_of(simulated(rng, seeds=4, of_class=of_class)), "hardness")
    many = attribute(study_of(simulated(rng, seeds=200, of_class=of_class)), "hardness")
    np.testing.assert_allclose(few.standard_error, many.standard_error, rtol=0.2)
    np.testing.assert_allclose(few.p, many.p, atol=0.05)


def test_rotated_rarity_compares_a_class_with_itself(study_of, rng):
    tree = rotated(study_of, rng, seeds=4)
    table = attribute(tree, "hardness", 0.75)
    low, _, high = estimate(table, "share")
    assert low < 2.0 < high
    assert high - low < 1
    assert table.p.sel(term="share") < 0.01
    assert (table.rarity, table.classes, len(table.tasks)) == ("rotated", 8, 8)
    assert table.rare_classes == [f"c{label}" for label in range(8)]
    one = tree["digits/mlp/rare-c3"]
    assert attribute(one, "hardness", 0.75).rarity == "fixed"
    assert attribute(one, "hardness", 0.75).rare_classes == ["c3"]


def test_order_of_classes_does_not_matter(study_of, rng):
    recalls, order = simulated(rng, seeds=5), rng.permutation(8)
    first = attribute(study_of(recalls), "hardness")
    second = attribute(study_of(recalls[..., order], COUNTS[order], HARDNESS[order]), "hardness")
    np.testing.assert_allclose(first.estimate, second.estimate, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(first.standard_error, second.standard_error, rtol=1e-8)
    np.testing.assert_allclose(first.p, second.p, atol=0.02)


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
    assert abs(np.mean(ours)) < 0.2


def test_dense_recall_is_of_other_seeds_than_changes(study_of, rng):
    recalls = simulated(rng, seeds=5)
    found = class_changes(study_of(recalls), "hardness", 0.75, apart=True)
    assert found.seeds == 3
    np.testing.assert_allclose(
        found.values["dense_recall"], 100 * recalls[0, 1::2, 0].mean(axis=0), atol=1e-3
    )
    change = 100 * (recalls[:, ::2, 2] - recalls[:1, ::2, 0]).mean(axis=(0, 1))
    np.testing.assert_allclose(found.values["change"], change, atol=1e-3)


def test_balanced_data_leave_the_share_out(study_of, rng):
    table = attribute(study_of(simulated(rng), np.full(8, 100)), "hardness")
    assert "share" not in table.term
    assert table.notes == ["share: hardly differs between classes; left out"]


def test_classes_alike_in_complexity_leave_it_out(study_of, rng):
    table = attribute(study_of(simulated(rng), hardness=np.full(8, 0.2)), "hardness")
    assert "complexity" not in table.term
    assert "complexity: hardly differs" in table.notes[0]


def test_nothing_is_left_to_regress_on(study_of, rng):
    results = study_of(simulated(rng), np.full(8, 100), np.full(8, 0.2))
    table = attribute(results, "hardness")
    assert table.sizes["term"] == 0
    assert len(table.notes) == 2


def test_too_few_classes_to_tell_covariates_apart(study_of, rng):
    results = study_of(simulated(rng)).isel(true=[0, 1, 2], predicted=[0, 1, 2])
    table = attribute(results, "hardness", covariates=ALL)
    assert "dense_recall" not in table.term
    assert any("dense_recall: 3 classes cannot tell it" in note for note in table.notes)
    assert table.degrees_of_freedom == 0
    assert np.isnan(table.low).all()
    two = attribute(results.isel(true=[0, 1], predicted=[0, 1]), "hardness", covariates=ALL)
    assert {"complexity", "dense_recall"}.isdisjoint(two.term.values)
    assert two.p.item() == 1
    assert two.needs.item() == "c0, c1"
    assert np.isnan(two.least)


def test_one_rare_class_carries_its_share_alone(study_of, rng):
    counts = np.where(np.arange(8) == 2, 20, 100)
    table = attribute(study_of(simulated(rng, own=np.log2(counts / 90)), counts), "hardness")
    row = table.sel(term="share")
    assert row.needs.item() == "c2"
    assert row.p >= 1 / 8 - 0.02


def test_covariates_that_move_together_are_noted(study_of, rng):
    hardness = -SHARE + rng.normal(0, 0.1, 8)
    notes = attribute(study_of(simulated(rng), hardness=hardness), "hardness").notes
    assert len([note for note in notes if "hard to tell apart" in note]) == 2


def test_classes_without_images_are_left_out(study_of, rng):
    results = study_of(simulated(rng), np.where(np.arange(8) == 1, 0, COUNTS))
    table = attribute(results, "hardness")
    assert table.classes == 7
    assert table.notes == ["results: classes without training or test images left out: c1"]


def test_running_study_uses_complete_seeds(study_of, rng):
    results = study_of(simulated(rng, seeds=6)).copy(deep=True)
    results.finished[:, 5] = False
    results.confusion[:, 5] = 0
    results.sparsity[:, 5] = np.nan
    results.finished[1, 4, 2:] = False
    results.sparsity[1, 4, 2:] = np.nan
    table = attribute(results, "hardness", 0.75)
    whole = attribute(results.isel(seed=slice(4)), "hardness", 0.75)
    assert table.estimate.values.tolist() == pytest.approx(whole.estimate.values.tolist())
    assert table.seeds == [4]
    assert "still running" in table.notes[0]


def test_a_technique_that_does_not_reach_the_sparsity_is_left_out(study_of, rng):
    results = study_of(simulated(rng, seeds=4)).copy(deep=True)
    results.sparsity[1] = results.sparsity[1] / 2
    table = attribute(results, "hardness", 0.9)
    assert table.techniques == ["m0"]
    assert "no network at sparsity 0.9, left out: m1" in table.notes[0]


def test_tasks_of_a_study_have_their_own_intercepts(study_of, rng):
    lower = simulated(rng)
    lower[:, :, 1:] -= 0.05
    tree = xr.DataTree.from_dict({"/a/m": study_of(simulated(rng)), "/b/m": study_of(lower)})
    table = attribute(tree, "hardness", 0.75)
    assert table.classes == 16  # of two datasets, as far as the results say
    assert estimate(table, "share")[1] == pytest.approx(2.0, abs=0.1)


def test_techniques_can_be_looked_at_alone(study_of, rng):
    results = study_of(simulated(rng, seeds=5))
    table = attribute(results, "hardness", techniques=["m1"])
    np.testing.assert_allclose(
        table.estimate, attribute(results.isel(technique=[1]), "hardness").estimate
    )
    assert table.techniques == ["m1"]


def test_dense_margin_is_a_complexity(study_of, rng):
    table = attribute(study_of(simulated(rng)), "dense_margin", covariates=("complexity",))
    assert estimate(table, "complexity")[0] > 0
    assert table.seeds == [10]


def test_a_fit_that_did_not_converge_is_told(study_of, rng, monkeypatch):
    from prune_fair.analysis import attribution

    whole = attribution.fit_mixed

    def stopped(*arguments) -> Mixed:
        return whole(*arguments)._replace(failure="it stopped")

    monkeypatch.setattr(attribution, "fit_mixed", stopped)
    table = attribute(rotated(study_of, rng, seeds=3), "hardness")
    assert not table.converged
    assert "did not converge (it stopped)" in table.notes[-1]
    assert np.isnan(table.low).all()
    assert np.isfinite(table.p).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"complexity": "hard"}, "unknown complexity 'hard': did you mean 'hardness'"),
        ({"sparsity": 0.99}, "sparsity 0.99: expected one between .* 0.5 and 0.9375"),
        ({"confidence": 1.0}, "confidence 1.0"),
        ({"covariates": ("shares",)}, "did you mean 'share'"),
        ({"techniques": ["m2"]}, "unknown technique 'm2'"),
    ],
)
def test_bad_questions(study_of, rng, options, message):
    with pytest.raises(InputError, match=message):
        attribute(study_of(simulated(rng, seeds=3)), **{"complexity": "hardness", **options})


def test_results_that_cannot_answer(study_of, rng):
    results = study_of(simulated(rng, seeds=3))
    with pytest.raises(InputError, match=r"2 seed\(s\) .* expected at least 3"):
        attribute(results.isel(seed=[0, 1]), "hardness")
    with pytest.raises(InputError, match=r"1 seed\(s\)"):
        attribute(results.isel(seed=[0]), "hardness")
    with pytest.raises(InputError, match="no pruned network is finished"):
        attribute(results.isel(level=[0]), "hardness")
    with pytest.raises(InputError, match="has no class complexity"):
        attribute(results.drop_dims("measure"), "hardness")
    with pytest.raises(InputError, match="nothing to attribute"):
        attribute(study_of(np.full((1, 3, 2, 8), 0.5)), "hardness")
