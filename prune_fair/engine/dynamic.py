"""One network whose mask changes while it trains: dynamic sparse training."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from prune_fair.engine.images import DeviceData
from prune_fair.engine.network import Change, Changes, train_changing
from prune_fair.engine.optimizer import masked_moments
from prune_fair.engine.spans import loss_of
from prune_fair.engine.steps import Carry
from prune_fair.engine.task import Task, network_key
from prune_fair.pruning import Technique, apply_mask
from prune_fair.pruning.updates import MaskUpdate, Training
from prune_fair.types import Mask, Params, Variables


def train_dynamically(
    task: Task,
    technique: Technique,
    data: DeviceData,
    level: Int[Array, ""],
    span: Int[Array, "2"],
    updates: tuple[Int[Array, " updates"], Float[Array, " updates"]],
    variables: Variables,
    mask: Mask,
    seed: Int[Array, ""],
    learning_rate_share: Float[Array, ""],
    dense: Variables | None = None,
) -> tuple[Variables, Mask]:
    """As `network.train`, with a mask update before each of these steps, which drops this share.

    Returns:
        The network, and its last mask.
    """
    steps, shares = updates
    return train_changing(
        task,
        loss_of(technique, task.recipe),
        data,
        level,
        span,
        variables,
        mask,
        seed,
        learning_rate_share,
        dense,
        Changes(steps, make_update(task, technique, level, seed, shares)),
        mask_update_of(technique).keeps_dense,
    )


def make_update(
    task: Task,
    technique: Technique,
    level: Int[Array, ""],
    seed: Int[Array, ""],
    shares: Float[Array, " updates"],
) -> Change:
    """The mask update of a number, with the moments that go with it.

    What it leaves out of the mask is zero, and so are the optimiser's moments: what comes back
    starts at zero with moments of zero. Weights that the treatment keeps dense, and their moments,
    stay as they are. Adam's count of steps goes on.
    """
    update, arranged = mask_update_of(technique), task.model.arranged
    layers = technique.prunable(task.model.layers)
    together = technique.ranks_together(task.model)

    def change(at: Int[Array, ""], carry: Carry, gradient: Callable[[], Params]) -> Carry:
        key = jax.random.fold_in(network_key(seed, level, "updates"), at)
        (params, _), before = arranged((carry.variables, carry.mask))
        seen = Training(params, before, lambda: arranged(gradient()), key, layers, together)
        mask = arranged(update.next_mask(seen, shares[at]))
        if update.keeps_dense:
            return carry._replace(mask=mask)
        held = jax.tree.map(jnp.logical_and, carry.mask, mask)
        variables = carry.variables._replace(params=apply_mask(carry.variables.params, held))
        return Carry(
            variables, masked_moments(task.recipe, carry.moments, held), mask, carry.loss_state
        )

    return change


def mask_update_of(technique: Technique) -> MaskUpdate:
    """The updates of a technique whose mask changes while it trains."""
    update = technique.retraining.mask_update
    assert update is not None, f"the mask of {technique.name} does not change"
    return update
