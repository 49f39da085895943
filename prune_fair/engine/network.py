"""One network: initialise, train, prune, each a pure function of arrays.

Nothing here knows of populations. Randomness comes from the network's seed and level alone, so
networks of one seed see the same batches at the same level whatever the technique that pruned them:
comparisons between techniques are paired.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from prune_fair.engine.images import DeviceData
from prune_fair.engine.objective import known_of, scored_loss
from prune_fair.engine.optimizer import make_optimizer
from prune_fair.engine.recalibration import recalibrate
from prune_fair.engine.spans import loss_of
from prune_fair.engine.steps import Carry, Rows, make_gradient, make_step
from prune_fair.engine.task import (
    Task,
    epoch_keys,
    network_key,
    shuffled_batches,
    steps_per_epoch,
    take_batch,
    total_steps,
)
from prune_fair.losses import called
from prune_fair.pruning import Technique, apply_mask, pruner, scoring_loss
from prune_fair.types import Mask, Params, Variables

Change: TypeAlias = Callable[[Int[Array, ""], Carry, Callable[[], Params]], Carry]


class Changes(NamedTuple):
    """Of a network while it trains: what happens before each of some steps.

    Attributes:
        steps: the same for all networks of a call, so that no others pay for it.
        make: the change of that number, from what training carries and a function that computes
            the gradient of the step's batch.
    """

    steps: Int[Array, " changes"]
    make: Change


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
    trained, _ = train_changing(*shared, variables, mask, seed, learning_rate_share, dense, None)
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

    def change(at: Int[Array, ""], carry: Carry, gradient: Callable[[], Params]) -> Carry:
        variables, mask = task.model.arranged((carry.variables, carry.mask))
        mask = prune(task, technique, data, level, variables, mask, initial, seed, quotas[at], at)
        mask = task.model.arranged(mask)
        params = apply_mask(carry.variables.params, mask)
        return carry._replace(variables=carry.variables._replace(params=params), mask=mask)

    shared, changes = (task, loss, data, level, span), Changes(steps, change)
    return train_changing(*shared, variables, mask, seed, learning_rate_share, dense, changes)


def train_changing(
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
    changes: Changes | None,
    keeps_dense: bool = False,
) -> tuple[Variables, Mask]:
    """The loop over steps, which carries the mask, and the changes before some of them.

    Within it kernels and masks are as `Model.arranged` has them. With `keeps_dense` the mask holds
    in forward passes, and in what is given back.
    """
    steps, keys = steps_per_epoch(task), epoch_keys(task, level, seed)
    known = known_of(task, called(loss), data, dense)
    gradient = make_gradient(task, loss, data, level, seed, known)
    step = make_step(task, gradient, learning_rate_share, keeps_dense)
    first, last = span

    def changed(changes: Changes, number: Int[Array, ""], carry: Carry, rows: Rows) -> Carry:
        due, params = changes.steps == number, carry.variables.params
        at = jnp.argmax(due).astype(jnp.int32)
        return jax.lax.cond(
            due.any(),
            lambda: changes.make(at, carry, lambda: gradient(params, carry, rows, number)[0]),
            lambda: carry,
        )

    def one(number: Int[Array, ""], carry: Carry, rows: Rows) -> Carry:
        if changes is not None:
            carry = changed(changes, number, carry, rows)
        return step(carry, rows, number)

    def epoch(number: Int[Array, ""], carry: Carry) -> Carry:
        batches, begin = shuffled_batches(task, keys[number]), number * steps
        return jax.lax.fori_loop(
            jnp.maximum(first, begin),
            jnp.minimum(last, begin + steps),
            lambda each, carry: one(each, carry, batches[each - begin]),
            carry,
        )

    if not keeps_dense:
        variables = Variables(apply_mask(variables.params, mask), variables.state)
    start = task.model.arranged(variables)
    moments = make_optimizer(task.recipe, total_steps(task)).init(start.params)
    loss_state = called(loss).initial(task.classes, len(task.group_counts))
    carry = Carry(start, moments, task.model.arranged(mask), loss_state)
    carry = jax.lax.fori_loop(first // steps, -(-last // steps), epoch, carry)
    trained, mask = task.model.arranged((carry.variables, carry.mask))
    if keeps_dense:
        trained = Variables(apply_mask(trained.params, mask), trained.state)
    return recalibrate(task, data, level, trained, seed), mask


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
