"""Selection: from scores to the next mask, for each granularity.

Every selection keeps only what the mask before it kept, so masks are nested over levels. One quota
ranks all layers together, a quota for each layer ranks each by itself.
To add one, write it here and add its row to `GRANULARITIES`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from prune_fair.pruning.masks import kernels, unflatten
from prune_fair.types import Mask, Scores, leaves_by_path

NORM_SUFFIX = "_norm"

Quota: TypeAlias = Int[Array, " quotas"]


class Prunable(NamedTuple):
    """Layers that follow each other in forward order, and the one that reads the last of them."""

    layers: Sequence[str]
    reader: str | None


Selection: TypeAlias = Callable[[Scores, Mask, Prunable, Quota], Mask]


class Granularity(NamedTuple):
    """A row of `GRANULARITIES`.

    Attributes:
        select: from scores, the mask before, what may be pruned and quotas to the next mask.
        channels: whether whole output channels go.
        block: n and m where n of every m weights stay at any sparsity; None where a quota says how
            many stay.

    Example:
        >>> GRANULARITIES["2:4"].block, GRANULARITIES["channel"].channels
        ((2, 4), True)
    """

    select: Selection
    channels: bool = False
    block: tuple[int, int] | None = None


Norm: TypeAlias = Callable[[Array, Array, tuple[int, ...]], Array]  # of scores, where, over axes


def keep_top(
    scores: Float[Array, " n"], alive: Bool[Array, " n"], kept: Int[Array, ""]
) -> Bool[Array, " n"]:
    """Exactly the `kept` highest scores among those alive; of equal ones the first by index.

    NaN ranks lowest. Where fewer than `kept` are alive, all of them are kept. The threshold is
    found bit by bit, so that `kept` may be traced and differ between the members of a population.

    Example:
        >>> keep_top(jnp.array([1.0, 3.0, 3.0, 3.0]), jnp.ones(4, bool), jnp.int32(2)).tolist()
        [False, True, True, False]
    """
    order = _ordered_bits(scores, alive)

    def add_bit(step: Array, threshold: Array) -> Array:
        raised = threshold | (jnp.uint32(1) << (31 - step).astype(jnp.uint32))
        enough = jnp.sum(order >= raised, dtype=jnp.int32) >= kept
        return jnp.where(enough, raised, threshold)

    threshold = jax.lax.fori_loop(0, 32, add_bit, jnp.uint32(0))
    above, tied = order > threshold, order == threshold
    room = kept - jnp.sum(above, dtype=jnp.int32)
    return alive & (above | (tied & (jnp.cumsum(tied, dtype=jnp.int32) <= room)))


def _ordered_bits(
    scores: Float[Array, "*shape"], alive: Bool[Array, "*shape"]
) -> UInt32[Array, "*shape"]:
    """Integers in the order of the scores; 0 for the dead, 1 for NaN.

    Works on the bits alone: comparisons of floats would take the smallest ones for zeros.
    """
    sign, infinity = jnp.uint32(1 << 31), jnp.uint32(0x7F800000)
    bits = jax.lax.bitcast_convert_type(scores.astype(jnp.float32), jnp.uint32)
    bits = jnp.where(bits == sign, jnp.uint32(0), bits)  # -0.0 equals 0.0
    order = jnp.where(bits >= sign, ~bits, bits | sign)
    order = jnp.where((bits & ~sign) > infinity, jnp.uint32(1), order)
    return jnp.where(alive, order, jnp.uint32(0))


def unstructured(scores: Scores, mask: Mask, prunable: Prunable, kept: Quota) -> Mask:
    """Single weights, those of the highest scores.

    Source: `torch.nn.utils.prune.global_unstructured`, and `l1_unstructured` layer by layer.
    """
    layers = prunable.layers
    worth = [kernel.ravel() for kernel in kernels(scores, layers)]
    alive = [kernel.ravel() for kernel in kernels(mask, layers)]
    if len(kept) == 1:
        chosen = keep_top(jnp.concatenate(worth), jnp.concatenate(alive), kept[0])
        parts = jnp.split(chosen, np.cumsum([len(kernel) for kernel in alive])[:-1])
    else:
        parts = [keep_top(*each) for each in zip(worth, alive, kept, strict=True)]
    return _with_kernels(mask, layers, parts)


def n_of_m(scores: Scores, mask: Mask, prunable: Prunable, kept: Quota, *, n: int, m: int) -> Mask:
    """The n highest of every m consecutive inputs of an output channel; `kept` is not asked.

    Inputs are counted along the kernel's flattened leading axes. Of equal scores the first stays.
    """

    def keep(scores: Array, alive: Array) -> Array:
        groups = _ordered_bits(scores, alive).reshape(-1, m, alive.shape[-1])
        ours, others = groups[:, :, None], groups[:, None]
        earlier = (np.arange(m) < np.arange(m)[:, None])[None, :, :, None]
        rank = jnp.sum((others > ours) | ((others == ours) & earlier), axis=2)
        return alive & (rank < n).reshape(alive.shape)

    layers = prunable.layers
    pairs = zip(kernels(scores, layers), kernels(mask, layers), strict=True)
    return _with_kernels(mask, layers, [keep(*pair) for pair in pairs])


def two_of_four(scores: Scores, mask: Mask, prunable: Prunable, kept: Quota) -> Mask:
    """2 of every 4 consecutive inputs, at every level, whatever its sparsity.

    Source: Mishra et al. 2021, arXiv 2104.08378, which NVIDIA's sparse tensor cores run.
    """
    return n_of_m(scores, mask, prunable, kept, n=2, m=4)


def four_of_eight(scores: Scores, mask: Mask, prunable: Prunable, kept: Quota) -> Mask:
    """4 of every 8 consecutive inputs, at every level, whatever its sparsity.

    Source: Zhou et al. 2021, arXiv 2102.04010, n:m sparsity.
    """
    return n_of_m(scores, mask, prunable, kept, n=4, m=8)


def _with_kernels(mask: Mask, layers: Sequence[str], parts: Sequence[Array]) -> Mask:
    flat = leaves_by_path(mask)
    for layer, part in zip(layers, parts, strict=True):
        flat[f"{layer}/kernel"] = part.reshape(flat[f"{layer}/kernel"].shape)
    return unflatten(flat, mask)


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


GRANULARITIES: dict[str, Granularity] = {
    "unstructured": Granularity(unstructured),
    "channel": Granularity(channel, channels=True),
    "channel_l2": Granularity(channel_l2, channels=True),
    "channel_linf": Granularity(channel_linf, channels=True),
    "2:4": Granularity(two_of_four, block=(2, 4)),
    "4:8": Granularity(four_of_eight, block=(4, 8)),
}
