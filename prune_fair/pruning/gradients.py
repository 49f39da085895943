"""Gradients of a network's loss over score batches, for the criteria that ask how the loss moves.

The loss is the mean over images of the one that the network is trained with, without weight decay.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from prune_fair.types import Batch, Network, Params, Scores


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


def products(params: Params, gradient: Params) -> Scores:
    """|w g|: the size of the first-order change without each weight."""
    return jax.tree.map(lambda w, g: jnp.abs(w * g), params, gradient)


def mean_squared_gradient(
    network: Network,
    params: Params,
    batches: Batch,
    weights: Float[Array, " images"] | None = None,
) -> Params:
    """Mean over images of the square of each image's own gradient, weighted where asked.

    The weights of all images of all batches add up to 1.
    """
    images_of_all = batches.labels.size
    weights = jnp.full(images_of_all, 1 / images_of_all) if weights is None else weights

    def loss(params: Params, image: Batch) -> Float[Array, ""]:
        return image_losses(network, params, image)[0]

    def add(total: Params, part: tuple[Batch, Array]):
        image, weight = part
        gradient = jax.grad(loss)(params, image)
        return jax.tree.map(lambda t, g: t + weight * g**2, total, gradient), None

    zeros = jax.tree.map(jnp.zeros_like, params)
    images = jax.tree.map(lambda leaf: leaf.reshape(-1, 1, *leaf.shape[2:]), batches)
    return jax.lax.scan(add, zeros, (images, weights))[0]


def image_losses(network: Network, params: Params, batch: Batch) -> Float[Array, " n"]:
    """The loss of each image of one batch."""
    return network.loss(network.apply(params, batch.images), batch)
