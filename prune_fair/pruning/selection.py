"""Selection: from scores to the next mask, for each granularity and scope.

Every selection keeps only what the mask before it kept, so masks are nested over levels.
To add one, write it here and add its row to `SELECTIONS`.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from prune_fair.pruning.masks import flatten, kernels, unflatten
from prune_fair.types import Mask, Scores

NORM_SUFFIX = "_norm"

Quota: TypeAlias = Int[Array, " quotas"]
Selection: TypeAlias = Callable[[Scores, Mask, Sequence[str], Quota], Mask]


def quota(scope: str, sparsity: float, sizes: Sequence[int]) -> Int[np.ndarray, " quotas"]:
    """How many weights remain at a sparsity: of all layers together, or of each where layerwise.

    Args:
        scope: `global` or `layerwise`.
        sparsity: fraction of the weights to remove, in [0, 1).
        sizes: number of weights of each prunable layer.

    Example:
        >>> quota("layerwise", 0.9, [100, 25]), quota("global", 0.9, [100, 25])
        (array([10,  3], dtype=int32), array([13], dtype=int32))
    """
    totals = sizes if scope == "layerwise" else [sum(sizes)]
    return np.array([total - round(sparsity * total) for total in totals], np.int32)


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


def _ordered_bits(scores: Float[Array, " n"], alive: Bool[Array, " n"]) -> UInt32[Array, " n"]:
    """Integers in the order of the scores; 0 for the dead, 1 for NaN.

    Works on the bits alone: comparisons of floats would take the smallest ones for zeros.
    """
    sign, infinity = jnp.uint32(1 << 31), jnp.uint32(0x7F800000)
    bits = jax.lax.bitcast_convert_type(scores.astype(jnp.float32), jnp.uint32)
    bits = jnp.where(bits == sign, jnp.uint32(0), bits)  # -0.0 equals 0.0
    order = jnp.where(bits >= sign, ~bits, bits | sign)
    order = jnp.where((bits & ~sign) > infinity, jnp.uint32(1), order)
    return jnp.where(alive, order, jnp.uint32(0))


def unstructured_global(scores: Scores, mask: Mask, layers: Sequence[str], kept: Quota) -> Mask:
    """The highest single weights of all layers together.

    Source: `torch.nn.utils.prune.global_unstructured`.
    """
    alive = kernels(mask, layers)
    flat_scores = jnp.concatenate([kernel.ravel() for kernel in kernels(scores, layers)])
    flat_alive = jnp.concatenate([kernel.ravel() for kernel in alive])
    chosen = keep_top(flat_scores, flat_alive, kept[0])
    parts = jnp.split(chosen, np.cumsum([kernel.size for kernel in alive])[:-1])
    return _with_kernels(mask, layers, parts)


def unstructured_layerwise(scores: Scores, mask: Mask, layers: Sequence[str], kept: Quota) -> Mask:
    """The highest single weights of each layer, the same sparsity in every layer.

    Source: `torch.nn.utils.prune.l1_unstructured` layer by layer.
    """
    pairs = zip(kernels(scores, layers), kernels(mask, layers), strict=True)
    parts = [keep_top(s.ravel(), alive.ravel(), kept[i]) for i, (s, alive) in enumerate(pairs)]
    return _with_kernels(mask, layers, parts)


def _with_kernels(mask: Mask, layers: Sequence[str], parts: Sequence[Array]) -> Mask:
    flat = flatten(mask)
    for layer, part in zip(layers, parts, strict=True):
        flat[f"{layer}/kernel"] = part.reshape(flat[f"{layer}/kernel"].shape)
    return unflatten(flat, mask)


def channel_global(scores: Scores, mask: Mask, layers: Sequence[str], kept: Quota) -> Mask:
    """The highest output channels of all layers together, by mean score over a channel's weights.

    Source: Li et al. 2017, arXiv 1608.08710, for the L1 norm of a channel; the mean makes layers
    of different fan-in comparable, as in Torch-Pruning.
    """
    worth = _channel_worth(scores, mask, layers)
    return _keep_channels(worth, mask, layers, kept)


def channel_layerwise(scores: Scores, mask: Mask, layers: Sequence[str], kept: Quota) -> Mask:
    """The highest output channels of each layer, the same fraction of channels in every layer.

    Source: `torch.nn.utils.prune.ln_structured` with n=1, layer by layer.
    """
    ranks = [jnp.argsort(jnp.argsort(-worth)) for worth in _channel_worth(scores, mask, layers)]
    shares = [1 - rank.astype(jnp.float32) / len(rank) for rank in ranks]
    return _keep_channels(shares, mask, layers, kept)


def _channel_worth(scores: Scores, mask: Mask, layers: Sequence[str]) -> list[Array]:
    """Mean score over the remaining weights of each output channel; -inf where none remains."""

    def worth(scores: Array, alive: Array) -> Array:
        weights = tuple(range(alive.ndim - 1))
        count = jnp.sum(alive, axis=weights, dtype=jnp.int32)
        mean = jnp.sum(jnp.where(alive, scores, 0), axis=weights) / jnp.maximum(count, 1).astype(
            scores.dtype
        )
        return jnp.where(count > 0, jnp.nan_to_num(mean, nan=jnp.finfo(mean.dtype).min), -jnp.inf)

    pairs = zip(kernels(scores, layers), kernels(mask, layers), strict=True)
    return [worth(*pair) for pair in pairs]


def _keep_channels(worth: list[Array], mask: Mask, layers: Sequence[str], kept: Quota) -> Mask:
    """Keeps as many of the best channels as leave nearest to `kept` weights in these layers."""
    flat_worth = jnp.concatenate(worth)
    best_first = jnp.argsort(-flat_worth)
    width = [len(channels) for channels in worth]
    layer_of = np.repeat(np.arange(len(width)), width)[:, None] == np.arange(len(width))
    channels = jnp.cumsum(jnp.asarray(layer_of, jnp.int32)[best_first], axis=0)
    channels = jnp.pad(channels, ((1, 0), (0, 0)))  # by number kept, 0 included: kept in each layer
    sizes = [kernel.size for kernel in kernels(mask, layers)]
    count = jnp.argmin(jnp.abs(_weights(channels, width, sizes) - kept.sum()))
    rank = jnp.argsort(best_first)
    chosen = (rank < count) & jnp.isfinite(flat_worth)
    return _remove_channels(mask, layers, jnp.split(chosen, np.cumsum(width)[:-1]))


def _weights(channels: Array, width: list[int], sizes: list[int]) -> Int[Array, " numbers"]:
    """Weights left in a chain of layers that keep so many channels: their kept inputs count."""
    inputs = jnp.pad(channels[:, :-1], ((0, 0), (1, 0)), constant_values=1)
    pairs = np.array([1, *width[:-1]]) * np.array(width)
    return (inputs * channels) @ jnp.asarray(np.array(sizes) // pairs, jnp.int32)


def _remove_channels(mask: Mask, layers: Sequence[str], chosen: Sequence[Array]) -> Mask:
    """Removes channels whole: kernel, bias, and the weights of the next layer that read them.

    A layer's BatchNorm is named after it, "conv_0_norm"; without scale and shift a removed channel
    is zero behind it too. The layer after the last of `layers` is found as the one layer whose
    kernel is not among them.
    """
    flat = flatten(mask)
    outputs = dict(zip(layers, chosen, strict=True))
    (output_layer,) = {p.removesuffix("/kernel") for p in flat if p.endswith("/kernel")} - {*layers}
    inputs = dict(zip([*layers[1:], output_layer], chosen, strict=True))
    for path, leaf in flat.items():
        layer, _, name = path.rpartition("/")
        writer = layer.removesuffix(NORM_SUFFIX)
        if writer in outputs:
            flat[path] = leaf & jnp.broadcast_to(outputs[writer], leaf.shape)
        if name == "kernel" and layer in inputs:
            readers = jnp.tile(inputs[layer], leaf.shape[-2] // len(inputs[layer]))
            flat[path] = flat[path] & jnp.broadcast_to(readers[:, None], leaf.shape)
    return unflatten(flat, mask)


SELECTIONS: dict[tuple[str, str], Selection] = {
    ("unstructured", "global"): unstructured_global,
    ("unstructured", "layerwise"): unstructured_layerwise,
    ("channel", "global"): channel_global,
    ("channel", "layerwise"): channel_layerwise,
}
GRANULARITIES = tuple(dict.fromkeys(granularity for granularity, _ in SELECTIONS))
SCOPES = tuple(dict.fromkeys(scope for _, scope in SELECTIONS))
