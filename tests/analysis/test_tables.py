"""Metrics over seeds, the price of accuracy and the frontier, by hand."""

import numpy as np
import pytest

from prune_fair import InputError, analysis, open_study
from prune_fair.fairness import EVERY_CLASS, METRICS


def test_means_and_intervals(by_hand):
    table = analysis.metrics(by_hand, ["accuracy", "recall_group_min"])
    first = table.sel(technique="m0")
    assert first.accuracy.sel(estimate="mean").values == pytest.approx([0.85, 0.8475, 0.8])
    assert first.recall_group_min.sel(estimate="mean").values == pytest.approx([0.8, 0.79, 0.7])
    assert (first.accuracy.sel(estimate="low") < first.accuracy.sel(estimate="mean")).all()
    assert (table.sparsity.sel(estimate="high", level=1) == 0.5).all()


def test_price_by_hand(by_hand):
    price = analysis.price_of_accuracy(by_hand)
    m0, m1 = (price.sel(technique=name) for name in ("m0", "m1"))
    # m0: accuracy falls by 0.25 then 5 points: accuracy alone stops at level 1
    assert m0.accuracy_level == 1
    assert m0.worst_class == "c1"
    assert m0.cost.sel(estimate="mean").item() == pytest.approx(-0.01, abs=1e-6)
    assert m0.fair_level == 1
    # m1: accuracy falls by 1.5 points at level 1 already
    assert m1.accuracy_level == 0
    assert m1.accuracy_sparsity.sel(estimate="mean") == 0
    assert m1.fair_level == 1
    assert m1.fair_sparsity.sel(estimate="mean") == 0.5
    looser = analysis.price_of_accuracy(by_hand, accuracy_tolerance=0.06, recall_tolerance=0.2)
    assert looser.accuracy_level.values.tolist() == [2, 1]
    assert looser.cost.sel(estimate="mean").values[0] == pytest.approx(-0.1, abs=1e-6)
    assert looser.fair_level.values.tolist() == [2, 1]


def test_changes_are_paired_with_the_dense_network_of_the_seed(by_hand):
    """The seeds differ, their changes do not: the interval of the cost has no width."""
    cost = analysis.price_of_accuracy(by_hand, accuracy_tolerance=0.06).cost.sel(
        {"technique": "m0"}
    )
    assert cost.sel(estimate="high") - cost.sel(estimate="low") == pytest.approx(0, abs=1e-6)


def test_frontier_by_hand(by_hand):
    points = analysis.frontier(by_hand)
    on = points.isel(point=points.on_frontier.values)
    names = [(m, int(level)) for m, level in zip(on.technique.values, on.level.values, strict=True)]
    assert names == [("dense", 0), ("m0", 1), ("m0", 2)]
    assert points.sizes["point"] == 5
    only = analysis.frontier(by_hand, ["accuracy", "recall_difference"])
    assert only.technique.values[only.on_frontier.values].tolist() == ["dense"]


def test_few_seeds_have_no_intervals(by_hand):
    table = analysis.metrics(by_hand.isel(seed=slice(2)), ["accuracy"])
    assert np.isnan(table.accuracy.sel(estimate=["low", "high"])).all()
    assert np.isfinite(table.accuracy.sel(estimate="mean")).all()


def test_unfinished_networks_are_no_numbers(by_hand):
    by_hand.confusion[:, 2:, 2] = 0
    by_hand["sparsity"] = by_hand.sparsity.where(by_hand.confusion.sum(("true", "predicted")) > 0)
    table = analysis.metrics(by_hand)
    assert np.isfinite(table.accuracy.sel(estimate="mean")).all()
    by_hand.confusion[:, :, 2] = 0
    assert np.isnan(analysis.metrics(by_hand, ["accuracy"]).accuracy.sel(level=2)).all()
    points = analysis.frontier(by_hand)
    assert not points.on_frontier[points["level"].values == 2].any()
    assert (analysis.price_of_accuracy(by_hand).fair_level <= 1).all()


def test_pooled_metrics_are_those_of_summed_counts(by_hand):
    """A class that another network is worst at costs the mean of minima, not the pooled minimum."""
    names = ["recall_group_min", "recall_change_min"]
    crossed = by_hand.isel(seed=slice(4)).copy(deep=True)
    crossed.confusion[:, 1::2] = crossed.confusion[:, 1::2, :, ::-1, ::-1].values
    networks, pooled = (analysis.metrics(crossed, names, pooled=p) for p in (False, True))
    at = {"technique": "m0", "level": 2, "estimate": "mean"}
    assert networks.recall_group_min.sel(at).item() == pytest.approx(0.7, abs=1e-6)
    assert pooled.recall_group_min.sel(at).item() == pytest.approx(0.8, abs=1e-6)
    assert networks.recall_change_min.sel(at).item() == pytest.approx(-0.1, abs=1e-6)
    assert pooled.recall_change_min.sel(at).item() == pytest.approx(-0.05, abs=1e-6)
    summed = crossed.confusion.sum("seed").sel(technique="m0", level=2).values
    assert pooled.recall_group_min.sel(at).item() == pytest.approx(
        float(METRICS["recall_group_min"].function(summed, summed)), abs=1e-6
    )


def test_pooled_metrics_compare_the_same_seeds(by_hand):
    """An unfinished network takes its dense network with it."""
    by_hand.confusion[:, 2:, 2] = 0
    by_hand["sparsity"] = by_hand.sparsity.where(by_hand.confusion.sum(("true", "predicted")) > 0)
    by_hand.confusion[:, 2:, 0] = by_hand.confusion[:, 2:, 1].values
    pooled = analysis.metrics(by_hand, ["recall_change_min"], pooled=True)
    at = {"technique": "m0", "level": 2, "estimate": "mean"}
    assert pooled.recall_change_min.sel(at).item() == pytest.approx(-0.1, abs=1e-6)


def test_undefined_values_are_counted(by_hand):
    """CEV is undefined for a network with a perfect dense class; a mean leaves none out."""
    by_hand.confusion[:, 0, 0] = np.diag([1000, 1000])
    table = analysis.metrics(by_hand, ["cev", "accuracy"])
    assert table.undefined.sel(metric="cev", level=1).values.tolist() == [1, 1]
    assert (table.undefined.sel(metric=["accuracy", "sparsity"]) == 0).all()
    assert np.isnan(table.cev).all()
    assert np.isfinite(analysis.network_metrics(by_hand, ["cev"]).cev[:, 1:]).all()
    by_hand.confusion[:, :, 0] = np.diag([1000, 1000])
    table = analysis.metrics(by_hand, ["cev"])
    assert table.undefined.sel(metric="cev", level=1).values.tolist() == [4, 4]
    assert np.isnan(table.cev).all()


def test_pooled_metrics_are_undefined_for_all_or_none(by_hand):
    by_hand.confusion[:, 0, 0] = np.diag([1000, 1000])
    assert (analysis.metrics(by_hand, ["cev"], pooled=True).undefined == 0).all()
    by_hand.confusion[:, :, 0] = np.diag([1000, 1000])
    table = analysis.metrics(by_hand, ["cev", "accuracy"], pooled=True)
    assert (table.undefined.sel(metric="cev") == 4).all()
    assert (table.undefined.sel(metric=["accuracy", "sparsity"]) == 0).all()


def test_groups_have_metrics_of_their_own(by_hand):
    assert "by_group_accuracy_difference" not in analysis.known_metrics(by_hand)
    group = by_hand.confusion.expand_dims(group=["g", "h"], axis=3).copy()
    group[:, :, :, 1] = 1000 * np.eye(2)
    grouped = by_hand.assign(group_confusion=group)
    table = analysis.metrics(grouped, ["by_group_accuracy_difference"])
    found = table.by_group_accuracy_difference.sel(technique="m0", estimate="mean")
    assert found.values == pytest.approx([0.15, 0.1525, 0.2], abs=1e-6)


def test_works_on_a_node_and_a_dataset(toy_study):
    node = open_study(toy_study)["digits/mlp"]
    assert analysis.metrics(node).equals(analysis.metrics(node.to_dataset()))
    known = {*analysis.network_metrics(node)}
    assert {*METRICS} > known > {*analysis.DEFAULT_METRICS} - {EVERY_CLASS}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: analysis.metrics(r, ["acuracy"]), "unknown metric 'acuracy'.*'accuracy'"),
        (lambda r: analysis.metrics(r, confidence=1.0), "confidence 1.0"),
        (lambda r: analysis.metrics(r.isel(level=[1, 2])), "no level 0: expected the dense"),
        (lambda r: analysis.price_of_accuracy(r.isel(level=[1, 2])), "no level 0"),
        (lambda r: analysis.metrics(r, ["by_group_accuracy_ratio"]), "have no groups"),
        (lambda r: analysis.frontier(r, ["sparsty"]), "unknown objective 'sparsty'.*'sparsity'"),
        (lambda r: analysis.frontier(r, []), "no objectives"),
        (lambda r: analysis.frontier(r, ["accuracy"] * 2), "expected each once"),
    ],
)
def test_refusals(by_hand, call, message):
    with pytest.raises(InputError, match=message):
        call(by_hand)


@pytest.mark.parametrize("question", [analysis.attribute, analysis.exemplars, analysis.class_tests])
def test_no_question_takes_pruned_networks_for_dense_ones(toy_results, question):
    with pytest.raises(InputError, match="no level 0: expected the dense networks first"):
        question(toy_results.isel(level=[1, 2]))


def test_recall_change_by_hand(by_hand):
    """c1 of m0 falls from 0.8 to 0.79 and 0.70, the same in every seed."""
    change = analysis.recall_change(by_hand).isel(technique=0).sel(true="c1")
    assert np.allclose(change.sel(estimate="mean"), [0, -0.01, -0.1])
    assert np.allclose(change.sel(estimate="low"), change.sel(estimate="high"))
    with pytest.raises(InputError, match="no level 0"):
        analysis.recall_change(by_hand.isel(level=[1, 2]))
