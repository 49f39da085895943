"""Networks that diverged, and metrics that are undefined: failures, in every answer."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis
from prune_fair.fairness import METRICS, all_wrong
from prune_fair.words import comparisons, failures

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
    assert table.precision_group_min.sel(here).isnull().all()  # the others would give 0.8
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


def collapsing(results, level, whole=True):
    """A network of m0's level lost a layer: it gives every image c0, or is as good as it was."""
    flags = xr.zeros_like(results["sparsity"], dtype=bool)
    flags[0, 1, level] = True
    counts = results["confusion"].copy(deep=True)
    if whole:
        counts[0, 1, level] = [[1000, 0], [1000, 0]]
    return results.assign(collapsed=flags, confusion=counts)


def undefined(results, level):
    """A network of m0's level says c0 of every image, so that c1 has no precision."""
    return collapsing(results, level).drop_vars("collapsed")


def diverging(results, level):
    flags = xr.zeros_like(results["sparsity"], dtype=bool)
    flags[0, 1, level] = True
    counts = results["confusion"].copy(deep=True)
    counts[0, 1, level] = all_wrong(counts[0, 1, level].values)
    return results.assign(diverged=flags, confusion=counts)


FAILING = {
    "diverged": diverging,
    "collapsed": collapsing,
    "collapsed, as good as before": lambda results, level: collapsing(results, level, whole=False),
    "undefined": undefined,
}
every_failure = pytest.mark.parametrize("kind", FAILING)
METRIC = "precision_group_min"


@every_failure
def test_no_frontier_has_a_point_with_a_network_that_failed(by_hand, kind):
    """At level 1, where m0 is best of all without it."""
    asked = ["sparsity", METRIC]
    assert analysis.frontier(by_hand, asked).on_frontier.values[1]
    points = analysis.frontier(FAILING[kind](by_hand, 1), asked).isel(point=1)
    assert (points["technique"], points["level"]) == ("m0", 1)
    assert not points.on_frontier
    assert points.probability == 0


@every_failure
@pytest.mark.parametrize("level", [1, 2])
def test_a_level_with_a_network_that_failed_is_worth_nothing(by_hand, kind, level):
    """The hypervolume is that of the study without this level, and so is where it begins."""
    ill, asked = FAILING[kind](by_hand, level), ["sparsity", METRIC, "recall_cv"]
    # Results without the level are other points of m1, whose worst the reference may be.
    kept = [0, 3 - level]
    without = by_hand.isel(technique=[0], level=kept)
    alone = ill.isel(technique=[0])
    for objectives in (asked[:2],) if kind == "undefined" else (asked, asked[:2]):
        found, expected = (analysis.hypervolumes(each, objectives) for each in (alone, without))
        assert found.attrs["reference"] == expected.attrs["reference"]
        assert found.hypervolume.values == pytest.approx(expected.hypervolume.values)
    assert analysis.ranking_change(ill, ["sparsity"], [METRIC])["rank"].notnull().all()


@every_failure
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("certify", [False, True])
def test_no_choice_is_a_point_with_a_network_that_failed(
    by_hand, with_predictions, kind, pooled, certify
):
    ill = with_predictions(FAILING[kind](by_hand, 1).isel(technique=[0], level=[0, 1]))
    choice = analysis.select(ill, [f"{METRIC}>=0"], pooled=pooled, certify=certify)
    if pooled and kind == "undefined":  # summed counts have a precision
        assert place(choice, choice.chosen) == ("m0", 1)
    else:
        assert place(choice, choice.chosen) == ("dense", 0)


@every_failure
def test_what_accuracy_alone_would_choose_has_no_network_that_failed(by_hand, kind):
    ill = FAILING[kind](by_hand, 1).isel(technique=[0])
    price = analysis.price_of_accuracy(ill, accuracy_tolerance=1.0, recall_tolerance=1.0)
    assert price.accuracy_level.item() == 2
    if kind != "undefined":  # accuracy and recall are defined
        here = analysis.price_of_accuracy(ill.isel(level=[0, 1]), 1.0, 1.0)
        assert (here.accuracy_level.item(), here.fair_level.item()) == (0, 0)


@every_failure
@pytest.mark.parametrize("pooled", [False, True])
def test_no_metric_is_better_for_a_network_that_failed(by_hand, kind, pooled):
    """Every mean that is there is no better than that of all networks as they were."""
    known = analysis.known_metrics(by_hand)
    # Of equal failures CEV and SDE are 0 as well.
    names = [name for name in known[:: 5 if pooled else 1] if name not in ("cev", "sde")]
    ill = FAILING[kind](by_hand, 1)
    plain, found = (
        analysis.metrics(each, names, pooled=pooled).sel(technique="m0", level=1, estimate="mean")
        for each in (by_hand, ill)
    )
    for name in names:
        up = METRICS[name].higher_is_better
        value, before = (each[name].item() * (1 if up else -1) for each in (found, plain))
        if kind != "undefined":  # it is a network like others, with one class too many
            assert np.isnan(value) or value <= before + 1e-9, name
    if kind == "undefined" and not pooled:
        assert np.isnan(found[METRIC])
        assert found.undefined.sel(metric=METRIC) == 1


@every_failure
def test_a_technique_is_not_compared_without_its_network_that_failed(by_hand, kind):
    """With its worst value, if the metric has one; else not at all."""
    ill = FAILING[kind](by_hand, 1)
    for metric in (METRIC, "recall_gini"):
        plain, found = (analysis.compare(each, metric, 0.5) for each in (by_hand, ill))
        missing = found.undefined.sel(technique="m0").item()
        assert found.undefined.sel(technique="m1") == 0
        if missing:
            assert found.value.sel(technique="m0").isnull().all()
            assert np.isnan(found.p).all()
            assert found.difference.isnull().all()
            (line,) = comparisons.undefined(found)
            assert line.startswith(f"m0: {metric} is undefined for 1 network")
        else:
            change = found.value.sel(technique="m0") - plain.value.sel(technique="m0")
            worse = change.sel(estimate="mean").item()
            assert (worse if METRICS[metric].higher_is_better else -worse) <= 1e-9
    undefined_kinds = {"undefined": METRIC, "diverged": "recall_gini", "collapsed": "recall_gini"}
    if kind in undefined_kinds:
        assert analysis.compare(ill, undefined_kinds[kind], 0.5).undefined.sum() == 1


@every_failure
def test_classes_are_tested_only_where_no_network_failed(by_hand, kind):
    p = analysis.class_tests(FAILING[kind](by_hand, 1)).p.sel(technique="m0", level=1)
    assert p.isnull().all() == (kind != "undefined")


def test_a_network_cut_off_from_its_input_fails_every_class(by_hand):
    ill = collapsing(by_hand, 1)
    here = {"technique": "m0", "level": 1, "seed": 1}
    recall = analysis.class_recall(ill.assign_coords(seed=range(4))).sel(here)
    assert recall.values.tolist() == [0, 0]
    table = analysis.network_metrics(ill, ["accuracy", "recall_group_max", "recall_difference"])
    worst = table.isel(technique=0, level=1, seed=1)
    assert [worst[name].item() for name in table] == [0, 0, 1]
    assert analysis.as_dataset(analysis.as_dataset(ill)).equals(analysis.as_dataset(ill))
    kept = collapsing(by_hand, 1, whole=False)
    assert analysis.as_dataset(kept).equals(kept)
    for each in (ill, kept):
        assert analysis.count_collapsed(each) == 1
        points = analysis.operating_points(each, ["accuracy"])
        assert points.collapsed.values.tolist() == [0, 1, 0, 0, 0]
        assert points.diverged.sum() == 0
        assert failures.state(each.assign(finished=each.sparsity > -1))[0].startswith("1 network l")


def test_the_drop_to_test_images_leaves_no_network_out(by_hand):
    """What is chosen where a metric is defined has no drop where it is not."""
    splits = [by_hand.confusion, undefined(by_hand, 1).confusion]
    both = by_hand.drop_vars("confusion").assign(
        confusion=xr.concat(splits, xr.Variable("split", ["validation", "test"]))
    )
    choice = analysis.select(both.isel(technique=[0], level=[0, 1]), [f"{METRIC}>=0.5"])
    assert place(choice, choice.chosen) == ("m0", 1)
    assert choice.drop[METRIC].isnull().all()
    assert choice.points[METRIC].isel(point=1).isnull().all()
    assert choice.drop["accuracy"].notnull().all()
