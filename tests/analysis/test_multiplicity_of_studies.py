"""Multiplicity of a study: numbers worked by hand, what failed, and refusals."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, fairness, open_example
from prune_fair.store import MEMBERS
from prune_fair.words import failures
from prune_fair.words import multiplicity as words

LABELS = [0, 0, 1, 1]  # images 0 and 1 are of class c0
GROUPS = [0, 1, 0, 1]


@pytest.fixture
def said(results_of) -> xr.Dataset:
    """Four seeds, a technique of two levels, four images of two classes and of two groups.

    Dense networks are right, but seed 3 has image 3 wrong. At level 1 all have image 2 wrong, seed
    0 image 0 too, and seed 3 has image 3 right. Of level 2 nothing is finished.
    """
    results = results_of(np.full((1, 4, 3, 2), 0.5))
    predicted = np.tile(np.array(LABELS, np.uint8), (1, 4, 3, 1))
    predicted[0, 3, 0, 3] = 0
    predicted[0, :, 1, 2] = 0
    predicted[0, 0, 1, 0] = 1
    predicted[:, :, 2] = 255
    return results.assign(
        predictions=((*MEMBERS, "image"), predicted),
        image_label=("image", np.array(LABELS)),
        image_group=("image", np.array(GROUPS)),
        sparsity=results.sparsity.where(results.level < 2),
        confusion=results.confusion.where(results.level < 2, 0),
    ).assign_coords(seed=range(4), image=range(4), group=["near", "far"])


def means(table, *names):
    return [table[name].sel(estimate="mean").values.tolist() for name in names]


def test_by_hand(said):
    table = analysis.multiplicity(said).isel(technique=0)
    assert table.networks.values.tolist() == [4, 4, 0]
    row = table.isel(level=1)
    # Flips: image 2 of all, image 0 of seed 0, image 3 of seed 3: 6 of 16.
    assert row.flip_rate.sel(estimate="mean") == 6 / 16
    assert (row.lost, row.won) == (5 / 16, 1 / 16)
    # Pairs: image 0 differs in 3 of 6; of the dense ones image 3 does.
    assert means(row, "churn", "dense_churn") == pytest.approx([3 / 24, 3 / 24])
    assert means(row, "beyond_seeds", "churn_change") == pytest.approx([1 / 4, 0])
    assert means(row, "ambiguity", "dense_ambiguity") == [1 / 4, 1 / 4]
    assert (row.discrepancy, row.dense_discrepancy) == (1 / 4, 1 / 4)
    assert means(row, "class_flip_rate") == [[1 / 8, 5 / 8]]
    assert row.class_lost.values.tolist() == [1 / 8, 4 / 8]
    assert row.class_won.values.tolist() == [0, 1 / 8]
    assert means(row, "class_ambiguity") == [[0.5, 0]]
    assert means(row, "class_dense_ambiguity") == [[0, 0.5]]
    assert row.class_discrepancy.values.tolist() == [0.5, 0]
    assert means(row, "group_flip_rate") == [[5 / 8, 1 / 8]]
    assert row.group_discrepancy.values.tolist() == [0.5, 0]
    assert table.class_images.values.tolist() == table.group_images.values.tolist() == [2, 2]
    dense = table.isel(level=0)
    assert dense.flip_rate.values.tolist() == dense.churn_change.values.tolist() == [0, 0, 0]
    assert dense.beyond_seeds.isnull().all()
    assert means(dense, "churn") == means(dense, "dense_churn") == pytest.approx([3 / 24])
    unfinished = table.isel(level=2)
    numbers = unfinished.drop_vars(["networks", "failures", "control", "level", "technique"])
    numbers = numbers.drop_vars(["class_images", "group_images"])
    assert all(numbers[name].isnull().all() for name in numbers.data_vars)


def test_without_groups_there_are_none(said):
    table = analysis.multiplicity(said.drop_vars(["image_group", "group"]))
    assert not [name for name in table if str(name).startswith("group")]


def test_a_control_is_a_level_that_prunes_nothing(said):
    assert not analysis.multiplicity(said).control.any()
    idle = said.assign(sparsity=said.sparsity * 0)
    table = analysis.multiplicity(idle)
    assert table.control.values.tolist() == [[False, True, False]]
    (name, row), = words.controls_of(table, 1).items()  # fmt: skip
    assert (name, row.level) == ("m0", 1)
    lines = words.multiplicity_in_words(row, words.controls_of(table, 1))
    assert lines[0].startswith("A network that is not pruned says another class")
    assert any(line.startswith("Control: m0 has pruned nothing at level 1") for line in lines)


@pytest.mark.parametrize("flag", ["diverged", "collapsed"])
def test_a_network_that_failed_agrees_with_none(said, flag):
    """Two that failed alike do not agree with each other, nor with what is right by accident."""
    flags = xr.zeros_like(said.sparsity, dtype=bool)
    flags[0, :2, 1] = True
    table = analysis.multiplicity(said.assign({flag: flags})).isel(technique=0, level=1)
    assert table.failures == 2
    assert table.flip_rate.sel(estimate="mean") == (4 + 4 + 1 + 2) / 16
    assert means(table, "ambiguity") == [1]
    assert table.discrepancy == 1
    assert means(table, "churn") == pytest.approx([5 / 6 + 0 / 24])  # but for seeds 2 and 3
    assert (table.lost, table.won) == ((4 + 4 + 1 + 1) / 16, 1 / 16)
    assert means(table, "dense_churn") == pytest.approx([3 / 24])


def test_one_network(said):
    """There are flips, over its images, and nothing else."""
    table = analysis.multiplicity(said.isel(seed=[0])).isel(technique=0, level=1)
    exact = fairness.rate_intervals(np.array([[1, 0, 1, 0]]) > 0, np.zeros(4, int), 1)
    assert table.flip_rate.values == pytest.approx(np.concatenate(exact))
    for name in ("churn", "dense_churn", "ambiguity", "discrepancy", "beyond_seeds"):
        assert table[name].isnull().all()
    first, *others = words.multiplicity_in_words(table)
    assert first.startswith("A pruned network says another class than its dense network on 50.0 %")
    assert [line[:10] for line in others] == ["Highest by", "Highest by"]


def test_two_networks_have_no_intervals_but_over_images(said):
    row = analysis.multiplicity(said.isel(seed=[0, 3])).isel(technique=0, level=1)
    for name in ("flip_rate", "churn", "beyond_seeds", "churn_change"):
        assert row[name].notnull().values.tolist() == [True, False, False]
    assert row.ambiguity.notnull().all()
    assert "without an interval" in " ".join(words.multiplicity_in_words(row))


def test_seeds_that_are_not_finished_are_left_out_of_both_sides(said):
    there = said.sparsity.where((said.seed < 3) | (said.level == 0))
    row = analysis.multiplicity(said.assign(sparsity=there)).isel(technique=0, level=1)
    assert row.networks == 3
    assert means(row, "dense_churn") == [0]  # seed 3 alone differs
    assert row.flip_rate.sel(estimate="mean") == 4 / 12


def test_of_a_study_lost_and_won_are_the_change_of_accuracy():
    results = open_example()["digits/mlp"].to_dataset().isel(technique=[0])
    table = analysis.multiplicity(results)
    change = analysis.metrics(results, ["accuracy_change"]).accuracy_change.sel(estimate="mean")
    assert np.allclose(table.won - table.lost, change)
    recall = analysis.recall_change(results).sel(estimate="mean")
    assert np.allclose(table.class_won - table.class_lost, recall)
    images = table.class_images
    for name in ("flip_rate", "churn", "ambiguity"):
        by_class = table[f"class_{name}"].sel(estimate="mean")
        whole = (by_class * images).sum("true") / images.sum()
        assert np.allclose(whole, table[name].sel(estimate="mean"))


def test_words():
    results = open_example()["digits/mlp"].to_dataset().isel(technique=[0])
    table = analysis.multiplicity(results).isel(technique=0)
    assert words.multiplicity_in_words(table.isel(level=0)) == [failures.NOTHING_PRUNED]
    early, last = (words.multiplicity_in_words(table.isel(level=level)) for level in (4, 6))
    assert early[1].startswith("That cannot be told from two dense networks of different seeds (a")
    assert last[1].startswith("That is 1.1 points [0.5, 1.8] more than two dense networks")
    assert "which is 1.9 points [1.2, 2.8] more than two dense ones." in last[2]
    assert last[3].startswith("The accuracies of the 16 networks lie within 2.4 points")
    assert last[4].startswith("Highest by class: 8 (16.9 %")
    first = words.multiplicity_in_words(table.isel(level=1))
    assert first[1].startswith("That is 1.1 points [0.7, 1.6] less than two dense networks")
    for number, kind in ((16, "over seeds and test"), (2, "none"), (1, "of one network")):
        assert kind in words.legend(number, 0.95)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: analysis.multiplicity(r.drop_vars("predictions")), "run it with --predictions"),
        (lambda r: analysis.multiplicity(r, "m2"), "unknown technique 'm2'"),
        (lambda r: analysis.multiplicity(r, confidence=1.0), "confidence 1.0: expected in"),
        (lambda r: analysis.multiplicity(r.isel(level=[1])), "these results have no level 0"),
    ],
)
def test_refusals(said, call, message):
    with pytest.raises(InputError, match=message):
        call(said)
