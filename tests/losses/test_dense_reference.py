"""Losses that look at the dense network and at groups, in real training."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair import DataConfig, InputError, RecipeConfig, StudyConfig, TaskConfig, run_study
from prune_fair.config import ModelConfig
from prune_fair.datasets import load
from prune_fair.engine import network
from prune_fair.engine.images import DeviceData, Pixels
from prune_fair.engine.objective import known_of
from prune_fair.engine.plan import Plan
from prune_fair.engine.population import Population
from prune_fair.engine.task import Task
from prune_fair.losses import called
from prune_fair.models import build
from prune_fair.pruning import Schedule

DENSE_AWARE = ("magnitude-global-finetune+distillation@2", "magnitude-global-finetune+constrained")
GROUPED = "group_constrained", "group_dro", "constrained", "distillation"


@pytest.fixture(scope="module")
def grouped():
    """A small task whose training images have groups: the light ones, the dark, some unknown."""
    data = load("digits")
    images, labels = data.train_images[:300], data.train_labels[:300]
    groups = (images.mean(axis=(1, 2, 3)) > 80).astype(np.int32)
    groups[::7] = -1
    data = data._replace(
        train_images=images, train_labels=labels, train_groups=groups,
        group_names=("dark", "light"),
        test_groups=np.zeros(len(data.test_labels), np.int32),
    )  # fmt: skip
    model = build("mlp", (8, 8, 1), 10, widths=(16,))
    recipe = RecipeConfig(epochs=2, batch_size=32, learning_rate=0.1)
    counts, of_groups = tuple(data.train_count().tolist()), data.train_group_count()
    task = Task(model, Pixels.of(data), recipe, counts, groups=2, group_counts=of_groups)
    return task, jax.tree.map(jnp.asarray, DeviceData.of(data)), data


def initial(task, seeds):
    made = [network.initialise(task, jnp.int32(0), jnp.int32(seed)) for seed in seeds]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *made)


def test_groups_of_training_images_are_counted(grouped):
    task, _, data = grouped
    known = data.train_groups[data.train_groups >= 0]
    assert task.group_counts == tuple(np.bincount(known).tolist())
    assert data._replace(train_groups=None).train_group_count() == ()


def test_what_the_dense_network_has_right(grouped):
    task, images, data = grouped
    dense = network.initialise(task, jnp.int32(0), jnp.int32(3))
    known = known_of(task, called("group_constrained"), images, dense)
    logits = task.model.apply(dense, task.pixels.normalise(images.train_images))
    right = np.asarray(logits.argmax(axis=1)) == data.train_labels
    by_class = [right[data.train_labels == label].mean() for label in range(10)]
    by_group = [right[data.train_groups == group].mean() for group in range(2)]
    np.testing.assert_allclose(known.dense.class_accuracy, by_class, rtol=1e-6)
    np.testing.assert_allclose(known.dense.group_accuracy, by_group, rtol=1e-6)
    assert known.variables is None
    assert known_of(task, called("distillation"), images, dense).dense.class_accuracy is None
    assert known_of(task, called("focal"), images, None) is None


@pytest.mark.parametrize("loss", GROUPED)
def test_member_equals_its_solo_run(grouped, loss):
    """Up to the rounding of float32 sums whose order the number of members may change."""
    task, images, _ = grouped
    seeds = np.array([3, 1, 4], np.int32)
    variables, dense = initial(task, seeds), initial(task, seeds + 10)
    mask = jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), variables.params)
    members = variables, mask, seeds, np.ones(3, np.float32), dense
    level, span = np.int32(1), np.array([0, 18], np.int32)
    population = Population(Plan(2, 2, 4, "native"))
    lifted = population.lift(partial(network.train, task, loss))
    together = lifted((population.share(images), level, span), *members)
    one = jax.tree.map(lambda leaf: jnp.asarray(leaf[2]), members)
    alone = jax.jit(partial(network.train, task, loss))(images, level, span, *one)
    for ours, solo in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(ours[2], solo, atol=1e-3)
    plain = jax.jit(partial(network.train, task, "cross_entropy"))(images, level, span, *one[:-1])
    assert any(
        not np.allclose(ours, other, atol=1e-2)
        for ours, other in zip(jax.tree.leaves(alone), jax.tree.leaves(plain), strict=True)
    ) or loss.endswith("constrained")


class StoppedError(Exception):
    """What ends a study early."""


def test_a_stopped_study_goes_on_with_the_dense_networks_it_had(tmp_path):
    task = TaskConfig(
        model=ModelConfig("mlp", widths=(16,)), recipe=RecipeConfig(epochs=2, learning_rate=0.2)
    )
    config = StudyConfig((task,), DENSE_AWARE, Schedule(rate=0.6, levels=2), seeds=2)
    whole = run_study(config, tmp_path / "whole")["digits/mlp"].to_dataset()
    heard = []

    def stop(networks, *, reused=False):
        heard.append(networks)
        if sum(heard) > 2 * 3:  # the dense ones and level 1 of both
            raise StoppedError

    with pytest.raises(StoppedError):
        run_study(config, tmp_path / "stopped", progress=stop)
    stopped = run_study(config, tmp_path / "stopped")["digits/mlp"].to_dataset()
    assert (stopped.confusion == whole.confusion).all()
    distilled, constrained = whole.confusion.isel(level=2)
    assert not (distilled == constrained).all()


def test_a_loss_of_groups_that_data_does_not_name_for_training(tmp_path, rng):
    images, labels = rng.integers(0, 255, (60, 8, 8), np.uint8), np.arange(60) % 3
    halves = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez(tmp_path / "cells.npz", **halves, g_test=labels % 2)
    data = DataConfig(f"npz:{tmp_path / 'cells.npz'}", groups="g")
    task = TaskConfig(data, ModelConfig("mlp", widths=(8,)), RecipeConfig(epochs=1))
    technique = "magnitude-global-finetune+group_dro"
    config = StudyConfig((task,), (technique,), Schedule(levels=1), seeds=1)
    with pytest.raises(InputError, match="this data does not name"):
        run_study(config, tmp_path / "study")
    np.savez(tmp_path / "cells.npz", **halves, g_test=labels % 2, g_train=labels % 2)
    results = run_study(config, tmp_path / "study")
    assert results.leaves[0].to_dataset().finished.all()
    config = dataclasses.replace(
        config, techniques=("magnitude-global-finetune+group_constrained",)
    )
    assert run_study(config, tmp_path / "other").leaves[0].to_dataset().finished.all()
