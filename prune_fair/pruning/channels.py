"""Selection of whole output channels, and of what reads them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from prune_fair.pruning.masks import Prunable, Quota, kernels, unflatten
from prune_fair.types import Mask, Scores, leaves_by_path

NORM_SUFFIX = "_norm"

Norm: TypeAlias = Callable[[Array, Array, tuple[int, ...]], Array]  # of scores, where, over axes


def channel(scores: Scores, mask: Mask, prunable: Prunable, kept: Quota) -> Mask:
    """Output channels, those of the highest mean score (L1 norm).

    Source: Li et al. 2017, arXiv 1608.08710, and `torch.nn.utils.prune.ln_structured` with n=1. The
    mean makes layers of different fan-in comparable, as in Torch-Pruning.
    """

    def norm(scores: Array, alive: Array, axes: tuple[int, ...]) -> Array:
        return jnp.mean(scores, axes, where=alive)

    return _channels(norm, scores, mask, prunable, kept)


def channel_l2(scores: Scores, mask: Mask, prunable: Prunable, kept: Quota) -> Mask:
    """Output channels, those of the highest root mean squared score (L2 norm).

    Source: `torch.nn.utils.prune.ln_structured` with n=2, the mean as in `channel`. Scores below
    zero, which norms do not know, count as zero.
    """

    def norm(scores: Array, alive: Array, axes: tuple[int, ...]) -> Array:
        return jnp.sqrt(jnp.mean(jnp.maximum(scores, 0) ** 2, axes, where=alive))

    return _channels(norm, scores, mask, prunable, kept)


def channel_linf(scores: Scores, mask: Mask, prunable: Prunable, kept: Quota) -> Mask:
    """Output channels, those of the highest single score (L-infinity norm).

    Source: `torch.nn.utils.prune.ln_structured` with n=inf.
    """

    def norm(scores: Array, alive: Array, axes: tuple[int, ...]) -> Array:
        return jnp.max(scores, axes, where=alive, initial=-jnp.inf)

    return _channels(norm, scores, mask, prunable, kept)


def _channels(norm: Norm, scores: Scores, mask: Mask, prunable: Prunable, kept: Quota) -> Mask:
    """Ranks channels by a norm of their remaining weights' scores, and removes the last ones."""
    pairs = zip(kernels(scores, prunable.layers), kernels(mask, prunable.layers), strict=True)
    worth = [_channel_worth(norm, *pair) for pair in pairs]
    if len(kept) > 1:  # the same fraction of every layer's channels
        ranks = [jnp.argsort(jnp.argsort(-each)) for each in worth]
        finite = [jnp.isfinite(each) for each in worth]
        shares = [1 - rank.astype(jnp.float32) / len(rank) for rank in ranks]
        worth = [jnp.where(f, s, -jnp.inf) for f, s in zip(finite, shares, strict=True)]
    return _keep_channels(worth, mask, prunable, kept)


def _channel_worth(norm: Norm, scores: Array, alive: Array) -> Float[Array, " channels"]:
    """-inf where no weight of the channel remains; NaN ranks lowest of those that have some."""
    axes = tuple(range(alive.ndim - 1))
    value = norm(scores, alive, axes)
    lowest = jnp.finfo(value.dtype).min
    return jnp.where(alive.any(axes), jnp.nan_to_num(value, nan=lowest, neginf=lowest), -jnp.inf)


def _keep_channels(worth: list[Array], mask: Mask, prunable: Prunable, kept: Quota) -> Mask:
    """Keeps as many of the best channels as leave nearest to `kept` weights in these layers."""
    flat_worth = jnp.concatenate(worth)
    best_first = jnp.argsort(-flat_worth)
    width = [len(channels) for channels in worth]
    layer_of = np.repeat(np.arange(len(width)), width)[:, None] == np.arange(len(width))
    channels = jnp.cumsum(jnp.asarray(layer_of, jnp.int32)[best_first], axis=0)
    channels = jnp.pad(channels, ((1, 0), (0, 0)))  # by number kept, 0 included: kept in each layer
    sizes = [kernel.size for kernel in kernels(mask, prunable.layers)]
    count = jnp.argmin(jnp.abs(_weights(channels, width, sizes) - kept.sum()))
    rank = jnp.argsort(best_first)
    chosen = (rank < count) & jnp.isfinite(flat_worth)
    return _remove_channels(mask, prunable, jnp.split(chosen, np.cumsum(width)[:-1]))


def _weights(channels: Array, width: list[int], sizes: list[int]) -> Int[Array, " numbers"]:
    """Weights left in a chain of layers that keep so many channels: their kept inputs count."""
    inputs = jnp.pad(channels[:, :-1], ((0, 0), (1, 0)), constant_values=1)
    pairs = np.array([1, *width[:-1]]) * np.array(width)
    return (inputs * channels) @ jnp.asarray(np.array(sizes) // pairs, jnp.int32)


def _remove_channels(mask: Mask, prunable: Prunable, chosen: Sequence[Array]) -> Mask:
    """Removes channels whole: kernel, bias, and the weights of the next layer that read them.

    A layer's BatchNorm is named after it, "conv_0_norm"; without scale and shift a removed channel
    is zero behind it too.
    """
    flat = leaves_by_path(mask)
    outputs = dict(zip(prunable.layers, chosen, strict=True))
    inputs = dict(zip([*prunable.layers[1:], prunable.reader], chosen, strict=True))
    for path, leaf in flat.items():
        layer, _, name = path.rpartition("/")
        writer = layer.removesuffix(NORM_SUFFIX)
        if writer in outputs:
            flat[path] = leaf & jnp.broadcast_to(outputs[writer], leaf.shape)
        if name == "kernel" and layer in inputs:
            readers = jnp.tile(inputs[layer], leaf.shape[-2] // len(inputs[layer]))
            flat[path] = flat[path] & jnp.broadcast_to(readers[:, None], leaf.shape)
    return unflatten(flat, mask)
