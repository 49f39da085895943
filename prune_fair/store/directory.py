"""A study's directory while it is written: what was asked, and what is finished.

    study.json              config, fingerprint and layouts of the tasks: written once
    zarr.json               the root of a Zarr hierarchy; each task is a group DATASET/MODEL
    DATASET/MODEL/…         its arrays in chunks: a block of seeds by a level, all techniques
    runs/…json              versions, hardware, plan and command of a process
    checkpoints/…           the networks of level 0 and of the last level, and their digests
    claims/…                a lock for each block of seeds
    figures/

A piece is finished when its chunk of `finished` is there, which is written after all others.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from prune_fair.errors import check, writing_to
from prune_fair.provenance import environment
from prune_fair.store import networks
from prune_fair.store.claims import Claims
from prune_fair.store.describing import Makers, complete, create, is_described
from prune_fair.store.files import sealed, write_whole
from prune_fair.store.layout import Layout
from prune_fair.store.pieces import ordered, write_piece
from prune_fair.store.studies import RUNS, STUDY_FILE, has_piece, layouts_of, read_study

LOCK_FILE = ".lock"
ELSEWHERE = "name another directory with --out"


class StudyStore:
    """The directory of one study, open for writing by this process, and maybe by others."""

    def __init__(self, path: Path, study: dict[str, Any], lock: TextIO | None = None) -> None:
        self.path = path
        self.claims = Claims(path / "claims")
        self._lock = lock
        self._run: dict[str, Any] = {}
        self._run_file = Path()
        self._take(study)

    def _take(self, study: dict[str, Any]) -> None:
        self.study = study
        self.layouts = layouts_of(study)

    def describe(self, layouts: Mapping[str, Layout], made: Mapping[str, Makers]) -> None:
        """Records what the results of all tasks look like, where that is not there yet.

        Args:
            layouts: of the tasks, by name.
            made: by task and variable, what gives the arrays that no piece has; called only where
                they are not there.

        Raises:
            InputError: if the study began with other images than these, or it cannot be written.
        """
        self._check_there()
        with self._alone():
            if not (self.path / STUDY_FILE).exists():
                create(self.path, self.study, layouts)
            study = read_study(self.path)
            check(
                study["fingerprint"] == self.study["fingerprint"],
                f"{self.path}: another study has begun in it; {ELSEWHERE}",
            )
            self._take(study)
            for task, layout in layouts.items():
                check(
                    self.layouts[task].facts["data_sha256"] == layout.facts["data_sha256"],
                    f"{self.path}: the images of {task} are not those the study began with; "
                    f"restore them, or {ELSEWHERE}",
                )
            complete(self.path, study, made)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Waits until no other process describes the study."""
        if self._lock is None:
            yield
            return
        with writing_to(self.path):
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

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
        """Records that this process works at the study from now, in a file of its own."""
        started = time.time()
        name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(started))
        self._run_file = self.path / RUNS / f"{name}-{secrets.token_hex(4)}.json"
        self._run = {"started": started, "seconds": 0.0, "plan": dict(plan), **environment()}
        self._check_there()
        write_whole(self._run_file, sealed(self._run))

    def is_whole(self, tasks: Sequence[str]) -> bool:
        """Whether every piece of these tasks is finished, and all else is there that is read."""
        described = {*tasks} <= {*self.layouts} and is_described(self.path, self.study)
        return described and not any(map(self.unfinished, tasks))

    def unfinished(self, task: str) -> list[int]:
        """The first seeds of blocks with a piece that is not finished."""
        layout = self.layouts[task]
        return [
            first
            for first in layout.blocks
            if not all(self.has_piece(task, first, level) for level in layout.levels)
        ]

    def check_work_left(self) -> None:
        """Raises `InputError` where all that is not finished is in work by other processes."""
        left = [(task, first) for task in self.layouts for first in self.unfinished(task)]
        check(
            not left or not all(self.claims.in_work(*block) for block in left),
            f"{self.path}: another process is running this study; wait for it, or {ELSEWHERE}",
        )

    def claim(self, task: str, first_seed: int) -> bool:
        """Whether this process may work at a block of seeds; others may not, until it is finished.

        The claims of blocks that are finished are given up.
        """
        self._check_there()
        for block in self.claims.held:
            if block[1] not in self.unfinished(block[0]):
                self.claims.release(*block)
        return self.claims.take(task, first_seed)

    def has_piece(self, task: str, first_seed: int, level: int) -> bool:
        """Whether that piece is finished."""
        layout = self.layouts[task]
        return has_piece(self.path, task, layout, layout.blocks.index(first_seed), level)

    def write_piece(
        self,
        task: str,
        level: int,
        techniques: Sequence[str],
        seeds: Sequence[int],
        variables: Mapping[str, np.ndarray],
    ) -> None:
        """Adds a piece, `finished` last; one that is finished stays as it is.

        Args:
            task: its name.
            level: of the piece.
            techniques: in the order of the arrays; `dense` stands for all of them.
            seeds: those of a block.
            variables: arrays by the axes of the layout, without those of level and block.

        Raises:
            InputError: where it cannot be written, or the directory is not what it was.
        """
        self._check_there()
        layout = self.layouts[task]
        at = layout.blocks.index(int(seeds[0])), level
        if not has_piece(self.path, task, layout, *at):
            write_piece(self.path / task, layout, at, ordered(layout, techniques, variables))
        if self._run:
            self._run["seconds"] = time.time() - self._run["started"]
            write_whole(self._run_file, sealed(self._run))

    def save_networks(self, task: str, first_seed: int, level: int, tree: Any) -> None:
        """Saves a tree of host arrays by Orbax, in place of one that a kill left behind.

        Raises:
            InputError: as `write_piece`.
        """
        self._check_there()
        networks.save_networks(self._folder(task, first_seed, level), tree)

    def has_networks(self, task: str, first_seed: int, level: int) -> bool:
        """Whether networks of that level are there."""
        return networks.has_networks(self._folder(task, first_seed, level))

    def load_networks(self, task: str, first_seed: int, level: int) -> Any:
        """The tree of host arrays that `save_networks` saved.

        Raises:
            InputError: if it is not there, or damaged.
        """
        return networks.load_networks(self._folder(task, first_seed, level))

    def drop_networks(self, task: str, first_seed: int, level: int) -> None:
        """Deletes networks that no later level needs."""
        networks.drop_networks(self._folder(task, first_seed, level))

    def _folder(self, task: str, first_seed: int, level: int) -> Path:
        return networks.checkpoint_folder(self.path, task, first_seed, level)

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
