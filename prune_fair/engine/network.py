"""One network: initialise, train, prune, each a pure function of arrays.

Nothing here knows of populations. Randomness comes from the network's seed and level alone, so
networks of one seed see the same batches at the same level whatever the technique that pruned them:
comparisons between techniques are paired.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

from prune_fair.config import RecipeConfig
from prune_fair.datasets import augment
from prune_fair.engine.images import DeviceData, Pixels, random_order
from prune_fair.engine.optimizer import Moments, make_optimizer, mask_moments
from prune_fair.pruning import Technique, apply_mask, pruner
from prune_fair.types import Batch, Mask, Model, Params, PRNGKey, State, Variables

Carry: TypeAlias = tuple[Variables, Moments]


class Task(NamedTuple):
    """What every network of a population shares, beside the images."""

    model: Model
    pixels: Pixels
    recipe: RecipeConfig
    train_size: int
    classes: int
    shuffling: str = "own"
    groups: int = 0
    votes: bool = False


class Trained(NamedTuple):
    """A network after training; after a span of steps also the optimiser's moments."""

    variables: Variables
    moments: Moments | None = None


def network_key(seed: Int[Array, ""], level: Int[Array, ""], purpose: str) -> PRNGKey:
    """The one source of randomness: a key for a seed, a level and a purpose."""
    purposes = ("init", "batches", "scores", "augment", "statistics")
    key = jax.random.fold_in(jax.random.key(seed), level)
    return jax.random.fold_in(key, purposes.index(purpose))


def initialise(task: Task, level: Int[Array, ""], seed: Int[Array, ""]) -> Variables:
    """Fresh variables: at level 0 the network's own initialisation, at others new draws."""
    return task.model.init(network_key(seed, level, "init"))


def train(
    task: Task,
    data: DeviceData,
    level: Int[Array, ""],
    variables: Variables,
    mask: Mask,
    seed: Int[Array, ""],
    learning_rate_share: Float[Array, ""],
) -> Trained:
    """The network after the recipe's epochs, in one compiled program."""
    recipe, steps = task.recipe, steps_per_epoch(task)
    step = make_step(task, data, level, mask, seed, learning_rate_share)

    def scanned(carry: Carry, drawn: tuple[Array, Array | None]):
        return step(carry, *drawn), None

    def epoch(carry: Carry, drawn: tuple[PRNGKey, Array | None]):
        key, numbers = drawn
        return jax.lax.scan(scanned, carry, (shuffled_batches(task, key), numbers))

    drawn = epoch_keys(task, level, seed), step_numbers(recipe, steps)
    start = task.model.arranged(Variables(apply_mask(variables.params, mask), variables.state))
    moments = make_optimizer(recipe, total_steps(task)).init(start.params)
    (trained, _), _ = jax.lax.scan(epoch, (start, moments), drawn)
    trained = task.model.arranged(trained)
    return Trained(recalibrate(task, data, level, trained, seed))


def train_span(
    task: Task,
    data: DeviceData,
    level: Int[Array, ""],
    span: Int[Array, "2"],
    variables: Variables,
    mask: Mask,
    seed: Int[Array, ""],
    learning_rate_share: Float[Array, ""],
    moments: Moments,
) -> Trained:
    """As `train`, but only the steps from the first of a `span` until before its second.

    Batches and learning rate are those of the step in the whole recipe, so that spans one after
    the other, `moments` handed on, are one training. Each costs its own steps: its ends are traced
    and the same for all networks of a call, so that no loop waits for another network's.

    Moments of removed weights are given back as zero.
    """
    steps, keys = steps_per_epoch(task), epoch_keys(task, level, seed)
    step = make_step(task, data, level, mask, seed, learning_rate_share)
    first, last = span

    def epoch(number: Int[Array, ""], carry: Carry) -> Carry:
        batches, begin = shuffled_batches(task, keys[number]), number * steps
        return jax.lax.fori_loop(
            jnp.maximum(first, begin),
            jnp.minimum(last, begin + steps),
            lambda each, carry: step(carry, batches[each - begin], each),
            carry,
        )

    start = Variables(apply_mask(variables.params, mask), variables.state)
    carry = task.model.arranged((start, moments))
    carry = jax.lax.fori_loop(first // steps, -(-last // steps), epoch, carry)
    trained, moments = task.model.arranged(carry)
    moments = mask_moments(task.recipe, moments, mask)
    return Trained(recalibrate(task, data, level, trained, seed), moments)


def make_step(
    task: Task,
    data: DeviceData,
    level: Int[Array, ""],
    mask: Mask,
    seed: Int[Array, ""],
    learning_rate_share: Float[Array, ""],
) -> Callable[[Carry, Array, Array | None], Carry]:
    """One step of training, from the rows of its batch and, where one is counted, its number.

    It takes and gives variables and moments as `Model.arranged` has them.
    The mask holds before the first step and after every update, so each forward pass sees removed
    weights as zero, and neither momentum nor weight decay revives them. (Optimisers work weight by
    weight: what the gradients of removed weights are does not matter.)
    """
    mask = task.model.arranged(mask)

    def step(carry: Carry, rows: Array, number: Array | None) -> Carry:
        (params, state), moments = carry
        optimizer = make_optimizer(task.recipe, total_steps(task), number)
        key = None
        if task.recipe.augment and number is not None:
            key = step_key(level, seed, number)
        batch = take_batch(task, data, rows, key)
        gradients, state = jax.grad(training_loss, has_aux=True)(params, task, state, batch)
        updates, moments = optimizer.update(gradients, moments, params)
        updates = jax.tree.map(lambda update: update * learning_rate_share, updates)
        params = apply_mask(optax.apply_updates(params, updates), mask)
        return Variables(params, state), moments

    return step


def training_loss(
    params: Params, task: Task, state: State, batch: Batch
) -> tuple[Float[Array, ""], State]:
    """Mean cross-entropy of a batch in training, and the running statistics after it.

    The parameters come as `Model.arranged` has them.
    """
    logits, state = task.model.apply_train(
        Variables(task.model.arranged(params), state), batch.images
    )
    labels = jax.nn.one_hot(batch.labels, task.classes)  # its gradient is no scatter
    return optax.softmax_cross_entropy(logits, labels).mean(), state


def recalibrate(
    task: Task,
    data: DeviceData,
    level: Int[Array, ""],
    variables: Variables,
    seed: Int[Array, ""],
) -> Variables:
    """The running statistics as means over the recipe's `recalibrate_images`, in whole batches.

    They stay as they are where that is 0 or the model has none.

    Source: Li et al. 2020, EagleEye, arXiv 2007.02491; the mean over batches as in
    `torch.optim.swa_utils.update_bn`.
    """
    images = min(task.recipe.recalibrate_images, task.train_size)
    if images == 0 or not jax.tree.leaves(variables.state):
        return variables
    batch = min(task.recipe.batch_size, images)
    batches = images // batch
    order = random_order(network_key(seed, level, "statistics"), task.train_size)

    def add(total: State, rows: Int[Array, " batch"]):
        state = task.model.statistics(variables, take_batch(task, data, rows).images)
        return jax.tree.map(jnp.add, total, state), None

    none = jax.tree.map(jnp.zeros_like, variables.state)
    rows = order[: batches * batch].reshape(batches, batch)
    total, _ = jax.lax.scan(add, none, rows)
    return variables._replace(state=jax.tree.map(lambda leaf: leaf / batches, total))


def prune(
    task: Task,
    technique: Technique,
    data: DeviceData,
    level: Int[Array, ""],
    variables: Variables,
    mask: Mask,
    initial: Variables,
    seed: Int[Array, ""],
    quota: Int[Array, " quotas"],
    number: Int[Array, ""] | None = None,
) -> Mask:
    """The next mask of a trained network; `number` counts prunings where a level has several."""
    key = network_key(seed, level, "scores")
    key = key if number is None else jax.random.fold_in(key, number)
    rows_key, score_key = jax.random.split(key)
    rows = shuffled_batches(task, rows_key)[: task.recipe.score_batches]
    flat = take_batch(task, data, rows.ravel())
    batches = jax.tree.map(lambda leaf: leaf.reshape(*rows.shape, *leaf.shape[1:]), flat)
    prune_step = pruner(technique, task.model, task.recipe.weight_decay)
    return prune_step(variables, mask, initial, batches, score_key, quota)


def step_numbers(recipe: RecipeConfig, steps: int) -> Int[Array, "epochs steps"] | None:
    """The number of every step, where augmentation asks for it; else None is counted."""
    if not recipe.augment:
        return None
    return jnp.arange(recipe.epochs * steps).reshape(recipe.epochs, steps)


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
    return Batch(task.pixels.normalise(images), data.train_labels[rows])
