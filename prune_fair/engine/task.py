"""A task as the machine has it: what its networks share, and the order of its images."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Key

from prune_fair.config import RecipeConfig, TaskConfig
from prune_fair.data import TEST, Dataset
from prune_fair.datasets import augment
from prune_fair.engine.images import DeviceData, Pixels, random_order
from prune_fair.engine.plan import Plan
from prune_fair.models import build
from prune_fair.types import Batch, Model, PRNGKey


class Task(NamedTuple):
    """What every network of a population shares, beside the images.

    Attributes:
        model: the architecture.
        pixels: how images reach it.
        recipe: of its training.
        class_counts: training images of each class.
        shuffling: `own` or `shared` order of the images, as the plan has it.
        groups: of the images that are counted; 0 without.
        predictions: whether the class that they give each image is kept.
        splits: what they are judged on, in the order in which results have them: images of
            their own, then shifts of the test images.
        group_counts: training images of each group; empty where their groups are not known.
        calibration: whether probabilities are counted too.
    """

    model: Model
    pixels: Pixels
    recipe: RecipeConfig
    class_counts: tuple[int, ...]
    shuffling: str = "own"
    groups: int = 0
    predictions: bool = False
    splits: tuple[str, ...] = (TEST,)
    group_counts: tuple[int, ...] = ()
    calibration: bool = False

    @property
    def train_size(self) -> int:
        """Training images."""
        return sum(self.class_counts)

    @property
    def classes(self) -> int:
        """Classes, and outputs of the network."""
        return len(self.class_counts)


def build_model(
    config: TaskConfig, dataset: Dataset, lowering: str = "native", dtype: str = "float32"
) -> Model:
    """A task's architecture for its images.

    Raises:
        InputError: for an architecture that does not fit them.
    """
    shape, classes = dataset.train_images.shape[1:], len(dataset.class_names)
    model = config.model
    return build(model.name, shape, classes, model.widths, lowering, dtype, model.width)


def make_task(
    config: TaskConfig,
    dataset: Dataset,
    plan: Plan,
    predictions: bool = False,
    calibration: bool = False,
) -> Task:
    """What a task's networks share, as the plan has it computed, and what is kept and counted.

    Raises:
        InputError: for an architecture that does not fit the images.
    """
    return Task(
        build_model(config, dataset, plan.lowering, plan.dtype),
        Pixels.of(dataset),
        config.recipe,
        tuple(dataset.train_count().tolist()),
        plan.shuffling,
        len(dataset.group_names),
        predictions,
        dataset.counted,
        dataset.train_group_count(),
        calibration,
    )


def network_key(seed: Int[Array, ""], level: Int[Array, ""], purpose: str) -> PRNGKey:
    """The one source of randomness: a key for a seed, a level and a purpose."""
    purposes = ("init", "batches", "scores", "augment", "statistics", "updates")
    key = jax.random.fold_in(jax.random.key(seed), level)
    return jax.random.fold_in(key, purposes.index(purpose))


def epoch_keys(task: Task, level: Int[Array, ""], seed: Int[Array, ""]) -> Key[Array, " epochs"]:
    """The key of every epoch's order of images, one for all seeds where shuffling is shared."""
    order_seed = jnp.zeros_like(level) if task.shuffling == "shared" else seed
    return jax.random.split(network_key(order_seed, level, "batches"), task.recipe.epochs)


def step_key(level: Int[Array, ""], seed: Int[Array, ""], number: Int[Array, ""]) -> PRNGKey:
    """The key of a step's augmentation, the network's own even where batches are shared."""
    return jax.random.fold_in(network_key(seed, level, "augment"), number)


def total_steps(task: Task) -> int:
    """Steps of a training."""
    return task.recipe.epochs * steps_per_epoch(task)


def steps_per_epoch(task: Task) -> int:
    """Whole batches in the training images; one smaller batch where there are fewer images."""
    return max(1, task.train_size // task.recipe.batch_size)


def shuffled_batches(task: Task, key: PRNGKey) -> Int[Array, "steps batch"]:
    """Rows of the training images in an order of their own, cut into batches."""
    steps = steps_per_epoch(task)
    order = random_order(key, task.train_size)
    return order[: steps * task.recipe.batch_size].reshape(steps, -1)


def take_batch(
    task: Task, data: DeviceData, rows: Int[Array, " batch"], key: PRNGKey | None = None
) -> Batch:
    """The training images of these rows, normalised, and their labels; augmented with a key."""
    images = data.train_images[rows]
    if key is not None:
        # Else XLA fuses the shifts into what reads the images, and computes them once a reading.
        images = jax.lax.optimization_barrier(augment(task.recipe.augment, key, images))
    groups = None if data.train_groups is None else data.train_groups[rows]
    return Batch(task.pixels.normalise(images), data.train_labels[rows], groups)
