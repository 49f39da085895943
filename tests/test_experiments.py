"""The claims, on real data: the paper's effect on digits, and Fashion-MNIST at full size."""

import dataclasses
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from prune_fair import ModelConfig, RecipeConfig, Schedule, analysis, run_study
from prune_fair.datasets.idx import DEBIAN_FASHION_MNIST

sys.path.insert(0, str(Path(__file__).parent.parent / "experiments"))
from fashion_mnist import fashion_mnist
from quickstart import quickstart

pytestmark = [pytest.mark.long, pytest.mark.whole]


@pytest.fixture(autouse=True)
def optimised():
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


def test_quickstart_shows_the_papers_effect(tmp_path):
    """The quickstart itself, with the one technique that the claim is about."""
    config, _ = quickstart(techniques=("magnitude-global-rewind",))
    results = run_study(config, tmp_path).leaves[0].to_dataset()
    accuracy = (
        analysis.metrics(results, ["accuracy"]).accuracy.isel(technique=0).sel(estimate="mean")
    )
    recall = analysis.class_recall(results).isel(technique=0).mean("seed").sel(true="8")
    near = np.flatnonzero(accuracy >= accuracy[0] - 0.03)[-1]
    lost_accuracy, lost_recall = (float(v[0] - v[near]) for v in (accuracy, recall))
    assert lost_recall > 3 * lost_accuracy > 0
    assert results.sparsity.isel(level=-1).min() >= 0.985
    price = analysis.price_of_accuracy(results).isel(technique=0)
    assert price.worst_class == "8"
    assert price.fair_level < price.accuracy_level
    assert price.cost.sel(estimate="high") < 0
    choice = analysis.select(results)
    assert choice.points["level"][choice.accuracy_alone] > choice.points["level"][choice.chosen] > 0
    assert choice.price.spared.sel(true="8", estimate="low") > 0
    effects = analysis.attribute(results)
    assert effects.low.sel(term="share") > 0
    assert effects.low.sel(term="share:compression") > 0


@pytest.mark.skipif(not DEBIAN_FASHION_MNIST.is_dir(), reason="dataset-fashion-mnist not installed")
@pytest.mark.parametrize(("model", "least"), [("mlp", 0.87), ("lenet5", 0.88)])
def test_fashion_mnist_is_learned_and_survives_sparsity_08(model, least, tmp_path):
    config, _ = fashion_mnist(
        model=ModelConfig(model),
        seeds=2,
        techniques=("magnitude-global-rewind",),
        recipe=RecipeConfig(epochs=3, batch_size=128, learning_rate=0.05),
    )
    config = dataclasses.replace(config, schedule=Schedule("one-shot", sparsities=(0.8,)))
    results = run_study(config, tmp_path).leaves[0].to_dataset()
    accuracy = (
        analysis.network_metrics(results, ["accuracy"]).accuracy.isel(technique=0).mean("seed")
    )
    assert accuracy.sel(level=0) >= least
    assert accuracy.sel(level=1) >= accuracy.sel(level=0) - 0.015
    assert np.allclose(results.sparsity.sel(level=1), 0.8, atol=1e-4)
