"""Trees of arrays in Orbax checkpoints. Only here Orbax."""

from pathlib import Path

import jax
from jaxtyping import PyTree

from prune_fair.errors import InputError, check
from prune_fair.types import leaves_by_path


def save_tree(folder: str | Path, tree: PyTree, *, replace: bool = False) -> None:
    """Saves a tree of host arrays; with `replace`, in place of what is there."""
    with _checkpointer() as checkpointer:
        checkpointer.save(Path(folder).expanduser().absolute(), tree, force=replace)


def load_tree(folder: str | Path) -> PyTree:
    """The tree of host arrays in a checkpoint; its containers are dicts and lists.

    Raises:
        InputError: if there is none.
    """
    folder = Path(folder).expanduser().absolute()
    check(folder.is_dir(), f"{folder}: no such checkpoint; expected a folder that Orbax wrote")
    try:
        with _checkpointer() as checkpointer:
            return checkpointer.restore(folder)
    except (ValueError, KeyError, TypeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{folder}: cannot be read as an Orbax checkpoint ({reason[:300]}); expected one that "
            "orbax.checkpoint.StandardCheckpointer wrote"
        ) from error


def entry_of(tree: PyTree, entry: str, source: str) -> PyTree:
    """The part of a tree of dicts under a path such as "state/params"; all of it if empty.

    Raises:
        InputError: if it is not there, with what is.

    Example:
        >>> entry_of({"state": {"params": {"w": 1}}}, "state/params", "a checkpoint")
        {'w': 1}
    """
    for depth, name in enumerate(words := entry.split("/") if entry else []):
        there = list(tree) if isinstance(tree, dict) else []
        where = "/".join(words[:depth]) or "its root"
        expected = f"one of {', '.join(map(str, there))}" if there else "no more: it is no dict"
        check(name in there, f"{source}: no entry {name!r} at {where}; expected {expected}")
        tree = tree[name]
    return tree


def shaped_as(tree: PyTree, like: PyTree, source: str) -> PyTree:
    """The leaves of a checkpoint's tree in the containers of another, matched by their paths.

    Raises:
        InputError: where one has a leaf that the other has not.

    Example:
        >>> shaped_as([{"w": 1}, [2]], ({"w": 0}, (0,)), "a checkpoint")
        ({'w': 1}, (2,))
    """
    found, wanted = map(leaves_by_path, (tree, like))
    for path in (*wanted, *found):
        check(
            path in found and path in wanted,
            f"{source}: {path!r} is {'in the factory' if path in wanted else 'there'} alone; "
            "expected the leaves of the tree that the factory gives",
        )
    return jax.tree.unflatten(jax.tree.structure(like), [found[path] for path in wanted])


def _checkpointer():
    import orbax.checkpoint

    return orbax.checkpoint.StandardCheckpointer()
