"""Trees of arrays in Orbax checkpoints. Only here Orbax."""

import errno
import glob
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from prune_fair.errors import InputError, check, writing_to

PyTree: TypeAlias = Any  # that of jaxtyping imports JAX, which reading results does without


def save_tree(folder: str | Path, tree: PyTree, *, replace: bool = False) -> None:
    """Saves a tree of host arrays; with `replace`, in place of what is there.

    Raises:
        InputError: where it cannot be written; nothing half written is left then.
    """
    folder = _absolute(folder)
    with writing_to(folder):
        try:
            with _checkpointer() as checkpointer:
                checkpointer.save(folder, tree, force=replace)
        except Exception as error:  # Orbax has no type of its own for what a disk refuses
            for draft in folder.parent.glob(f"{glob.escape(folder.name)}.orbax-checkpoint-tmp*"):
                shutil.rmtree(draft, ignore_errors=True)
            full = os.strerror(errno.ENOSPC)
            reason = full if full in str(error) else " ".join(str(error).split())[:300]
            raise OSError(reason) from error


def load_tree(folder: str | Path) -> PyTree:
    """The tree of host arrays in a checkpoint; its containers are dicts and lists.

    Raises:
        InputError: if there is none.
    """
    folder = _absolute(folder)
    check(folder.is_dir(), f"{folder}: no such checkpoint; expected a folder that Orbax wrote")
    try:
        with _checkpointer() as checkpointer:
            return checkpointer.restore(folder)
    except Exception as error:  # whatever Orbax and its formats make of a folder of other files
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
    import jax

    from prune_fair.types import leaves_by_path

    found, wanted = map(leaves_by_path, (tree, like))
    for path in (*wanted, *found):
        check(
            path in found and path in wanted,
            f"{source}: {path!r} is {'in the factory' if path in wanted else 'there'} alone; "
            "expected the leaves of the tree that the factory gives",
        )
    return jax.tree.unflatten(jax.tree.structure(like), [found[path] for path in wanted])


def _absolute(folder: str | Path) -> Path:
    return Path(os.path.expanduser(folder)).absolute()


@contextmanager
def _checkpointer() -> Iterator[Any]:
    """Orbax, without the tracebacks that it logs of what it raises too."""
    import orbax.checkpoint

    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with orbax.checkpoint.StandardCheckpointer() as checkpointer:
            yield checkpointer
    finally:
        logger.setLevel(before)
