"""One piece as it is written: its chunks first, made durable, and then the one that says so."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.storage import LocalStore

from prune_fair.errors import writing_to
from prune_fair.store.files import sync
from prune_fair.store.layout import DENSE, FINISHED, Layout


def ordered(
    layout: Layout, techniques: Sequence[str], variables: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """A piece's arrays with the techniques of the layout in its order, the dense for each.

    Args:
        layout: of the task.
        techniques: in the order of the arrays; `dense` stands for all of them.
        variables: by name; those that the layout has by piece.
    """
    expected = {name: each.dims for name, each in layout.variables.items() if each.by_piece}
    if {*variables} != {*expected}:
        raise ValueError(f"a piece of {sorted(variables)}; expected {sorted(expected)}")
    dense = [*techniques] == [DENSE]
    rows = [0 if dense else techniques.index(name) for name in layout.labels["technique"]]
    return {
        name: np.take(variables[name], rows, axis=0) if "technique" in dims else variables[name]
        for name, dims in expected.items()
    }


def write_piece(
    folder: Path, layout: Layout, at: tuple[int, int], variables: Mapping[str, np.ndarray]
) -> None:
    """Writes a piece into a task's folder: its variables, made durable, and then the commit.

    Args:
        folder: of the task.
        layout: of its arrays.
        at: which block and which level.
        variables: by name.

    Raises:
        InputError: where it cannot be written; the piece is not finished then.
    """
    *files, commit = (folder / file for file in layout.chunks_of(*at))
    places = {name: layout.place(each, *at) for name, each in layout.all_variables.items()}
    with writing_to(folder):
        for file in files:  # what a kill left of it
            for left in (file, *file.parent.glob(f"{file.name}.*.partial")):
                left.unlink(missing_ok=True)
        write_arrays(folder, {name: (places[name], variables[name]) for name in variables})
        sync([*files, *{file.parent for file in files}])
        try:
            write_arrays(folder, {FINISHED: (places[FINISHED], True)})
            sync([commit, commit.parent])
        except OSError:
            with contextlib.suppress(OSError):
                commit.unlink(missing_ok=True)
            raise


def write_arrays(folder: Path, parts: Mapping[str, tuple[tuple[int | slice, ...], Any]]) -> None:
    """Writes parts of the arrays in a task's folder, given by name as a place and its content.

    What is nothing but the missing value is written too: a chunk that is not there is damage.

    Raises:
        OSError: as the file system does. A chunk is whole or not there (`LocalStore` writes beside
            its place and renames), but not yet durable.
    """
    with zarr.config.set({"array.write_empty_chunks": True}):
        for name, (place, values) in parts.items():
            array = zarr.open_array(LocalStore(folder / name), mode="r+")
            array[place] = values
