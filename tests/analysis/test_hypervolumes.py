"""Probabilities, hypervolumes and ranks on results made by hand."""

import numpy as np
import pytest

from prune_fair import InputError, analysis
from prune_fair.fairness import METRICS


@pytest.fixture
def crossing(results_of):
    """m0 is more accurate, m1 keeps its worst class: the order turns once fairness counts."""
    recall = np.array([[[0.9, 0.9], [0.96, 0.5]], [[0.9, 0.9], [0.7, 0.7]]])
    noise = np.array([-0.02, 0.0, 0.0, 0.02])[None, :, None, None]
    return results_of(recall[:, None] + noise)


def test_probability_by_hand(by_hand):
    """Levels 0 and 1 of m0 trade accuracy for sparsity in every seed; m1 is worse in all."""
    points = analysis.frontier(by_hand)
    assert points.probability.values.tolist() == [1, 1, 1, 0, 0]
    assert points.probability.values[points.on_frontier.values].min() == 1


def test_probability_of_two_equals(results_of, rng):
    recall = np.full((2, 30, 2, 2), 0.8)
    recall[:, :, 1] += rng.normal(0, 0.02, (2, 30, 1))
    probability = analysis.frontier(results_of(recall), ["accuracy"]).probability.values
    assert probability.sum() == pytest.approx(1, abs=0.02)  # one objective: one is on it
    assert (probability < 1).all()


def test_hypervolumes_by_hand(by_hand):
    """m0 over (sparsity, accuracy) above chance, 0.5: 0.5 * 0.3475 + 0.25 * 0.3."""
    found = analysis.hypervolumes(by_hand, ["sparsity", "accuracy"])
    means = found.hypervolume.sel(estimate="mean").values
    assert means == pytest.approx([0.5 * 0.3475 + 0.25 * 0.3, 0.5 * 0.335], abs=3e-4)
    assert found["rank"].values.tolist() == [1, 2]
    assert found.attrs == {"reference": {"sparsity": 0.0, "accuracy": 0.5}, "best": "m0"}
    difference = found.difference.sel(technique="m0", other="m1")
    assert difference.sel(estimate="mean") == pytest.approx(means[0] - means[1])
    assert found.apart.values.tolist() == [[False, True], [True, False]]


def test_reference_points(by_hand):
    point = analysis.reference_point(by_hand, ["recall_difference", "recall_group_min"])
    assert point == {"recall_difference": 1.0, "recall_group_min": 0.0}
    given = analysis.reference_point(by_hand, ["sparsity", "accuracy"], {"sparsity": 0.5})
    assert given == {"sparsity": 0.5, "accuracy": 0.5}
    above = analysis.hypervolumes(by_hand, ["sparsity", "accuracy"], {"sparsity": 0.5})
    assert above.hypervolume.sel(estimate="mean").values == pytest.approx([0.25 * 0.3, 0], abs=3e-4)


def test_reference_of_a_metric_without_a_worst_value(by_hand, monkeypatch):
    """Of unbounded ones and of changes it is the worst mean: m0 and m1 at level 2."""
    boundless = METRICS["recall_difference"]._replace(bounds=(0.0, np.inf))
    monkeypatch.setitem(METRICS, "cev", boundless)
    point = analysis.reference_point(by_hand, ["cev", "recall_change_min", "recall_std"])
    assert point["cev"] == pytest.approx(0.2, abs=1e-6)
    assert point["recall_change_min"] == pytest.approx(-0.5, abs=1e-6)
    assert point["recall_std"] == 0.5


def test_the_order_turns_with_fairness(crossing):
    found = analysis.ranking_change(crossing)
    assert found["rank"].values.tolist() == [[1, 2], [2, 1]]
    assert found.rank_change.values.tolist() == [1, -1]
    assert found.tau.values.tolist() == [-1, -1, -1]
    assert found.first_place_changes == 1
    assert found.hypervolume.sel(estimate="mean").values == pytest.approx(
        np.array([[0.5 * 0.23, 0.5 * 0.2], [0.5 * 0.23 * 0.5, 0.5 * 0.2 * 0.7]]), abs=5e-4
    )


def test_without_enough_seeds_there_are_means_only(crossing):
    few = crossing.isel(seed=slice(2))
    assert np.isnan(analysis.frontier(few).probability).all()
    found = analysis.ranking_change(few)
    assert found.tau.values[0] == -1
    assert np.isnan(found.tau.values[1:]).all()
    assert np.isnan(found.first_place_changes)
    volumes = analysis.hypervolumes(few)
    assert np.isfinite(volumes.hypervolume.sel(estimate="mean")).all()
    assert not volumes.apart.any()


def test_a_technique_that_has_not_begun(crossing):
    """It has neither rank nor volume, and no tau."""
    crossing.confusion[1] = 0
    crossing["sparsity"] = crossing.sparsity.where(
        crossing.confusion.sum(("true", "predicted")) > 0
    )
    volumes = analysis.hypervolumes(crossing)
    assert np.isnan(volumes.hypervolume.values[1]).all()
    assert volumes.attrs["best"] == "m0"
    assert np.isnan(volumes["rank"].values).tolist() == [False, True]
    assert np.isnan(analysis.ranking_change(crossing).tau).all()
    assert np.isfinite(analysis.frontier(crossing).probability).all()


def test_many_unfinished_networks(results_of):
    """XLA's minimum over many NaN is inf on CPU; no point of such networks is on a frontier."""
    results = results_of(np.full((4, 32, 13, 10), 0.8))
    results.confusion[:, :, 1:] = 0
    results["sparsity"] = results.sparsity.where(results["level"] == 0)
    points = analysis.frontier(results)
    assert points.on_frontier.values.nonzero()[0].tolist() == [0]
    assert points.probability.values.tolist() == [1] + [0] * 48
    assert np.isnan(points.recall_group_min[1:]).all()
    assert (analysis.hypervolumes(results).hypervolume == 0).all()
    assert np.isnan(analysis.ranking_change(results).tau).all()
    assert analysis.compare(results).attrs["sparsity"] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: analysis.hypervolumes(r, ["sparsty"]), "unknown objective 'sparsty'"),
        (lambda r: analysis.hypervolumes(r, confidence=0.0), "confidence 0.0"),
        (lambda r: analysis.hypervolumes(r, reference={"acc": 1.0}), "objective of the reference"),
        (lambda r: analysis.hypervolumes(r, reference={"accuracy": np.inf}), "finite"),
        (lambda r: analysis.ranking_change(r.isel(technique=[0])), "only one technique, 'm0'"),
        (lambda r: analysis.ranking_change(r, fairness=()), "no fairness metrics"),
        (lambda r: analysis.ranking_change(r, fairness=["accuracy"]), "expected each once"),
    ],
)
def test_refusals(by_hand, call, message):
    with pytest.raises(InputError, match=message):
        call(by_hand)
