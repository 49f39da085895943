"""Losses that turn to where the loss is largest, among classes or groups."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from prune_fair.losses.loss import Labelled, PerImage, State
from prune_fair.losses.reweighting import cross_entropy
from prune_fair.types import Logits


def alike_classes(classes: int, groups: int, rate: float) -> State:
    """The same weight for each class."""
    return jnp.full(classes, 1 / classes, jnp.float32)


def alike_groups(classes: int, groups: int, rate: float) -> State:
    """The same weight for each group."""
    return jnp.full(groups, 1 / groups, jnp.float32)


def class_dro(logits: Logits, batch: Labelled, state: State, rate: float) -> tuple[PerImage, State]:
    """The classes' mean losses, weighted: weights grow exponentially with `rate` times the loss.

    Source: Sagawa et al. 2020, arXiv 1911.08731, algorithm 1, with classes as the groups, without
    their adjustment for sizes. Images are sampled as they come, where theirs are of groups that are
    drawn alike.
    """
    return _robust(logits, batch, state, batch.labels, rate)


def group_dro(logits: Logits, batch: Labelled, state: State, rate: float) -> tuple[PerImage, State]:
    """As `class_dro`, of groups of the training images; those without a group count for nothing.

    Source: Sagawa et al. 2020, arXiv 1911.08731, algorithm 1, without their adjustment for sizes.
    """
    assert batch.groups is not None  # the row asks for them
    return _robust(logits, batch, state, batch.groups, rate)


def _robust(
    logits: Logits, batch: Labelled, weights: Float[Array, " units"], unit: Int[Array, " n"],
    rate: float,
) -> tuple[PerImage, Float[Array, " units"]]:  # fmt: skip
    losses, _ = cross_entropy(logits, batch, ())
    own = jax.nn.one_hot(unit, len(weights), dtype=losses.dtype)
    number = own.sum(axis=0)
    mean = jax.lax.stop_gradient(own.T @ losses) / jnp.maximum(number, 1)
    raised = jax.nn.softmax(jnp.log(weights) + rate * mean)  # a unit without images has mean 0
    of_images = own @ (raised / jnp.maximum(number, 1)) * len(losses)
    return of_images * losses, raised
