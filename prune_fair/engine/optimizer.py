"""The recipe's optimiser."""

from typing import TypeAlias

import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Int, PyTree

from prune_fair.config import RecipeConfig
from prune_fair.types import Mask

Moments: TypeAlias = PyTree  # what Optax keeps from step to step: momentum and counts


def make_optimizer(
    recipe: RecipeConfig, steps: int, number: Int[Array, ""] | None = None
) -> optax.GradientTransformation:
    """The recipe's optimiser with its learning-rate schedule over so many steps.

    Args:
        recipe: what to optimise by.
        steps: of the whole schedule.
        number: of the step in the schedule; None for that of the update, as the state counts them.
    """
    if recipe.decay == "cosine":
        schedule = optax.cosine_decay_schedule(recipe.learning_rate, steps)
    else:
        schedule = optax.constant_schedule(recipe.learning_rate)

    def learning_rate(count: ArrayLike) -> ArrayLike:
        return schedule(count if number is None else number)

    if recipe.optimizer == "adam":
        optimizer = optax.adam(learning_rate)
    else:
        optimizer = optax.sgd(learning_rate, recipe.momentum)
    return optax.chain(optax.add_decayed_weights(recipe.weight_decay), optimizer)


def masked_moments(recipe: RecipeConfig, moments: Moments, mask: Mask) -> Moments:
    """The recipe's moments with those of removed parameters at zero; counts of steps go on."""

    def masked(moment: Array, kept: Array) -> Array:
        return jnp.where(kept, moment, 0)

    return optax.tree_utils.tree_map_params(make_optimizer(recipe, 1), masked, moments, mask)
