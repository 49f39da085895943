"""Masks: boolean trees of the full parameter structure, True where a parameter remains."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from prune_fair.types import Mask, Params, leaves_by_path

Flat: TypeAlias = dict[str, Any]  # arrays, or their shapes


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


def removed_weights(mask: Mask, layers: Sequence[str]) -> Int[Array, " layers"]:
    """How many weights of each layer's kernel are removed.

    Example:
        >>> mask = {"dense_0": {"kernel": jnp.array([[True, False, False]])}}
        >>> removed_weights(mask, ["dense_0"])
        Array([2], dtype=int32)
    """
    return jnp.stack([removed_parameters(kernel) for kernel in kernels(mask, layers)])


def removed_parameters(mask: Mask) -> Int[Array, ""]:
    """How many of all parameters, biases included, are removed.

    Example:
        >>> int(removed_parameters({"kernel": jnp.array([True, False, False])}))
        2
    """
    return jnp.stack([jnp.sum(~leaf, dtype=jnp.int32) for leaf in jax.tree.leaves(mask)]).sum()
