"""Chunks as they are read: each with its checksum, and none that is missing taken for its fill."""

from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zarr
from zarr.storage import LocalStore

from prune_fair.errors import InputError
from prune_fair.store.describing import constant_files
from prune_fair.store.layout import FINISHED, Layout, in_words
from prune_fair.store.studies import has_piece
from prune_fair.values import shortened


class Task(NamedTuple):
    """A task's results on a disk: the study's directory, its name there, and what it looks like."""

    path: Path
    name: str
    layout: Layout

    @property
    def folder(self) -> Path:
        """Of its arrays."""
        return self.path / self.name

    def finished(self) -> np.ndarray:
        """Which pieces are, by block and level."""
        return np.array(
            [
                [has_piece(*self, block, level) for level in self.layout.levels]
                for block in range(len(self.layout.blocks))
            ]
        )


def read_variable(task: Task, name: str, finished: np.ndarray) -> np.ndarray:
    """A whole array; what is not finished is missing in it, whatever chunks lie there.

    Args:
        task: whose it is.
        name: of the variable.
        finished: which pieces are, by block and level.

    Raises:
        InputError: for a chunk that is damaged or missing, with the piece that it belongs to.
    """
    layout, variable = task.layout, task.layout.all_variables[name]
    array = _opened(task, name)
    if not variable.by_piece:
        return _chunk(task, array, name, (slice(None),) * len(variable.dims), layout.chunk(name))
    if finished.all() and _all_there(task, name, finished):
        try:
            return np.asarray(array[...])
        except Exception:  # piece by piece it is found which one
            pass
    whole = np.full(layout.shape(variable), variable.missing, variable.dtype)
    for block, level in np.argwhere(finished).tolist():
        place = layout.place(variable, block, level)
        file = layout.chunk(name, block, level)
        whole[place] = _chunk(task, array, name, place, file, block, level)
    return whole


def damage(
    task: Task, finished: np.ndarray, names: Container[str]
) -> Iterator[tuple[int, int, str]]:
    """What is wrong with finished pieces in these arrays: block, level, and a message for each."""
    layout = task.layout
    for name, variable in layout.all_variables.items():
        if not variable.by_piece or 0 in layout.shape(variable) or name not in names:
            continue
        array = _opened(task, name)
        for block, level in np.argwhere(finished).tolist():
            place = layout.place(variable, block, level)
            file = layout.chunk(name, block, level)
            try:
                values = _chunk(task, array, name, place, file, block, level)
            except InputError as error:
                yield block, level, str(error)
                continue
            if name == FINISHED and not values.all():
                yield block, level, _message(task, name, "not all of it is set", block, level)


def damaged_constants(task: Task, names: Container[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with those arrays that no piece has: the file of each, and a message."""
    coords = task.layout.coords()
    for name, file in constant_files(task.layout).items():
        if name not in names:
            continue
        try:
            values = _chunk(task, _opened(task, name), name, (...,), file)
        except InputError as error:
            yield file, str(error)
            continue
        if name in coords and not np.array_equal(values.astype(coords[name].dtype), coords[name]):
            yield file, _message(task, name, "it holds other labels than study.json")


def _opened(task: Task, name: str) -> zarr.Array:
    try:
        return zarr.open_array(LocalStore(task.folder / name, read_only=True), mode="r")
    except Exception as error:  # whatever Zarr makes of what it finds
        raise InputError(_message(task, name, _reason(error))) from error


def _all_there(task: Task, name: str, finished: np.ndarray) -> bool:
    pieces = np.argwhere(finished).tolist()
    return all((task.folder / task.layout.chunk(name, *at)).is_file() for at in pieces)


def _chunk(
    task: Task,
    array: zarr.Array,
    name: str,
    place: tuple,
    file: str,
    block: int | None = None,
    level: int = 0,
) -> np.ndarray:
    """A part of an array that is one chunk, which is there and as it was written."""
    there = (task.folder / file).is_file() or 0 in array.shape
    try:
        if not there:
            raise FileNotFoundError("its file is missing")
        return np.asarray(array[place])
    except Exception as error:  # whatever Zarr and its codecs make of other bytes
        raise InputError(_message(task, name, _reason(error), block, level)) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    if "checksum" in text:
        return "its checksum is not that of its content"
    return shortened(text or type(error).__name__).strip("'\"")


def _message(task: Task, name: str, reason: str, block: int | None = None, level: int = 0) -> str:
    what = task.name if block is None else in_words(task.layout, task.name, block, level)
    return (
        f"{task.path}: {name} of {what} is damaged ({reason}); "
        f"`prune-fair check {task.path} --repair` computes it again"
    )
