"""Gradients of a network's loss over score batches, for the criteria that ask how the loss moves.

The loss is the mean cross-entropy, without weight decay.
"""

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from prune_fair.types import Batch, Images, Logits, Params

Apply: TypeAlias = Callable[[Params, Images], Logits]


def mean_gradient(apply: Apply, params: Params, batches: Batch) -> Params:
    """Gradient of the mean loss over all images of the batches."""
    weights = jnp.full(batches.labels.shape, 1 / batches.labels.size)
    return weighted_gradient(apply, params, batches, weights)


def weighted_gradient(
    apply: Apply,
    params: Params,
    batches: Batch,
    weights: Float[Array, "batches n"],
) -> Params:
    """Gradient of the weighted sum of the images' losses, one batch after the other."""

    def loss(params: Params, batch: Batch, weights: Float[Array, " n"]) -> Float[Array, ""]:
        return (weights * image_losses(apply, params, batch)).sum()

    def add(total: Params, part: tuple[Batch, Array]):
        gradient = jax.grad(loss)(params, *part)
        return jax.tree.map(jnp.add, total, gradient), None

    zeros = jax.tree.map(jnp.zeros_like, params)
    return jax.lax.scan(add, zeros, (batches, weights))[0]


def mean_squared_gradient(apply: Apply, params: Params, batches: Batch) -> Params:
    """Mean over images of the square of each image's own gradient."""

    def loss(params: Params, image: Batch) -> Float[Array, ""]:
        return image_losses(apply, params, image)[0]

    def add(total: Params, image: Batch):
        gradient = jax.grad(loss)(params, image)
        return jax.tree.map(lambda t, g: t + g**2, total, gradient), None

    zeros = jax.tree.map(jnp.zeros_like, params)
    images = jax.tree.map(lambda leaf: leaf.reshape(-1, 1, *leaf.shape[2:]), batches)
    total = jax.lax.scan(add, zeros, images)[0]
    return jax.tree.map(lambda leaf: leaf / batches.labels.size, total)


def image_losses(apply: Apply, params: Params, batch: Batch) -> Float[Array, " n"]:
    """Cross-entropy of each image of one batch."""
    logits = apply(params, batch.images)
    return optax.softmax_cross_entropy_with_integer_labels(logits, batch.labels)
