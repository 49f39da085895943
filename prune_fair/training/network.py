"""One network: initialise, train, prune, each a pure function of arrays.

Nothing here knows of populations. Randomness comes from the network's seed and level alone, so
networks of one seed see the same batches at the same level whatever the method that pruned them:
comparisons between methods are paired.
"""

from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from prune_fair.config import RecipeConfig
from prune_fair.datasets import augment
from prune_fair.pruning import (
    Method,
    apply_mask,
    pruner,
)
from prune_fair.training.images import DeviceData, Pixels, random_order
from prune_fair.types import AnyArray, Batch, Mask, Model, Params, PRNGKey, State, Variables

Carry: TypeAlias = tuple[Variables, optax.OptState]


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
    """A network after training; `diverged` where a parameter or statistic is not finite."""

    variables: Variables
    diverged: Bool[AnyArray, ""]


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
    span: Int[Array, "2"] | None = None,
) -> Trained:
    """The network after the recipe's epochs, in one compiled program.

    Outside of a `span` of steps, from the first until before the second, it stays as it is; the
    learning rate and the batches are those of the step in the whole recipe.

    The mask holds before the first step and after every update, so each forward pass sees removed
    weights as zero, and neither momentum nor weight decay revives them. (Optimisers work weight by
    weight: what the gradients of removed weights are does not matter.)
    """
    recipe, steps = task.recipe, steps_per_epoch(task)
    first_step = None if span is None else span[0]
    optimizer = make_optimizer(recipe, total_steps(task), first_step)

    def step(carry: Carry, drawn: tuple[Array, Array | None]):
        (params, state), moments = carry
        rows, number = drawn
        key = None
        if recipe.augment and number is not None:
            key = step_key(level, seed, number)
        batch = take_batch(task, data, rows, key)
        gradients, state = jax.grad(training_loss, has_aux=True)(params, task, state, batch)
        updates, moments = optimizer.update(gradients, moments, params)
        updates = jax.tree.map(lambda update: update * learning_rate_share, updates)
        params = apply_mask(optax.apply_updates(params, updates), mask)
        after = Variables(params, state), moments
        return (after if number is None else _within(span, number, after, carry)), None

    def epoch(carry: Carry, drawn: tuple[PRNGKey, Array | None]):
        key, numbers = drawn
        return jax.lax.scan(step, carry, (shuffled_batches(task, key), numbers))

    order_seed = jnp.zeros_like(level) if task.shuffling == "shared" else seed
    keys = jax.random.split(network_key(order_seed, level, "batches"), recipe.epochs)
    start = Variables(apply_mask(variables.params, mask), variables.state)
    carry, drawn = (start, optimizer.init(start.params)), (keys, step_numbers(recipe, steps))
    (trained, _), _ = jax.lax.scan(epoch, carry, drawn)
    trained = recalibrate(task, data, level, trained, seed)
    finite = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(trained)]
    return Trained(trained, ~jnp.all(jnp.stack(finite)))


def training_loss(
    params: Params, task: Task, state: State, batch: Batch
) -> tuple[Float[Array, ""], State]:
    """Mean cross-entropy of a batch in training, and the running statistics after it."""
    logits, state = task.model.apply_train(Variables(params, state), batch.images)
    labels = jax.nn.one_hot(batch.labels, task.classes)  # its gradient is no scatter
    return optax.softmax_cross_entropy(logits, labels).mean(), state


def _within(span: Int[Array, "2"] | None, step: Int[Array, ""], new: Carry, old: Carry) -> Carry:
    """What a step made new, if it is in the span; all steps are where there is none."""
    if span is None:
        return new
    active = (step >= span[0]) & (step < span[1])
    return jax.tree.map(lambda new, old: jnp.where(active, new, old), new, old)


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
    method: Method,
    data: DeviceData,
    level: Int[Array, ""],
    variables: Variables,
    mask: Mask,
    initial: Variables,
    seed: Int[Array, ""],
    quota: Int[Array, " quotas"],
) -> Mask:
    """The next mask of a trained network."""
    rows_key, score_key = jax.random.split(network_key(seed, level, "scores"))
    rows = shuffled_batches(task, rows_key)[: task.recipe.score_batches]
    flat = take_batch(task, data, rows.ravel())
    batches = jax.tree.map(lambda leaf: leaf.reshape(*rows.shape, *leaf.shape[1:]), flat)
    prune_step = pruner(method, task.model, task.recipe.weight_decay)
    return prune_step(variables, mask, initial, batches, score_key, quota)


def step_numbers(recipe: RecipeConfig, steps: int) -> Int[Array, "epochs steps"] | None:
    """The number of every step, where augmentation or a span asks for it; else None is counted."""
    if not (recipe.augment or recipe.rewind_step):
        return None
    return jnp.arange(recipe.epochs * steps).reshape(recipe.epochs, steps)


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


def make_optimizer(
    recipe: RecipeConfig, steps: int, first_step: Int[Array, ""] | None = None
) -> optax.GradientTransformation:
    """The recipe's optimiser with its learning-rate schedule over so many steps, or the last ones.

    Args:
        recipe: what to optimise by.
        steps: of the whole schedule.
        first_step: where in the schedule it begins; None for its beginning.
    """
    if recipe.decay == "cosine":
        schedule = optax.cosine_decay_schedule(recipe.learning_rate, steps)
    else:
        schedule = optax.constant_schedule(recipe.learning_rate)

    def learning_rate(count: ArrayLike) -> ArrayLike:
        return schedule(count if first_step is None else count + first_step)

    if recipe.optimizer == "adam":
        optimizer = optax.adam(learning_rate)
    else:
        optimizer = optax.sgd(learning_rate, recipe.momentum)
    return optax.chain(optax.add_decayed_weights(recipe.weight_decay), optimizer)
