"""Shifts of the test images are counted as if those images were there, and nothing else changes."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair.config import DataConfig, ModelConfig, RecipeConfig, TaskConfig
from prune_fair.datasets import Shift, corrupt
from prune_fair.engine import evaluation, network
from prune_fair.engine.images import DeviceData
from prune_fair.engine.plan import Plan
from prune_fair.engine.population import Population
from prune_fair.engine.results import schema
from prune_fair.engine.task import make_task
from prune_fair.pruning import full_mask

SHIFTS = ("noise@3", "blur@2", "contrast@4", "brightness@3", "pixelate@4", "occlude@5")
PLAN = Plan(1, 2, 2, "native")
CONFIG = TaskConfig(
    DataConfig("digits", shift=SHIFTS), ModelConfig("mlp", widths=(16,)), RecipeConfig(epochs=1)
)
PLAIN = dataclasses.replace(CONFIG, data=dataclasses.replace(CONFIG.data, shift=()))


def made(config, predictions=False, wide=None):
    """Images, task and those on the device; in float64 with what casts to it."""
    dataset = config.data.load()
    plan = dataclasses.replace(PLAN, dtype="float64") if wide else PLAN
    task = make_task(config, dataset, plan, predictions)
    task = task._replace(pixels=wide(task.pixels)) if wide else task
    return dataset, task, jax.tree.map(jnp.asarray, DeviceData.of(dataset))


def networks(task, seeds, wide=lambda tree: tree):
    initialise = jax.jit(partial(network.initialise, task))
    return [wide(initialise(np.int32(0), np.int32(seed))) for seed in range(seeds)]


def counted(task, data, variables):
    mask = full_mask(variables.params)
    return jax.jit(partial(evaluation.evaluate, task))(data, variables, mask)


def test_splits_come_in_order_and_only_images_of_their_own_have_predictions():
    dataset, task, data = made(CONFIG, predictions=True)
    assert dataset.splits == ("validation", "test")
    assert {*data.splits} == {"validation", "test"}
    assert task.splits == dataset.counted == ("validation", "test", *SHIFTS)
    found = counted(task, data, networks(task, 1)[0])
    assert found.counted["confusion"].shape == (8, 10, 10)
    assert {*found.predicted} == {"validation", "test"}
    assert {name for name, each in schema(task).items() if "split" in each.dims} == {*found.counted}


@pytest.mark.parametrize("batch", [7, 100, 1000])
def test_batches_of_any_size_count_what_the_corrupted_images_give(monkeypatch, batch, wide):
    """Held against test images that were corrupted whole, and put in the place of the others."""
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", batch)
    _, task, data = made(CONFIG, wide=wide)
    variables = networks(task, 1, wide)[0]
    found, (_, plain, images) = counted(task, data, variables), made(PLAIN, wide=wide)
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 540)
    test, corrupted = images.splits["test"], jax.jit(corrupt)
    for place, name in enumerate(SHIFTS):
        positions = jnp.arange(len(test.labels))
        shifted = corrupted(test.images, Shift.of(name, test.images.shape[1:]), positions)
        splits = {**images.splits, "test": test._replace(images=shifted)}
        whole = counted(plain, images._replace(splits=splits), variables)
        here = {statistic: values[2 + place] for statistic, values in found.counted.items()}
        assert np.array_equal(here["confusion"], whole.counted["confusion"][1])
        np.testing.assert_allclose(here["margin"], whole.counted["margin"][1], atol=1e-5)
    assert not np.array_equal(found.counted["confusion"][1], found.counted["confusion"][2])


def test_a_member_is_counted_as_alone_and_all_see_the_same_images():
    _, task, data = made(CONFIG)
    alone = networks(task, 3)
    alone.append(alone[0])
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *alone)
    population = Population(PLAN)
    evaluate = population.lift(partial(evaluation.evaluate, task), brief=True)
    together = evaluate((population.share(data),), stacked, full_mask(stacked.params))
    for member, variables in enumerate(alone):
        solo = counted(task, data, variables).counted["confusion"]
        moved = abs(together.counted["confusion"][member] - solo).sum((1, 2)) / 2
        assert (moved <= 5).all()  # rounding may decide an image in 100: other programs
    same = together.counted["confusion"]
    assert np.array_equal(same[0], same[3])


def test_a_diverged_network_fails_shifted_images_too():
    _, task, data = made(CONFIG)
    variables = networks(task, 1)[0]
    broken = jax.tree.map(lambda leaf: leaf * jnp.nan, variables)
    found = counted(task, data, broken)
    assert bool(found.diverged)
    assert (np.trace(found.counted["confusion"], axis1=-2, axis2=-1) == 0).all()


def test_without_a_shift_the_traced_program_knows_none():
    _, task, data = made(PLAIN)
    variables = networks(task, 1)[0]
    mask = full_mask(variables.params)
    plain = str(jax.make_jaxpr(partial(evaluation.evaluate, task))(data, variables, mask))
    assert "threefry" not in plain
    assert plain.count("scan[") == len(task.splits) == 2


def test_more_shifts_make_no_more_of_a_program():
    sizes = []
    for shift in (("noise@1",), ("noise", "blur", "pixelate")):
        config = dataclasses.replace(CONFIG, data=dataclasses.replace(CONFIG.data, shift=shift))
        _, task, data = made(config)
        variables = networks(task, 1)[0]
        mask = full_mask(variables.params)
        traced = jax.make_jaxpr(partial(evaluation.evaluate, task))(data, variables, mask)
        sizes.append(str(traced).count("dot_general["))
    assert sizes[0] == sizes[1]
