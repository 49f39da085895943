"""Selection: from scores to the next mask, for each granularity.

Every selection keeps only what the mask before it kept, so masks are nested over levels unless
they change in training too (`updates.py`). One quota ranks all layers together, a quota for each
layer ranks each by itself.
To add one, write it here and add its row to `GRANULARITIES`.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from prune_fair.pruning.channels import channel, channel_l2, channel_linf
from prune_fair.pruning.masks import Prunable, Quota, kernels, with_kernels
from prune_fair.types import Mask, Scores

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
    return with_kernels(mask, layers, parts)


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
    return with_kernels(mask, layers, [keep(*pair) for pair in pairs])


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


GRANULARITIES: dict[str, Granularity] = {
    "unstructured": Granularity(unstructured),
    "channel": Granularity(channel, channels=True),
    "channel_l2": Granularity(channel_l2, channels=True),
    "channel_linf": Granularity(channel_linf, channels=True),
    "2:4": Granularity(two_of_four, block=(2, 4)),
    "4:8": Granularity(four_of_eight, block=(4, 8)),
}
