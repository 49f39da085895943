"""A study's directory while it is written: what was asked, and what is finished.

    study.json                                     config, fingerprint, tasks, runs
    results/DATASET/MODEL/seeds-00000.level-000.nc one finished piece: all methods of some seeds
    checkpoints/DATASET/MODEL/                     the networks of level 0 and of the last level
    figures/

A piece is written beside its place and moved there whole, so it is there or it is not.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from prune_fair.datasets import class_complexity
from prune_fair.errors import InputError, check
from prune_fair.provenance import digest, environment
from prune_fair.store.checkpoints import load_tree, save_tree
from prune_fair.store.results import STUDY_FILE, VARIABLES, read_study, with_level
from prune_fair.types import SCHEMA_VERSION, Dataset

LOCK_FILE = ".lock"
ELSEWHERE = "name another directory with --out"


class StudyStore:
    """The directory of one study, open for writing by one process."""

    def __init__(self, path: Path, study: dict[str, Any]) -> None:
        self.path = path
        self.study = study

    def describe_task(
        self,
        task: str,
        methods: Sequence[str],
        levels: int,
        layers: Sequence[str],
        dataset: Dataset,
        votes: bool = False,
    ) -> None:
        """Records the axes of a task's results; the images are one of them where there are votes.

        Raises:
            InputError: if the study began with other images than these.
        """
        axes = {
            "methods": list(methods),
            "levels": levels,
            "layers": list(layers),
            "classes": list(dataset.class_names),
            "train_count": dataset.train_count().tolist(),
            "data_sha256": digest(dataset),
            "image_shape": list(dataset.train_images.shape[1:]),
        }
        if dataset.group_names:
            axes["groups"] = list(dataset.group_names)
        if votes:
            axes["images"] = len(dataset.test_labels)
        known = self.study["tasks"].setdefault(task, axes)
        if "complexity" not in known:  # a moment for large sets: once, not at every resume
            known["complexity"] = {
                name: [None if np.isnan(value) else value for value in values.tolist()]
                for name, values in class_complexity(dataset).items()
            }
        check(
            known["data_sha256"] == axes["data_sha256"],
            f"{self.path}: the images of {task} are not those the study began with; restore them, "
            f"or {ELSEWHERE}",
        )
        self.write_study()

    def check_plan(self, plan: Mapping[str, Any]) -> None:
        """Raises `InputError` for a plan by which results would not mean what those here do."""
        for name in ("shuffling", "dtype"):
            for earlier in {run["plan"][name] for run in self.study["runs"]}:
                check(
                    earlier == plan[name],
                    f"{name} {plan[name]}: {self.path} began with {earlier}; go on with that, or "
                    f"{ELSEWHERE}",
                )

    def begin_run(self, plan: Mapping[str, Any]) -> None:
        """Records that this process goes on with the study from now."""
        run = {"started": time.time(), "seconds": 0.0, "plan": dict(plan), **environment()}
        self.study["runs"].append(run)
        self.write_study()

    def finish(self) -> None:
        """Records that every piece is there."""
        self.study["complete"] = True
        self.write_study()

    def write_study(self) -> None:
        """Writes study.json."""
        text = json.dumps(self.study, indent=1) + "\n"
        _write_whole(self.path / STUDY_FILE, lambda file: file.write_text(text))

    def has_piece(self, task: str, first_seed: int, level: int) -> bool:
        """Whether that piece is finished."""
        return self._piece(task, first_seed, level).is_file()

    def write_piece(
        self,
        task: str,
        level: int,
        methods: Sequence[str],
        seeds: Sequence[int],
        variables: Mapping[str, np.ndarray],
    ) -> None:
        """Adds a finished piece: arrays by the axes of `VARIABLES`, without that of the level."""
        data = {name: with_level(VARIABLES[name][3], array) for name, array in variables.items()}
        coords = {"method": list(methods), "seed": list(seeds), "level": [level]}
        file = self._piece(task, int(seeds[0]), level)
        file.parent.mkdir(parents=True, exist_ok=True)
        piece = xr.Dataset(data, coords)
        _write_whole(file, lambda path: piece.to_netcdf(path, engine="scipy"))
        run = self.study["runs"][-1]
        run["seconds"] = time.time() - run["started"]
        self.write_study()

    def save_networks(self, task: str, first_seed: int, level: int, networks: Any) -> None:
        """Saves a tree of host arrays by Orbax, in place of one that a kill left behind."""
        folder = checkpoint_folder(self.path, task, first_seed, level)
        save_tree(folder, networks, replace=True)

    def load_networks(self, task: str, first_seed: int, level: int) -> Any:
        """The tree of host arrays that `save_networks` saved.

        Raises:
            InputError: if it is not there.
        """
        folder = checkpoint_folder(self.path, task, first_seed, level)
        check(
            folder.is_dir(),
            f"{folder}: the networks that the study would go on from are missing; restore them, "
            f"or {ELSEWHERE}",
        )
        return load_tree(folder)

    def drop_networks(self, task: str, first_seed: int, level: int) -> None:
        """Deletes networks that no later level needs."""
        shutil.rmtree(checkpoint_folder(self.path, task, first_seed, level), ignore_errors=True)

    def _piece(self, task: str, first_seed: int, level: int) -> Path:
        return self.path / "results" / task / f"{_piece_name(first_seed, level)}.nc"


@contextmanager
def writing(path: str | Path, config: Mapping[str, Any], fingerprint: str) -> Iterator[StudyStore]:
    """Opens a study's directory for writing: makes it, or goes on with the same study in it.

    Args:
        path: the directory; made where it does not exist.
        config: the study's config as JSON types.
        fingerprint: of that config.

    Raises:
        InputError: if the directory holds another study (with the difference) or other files, is
            used by another process, or cannot be written.
    """
    path = Path(path).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK_FILE).open("a")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); {ELSEWHERE}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{path}: another process is running this study; wait for it, or {ELSEWHERE}"
            ) from error
        yield StudyStore(path, _same_study(path, config, fingerprint))


def _same_study(path: Path, config: Mapping[str, Any], fingerprint: str) -> dict[str, Any]:
    """The study that is there, if it is the one asked for; a blank one in an empty directory."""
    if not (path / STUDY_FILE).exists():
        others = sorted(entry.name for entry in path.iterdir() if entry.name != LOCK_FILE)
        shown = ", ".join(others[:3])
        check(not others, f"{path}: holds other files and no study ({shown}); {ELSEWHERE}")
        blank = {"complete": False, "tasks": {}, "runs": []}
        identity = {"schema_version": SCHEMA_VERSION, "fingerprint": fingerprint}
        return {**identity, **blank, "config": dict(config)}
    there = read_study(path)
    if there["fingerprint"] != fingerprint:
        changes = "; ".join(_differences(there["config"], config))
        raise InputError(
            f"{path}: holds another study ({changes}); use its settings, or {ELSEWHERE}"
        )
    return there


def _differences(there: Any, asked: Any, name: str = "") -> list[str]:
    """Where two trees of JSON types differ, as readable lines."""
    if isinstance(there, dict) and isinstance(asked, dict):
        keys = [*there, *(key for key in asked if key not in there)]
        pairs = [(there.get(k), asked.get(k), f"{name}.{k}".lstrip(".")) for k in keys]
    elif isinstance(there, list) and isinstance(asked, list) and len(there) == len(asked):
        pairs = [(*pair, f"{name}.{i}") for i, pair in enumerate(zip(there, asked, strict=True))]
    else:
        return [] if there == asked else [f"{name} is {there} there, {asked} here"]
    return [line for pair in pairs for line in _differences(*pair)]


def checkpoint_folder(path: str | Path, task: str, first_seed: int, level: int) -> Path:
    """Where a study keeps the networks of a level that begin with this seed."""
    return Path(path) / "checkpoints" / task / _piece_name(first_seed, level)


def _piece_name(first_seed: int, level: int) -> str:
    return f"seeds-{first_seed:05d}.level-{level:03d}"


def _write_whole(file: Path, write: Callable[[Path], Any]) -> None:
    """Writes a file beside its place, makes it durable, and moves it there."""
    draft = file.with_name(f".{file.name}.draft")
    write(draft)
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(file)
