"""What study.json and the files of the runs say, and which pieces are finished."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prune_fair.errors import InputError
from prune_fair.store.content import check_run, check_study, check_version
from prune_fair.store.files import read_file, unsealed
from prune_fair.store.layout import FINISHED, Layout

STUDY_FILE = "study.json"
RUNS = "runs"
IDENTITY = ("schema_version", "fingerprint", "config")
EXAMPLE = Path(__file__).parent / "example"


def read_study(path: str | Path) -> dict[str, Any]:
    """What a study's study.json holds, with `runs` and whether it is `complete`.

    Raises:
        InputError: if the path is no study, one of another schema version, or one whose study.json
            or record of a run is not what was written.

    Example:
        >>> read_study(EXAMPLE)["tasks"]["digits/mlp"]["labels"]["layer"]
        ['dense_0', 'dense_1', 'output']
    """
    folder = Path(os.path.expanduser(path))
    study = read_description(path)
    study["runs"] = [read_run(file) for file in run_files(folder)]
    layouts = layouts_of(study)
    whole = len(layouts) == len(study["config"]["tasks"])
    study["complete"] = whole and all(
        has_piece(folder, name, layout, block, level)
        for name, layout in layouts.items()
        for block in range(len(layout.blocks))
        for level in layout.levels
    )
    return study


def read_description(path: str | Path) -> dict[str, Any]:
    """What study.json alone holds.

    Raises:
        InputError: as `read_study`.
    """
    try:
        text = read_file(Path(os.path.expanduser(path)) / STUDY_FILE)
        content = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or f"it is no JSON: {error}"
        raise InputError(
            f"{path}: no study (no readable {STUDY_FILE} in it: {reason}); expected a directory "
            "that an experiment wrote with --out"
        ) from error
    check_version(content, str(path))
    try:
        study = unsealed(text)
    except ValueError as error:
        raise InputError(
            f"{path}: {STUDY_FILE} is damaged: {error}; restore it from a copy"
        ) from error
    check_study(study, str(path))
    return study


def run_files(path: Path) -> list[Path]:
    """The records of a study's runs, the earliest first."""
    return sorted(path.glob(f"{RUNS}/*Z-*.json"))


def read_run(file: Path) -> dict[str, Any]:
    """What a process recorded of itself.

    Raises:
        InputError: if it cannot be read, or is not what was written.
    """
    try:
        run = unsealed(read_file(file))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{file}: the record of a run is damaged: {reason}; restore it from a copy, or let "
            f"`prune-fair check {file.parents[1]} --repair` set it aside"
        ) from error
    check_run(run, str(file))
    return run


def layouts_of(study: Mapping[str, Any]) -> dict[str, Layout]:
    """The layouts of a study's tasks, by name."""
    return {name: Layout.from_json(each) for name, each in study["tasks"].items()}


def attributes_of(study: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The attributes of a study's Zarr groups: what it and each task are, "" for all of it."""
    config = study["config"]
    identity = {key: study[key] for key in IDENTITY if key != "config"}
    tasks = zip(study["tasks"], config["tasks"], strict=False)
    return {
        "": {**identity, "config": json.dumps(config)},
        **{name: {"config": json.dumps(task)} for name, task in tasks},
    }


def has_piece(path: Path, task: str, layout: Layout, block: int, level: int) -> bool:
    """Whether a piece is finished."""
    return (path / task / layout.chunk(FINISHED, block, level)).is_file()
