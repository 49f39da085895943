"""A study's directory while it is written: what was asked, and what is finished.

    study.json                                     config, fingerprint, tasks, runs
    results/DATASET/MODEL/seeds-00000.level-000.nc one finished piece: all techniques of some seeds
    checkpoints/DATASET/MODEL/                     the networks of level 0 and of the last level
    figures/

A piece is written beside its place and moved there whole, so it is there or it is not.
"""

import contextlib
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import xarray as xr

from prune_fair.data import Dataset
from prune_fair.errors import check, writing_to
from prune_fair.provenance import digest, environment
from prune_fair.store.checkpoints import load_tree, save_tree
from prune_fair.store.pieces import piece_name
from prune_fair.store.results import STUDY_FILE, VARIABLES, with_level

LOCK_FILE = ".lock"
ELSEWHERE = "name another directory with --out"


class StudyStore:
    """The directory of one study, open for writing by one process."""

    def __init__(self, path: Path, study: dict[str, Any], lock: TextIO | None = None) -> None:
        self.path = path
        self.study = study
        self._lock = lock

    def describe_task(
        self,
        task: str,
        techniques: Sequence[str],
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
            "techniques": list(techniques),
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
            from prune_fair.datasets import (
                class_complexity,
            )  # brings JAX, which reading does without

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
        self.study["complete"] = False  # where a piece of a finished study was taken away
        run = {"started": time.time(), "seconds": 0.0, "plan": dict(plan), **environment()}
        self.study["runs"].append(run)
        self.write_study()

    def finish(self) -> None:
        """Records that every piece is there."""
        self.study["complete"] = True
        self.write_study()

    def write_study(self) -> None:
        """Writes study.json.

        Raises:
            InputError: where it cannot be written, or the directory is not what it was.
        """
        self._check_there()
        text = json.dumps(self.study, indent=1) + "\n"
        _write_whole(self.path / STUDY_FILE, lambda file: file.write_text(text))

    def is_whole(self, firsts: Sequence[int], tasks: Sequence[str], levels: int) -> bool:
        """Whether it was finished and no piece has been taken away since."""
        pieces = itertools.product(tasks, firsts, range(levels))
        return self.study["complete"] and all(self.has_piece(*each) for each in pieces)

    def has_piece(self, task: str, first_seed: int, level: int) -> bool:
        """Whether that piece is finished."""
        return self._piece(task, first_seed, level).is_file()

    def write_piece(
        self,
        task: str,
        level: int,
        techniques: Sequence[str],
        seeds: Sequence[int],
        variables: Mapping[str, np.ndarray],
    ) -> None:
        """Adds a finished piece: arrays by the axes of `VARIABLES`, without that of the level.

        Raises:
            InputError: as `write_study`.
        """
        self._check_there()
        data = {name: with_level(VARIABLES[name][3], array) for name, array in variables.items()}
        coords = {"technique": list(techniques), "seed": list(seeds), "level": [level]}
        file = self._piece(task, int(seeds[0]), level)
        piece = xr.Dataset(data, coords)
        _write_whole(file, lambda path: piece.to_netcdf(path, engine="scipy"))
        run = self.study["runs"][-1]
        run["seconds"] = time.time() - run["started"]
        self.write_study()

    def save_networks(self, task: str, first_seed: int, level: int, networks: Any) -> None:
        """Saves a tree of host arrays by Orbax, in place of one that a kill left behind.

        Raises:
            InputError: as `write_study`.
        """
        self._check_there()
        folder = checkpoint_folder(self.path, task, first_seed, level)
        save_tree(folder, networks, replace=True)

    def has_networks(self, task: str, first_seed: int, level: int) -> bool:
        """Whether networks of that level are there."""
        return checkpoint_folder(self.path, task, first_seed, level).is_dir()

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
        return self.path / "results" / task / f"{piece_name(first_seed, level)}.nc"

    def _check_there(self) -> None:
        """Raises `InputError` where the directory was removed: it is not made anew half empty."""
        there = self._lock is None
        if self._lock is not None:
            with contextlib.suppress(OSError):
                ours = os.fstat(self._lock.fileno())
                there = os.path.samestat(ours, (self.path / LOCK_FILE).stat())
        check(
            there,
            f"{self.path}: was removed or replaced while its study ran; give the same command "
            "again, which begins anew where nothing is left",
        )


def checkpoint_folder(path: str | Path, task: str, first_seed: int, level: int) -> Path:
    """Where a study keeps the networks of a level that begin with this seed."""
    return Path(path) / "checkpoints" / task / piece_name(first_seed, level)


def _write_whole(file: Path, write: Callable[[Path], Any]) -> None:
    """Writes a file beside its place, makes it durable, and moves it there.

    Raises:
        InputError: where that cannot be done; nothing is left then.
    """
    draft = file.with_name(f".{file.name}.draft")
    with writing_to(file):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write(draft)
            with draft.open("rb") as written:
                os.fsync(written.fileno())
            draft.replace(file)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
