"""Names of the leaves of a tree that was handed over: each kernel at layer/kernel."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import jax
from jaxtyping import PyTree

Path: TypeAlias = tuple[str, ...]
PARAMS, KERNEL = "params", "kernel"


def named_paths(
    variables: PyTree, trained: Sequence[bool], kernels: Sequence[int]
) -> tuple[list[Path], tuple[str, ...]]:
    """Every leaf's path among ours, and the layers in forward order.

    As in Flax a layer's kernel is at layer/kernel: one that has another name gets it, if no other
    kernel is beside it, or else becomes a layer of its own.
    """
    flat = jax.tree_util.tree_leaves_with_path(variables)
    named = names_params(variables)
    paths = [
        _words(path[1:] if named and is_trained else path)
        for (path, _), is_trained in zip(flat, trained, strict=True)
    ]
    inside = [paths[at][:-1] for at in kernels]
    for at in kernels:
        path = paths[at]
        if path[-1] != KERNEL or len(path) == 1:
            folder = path[:-1]
            alone = bool(folder) and inside.count(folder) == 1 and (*folder, KERNEL) not in paths
            paths[at] = (*(folder if alone else path), KERNEL)
    return paths, tuple("/".join(paths[at][:-1]) for at in kernels)


def _words(path: Sequence[Any]) -> Path:
    """A path's names, without the `value` that an NNX variable puts behind its own."""
    if path and path[-1] == jax.tree_util.GetAttrKey("value"):
        path = path[:-1]
    words = (jax.tree_util.keystr((key,), simple=True).replace("/", ".") for key in path)
    return tuple(words) or (KERNEL,)


def put(tree: dict[str, Any], path: Path, leaf: Any) -> None:
    """Puts a leaf into a tree of dicts, with the dicts on its way."""
    for word in path[:-1]:
        tree = tree.setdefault(word, {})
    tree[path[-1]] = leaf


def get(tree: Any, path: Path) -> Any:
    """What is at a path."""
    for word in path:
        tree = tree[word]
    return tree


def names_params(variables: PyTree) -> bool:
    """Whether the tree says itself which of its leaves are parameters."""
    return isinstance(variables, Mapping) and PARAMS in variables
