"""One network whose mask changes while it trains: dynamic sparse training."""

from collections.abc import Callable

import jax
from jaxtyping import Array, Float, Int

from prune_fair.engine.images import DeviceData
from prune_fair.engine.network import Changes, train_changing
from prune_fair.engine.optimizer import masked_moments
from prune_fair.engine.spans import loss_of
from prune_fair.engine.steps import Carry
from prune_fair.engine.task import Task, network_key
from prune_fair.pruning import Technique, Training, apply_mask
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

    An update sees the batch of its step. What it leaves out of the mask is zero, and so are the
    optimiser's moments, so that what comes back starts at zero with moments of zero; unless the
    treatment keeps weights dense, whose moments go on too. (Adam's count of steps goes on.)

    Returns:
        The network, and its last mask.
    """
    row, (steps, shares) = technique.retraining.mask_update, updates
    assert row is not None, "the technique's mask changes"
    layers = technique.prunable(task.model.layers)
    arranged, together = task.model.arranged, technique.ranks_together(task.model)

    def change(at: Int[Array, ""], carry: Carry, gradient: Callable[[], Params]) -> Carry:
        key = jax.random.fold_in(network_key(seed, level, "updates"), at)
        variables, before = arranged((carry.variables, carry.mask))
        seen = Training(
            variables.params, before, lambda: arranged(gradient()), key, layers, together
        )
        mask = arranged(row.update(seen, shares[at]))
        if row.keeps_dense:
            return carry._replace(mask=mask)
        held = jax.tree.map(lambda old, new: old & new, carry.mask, mask)
        params = apply_mask(carry.variables.params, held)
        moments = masked_moments(task.recipe, carry.moments, held)
        return carry._replace(
            variables=carry.variables._replace(params=params), moments=moments, mask=mask
        )

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
        Changes(steps, change),
        row.keeps_dense,
    )
