"""Work behind the back of what computes: a machine should not wait for a disk."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias

Submit: TypeAlias = Callable[..., None]  # of a function and its arguments


def at_once(function: Callable[..., Any], *arguments: Any) -> None:
    """Calls the function here and now."""
    function(*arguments)


@contextmanager
def in_background() -> Iterator[Submit]:
    """Gives a function that has other functions called in a thread, in their order.

    It waits while the one before is not done, so that at most one keeps its arguments in memory,
    and raises what that one raised; so does the end of the context. Whatever ends the context, the
    function that is being called is left to finish.
    """
    with ThreadPoolExecutor(1) as pool:
        last: Future[None] | None = None

        def submit(function: Callable[..., Any], *arguments: Any) -> None:
            nonlocal last
            if last is not None:
                last.result()
            last = pool.submit(at_once, function, *arguments)

        yield submit
        if last is not None:
            last.result()
