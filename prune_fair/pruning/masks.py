"""Masks: boolean trees of the full parameter structure, True where a parameter remains."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from prune_fair.types import Mask, Params, leaves_by_path

Flat: TypeAlias = dict[str, Any]  # arrays, or their shapes
Quota: TypeAlias = Int[Array, " quotas"]  # weights that remain: of all layers, or of each


class Prunable(NamedTuple):
    """Layers that follow each other in forward order, and the one that reads the last of them."""

    layers: Sequence[str]
    reader: str | None


def full_mask(params: Params) -> Mask:
    """Nothing removed.

    Example:
        >>> full_mask({"kernel": jnp.zeros(2)})["kernel"].tolist()
        [True, True]
    """
    return jax.tree.map(lambda leaf: jnp.ones(leaf.shape, bool), params)


def apply_mask(params: Params, mask: Mask) -> Params:
    """The parameters with the removed ones at zero.

    Example:
        >>> apply_mask({"kernel": jnp.ones(2)}, {"kernel": jnp.array([True, False])})["kernel"]
        Array([1., 0.], dtype=float32)
    """
    return jax.tree.map(lambda leaf, kept: jnp.where(kept, leaf, 0), params, mask)


def unflatten(flat: Flat, like: PyTree) -> PyTree:
    """The tree of `like`'s structure with the leaves of `flat`."""
    return jax.tree.unflatten(
        jax.tree.structure(like), [flat[path] for path in leaves_by_path(like)]
    )


def kernels(tree: PyTree, layers: Sequence[str]) -> list[Any]:
    """The kernels of these layers, in their order.

    Example:
        >>> params = {"dense_0": {"bias": jnp.zeros(2), "kernel": jnp.ones((3, 2))}}
        >>> [kernel.shape for kernel in kernels(params, ["dense_0"])]
        [(3, 2)]
    """
    flat = leaves_by_path(tree)
    return [flat[f"{layer}/kernel"] for layer in layers]


def with_kernels(mask: Mask, layers: Sequence[str], parts: Sequence[Array]) -> Mask:
    """The mask with other kernels of these layers, in any shape of as many elements."""
    flat = leaves_by_path(mask)
    for layer, part in zip(layers, parts, strict=True):
        flat[f"{layer}/kernel"] = part.reshape(flat[f"{layer}/kernel"].shape)
    return unflatten(flat, mask)
