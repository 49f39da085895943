"""Mask updates: how a mask changes while its network trains, as in dynamic sparse training.

An update keeps the number of weights: of each layer where it exchanges some, of what the scope
ranks together where it takes the mask anew. So masks are not nested here.
To add one, write it here and give it to a row of `TREATMENTS`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float

from prune_fair.pruning.masks import Prunable, full_mask, kernels, with_kernels
from prune_fair.pruning.selection import keep_top, unstructured
from prune_fair.types import Mask, Params, PRNGKey, Scores

Share: TypeAlias = Float[Array, ""]


class Training(NamedTuple):
    """What an update sees of a network in training.

    Attributes:
        params: of the network; removed ones are zero but where the update keeps them dense.
        mask: what remains.
        gradient: computes that of the training loss on the step's batch, at `params`, of all
            parameters, the removed ones too.
        key: of this update.
        layers: those that may be pruned.
        together: whether the scope ranks all layers together.
    """

    params: Params
    mask: Mask
    gradient: Callable[[], Params]
    key: PRNGKey
    layers: Sequence[str]
    together: bool


class MaskUpdate(NamedTuple):
    """What a row of `TREATMENTS` says of its updates.

    Attributes:
        next_mask: from a network in training and the share of its weights to drop to the next mask.
        until: share of the training's steps over which updates are spread.
        decays: whether the share to drop falls over these steps, as half a cosine to 0.
        keeps_dense: whether removed weights train on unseen and come back as they are then, or
            start at 0.
        at_intervals: whether an update comes every `mask_interval` steps, not `mask_updates` times.
        asks_scope: whether it asks for `together`.
    """

    next_mask: Callable[[Training, Share], Mask]
    until: float = 1.0
    decays: bool = False
    keeps_dense: bool = False
    at_intervals: bool = False
    asks_scope: bool = False


def grown_at_random(training: Training, share: Share) -> Mask:
    """In each layer the smallest weights go, as many others come at random."""
    flat, unravel = ravel_pytree(training.params)
    worth = unravel(jax.random.uniform(training.key, flat.shape, flat.dtype))
    return _exchanged(training, worth, share)


def grown_by_gradient(training: Training, share: Share) -> Mask:
    """In each layer the smallest weights go, as many others of the largest gradients come."""
    return _exchanged(training, jax.tree.map(jnp.abs, training.gradient()), share)


def taken_anew(training: Training, share: Share) -> Mask:
    """The largest of all weights, as many as there were; `share` is not asked."""
    params, mask, layers = training.params, training.mask, training.layers
    kept = jnp.stack([jnp.sum(kernel, dtype=jnp.int32) for kernel in kernels(mask, layers)])
    kept = kept.sum(keepdims=True, dtype=jnp.int32) if training.together else kept
    magnitudes = jax.tree.map(jnp.abs, params)
    return unstructured(magnitudes, full_mask(params), Prunable(layers, None), kept)


def exchange(
    weights: Float[Array, "*shape"],
    kept: Bool[Array, "*shape"],
    worth: Float[Array, "*shape"],
    share: Share,
) -> Bool[Array, "*shape"]:
    """The mask of a layer after this share of its weights, rounded down, was exchanged.

    The smallest weights are dropped; of all that are out then, the dropped ones too, those of the
    highest worth come. Of equal ones the first by index.

    Source: Evci et al. 2020, arXiv 1911.11134, algorithm 1.

    Example:
        >>> weights, worth = jnp.array([0.1, 3.0, 2.0, 0.0, 0.0]), jnp.arange(5.0)
        >>> exchange(weights, weights > 0, worth, jnp.float32(0.5)).tolist()
        [False, True, True, False, True]
    """
    there = jnp.sum(kept, dtype=jnp.int32)
    dropped = jnp.floor(share * there).astype(jnp.int32)
    held = keep_top(jnp.abs(weights).ravel(), kept.ravel(), there - dropped)
    return (held | keep_top(worth.ravel(), ~held, dropped)).reshape(kept.shape)


def _exchanged(training: Training, worth: Scores, share: Share) -> Mask:
    mask, layers = training.mask, training.layers
    weights, kept, grown = (kernels(tree, layers) for tree in (training.params, mask, worth))
    parts = [exchange(*part, share) for part in zip(weights, kept, grown, strict=True)]
    return with_kernels(mask, layers, parts)
