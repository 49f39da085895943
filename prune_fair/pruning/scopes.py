"""Scopes: how many weights remain at a sparsity, of all layers together or of each.

A scope is a pure function from the shapes of the prunable kernels and a sparsity to quotas: one
number where all layers are ranked together, one for each layer otherwise. To add one, write it here
and add its row to `SCOPES`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Int

from prune_fair.errors import InputError, check

Shapes: TypeAlias = Mapping[str, Sequence[int]]  # of kernels, by layer in forward order
Scope: TypeAlias = Callable[[Shapes, float], list[int]]


def together(shapes: Shapes, sparsity: float) -> list[int]:
    """All layers are ranked together.

    Source: `torch.nn.utils.prune.global_unstructured`.
    """
    return [_kept(sum(map(math.prod, shapes.values())), sparsity)]


def layerwise(shapes: Shapes, sparsity: float) -> list[int]:
    """Every layer is ranked by itself, to the same sparsity.

    Source: `torch.nn.utils.prune.l1_unstructured` layer by layer.
    """
    return [_kept(math.prod(shape), sparsity) for shape in shapes.values()]


def erk(shapes: Shapes, sparsity: float) -> list[int]:
    """Every layer by itself, denser the fewer weights it has for its size (Erdős–Rényi-kernel).

    A layer's density is in proportion to (sum of its kernel's dimensions) / (product of them);
    layers that this would fill beyond 1 stay dense, and the others make up for it.

    Source: Evci et al. 2020, arXiv 1911.11134, and its code.
    """
    sizes = np.array([math.prod(shape) for shape in shapes.values()])
    dimensions = np.array([sum(shape) for shape in shapes.values()], float)
    kept, full = (1 - sparsity) * sizes.sum(), np.zeros(len(sizes), bool)
    while True:
        scale = (kept - sizes[full].sum()) / max(dimensions[~full].sum(), 1)
        wanted = np.where(full, sizes, scale * dimensions)
        if not (wanted > sizes).any():
            return [round(number) for number in wanted]
        full |= wanted > sizes


SCOPES: dict[str, Scope] = {
    "global": together,
    "layerwise": layerwise,
    "erk": erk,
}
BY_HAND = "LAYER=SPARSITY,..."


def by_hand(scope: str) -> dict[str, float] | None:
    """The layers' sparsities where a scope spells them out; None where it is a row of `SCOPES`.

    Raises:
        InputError: for a sparsity that is no number in [0, 1), or a layer named twice.

    Example:
        >>> by_hand("conv_0=0.5,dense_0=0.9")
        {'conv_0': 0.5, 'dense_0': 0.9}
    """
    if "=" not in scope:
        return None
    sparsities = {}
    for part in scope.split(","):
        layer, _, text = part.partition("=")
        try:
            sparsity = float(text)
        except ValueError:
            sparsity = math.nan
        if not (layer and 0 <= sparsity < 1 and layer not in sparsities):
            raise InputError(
                f"scope {scope!r}, at {part!r}: expected LAYER=SPARSITY, each layer once, sparsity "
                "in [0, 1)"
            )
        sparsities[layer] = sparsity
    return sparsities


def quota(
    scope: str, sparsity: float, shapes: Shapes, last_sparsity: float | None = None
) -> Int[np.ndarray, " quotas"]:
    """How many weights remain at a level's sparsity: of all layers together, or of each.

    Sparsities by hand are those of the last level; on the way there each layer loses in every level
    a share of its weights that goes with the schedule's. `sparsity` then only says how far the way
    has come: what the masks really have is measured.

    Args:
        scope: a row of `SCOPES`, or sparsities by hand.
        sparsity: fraction of the weights to remove, in [0, 1).
        shapes: of the prunable layers' kernels, in forward order.
        last_sparsity: of the schedule's last level; None for `sparsity`.

    Raises:
        InputError: for sparsities by hand of layers that are not there.

    Example:
        >>> shapes = {"a": (10, 10), "b": (5, 5)}
        >>> quota("layerwise", 0.9, shapes), quota("global", 0.9, shapes)
        (array([10,  3], dtype=int32), array([13], dtype=int32))
    """
    hand = by_hand(scope)
    if hand is None:
        return np.array(SCOPES[scope](shapes, sparsity), np.int32)
    check(
        hand.keys() <= shapes.keys(),
        f"scope {scope!r}: no prunable layer {', '.join(sorted(hand.keys() - shapes.keys()))}; "
        f"expected some of {', '.join(shapes)}",
    )
    last = sparsity if last_sparsity is None else last_sparsity
    way = math.log1p(-sparsity) / math.log1p(-last) if last > 0 else 1.0
    densities = [(1 - hand.get(layer, 0.0)) ** way for layer in shapes]
    sizes = map(math.prod, shapes.values())
    return np.array([_kept(n, 1 - d) for n, d in zip(sizes, densities, strict=True)], np.int32)


def _kept(size: int, sparsity: float) -> int:
    """As torch counts: what is removed is rounded, half to even."""
    return size - round(sparsity * size)
