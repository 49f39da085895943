"""Gradients of a network's loss over score batches, for the criteria that ask how the loss moves.

The loss is the mean over images of the one that the network is trained with, without weight decay.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from prune_fair.types import Batch, Network, Params


def mean_gradient(network: Network, params: Params, batches: Batch) -> Params:
    """Gradient of the mean loss over all images of the batches."""
    weights = jnp.full(batches.labels.shape, 1 / batches.labels.size)
    return weighted_gradient(network, params, batches, weights)


def weighted_gradient(
    network: Network,
    params: Params,
    batches: Batch,
    weights: Float[Array, "batches n"],
) -> Params:
    """Gradient of the weighted sum of the images' losses, one batch after the other."""

    def loss(params: Params, batch: Batch, weights: Float[Array, " n"]) -> Float[Array, ""]:
        return (weights * image_losses(network, params, batch)).sum()

    def add(total: Params, part: tuple[Batch, Array]):
        gradient = jax.grad(loss)(params, *part)
        return jax.tree.map(jnp.add, total, gradient), None

    zeros = jax.tree.map(jnp.zeros_like, params)
    return jax.lax.scan(add, zeros, (batches, weights))[0]


def mean_squared_gradient(network: Network, params: Params, batches: Batch) -> Params:
    """Mean over images of the square of each image's own gradient."""

    def loss(params: Params, image: Batch) -> Float[Array, ""]:
        return image_losses(network, params, image)[0]

    def add(total: Params, image: Batch):
        gradient = jax.grad(loss)(params, image)
        return jax.tree.map(lambda t, g: t + g**2, total, gradient), None

    zeros = jax.tree.map(jnp.zeros_like, params)
    images = jax.tree.map(lambda leaf: leaf.reshape(-1, 1, *leaf.shape[2:]), batches)
    total = jax.lax.scan(add, zeros, images)[0]
    return jax.tree.map(lambda leaf: leaf / batches.labels.size, total)


def image_losses(network: Network, params: Params, batch: Batch) -> Float[Array, " n"]:
    """The loss of each image of one batch."""
    return network.loss(network.apply(params, batch.images), batch)
