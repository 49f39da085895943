"""Criteria that look at classes: what each of them needs, and which are badly off."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float

from prune_fair.pruning.gradients import mean_squared_gradient, products, weighted_gradient
from prune_fair.types import Batch, Network, PRNGKey, Scores

PRIVILEGED = 1 / 3  # how much the curvature of all other classes counts against a weight


def balanced_saliency(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """|w mean_c dL_c/dw|: undecayed saliency in which every class counts alike, however rare.

    Source: ours; the class-wise mean of gradients in the first-order score of `undecayed`. Classes
    without an image among the score batches do not count.
    """
    same = _same_class(batches)
    return _class_weighted(network, batches, 1 / same.sum(axis=1))


def worst_class_saliency(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """|w sum_c e_c dL_c/dw|: as balanced, each class weighted by how often it is mistaken now.

    Source: ours. e_c = (mistakes + 1) / (images + 2) of the class among the score batches, as
    Laplace estimates, is above zero even where the network makes no mistake.
    """
    same = _same_class(batches)
    return _class_weighted(network, batches, _error(network, batches, same) / same.sum(axis=1))


def class_share(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """mean_c |w dL_c/dw| / sum_v |v dL_c/dv|: the mean over classes of the weight's share of each.

    Every class so keeps about the same share of what its own loss hangs on.

    Source: after Lin et al. 2022, arXiv 2207.10888, FairGRAPE, who keep the groups' shares of
    importance as they were by a greedy choice of weight after weight; ours is the sum that such
    shares add up to, with classes as the groups. Classes without an image count for nothing.
    """
    return _over_classes(network, batches, lambda total, own: total + own / _positive(own.sum()))


def class_quota(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """max_c of the weight's rank by |w dL_c/dw|: kept are the best of each class, as many of each.

    Source: ours; a quota for each class where one ranking would let common classes take all.
    """

    def rank(total: Array, own: Array) -> Array:
        order = jnp.argsort(jnp.argsort(own))
        return jnp.maximum(total, jnp.where(own.sum() > 0, order / own.size, 0))

    return _over_classes(network, batches, rank)


def fisher_difference(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """w^2 (F_worst - F_others / 3) / 2: what the worst class needs more than the others do.

    Source: after Wu et al. 2022, arXiv 2203.02110, FairPrune, the difference of second-order
    saliencies of an unprivileged and a privileged group with their factor of 1/3; here the
    unprivileged group is the class that is most often mistaken among the score batches (Laplace's
    estimate, as in `worst_class_saliency`), and curvature is the diagonal Fisher matrix.
    """
    same = _same_class(batches)
    error = _error(network, batches, same)
    worst = same[error.argmax()].astype(jnp.float32)
    privileged = 1 - worst
    weights = worst / worst.sum() - PRIVILEGED * privileged / jnp.maximum(privileged.sum(), 1)
    curvature = mean_squared_gradient(network, network.params, batches, weights)
    return jax.tree.map(lambda w, f: w**2 * f / 2, network.params, curvature)


def _error(
    network: Network, batches: Batch, same: Bool[Array, "images images"]
) -> Float[Array, " images"]:
    """Of each image's class how often it is mistaken, by Laplace's estimate."""

    def mistakes(_: None, batch: Batch) -> tuple[None, Bool[Array, " n"]]:
        logits = network.apply(network.params, batch.images)
        return None, logits.argmax(axis=1) != batch.labels

    mistaken = jax.lax.scan(mistakes, None, batches)[1].ravel()
    return ((same & mistaken[None]).sum(axis=1) + 1) / (same.sum(axis=1) + 2)


def _over_classes(network: Network, batches: Batch, add: Callable[[Array, Array], Array]) -> Scores:
    """What is gathered over classes of |w dL_c/dw|, one class's mean loss after the other."""
    first = batches.images.reshape(-1, *batches.images.shape[2:])[:1]
    classes = jax.eval_shape(network.apply, network.params, first).shape[1]
    flat, unravel = ravel_pytree(network.params)

    def one(total: Array, label: Array) -> tuple[Array, None]:
        own = (batches.labels == label).astype(flat.dtype)
        gradient = weighted_gradient(network, network.params, batches, own / _positive(own.sum()))
        return add(total, ravel_pytree(products(network.params, gradient))[0]), None

    return unravel(jax.lax.scan(one, jnp.zeros_like(flat), jnp.arange(classes))[0])


def _positive(value: Array) -> Array:
    """The value, or 1 in place of 0: to divide by."""
    return jnp.where(value > 0, value, 1)


def _same_class(batches: Batch) -> Bool[Array, "images images"]:
    labels = batches.labels.ravel()
    return labels[:, None] == labels[None]


def _class_weighted(network: Network, batches: Batch, weights: Float[Array, " images"]) -> Scores:
    weights = (weights / weights.sum()).reshape(batches.labels.shape)
    gradient = weighted_gradient(network, network.params, batches, weights)
    return products(network.params, gradient)
