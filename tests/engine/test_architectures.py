"""Deep architectures through the whole lifecycle at an eighth of their width, and one full step."""

from functools import partial

import jax
import numpy as np
import pytest
import xarray as xr

from prune_fair import (
    DataConfig,
    InputError,
    ModelConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
    analysis,
    open_study,
    run_study,
)
from prune_fair.data import Dataset
from prune_fair.datasets.idx import DEBIAN_FASHION_MNIST, FASHION_CLASSES
from prune_fair.engine import network
from prune_fair.engine.images import DeviceData
from prune_fair.engine.plan import Plan, PlanConfig
from prune_fair.engine.population import Population
from prune_fair.engine.task import make_task
from prune_fair.pruning import apply_mask
from prune_fair.store import StudyStore, read_study

needs_fashion_mnist = pytest.mark.skipif(
    not DEBIAN_FASHION_MNIST.is_dir(), reason="dataset-fashion-mnist not installed"
)


def small_study(data: DataConfig, model: str, techniques: tuple[str, ...]) -> StudyConfig:
    """Two seeds, two techniques, two levels beside the dense one."""
    recipe = RecipeConfig(epochs=1, learning_rate=0.05, recalibrate_images=64)
    task = TaskConfig(data, ModelConfig(model, width=1 / 8), recipe)
    return StudyConfig((task,), techniques, Schedule("geometric", rate=0.5, levels=2), seeds=2)


TECHNIQUES = {
    "resnet18": ("magnitude-global-rewind", "saliency-layerwise-finetune"),
    "vgg11": ("magnitude-global-finetune", "magnitude-layerwise-channel-reinit"),
}


def check_study(config: StudyConfig, path, test_images: int) -> xr.Dataset:
    """Every network is there, has its sparsity, and its state is saved; gives the results."""
    results = open_study(path).leaves[0].to_dataset()
    assert results.finished.all()
    assert not results.diverged.any()
    test = analysis.as_dataset(results).confusion
    assert (test.sum(("true", "predicted")) == test_images).all()
    near = 0.06 if "channel" in config.techniques[1] else 1e-3
    assert np.allclose(results.sparsity.mean("seed"), [[0, 0.5, 0.75]] * 2, atol=near)
    store = StudyStore(path, read_study(path))
    for saved in store.load_networks(config.task_names[0], 0, 2).values():
        assert jax.tree.leaves(saved["state"])
        assert jax.tree.all(jax.tree.map(lambda leaf: np.isfinite(leaf).all(), saved))
    return results


@pytest.fixture(scope="module")
def vgg11(tmp_path_factory):
    """A study of some 500 training images, and its directory."""
    few = DataConfig("digits", keep=dict.fromkeys("0123456789", 0.4), validation=0.0)
    config = small_study(few, "vgg11", TECHNIQUES["vgg11"])
    path = tmp_path_factory.mktemp("studies") / "vgg11"
    run_study(config, path)
    return config, path


def test_vgg11_on_digits(vgg11):
    assert check_study(*vgg11, 540).train_count.sum() == 504


@pytest.mark.long
@pytest.mark.whole
@needs_fashion_mnist
@pytest.mark.parametrize("model", TECHNIQUES)
def test_study_on_fashion_mnist(model, tmp_path):
    """Trained on 1,200 of its images, tested on all 10,000."""
    few = DataConfig("fashion_mnist", keep=dict.fromkeys(FASHION_CLASSES, 0.02))
    plan = PlanConfig(lowering="mixed")  # tests more than it trains
    config = small_study(few, model, TECHNIQUES[model])
    run_study(config, tmp_path, plan=plan)
    results = check_study(config, tmp_path, 10_000)
    assert (results.train_count == 102).all()  # of the 0.85 that are not held out
    dense = results.confusion.sel(split="test").isel(technique=0, level=0)
    assert np.einsum("scc->s", dense).min() > 4_000  # chance is 1,000


def test_interrupted_study_goes_on_with_its_running_statistics(vgg11, tmp_path, monkeypatch):
    config, whole = vgg11
    write, calls = StudyStore.write_piece, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return write(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, "write_piece", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_study(config, tmp_path / "broken")
    run_study(config, tmp_path / "broken")
    whole, again = open_study(whole), open_study(tmp_path / "broken")
    assert whole.leaves[0].to_dataset().equals(again.leaves[0].to_dataset())


@pytest.mark.parametrize("model", ["resnet18", "vit"])
def test_channels_of_what_is_no_chain_are_refused(model):
    with pytest.raises(InputError, match=f"channels of {model} cannot be removed"):
        small_study(DataConfig("digits"), model, ("random-global-channel-rewind",))


@pytest.mark.parametrize("model", ["alexnet", "vgg11", "resnet18", "vit"])
def test_one_step_of_two_members_at_full_width(model, rng):
    """Forward, gradient and mask, of four images of 32x32x3."""
    images, labels = rng.integers(0, 256, (4, 32, 32, 3), np.uint8), np.arange(4) % 4
    data = Dataset(images, labels, images, labels, tuple("abcd"))
    recipe = RecipeConfig(epochs=1, batch_size=4, learning_rate=0.01)
    plan = Plan(1, 1, 2, "matmul")
    task = make_task(TaskConfig(model=ModelConfig(model), recipe=recipe), data, plan)
    population = Population(plan)
    initialise = population.lift(partial(network.initialise, task), brief=True)
    train = population.lift(partial(network.train, task, "cross_entropy"))
    variables = initialise((np.int32(0),), np.arange(2, dtype=np.int32))
    mask = jax.tree.map(lambda leaf: rng.random(leaf.shape) < 0.5, variables.params)
    shared = population.share(DeviceData.of(data)), np.int32(0), np.array([0, 1], np.int32)
    members = np.arange(2, dtype=np.int32), np.ones(2, np.float32)
    trained = train(shared, variables, mask, *members)
    assert jax.tree.all(jax.tree.map(lambda leaf: np.isfinite(leaf).all(), trained))
    held = apply_mask(trained.params, mask)
    assert jax.tree.all(jax.tree.map(np.array_equal, held, trained.params))
    assert not np.array_equal(*trained.params["output"]["kernel"])
