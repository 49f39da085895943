"""Augmentation keeps what an image is, and draws from the network's own key."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair.config import RecipeConfig
from prune_fair.datasets import load
from prune_fair.datasets.augmentation import AUGMENTATIONS, augment, crop, flip
from prune_fair.engine import network
from prune_fair.engine import task as task_module
from prune_fair.engine.images import DeviceData, Pixels
from prune_fair.engine.plan import Plan
from prune_fair.engine.population import Population
from prune_fair.engine.task import (
    Task,
    network_key,
    shuffled_batches,
    step_key,
    take_batch,
    total_steps,
)
from prune_fair.models import build

KEY = jax.random.key(3)


@pytest.fixture
def images(rng):
    return jnp.asarray(rng.integers(0, 256, (64, 16, 24, 3), dtype=np.uint8))


def test_config_takes_every_row():
    assert RecipeConfig(augment=tuple(AUGMENTATIONS)).augment == ("crop", "flip")


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("dtype", [jnp.uint8, jnp.float32])
def test_shape_and_dtype_stay_and_the_key_decides(images, name, dtype):
    images = images.astype(dtype)
    once, again, other = (AUGMENTATIONS[name](key, images) for key in (KEY, KEY, jax.random.key(4)))
    assert once.shape == images.shape
    assert once.dtype == dtype
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)
    assert np.array_equal(once, jax.jit(AUGMENTATIONS[name])(KEY, images))


def test_flip_mirrors_about_half_of_the_images(rng):
    images = rng.integers(0, 256, (2000, 2, 3, 1), dtype=np.uint8)
    flipped = np.asarray(flip(KEY, jnp.asarray(images)))
    mirrored = (flipped == images[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (flipped == images).all(axis=(1, 2, 3))
    assert (mirrored | same).all()
    assert abs(mirrored[~(mirrored & same)].mean() - 0.5) < 5 * 0.5 / np.sqrt(2000)


def test_crop_gives_shifts_of_the_mirrored_image_of_every_size_up_to_an_eighth(images):
    """Sides 16 and 24: 2 rows and 3 columns at most, drawn image by image."""
    padded = np.pad(np.asarray(images), ((0, 0), (2, 2), (3, 3), (0, 0)), mode="reflect")
    seen = set()
    for before, after in zip(padded, np.asarray(crop(KEY, images)), strict=True):
        shifts = [
            (down, right)
            for down in range(5)
            for right in range(7)
            if np.array_equal(before[down : down + 16, right : right + 24], after)
        ]
        assert len(shifts) == 1
        seen.add(shifts[0])
    assert {down for down, _ in seen} == set(range(5))
    assert {right for _, right in seen} == set(range(7))


def test_crop_by_hand(monkeypatch):
    monkeypatch.setattr(jax.random, "randint", lambda *_: jnp.array([[1], [-1]]))
    line = jnp.arange(8, dtype=jnp.uint8)
    images = jnp.broadcast_to(line[None, None, :, None], (2, 8, 8, 1))
    cropped = crop(KEY, images)[:, 0, :, 0]
    assert cropped.tolist() == [[1, 2, 3, 4, 5, 6, 7, 6], [1, 0, 1, 2, 3, 4, 5, 6]]


def test_images_of_less_than_8_pixels_are_not_shifted(images):
    small = images[:, :7, :5]
    assert np.array_equal(crop(KEY, small), small)


def test_a_way_draws_the_same_whatever_the_others(images):
    both = augment(("crop", "flip"), KEY, images)
    by_turns = augment(("flip",), KEY, augment(("crop",), KEY, images))
    assert np.array_equal(both, by_turns)
    assert augment((), KEY, images) is images


def as_it_is(tree):
    return tree


def make_task(wide=as_it_is, **recipe) -> tuple[Task, DeviceData]:
    """A task and its images; in float64 with what casts to it."""
    data = load("digits")
    data = data._replace(train_images=data.train_images[:80], train_labels=data.train_labels[:80])
    settings = {"epochs": 3, "batch_size": 16, "learning_rate": 0.1, **recipe}
    pixels = wide(Pixels.of(data))
    model = build("mlp", (8, 8, 1), 10, widths=(12,), dtype=str(pixels.mean.dtype))
    task = Task(model, pixels, RecipeConfig(**settings), tuple(data.train_count().tolist()))
    return task, jax.tree.map(jnp.asarray, DeviceData.of(data))


LEVEL = jnp.int32(1)


def start(task, seeds, wide=as_it_is):
    networks = [network.initialise(task, LEVEL, jnp.int32(seed)) for seed in seeds]
    variables = jax.tree.map(lambda *leaves: np.stack(leaves), *networks)
    mask = jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), variables.params)
    return wide((variables, mask, np.array(seeds, np.int32), np.ones(len(seeds), np.float32)))


def whole(task):
    """The span of all steps."""
    return np.array([0, total_steps(task)], np.int32)


def trainer(task):
    return partial(network.train, task, "cross_entropy")


def gap(one, other):
    """The most that two trees of variables differ by."""
    return max(jax.tree.leaves(jax.tree.map(lambda a, b: np.abs(a - b).max(), one, other)))


def test_two_steps_two_levels_and_two_seeds_differ():
    task, data = make_task(augment=("flip", "crop"))
    rows = jnp.arange(16)

    def batch(level, seed, number):
        key = step_key(jnp.int32(level), jnp.int32(seed), jnp.int32(number))
        return np.asarray(take_batch(task, data, rows, key).images)

    first = batch(0, 0, 0)
    assert np.array_equal(first, batch(0, 0, 0))
    for other in ((0, 0, 1), (1, 0, 0), (0, 1, 0)):
        assert not np.array_equal(first, batch(*other))
    plain = take_batch(task, data, rows)
    assert np.array_equal(plain.images, task.pixels.normalise(data.train_images[:16]))


def test_training_takes_the_augmented_batches_step_by_step(wide):
    """Equal to plain steps, one by one, over the batches that their keys give."""
    task, data = make_task(wide, augment=("crop", "flip"), momentum=0.0, decay="constant")
    one = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), start(task, [5], wide))
    ours = jax.jit(trainer(task))(data, LEVEL, whole(task), *one).params
    (params, _), _, seeds, _ = one

    @jax.jit
    def gradient(params, images, labels):
        def loss(params):
            scores = jax.nn.log_softmax(task.model.in_evaluation({})(params, images))
            return -jnp.take_along_axis(scores, labels[:, None], axis=1).mean()

        return jax.grad(loss)(params)

    number = 0
    for key in jax.random.split(network_key(seeds, LEVEL, "batches"), 3):
        for rows in shuffled_batches(task, key):
            step_key = jax.random.fold_in(network_key(seeds, LEVEL, "augment"), number)
            images = augment(("crop", "flip"), step_key, data.train_images[rows])
            images = task.pixels.normalise(images)
            slope = gradient(params, images, data.train_labels[rows])
            params = jax.tree.map(lambda leaf, part: leaf - 0.1 * part, params, slope)
            number += 1
    assert number == 15
    assert gap(ours, params) < 1e-8


@pytest.mark.parametrize("shuffling", ["own", "shared"])
def test_member_equals_its_solo_run(shuffling, wide):
    task, data = make_task(wide, augment=("crop", "flip"))
    task = task._replace(shuffling=shuffling)
    population = Population(Plan(2, 2, 4, "native"))
    together = start(task, [3, 1, 4, 1, 5], wide)
    train = population.lift(trainer(task))
    trained = train((population.share(data), np.int32(1), whole(task)), *together).params
    alone = jax.tree.map(lambda leaf: jnp.asarray(leaf[2]), together)
    solo = jax.jit(trainer(task))(data, LEVEL, whole(task), *alone).params
    of = [jax.tree.map(lambda leaf, at=at: leaf[at], trained) for at in range(5)]
    assert gap(of[2], solo) < 1e-8
    assert gap(of[1], of[3]) < 1e-8
    assert gap(of[1], of[2]) > 1e-2


def test_without_augmentation_nothing_is_drawn(monkeypatch):
    """The program asks for no key but that of the batches."""
    task, data = make_task()
    purposes, network_key = [], task_module.network_key

    def heard(seed, level, purpose):
        purposes.append(purpose)
        return network_key(seed, level, purpose)

    monkeypatch.setattr(task_module, "network_key", heard)
    one = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), start(task, [5]))
    purposes.clear()
    jax.make_jaxpr(trainer(task))(data, LEVEL, whole(task), *one)
    assert purposes == ["batches"]
