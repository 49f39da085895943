"""The claims, on real data: the paper's effect on digits, and Fashion-MNIST at full size."""

import dataclasses
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from prune_fair import ModelConfig, RecipeConfig, Schedule, StudyConfig, analysis, run_study
from prune_fair.datasets.idx import DEBIAN_FASHION_MNIST
from prune_fair.fairness import EVERY_CLASS

sys.path.insert(0, str(Path(__file__).parent.parent / "experiments"))
from fashion_mnist import fashion_mnist
from mitigation import LONG_TAIL, MITIGATIONS, PLAIN, changes
from quickstart import quickstart

pytestmark = [pytest.mark.long, pytest.mark.whole]


@pytest.fixture(autouse=True)
def optimised():
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


def test_quickstart_shows_the_papers_effect(tmp_path):
    """The quickstart itself, with the technique that is chosen and the one that hurts most."""
    config, _ = quickstart(techniques=("magnitude-global-rewind", "saliency-layerwise-finetune"))
    results = run_study(config, tmp_path).leaves[0].to_dataset()
    assert results.technique.values[2:].tolist() == ["dense-rewind", "dense-finetune", "dense-long"]
    table = analysis.metrics(results, ["accuracy_change", EVERY_CLASS]).sel(estimate="mean")
    accuracy, worst = (table[name].isel(level=-1) for name in ("accuracy_change", EVERY_CLASS))
    assert (worst[:2] < 3 * accuracy[:2]).all()
    assert (accuracy[:2] < 0).all()
    assert worst[2:].min() > worst[0]
    choice = analysis.select(results, certify=True)
    assert choice.chosen
    assert choice.points["technique"].values[choice.chosen] == "magnitude-global-rewind"
    assert choice.points[EVERY_CLASS].sel(estimate="mean")[choice.chosen] >= -0.05
    assert choice.points["level"][choice.accuracy_alone] > choice.points["level"][choice.chosen] > 2
    assert choice.price.spared.sel(true=["Bag", "Sandal"], estimate="low").max() > 0
    effects = analysis.attribute(results)
    assert effects.low.sel(term="share") > 0


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


def test_losses_do_what_they_are_for_on_a_long_tail(tmp_path):
    """The recall of the three rarest classes against cross-entropy, at one sparsity, by seed."""
    task = dataclasses.replace(LONG_TAIL, recipe=dataclasses.replace(LONG_TAIL.recipe, epochs=30))
    plain = PLAIN[0]
    losses = *MITIGATIONS, "logit_adjustment"
    techniques = (plain, *(f"{plain}+{loss}" for loss in losses))
    schedule = Schedule("one-shot", sparsities=(0.9,))
    config = StudyConfig((task,), techniques, schedule, seeds=8, predictions=True, calibration=True)
    results = run_study(config, tmp_path).leaves[0].to_dataset()
    recall = analysis.class_recall(results).isel(true=slice(-3, None)).mean("true").sel(level=1)
    rises = {
        loss: (recall.sel(technique=f"{plain}+{loss}") - recall.sel(technique=plain)).values
        for loss in losses
    }
    for loss in ("inverse_frequency", "class_balanced@0.99", "balanced_softmax", "class_dro"):
        assert (rises[loss] > 0.1).all(), loss
    np.testing.assert_allclose(rises["logit_adjustment"], rises["balanced_softmax"], atol=0.05)
    assert rises["constrained"].mean() > 0.05
    assert rises["ldam"].mean() > 0
    error = changes(results).difference.sel(metric="ece", estimate="mean", level=1)
    assert error.sel(technique=f"{plain}+focal") < -0.03
    assert rises["distillation"].mean() < 0.05  # what it learns from knows little of them
