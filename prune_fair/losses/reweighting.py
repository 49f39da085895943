"""Losses in which rare classes, or images that are wrong, count for more."""

import math

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from prune_fair.losses.loss import Labelled, PerImage, State
from prune_fair.types import Logits


def cross_entropy(logits: Logits, batch: Labelled, state: State) -> tuple[PerImage, State]:
    """Cross-entropy of the softmax: every image counts alike.

    Source: `optax.softmax_cross_entropy`.
    """
    labels = jax.nn.one_hot(batch.labels, logits.shape[1])  # its gradient is no scatter
    return optax.softmax_cross_entropy(logits, labels), state


def inverse_frequency(logits: Logits, batch: Labelled, state: State) -> tuple[PerImage, State]:
    """Cross-entropy, each image divided by how common its class is: classes count alike.

    Source: `sklearn.utils.class_weight.compute_class_weight`, "balanced": the weights' mean over
    the training images is 1.
    """
    counts = jnp.asarray(batch.class_counts, logits.dtype)
    there = (counts > 0).sum()
    return _weighted(logits, batch, state, counts.sum() / (there * jnp.maximum(counts, 1)))


def class_balanced(
    logits: Logits, batch: Labelled, state: State, beta: float
) -> tuple[PerImage, State]:
    """Cross-entropy, each class weighted by (1 - beta) / (1 - beta^n) of its n training images.

    Source: Cui et al. 2019, arXiv 1901.05555, the effective number of samples; the weights of the
    classes that have images have the mean 1. With beta 0 it is cross-entropy, towards 1
    `inverse_frequency` but for the weights' mean.
    """
    counts = jnp.asarray(batch.class_counts, logits.dtype)
    there = counts > 0
    # 1 - beta^n, without its rounding where beta is near 1
    covered = -jnp.expm1(counts * (math.log(beta) if beta else -math.inf))
    weights = jnp.where(there, 1 / jnp.where(there, covered, 1), 0)
    return _weighted(logits, batch, state, weights * there.sum() / weights.sum())


def balanced_softmax(logits: Logits, batch: Labelled, state: State) -> tuple[PerImage, State]:
    """Cross-entropy after the logarithm of each class's training images is added to its logit.

    What is learned then are logits for classes of equal sizes. A class without a training image is
    never the likeliest in training and has no part in it.

    Source: Ren et al. 2020, arXiv 2007.10740.
    """
    counts = jnp.asarray(batch.class_counts, logits.dtype)
    prior = jnp.where(counts > 0, jnp.log(jnp.maximum(counts, 1)), jnp.finfo(logits.dtype).min / 2)
    return cross_entropy(logits + prior[None], batch, state)


def logit_adjustment(
    logits: Logits, batch: Labelled, state: State, tau: float
) -> tuple[PerImage, State]:
    """Cross-entropy after tau times the logarithm of each class's share is added to its logit.

    Source: Menon et al. 2021, arXiv 2007.07314, equation 10. With tau 0 it is cross-entropy, with
    tau 1 `balanced_softmax`. A class without a training image counts as one of half an image.
    """
    counts = jnp.maximum(jnp.asarray(batch.class_counts, logits.dtype), 0.5)
    return cross_entropy(logits + tau * jnp.log(counts / counts.sum())[None], batch, state)


def ldam(logits: Logits, batch: Labelled, state: State, margin: float) -> tuple[PerImage, State]:
    """Cross-entropy after a margin is taken off the true class's logit, the larger the rarer it is.

    Source: Cao et al. 2019, arXiv 1906.07413: margins go with n^(-1/4) of a class's n training
    images, the largest is `margin`. Theirs are of cosines times 30, of an output layer whose
    weights and inputs are normalised, and weights of classes follow late in training; ours are of
    the logits as they are, without these weights. With a margin of 0 it is cross-entropy.
    """
    counts = jnp.maximum(jnp.asarray(batch.class_counts, logits.dtype), 1)
    margins = counts**-0.25
    own = jax.nn.one_hot(batch.labels, logits.shape[1])
    return cross_entropy(logits - own * margin * (margins / margins.max())[None], batch, state)


def focal(logits: Logits, batch: Labelled, state: State, gamma: float) -> tuple[PerImage, State]:
    """Cross-entropy times (1 - p)^gamma: less of it for images that are nearly right.

    Source: Lin et al. 2017, arXiv 1708.02002, without their weights of classes. With gamma 0 it is
    cross-entropy.
    """
    losses, state = cross_entropy(logits, batch, state)
    return jnp.maximum(-jnp.expm1(-losses), jnp.finfo(logits.dtype).tiny) ** gamma * losses, state


def _weighted(
    logits: Logits, batch: Labelled, state: State, weights: Float[Array, " classes"]
) -> tuple[PerImage, State]:
    losses, state = cross_entropy(logits, batch, state)
    own = jax.nn.one_hot(batch.labels, logits.shape[1])
    return losses * (own @ weights), state
