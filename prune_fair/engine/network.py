"""One network: initialise, train, prune, each a pure function of arrays.

Nothing here knows of populations. Randomness comes from the network's seed and level alone, so
networks of one seed see the same batches at the same level whatever the technique that pruned them:
comparisons between techniques are paired.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from prune_fair.engine.images import DeviceData
from prune_fair.engine.objective import Known, known_of, scored_loss, training_loss
from prune_fair.engine.optimizer import Moments, make_optimizer
from prune_fair.engine.recalibration import recalibrate
from prune_fair.engine.spans import loss_of
from prune_fair.engine.task import (
    Task,
    epoch_keys,
    network_key,
    shuffled_batches,
    step_key,
    steps_per_epoch,
    take_batch,
    total_steps,
)
from prune_fair.losses import called
from prune_fair.pruning import Technique, apply_mask, pruner, scoring_loss
from prune_fair.types import Mask, Variables

UpdateMask: TypeAlias = Callable[[Int[Array, ""], Variables, Mask], Mask]


class Carry(NamedTuple):
    """What training hands from step to step."""

    variables: Variables
    moments: Moments
    mask: Mask
    loss_state: Any


def initialise(task: Task, level: Int[Array, ""], seed: Int[Array, ""]) -> Variables:
    """Fresh variables: at level 0 the network's own initialisation, at others new draws."""
    return task.model.init(network_key(seed, level, "init"))


def train(
    task: Task,
    loss: str,
    data: DeviceData,
    level: Int[Array, ""],
    span: Int[Array, "2"],
    variables: Variables,
    mask: Mask,
    seed: Int[Array, ""],
    learning_rate_share: Float[Array, ""],
    dense: Variables | None = None,
) -> Variables:
    """The network after the steps of a span: from its first until before its second.

    Batches and learning rate are those of the step in the whole recipe. The optimiser's moments
    start at zero. The span is traced and the same for all networks of a call, so that one program
    serves every span, and no loop waits for another network's.

    Args:
        task: what the networks share.
        loss: the name of a loss.
        data: the images.
        level: of the networks.
        span: the steps.
        variables: what training starts from.
        mask: what remains, throughout.
        seed: of the network.
        learning_rate_share: of the recipe's learning rate.
        dense: the seed's own dense network, where the loss asks for it.
    """
    shared = task, loss, data, level, span
    trained, _ = _train(*shared, variables, mask, seed, learning_rate_share, dense, None)
    return trained


def train_gradually(
    task: Task,
    technique: Technique,
    data: DeviceData,
    level: Int[Array, ""],
    span: Int[Array, "2"],
    prunings: tuple[Int[Array, " prunings"], Int[Array, "prunings quotas"]],
    variables: Variables,
    mask: Mask,
    initial: Variables,
    seed: Int[Array, ""],
    learning_rate_share: Float[Array, ""],
    dense: Variables | None = None,
) -> tuple[Variables, Mask]:
    """As `train`, pruned while it trains: before each of these steps, to its quotas.

    Returns:
        The network, and its last mask.
    """
    loss, (steps, quotas) = loss_of(technique, task.recipe), prunings

    def update_mask(step: Int[Array, ""], variables: Variables, mask: Mask) -> Mask:
        number = jnp.argmax(steps == step).astype(jnp.int32)
        return jax.lax.cond(
            (steps == step).any(),
            lambda: prune(
                task, technique, data, level, variables, mask, initial, seed, quotas[number], number
            ),
            lambda: mask,
        )

    shared = task, loss, data, level, span
    return _train(*shared, variables, mask, seed, learning_rate_share, dense, update_mask)


def _train(
    task: Task,
    loss: str,
    data: DeviceData,
    level: Int[Array, ""],
    span: Int[Array, "2"],
    variables: Variables,
    mask: Mask,
    seed: Int[Array, ""],
    learning_rate_share: Float[Array, ""],
    dense: Variables | None,
    update_mask: UpdateMask | None,
) -> tuple[Variables, Mask]:
    """The loop over steps, which carries the mask; `update_mask` gives the one of a step.

    Within it kernels and masks are as `Model.arranged` has them.
    """
    steps, keys = steps_per_epoch(task), epoch_keys(task, level, seed)
    known = known_of(task, called(loss), data, dense)
    step = make_step(task, loss, data, level, seed, learning_rate_share, known)
    first, last = span

    def one(number: Int[Array, ""], carry: Carry, rows: Int[Array, " batch"]) -> Carry:
        if update_mask is not None:
            inner, mask = task.model.arranged((carry.variables, carry.mask))
            mask = update_mask(number, inner, mask)
            params = apply_mask(inner.params, mask)
            inner, mask = task.model.arranged((inner._replace(params=params), mask))
            carry = carry._replace(variables=inner, mask=mask)
        return step(carry, rows, number)

    def epoch(number: Int[Array, ""], carry: Carry) -> Carry:
        batches, begin = shuffled_batches(task, keys[number]), number * steps
        return jax.lax.fori_loop(
            jnp.maximum(first, begin),
            jnp.minimum(last, begin + steps),
            lambda each, carry: one(each, carry, batches[each - begin]),
            carry,
        )

    start = task.model.arranged(Variables(apply_mask(variables.params, mask), variables.state))
    moments = make_optimizer(task.recipe, total_steps(task)).init(start.params)
    loss_state = called(loss).initial(task.classes, len(task.group_counts))
    carry = Carry(start, moments, task.model.arranged(mask), loss_state)
    carry = jax.lax.fori_loop(first // steps, -(-last // steps), epoch, carry)
    trained, mask = task.model.arranged((carry.variables, carry.mask))
    return recalibrate(task, data, level, trained, seed), mask


def make_step(
    task: Task,
    loss: str,
    data: DeviceData,
    level: Int[Array, ""],
    seed: Int[Array, ""],
    learning_rate_share: Float[Array, ""],
    known: Known | None = None,
) -> Callable[[Carry, Array, Array], Carry]:
    """One step of training, from the rows of its batch and its number.

    What is known of the dense network goes to the loss.

    The mask holds before the first step and after every update, so each forward pass sees removed
    weights as zero, and neither momentum nor weight decay revives them. (Optimisers work weight by
    weight: what the gradients of removed weights are does not matter.)
    """

    def step(carry: Carry, rows: Array, number: Array) -> Carry:
        (params, state), moments, mask, loss_state = carry
        optimizer = make_optimizer(task.recipe, total_steps(task), number)
        key = step_key(level, seed, number) if task.recipe.augment else None
        batch = take_batch(task, data, rows, key)
        differentiate = jax.grad(training_loss, has_aux=True)
        gradients, (state, loss_state) = differentiate(
            params, task, loss, state, loss_state, batch, known
        )
        updates, moments = optimizer.update(gradients, moments, params)
        updates = jax.tree.map(lambda update: update * learning_rate_share, updates)
        params = apply_mask(optax.apply_updates(params, updates), mask)
        return Carry(Variables(params, state), moments, mask, loss_state)

    return step


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
    rows = shuffled_batches(task, rows_key)[: technique.score_batches]
    flat = take_batch(task, data, rows.ravel())
    batches = jax.tree.map(lambda leaf: leaf.reshape(*rows.shape, *leaf.shape[1:]), flat)
    loss = partial(scored_loss, task, scoring_loss(technique) or task.recipe.loss)
    prune_step = pruner(technique, task.model, loss, task.recipe.weight_decay)
    return prune_step(variables, mask, initial, batches, score_key, quota)
