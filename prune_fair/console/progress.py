"""The progress bar of a running study."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from prune_fair.console.tables import make_console
from prune_fair.words.numbers import speed


class ModelProgress:
    """A progress bar in models: done, a minute, and the time left; one line a tenth to a file."""

    def __init__(self, total: int, bar: Progress) -> None:
        self._total, self._bar = total, bar
        self._started, self._done, self._reused = time.monotonic(), 0, 0
        self._task = bar.add_task("models", total=total, rate="compiling")

    def __call__(self, networks: int, *, reused: bool = False) -> None:
        """Counts finished networks; those of an earlier run do not count for the speed."""
        before, self._done = self._done, self._done + networks
        self._reused += networks * reused
        self._bar.update(self._task, completed=self._done, rate=self._rate())
        tenths = [10 * count // self._total for count in (before, self._done)]
        if not self._bar.console.is_terminal and tenths[0] < tenths[1]:
            self._bar.console.print(f"{self._done}/{self._total} models  {self._rate()}")

    def _rate(self) -> str:
        fresh = self._done - self._reused
        if fresh == 0:
            return "already finished" if self._done == self._total else "found finished"
        seconds = (time.monotonic() - self._started) / fresh
        return speed(seconds, self._total - self._done)


@contextmanager
def progress(total: int) -> Iterator[ModelProgress]:
    """A progress bar on standard error for so many models."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}  {task.fields[rate]}"),
    )
    console = make_console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield ModelProgress(total, bar)
