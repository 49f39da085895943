"""Work behind the back of what computes: a machine should not wait for a disk."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias

Submit: TypeAlias = Callable[..., None]  # of a function and its arguments


@contextmanager
def in_background() -> Iterator[Submit]:
    """Gives a function that has other functions called in a thread, in their order.

    It waits while the one before is not done, so that at most one keeps its arguments in memory.
    What one raises is raised by the next call, or at the end of the context, which, whatever ends
    it, waits for the one that is being called; only a second interrupt does not wait.

    Example:
        >>> with in_background() as submit:
        ...     submit(print, "saved")
        saved
    """
    with ThreadPoolExecutor(1) as pool:
        last: Future[Any] | None = None

        def submit(function: Callable[..., Any], *arguments: Any) -> None:
            nonlocal last
            if last is not None:
                last.result()
            last = pool.submit(function, *arguments)

        try:
            yield submit
        finally:
            if last is not None:
                last.result()
