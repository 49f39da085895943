"""Losses: what training minimises, and what gradients of criteria are taken of.

A loss is a pure function of a batch to one number for each of its images, whose mean is minimised.
To add one, write it here and add its row to `LOSSES`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from prune_fair.types import Logits

State: TypeAlias = Any  # a tree of arrays that the loss carries from step to step; () without
PerImage: TypeAlias = Float[Array, " n"]
ImageLosses: TypeAlias = Callable[[Logits, Int[Array, " n"]], PerImage]


class Labelled(NamedTuple):
    """What a loss knows of a batch beside its logits.

    Attributes:
        labels: of the images, positions of the classes.
        groups: of the images; None as yet, as groups of training images do not reach the engine.
        class_counts: training images of each class.
    """

    labels: Int[Array, " n"]
    groups: Int[Array, " n"] | None
    class_counts: Int[Array, " classes"]


def stateless(classes: int) -> State:
    """No state."""
    return ()


class Loss(NamedTuple):
    """A row of `LOSSES`.

    Attributes:
        function: from logits, what else is known of the batch, and the state, to the images' losses
            and the next state.
        initial: from the number of classes to the state before the first step.

    Example:
        >>> logits, labels = jnp.zeros((1, 2)), jnp.array([1])
        >>> batch = Labelled(labels, None, jnp.array([3, 1]))
        >>> losses, _ = LOSSES["balanced_softmax"].function(logits, batch, ())
        >>> round(losses.item(), 3)
        1.386
    """

    function: Callable[[Logits, Labelled, State], tuple[PerImage, State]]
    initial: Callable[[int], State] = stateless


def cross_entropy(logits: Logits, batch: Labelled, state: State) -> tuple[PerImage, State]:
    """Cross-entropy of the softmax: every image counts alike.

    Source: `optax.softmax_cross_entropy`.
    """
    labels = jax.nn.one_hot(batch.labels, logits.shape[1])  # its gradient is no scatter
    return optax.softmax_cross_entropy(logits, labels), state


def balanced_softmax(logits: Logits, batch: Labelled, state: State) -> tuple[PerImage, State]:
    """Cross-entropy after the logarithm of each class's training images is added to its logit.

    What is learned then are logits for classes of equal sizes. A class without a training image is
    never the likeliest in training and has no part in it.

    Source: Ren et al. 2020, arXiv 2007.10740.
    """
    counts = jnp.asarray(batch.class_counts, logits.dtype)
    prior = jnp.where(counts > 0, jnp.log(jnp.maximum(counts, 1)), jnp.finfo(logits.dtype).min / 2)
    return cross_entropy(logits + prior[None], batch, state)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(cross_entropy),
    "balanced_softmax": Loss(balanced_softmax),
}
