"""The one exception a user's mistake raises, and the lookup that raises it for unknown names."""

import difflib
import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

Row = TypeVar("Row")


class InputError(Exception):
    """A mistake of the user: one line with the bad value, what was expected and what to do.

    It is no `ValueError`, so that a command-line parser which catches those lets it through whole.

    Example:
        >>> from prune_fair import Schedule
        >>> Schedule("geometric", rate=2.0)
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: rate 2.0: expected a fraction of what remains, in (0, 1)
    """


def printable(text: object, keep: str = "") -> str:
    r"""A text whose control and formatting characters are shown as escapes, and do nothing.

    Args:
        text: from data, such as the name of a class.
        keep: characters that stay as they are.

    Example:
        >>> print(printable("\x1b[2J a\nb \u202e"))
        \x1b[2J a\nb \u202e
    """
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode()
        for c in str(text)
    )


def check(condition: bool, message: str) -> None:
    """Raises `InputError(message)` unless the condition holds."""
    if not condition:
        raise InputError(message)


@contextmanager
def writing_to(place: object) -> Iterator[None]:
    """Says in one line where something could not be written, as where a disk is full.

    Raises:
        InputError: for any error of the system in the context.

    Example:
        >>> with writing_to("results"):
        ...     raise OSError(28, "No space left")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: results: cannot be written (No space left); what is ...
    """
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space" in str(error)
        raise InputError(
            f"{place}: cannot be written ({error.strerror or error}); what is finished is kept: "
            f"{'make room' if full else 'mend it'}, and give the same command again"
        ) from error


@contextmanager
def of_one(name: str, number: int) -> Iterator[None]:
    """Says which of several tasks it is of which something is refused.

    Args:
        name: of the task.
        number: of tasks; nothing is added to what is refused of a single one.

    Example:
        >>> with of_one("cells/mlp", 2):
        ...     raise InputError("level 9: expected 1 to 3")
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: cells/mlp: level 9: expected 1 to 3
    """
    try:
        yield
    except InputError as error:
        if number == 1:
            raise
        raise InputError(f"{name}: {error}") from error


def unknown(kind: str, name: str, valid: Iterable[str], summary: str = "") -> InputError:
    """The error for a name that does not exist: the nearest valid one, then all or a summary.

    Example:
        >>> unknown("model", "lenet", ["mlp", "lenet5"])
        InputError("unknown model 'lenet': did you mean 'lenet5'? Valid: mlp, lenet5")
    """
    valid = list(valid)
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.0)
    return InputError(
        f"unknown {kind} {name!r}: did you mean {near[0]!r}? Valid: {summary or ', '.join(valid)}"
    )


def lookup(registry: Mapping[str, Row], name: str, kind: str) -> Row:
    """The registry's row of that name.

    Raises:
        InputError: if there is none, naming the nearest and all valid ones.

    Example:
        >>> lookup({"mlp": 1}, "mlp", "model")
        1
    """
    if name not in registry:
        raise unknown(kind, name, registry)
    return registry[name]
