"""Blocks of seeds in work: each by one process, which holds a lock on a file of the block.

The system lets go of a lock when its process ends, however it ends.
"""

import fcntl
from pathlib import Path
from typing import TextIO

from prune_fair.errors import writing_to
from prune_fair.store.layout import block_name

Block = tuple[str, int]  # its task and its first seed


class Claims:
    """The blocks that this process works at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[Block, TextIO] = {}

    @property
    def held(self) -> list[Block]:
        """The blocks that are claimed by this process."""
        return list(self._held)

    def take(self, task: str, first_seed: int) -> bool:
        """Whether this process has the block now; not where another has it.

        Raises:
            InputError: where the lock's file cannot be written.
        """
        if (task, first_seed) in self._held:
            return True
        file = self._file(task, first_seed)
        with writing_to(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            lock = file.open("a")
        if not locked(lock):
            lock.close()
            return False
        self._held[task, first_seed] = lock
        return True

    def release(self, task: str, first_seed: int) -> None:
        """Lets others have the block."""
        self._held.pop((task, first_seed)).close()

    def release_all(self) -> None:
        """Lets others have all blocks."""
        for block in self.held:
            self.release(*block)

    def in_work(self, task: str, first_seed: int) -> bool:
        """Whether another process works at a block."""
        if (task, first_seed) in self._held:
            return False
        try:
            with self._file(task, first_seed).open() as lock:
                return not locked(lock, fcntl.LOCK_SH)
        except OSError:  # nobody ever has
            return False

    def _file(self, task: str, first_seed: int) -> Path:
        return self._folder / task / f"{block_name(first_seed)}.lock"


def locked(file: TextIO, kind: int = fcntl.LOCK_EX) -> bool:
    """Whether this process holds the lock on a file now; a file system without locks has none."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
