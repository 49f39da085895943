"""Networks that diverged, and metrics that are undefined: failures, in every answer."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis
from prune_fair.fairness.confusion import all_wrong

MEMBERS = ("technique", "seed", "level")


@pytest.fixture
def diverged(by_hand):
    """Of m0 one of four networks of level 2 diverged, of m1 all of level 1."""
    flags = np.zeros((2, 4, 3), bool)
    flags[0, 1, 2] = flags[1, :, 1] = True
    counts = by_hand["confusion"].values
    counts[flags] = all_wrong(counts[flags])
    return by_hand.assign(diverged=(MEMBERS, flags))


def place(choice, point):
    at = choice.points.isel(point=point)
    return at["technique"].item(), at["level"].item()


def test_a_diverged_network_has_the_worst_of_every_metric(diverged):
    lost = {"technique": "m1", "level": 1}
    names = ["accuracy", "recall_group_min", "recall_difference", "recall_ratio", "recall_std"]
    table = analysis.network_metrics(diverged, [*names, "accuracy_change", "recall_gini"]).sel(lost)
    worst = [table[name].values.tolist() for name in (*names, "accuracy_change")]
    assert worst[:-1] == [[0] * 4, [0] * 4, [1] * 4, [0] * 4, [0.5] * 4]
    dense = analysis.network_metrics(diverged, ["accuracy"]).accuracy.sel(
        {"technique": "m1", "level": 0}
    )
    assert worst[-1] == pytest.approx(-dense.values)
    assert table.recall_gini.isnull().all()  # it has no worst value
    means = analysis.metrics(diverged, names).sel(estimate="mean").sel(technique="m0", level=2)
    assert means.accuracy == pytest.approx(0.8 * 3 / 4)
    assert means.recall_difference > 0.25


@pytest.mark.parametrize(
    "asked",
    [
        ["recall_difference<=0.5"],
        ["recall_gini<=1"],
        ["fpr_group_max<=1", "recall_std<=0.5"],
        ["mean_recall_change_min>=-1"],
        [],
    ],
)
def test_a_point_with_diverged_networks_is_never_chosen(diverged, asked):
    choice = analysis.select(diverged, asked)
    assert place(choice, choice.chosen) == ("m1", 2)
    assert place(choice, choice.accuracy_alone) == ("m0", 1)
    alone = analysis.select(diverged.isel(technique=[0]), asked)
    assert place(alone, alone.chosen) == ("m0", 1)
    best = analysis.select(diverged.isel(technique=[1]), asked, maximise="recall_difference")
    assert place(best, best.chosen)[1] != 1
    points = choice.points.set_index(point=("technique", "level"))["diverged"]
    assert points.sel(point=("m0", 2)) == 1
    assert points.sel(point=("m1", 1)) == 4


def test_diverged_networks_are_counted_once(diverged):
    assert analysis.count_networks(analysis.diverged(diverged)) == 5
    diverged["diverged"][:, 0, 0] = True  # the dense network of a seed is one for all techniques
    assert analysis.count_networks(analysis.diverged(diverged)) == 6


def test_a_dense_network_that_is_not_finite_is_refused(diverged):
    diverged["diverged"][:, 2, 0] = True
    for question in (analysis.select, analysis.price_of_accuracy, analysis.recall_change):
        with pytest.raises(InputError, match=r"1 dense networks \(seeds 2\) are not finite"):
            question(diverged)


def test_a_frontier_has_no_point_of_diverged_networks(diverged):
    points = analysis.frontier(diverged, ["recall_difference", "sparsity"])
    lost = (points["technique"] == "m1") & (points["level"] == 1)
    assert not points.on_frontier.values[lost.values].any()


@pytest.mark.parametrize("objective", ["recall_gini", "recall_difference"])
def test_diverged_networks_improve_no_ranking(by_hand, diverged, objective):
    """Nor do the survivors alone: a level that lost a network has no part in a hypervolume."""
    plain, ill = (
        analysis.hypervolumes(each, ["sparsity", objective]).hypervolume.sel(estimate="mean")
        for each in (by_hand, diverged)
    )
    assert (ill.values <= plain.values + 1e-9).all()
    lost = analysis.frontier(diverged, ["sparsity", objective])
    lost = lost.isel(point=lost["diverged"].values > 0)
    assert not lost.on_frontier.any()
    assert (lost.probability == 0).all()


def test_pooled_counts_of_diverged_networks_do_not_look_even(diverged):
    table = analysis.metrics(diverged, ["recall_difference", "accuracy"], pooled=True)
    mean = table.sel(estimate="mean")
    assert mean.recall_difference.isnull().values.tolist() == [
        [False, False, True],
        [False, True, False],
    ]
    assert mean.accuracy.sel(technique="m1", level=1) == 0


def test_classes_are_not_tested_where_a_network_diverged(diverged):
    tests = analysis.class_tests(diverged)
    assert tests.p.sel(technique="m0", level=2).isnull().all()
    assert not tests.flagged_holm.sel(technique="m1", level=1).any()


def test_a_constraint_does_not_hold_where_a_network_has_no_value(by_hand):
    """At level 1 of m0 one network never predicts c1, so that it has no precision."""
    by_hand.confusion[0, 0, 1] = np.array([[1000, 0], [1000, 0]])
    table = analysis.metrics(by_hand, ["precision_group_min"])
    here = {"technique": "m0", "level": 1}
    assert table.undefined.sel({"metric": "precision_group_min", **here}) == 1
    assert table.precision_group_min.sel(estimate="mean").sel(here) > 0.8  # of the others
    choice = analysis.select(by_hand.isel(level=[0, 1]), ["precision_group_min>=0.25"])
    assert place(choice, choice.chosen) == ("m1", 1)
    alone = by_hand.isel(technique=[0], level=[0, 1])
    choice = analysis.select(alone, ["precision_group_min>=0"])
    assert place(choice, choice.chosen) == ("dense", 0)
    best = analysis.select(alone, [], maximise="precision_group_min")
    assert place(best, best.chosen) == ("dense", 0)


def test_a_class_without_test_images_is_left_out_of_the_rule(by_hand):
    """The other classes still decide; what is said of it is that it has no test images."""
    counts = np.pad(by_hand["confusion"].values, [(0, 0)] * 3 + [(0, 1)] * 2)
    names = ["c0", "c1", "none"]
    empty = by_hand.drop_vars(["confusion", "true", "predicted"]).assign_coords(
        true=names, predicted=names
    )
    empty["confusion"] = ((*MEMBERS, "true", "predicted"), counts)
    assert analysis.classes_without_images(empty) == ["none"]
    price, known = (analysis.price_of_accuracy(each) for each in (empty, by_hand))
    xr.testing.assert_equal(price, known)
    chosen, plain = (analysis.select(each) for each in (empty, by_hand))
    assert place(chosen, chosen.chosen) == place(plain, plain.chosen)
