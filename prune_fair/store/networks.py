"""The networks of a piece: an Orbax checkpoint, and beside it the digests of its files."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prune_fair.errors import InputError, check
from prune_fair.store.checkpoints import load_tree, save_tree
from prune_fair.store.files import read_file, sealed, unsealed, write_whole
from prune_fair.store.layout import piece_name


def checkpoint_folder(path: str | Path, task: str, first_seed: int, level: int) -> Path:
    """Where a study keeps the networks of a level that begin with this seed."""
    return Path(path) / "checkpoints" / task / piece_name(first_seed, level)


def digest_file(folder: Path) -> Path:
    """Where the digests of a checkpoint's files stand."""
    return folder.with_name(f"{folder.name}.json")


def save_networks(folder: Path, networks: Any) -> None:
    """Saves a tree of host arrays, in place of one that a kill left behind; its digests last.

    Raises:
        InputError: where it cannot be written.
    """
    digest_file(folder).unlink(missing_ok=True)
    save_tree(folder, networks, replace=True)
    write_whole(digest_file(folder), sealed({"files": _digests(folder)}))


def has_networks(folder: Path) -> bool:
    """Whether networks were saved there to their end."""
    return folder.is_dir() and digest_file(folder).is_file()


def load_networks(folder: Path) -> Any:
    """The tree of host arrays that was saved there, every file as it was written.

    Raises:
        InputError: if it is not there, or damaged.
    """
    mend = "restore them, or let `prune-fair check STUDY --repair` compute them again"
    check(has_networks(folder), f"{folder}: the networks of that piece are missing; {mend}")
    for problem in networks_damage(folder):
        raise InputError(f"{folder}: the networks of that piece are damaged ({problem}); {mend}")
    return load_tree(folder)


def drop_networks(folder: Path) -> None:
    """Deletes networks that no later level needs."""
    digest_file(folder).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def networks_damage(folder: Path) -> list[str]:
    """What is not as it was saved; nothing where all of it is."""
    try:
        known: Mapping[str, str] = unsealed(read_file(digest_file(folder)))["files"]
        there = _digests(folder)
    except (OSError, ValueError) as error:
        return [getattr(error, "strerror", None) or str(error)]
    names = sorted({*known, *there})
    return [
        f"{name} is {_fault(name, known, there)}"
        for name in names
        if known.get(name) != there.get(name)
    ]


def foreign_files(folder: Path) -> list[str]:
    """Files in a checkpoint that this program did not write, by its digests."""
    try:
        known = unsealed(read_file(digest_file(folder)))["files"]
    except (OSError, ValueError):
        return []
    return sorted({*_digests(folder)} - {*known})


def _fault(name: str, known: Mapping[str, str], there: Mapping[str, str]) -> str:
    if name not in known:
        return "none of its files"
    return "another than was written" if name in there else "missing"


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path from there."""
    return {
        str(file.relative_to(folder)): _digest(file)
        for file in sorted(folder.rglob("*"))
        if not file.is_dir()
    }


def _digest(file: Path) -> str:
    """SHA-256 of a file; of a pipe or the like, which is not waited for, that it is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "no regular file"
