"""A step of training: what it carries, its gradient, and the update."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import optax
from jaxtyping import Array, Float, Int

from prune_fair.engine.images import DeviceData
from prune_fair.engine.objective import Known, training_loss
from prune_fair.engine.optimizer import Moments, make_optimizer
from prune_fair.engine.task import Task, step_key, take_batch, total_steps
from prune_fair.pruning import apply_mask
from prune_fair.types import Mask, Params, State, Variables

Rows: TypeAlias = Int[Array, " batch"]


class Carry(NamedTuple):
    """What training hands from step to step, kernels as `Model.arranged` has them."""

    variables: Variables
    moments: Moments
    mask: Mask
    loss_state: Any


Gradient: TypeAlias = Callable[
    [Params, Carry, Rows, Int[Array, ""]], tuple[Params, tuple[State, Any]]
]


def make_gradient(
    task: Task,
    loss: str,
    data: DeviceData,
    level: Int[Array, ""],
    seed: Int[Array, ""],
    known: Known | None = None,
) -> Gradient:
    """The training loss's gradient at parameters, from the carry, rows and number of a step.

    What is known of the dense network goes to the loss. It comes with the running statistics and
    the loss's state after the step.
    """

    def gradient(params: Params, carry: Carry, rows: Rows, number: Array) -> Any:
        key = step_key(level, seed, number) if task.recipe.augment else None
        batch = take_batch(task, data, rows, key)
        differentiate = jax.grad(training_loss, has_aux=True)
        state = carry.variables.state
        return differentiate(params, task, loss, state, carry.loss_state, batch, known)

    return gradient


def make_step(
    task: Task,
    gradient: Gradient,
    learning_rate_share: Float[Array, ""],
    keeps_dense: bool = False,
) -> Callable[[Carry, Rows, Int[Array, ""]], Carry]:
    """One step of training, from the rows of its batch and its number.

    The mask holds before the first step and after every update, so each forward pass sees removed
    weights as zero, and neither momentum nor weight decay revives them. (Optimisers work weight by
    weight: what the gradients of removed weights are does not matter.) With `keeps_dense` the mask
    holds in the forward pass alone, and its gradient, momentum and weight decay move all weights.
    """

    def step(carry: Carry, rows: Rows, number: Array) -> Carry:
        (params, _), moments, mask, _ = carry
        optimizer = make_optimizer(task.recipe, total_steps(task), number)
        seen = apply_mask(params, mask) if keeps_dense else params
        gradients, (state, loss_state) = gradient(seen, carry, rows, number)
        updates, moments = optimizer.update(gradients, moments, params)
        updates = jax.tree.map(lambda update: update * learning_rate_share, updates)
        params = optax.apply_updates(params, updates)
        params = params if keeps_dense else apply_mask(params, mask)
        return Carry(Variables(params, state), moments, mask, loss_state)

    return step
