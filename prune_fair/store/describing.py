"""A study's first files: what it is, written once, and what of them is missing, written again."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from prune_fair.errors import check, writing_to
from prune_fair.store.files import sealed, sync, write_whole
from prune_fair.store.hierarchy import as_written, digest_of, metadata_files
from prune_fair.store.layout import Layout
from prune_fair.store.pieces import write_arrays
from prune_fair.store.studies import IDENTITY, STUDY_FILE, attributes_of, layouts_of
from prune_fair.values import check_task_name

Makers = Mapping[str, Callable[[], np.ndarray]]


def create(path: Path, study: Mapping[str, Any], layouts: Mapping[str, Layout]) -> None:
    """Writes study.json, with the digests of Zarr's metadata, which are not there yet.

    Raises:
        InputError: for the name of a task that is that of another folder, or a full disk.
    """
    for name in layouts:
        check_task_name(name, "task")
    tasks = {name: layout.as_json() for name, layout in layouts.items()}
    content = {**{key: study[key] for key in IDENTITY}, "tasks": tasks}
    files = metadata_files(layouts, attributes_of(content))
    digests = {name: digest_of(text) for name, text in files.items()}
    write_whole(path / STUDY_FILE, sealed({**content, "metadata": digests}))


def constant_files(layout: Layout) -> dict[str, str]:
    """The chunks that no piece has, by variable or axis: labels, and what is of all pieces."""
    axes = {dim: f"{dim}/c/0" for dim in layout.coords() if layout.size(dim)}
    variables = layout.variables.items()
    return {
        **axes,
        **{name: layout.chunk(name) for name, each in variables if not each.by_piece},
    }


def is_described(path: Path, study: Mapping[str, Any]) -> bool:
    """Whether all is there that `complete` writes."""
    files = [path / name for name in study["metadata"]]
    for task, layout in layouts_of(study).items():
        files += [path / task / file for file in constant_files(layout).values()]
    return all(file.exists() for file in files)


def complete(path: Path, study: Mapping[str, Any], made: Mapping[str, Makers]) -> None:
    """Writes what is missing of Zarr's metadata, of labels, and of what no piece has.

    Args:
        path: of the study.
        study: what its study.json holds.
        made: by task and variable, what gives the array; called only where it is not there. Labels
            are those of study.json; of others none are written where nothing gives them.

    Raises:
        InputError: where it cannot be written.
    """
    missing = [name for name in study["metadata"] if not (path / name).exists()]
    files = metadata_files(layouts_of(study), attributes_of(study)) if missing else {}
    for name in missing:
        check(
            digest_of(files.get(name, b"")) == study["metadata"][name],
            f"{path / name}: is missing, and Zarr of this version would write another one; "
            "restore it from a copy",
        )
        write_whole(path / name, files[name])
    for task, layout in layouts_of(study).items():
        makers = {
            **{dim: labels.copy for dim, labels in layout.coords().items()},
            **made.get(task, {}),
        }
        for name, chunk in constant_files(layout).items():
            file = path / task / chunk
            if name in makers and not file.exists():
                with writing_to(file):
                    values = as_written(makers[name]())
                    write_arrays(path / task, {name: ((slice(None),) * values.ndim, values)})
                    sync([file, file.parent])
