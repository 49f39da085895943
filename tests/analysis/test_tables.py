"""Metrics over seeds, the price of accuracy and the frontier, by hand."""

import numpy as np
import pytest

from prune_fair import InputError, analysis, open_study
from prune_fair.fairness import METRICS


def test_means_and_intervals(by_hand):
    table = analysis.metrics(by_hand, ["accuracy", "recall_group_min"])
    first = table.sel({"method": "m0"})
    assert first.accuracy.sel(estimate="mean").values == pytest.approx([0.85, 0.8475, 0.8])
    assert first.recall_group_min.sel(estimate="mean").values == pytest.approx([0.8, 0.79, 0.7])
    assert (first.accuracy.sel(estimate="low") < first.accuracy.sel(estimate="mean")).all()
    assert (table.sparsity.sel(estimate="high", level=1) == 0.5).all()


def test_price_by_hand(by_hand):
    price = analysis.price_of_accuracy(by_hand)
    m0, m1 = (price.sel({"method": name}) for name in ("m0", "m1"))
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
    cost = analysis.price_of_accuracy(by_hand, accuracy_tolerance=0.06).cost.sel({"method": "m0"})
    assert cost.sel(estimate="high") - cost.sel(estimate="low") == pytest.approx(0, abs=1e-6)


def test_frontier_by_hand(by_hand):
    points = analysis.frontier(by_hand)
    on = points.isel(point=points.on_frontier.values)
    names = [(m, int(level)) for m, level in zip(on.method.values, on.level.values, strict=True)]
    assert names == [("dense", 0), ("m0", 1), ("m0", 2)]
    assert points.sizes["point"] == 5
    only = analysis.frontier(by_hand, ["accuracy", "recall_difference"])
    assert only.method.values[only.on_frontier.values].tolist() == ["dense"]


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


def test_works_on_a_node_and_a_dataset(toy_study):
    node = open_study(toy_study)["digits/mlp"]
    assert analysis.metrics(node).equals(analysis.metrics(node.to_dataset()))
    assert set(METRICS) < set(analysis.metrics(node))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: analysis.metrics(r, ["acuracy"]), "unknown metric 'acuracy'.*'accuracy'"),
        (lambda r: analysis.metrics(r, confidence=1.0), "confidence 1.0"),
        (lambda r: analysis.frontier(r, ["sparsty"]), "unknown objective 'sparsty'.*'sparsity'"),
        (lambda r: analysis.frontier(r, []), "no objectives"),
        (lambda r: analysis.frontier(r, ["accuracy"] * 2), "expected each once"),
    ],
)
def test_refusals(by_hand, call, message):
    with pytest.raises(InputError, match=message):
        call(by_hand)
