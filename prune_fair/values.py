"""What a person may ask for: whole numbers up to a bound, finite numbers, and names of folders."""

import math
import numbers
import os
from collections.abc import Callable
from typing import Any

from prune_fair.errors import check

# Far above what anybody needs, and low enough that a slip of the keyboard is refused and does not
# fill a machine's memory. 100,000 epochs of a million images keep the number of a step in 32 bits.
MOST = {
    "batch_size": 10**7,
    "chunk": 10**6,
    "devices": 10**6,
    "downsample": 10**4,
    "epochs": 10**5,
    "fewest_in_group": 10**6,
    "gradual_prunings": 10**6,
    "levels": 10**4,
    "mask_interval": 10**6,
    "mask_updates": 10**6,
    "members": 10**7,
    "recalibrate_images": 10**8,
    "rewind_step": 10**9,
    "rotation_seed": 10**9,
    "rotations": 10**4,
    "score_batches": 10**6,
    "seeds": 10**7,
    "seeds_per_piece": 10**7,
    "width": 10**3,
    "widths": 10**6,
}
OF_A_STUDY = ("checkpoints", "claims", "figures", "runs", "study.json", "zarr.json")
LONGEST_NAME = 100  # bytes; file systems take 255, and names of figures are made of two of them
FLOAT32 = 3.4e38


def is_whole(value: Any, least: int = 0, most: int | float = math.inf) -> bool:
    """Whether it is a whole number, of Python or NumPy, in that range; True and 2.0 are none.

    Example:
        >>> is_whole(3), is_whole(2.0), is_whole(True), is_whole(-1)
        (True, False, False, False)
    """
    whole = issubclass(type(value), numbers.Integral) and type(value) is not bool
    return whole and least <= value <= most


def check_whole(name: str, value: Any, least: int = 1) -> None:
    """Raises `InputError` unless it is a whole number from `least` to the bound of that name.

    Raises:
        InputError: as said.

    Example:
        >>> check_whole("epochs", 10**12)
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: epochs 1000000000000: expected at least 1, at most 100,000
    """
    most = MOST[name]
    kind = "" if is_whole(value, -(10**99)) else "a whole number, "
    check(
        is_whole(value, least, most),
        f"{name} {shortened(value)}: expected {kind}at least {least}, at most {most:,}",
    )


def check_number(name: str, value: Any, allowed: Callable[[Any], bool], expected: str) -> None:
    """Raises `InputError` unless it is a number that networks can compute with and is allowed.

    Args:
        name: what the number is, for the message.
        value: anything; infinite numbers, NaN, booleans and text are refused.
        allowed: says of a number whether it is in its range.
        expected: the range in words.

    Raises:
        InputError: as said.

    Example:
        >>> check_number("momentum", math.nan, lambda m: 0 <= m < 1, "in [0, 1)")
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: momentum nan: expected in [0, 1)
    """
    number = issubclass(type(value), numbers.Real) and type(value) is not bool
    fine = number and -FLOAT32 <= value <= FLOAT32 and allowed(value)
    check(bool(fine), f"{name} {shortened(value)}: expected {expected}")


def check_folder_name(name: Any, of: str) -> None:
    """Raises `InputError` unless a name can be that of a folder, and of a node in the results.

    Every name that becomes a part of a path goes through here.

    Args:
        name: the part, without what is before and after it in the path.
        of: what has that name, for the message.

    Raises:
        InputError: for an empty name, one that leaves its folder or hides in it, or one that a
            file system may refuse.

    Example:
        >>> check_folder_name("digits", "dataset")  # as it should be: nothing happens
    """
    fine = isinstance(name, str) and name.isprintable() and not {*name} & {*"/\\"}
    check(
        fine and 0 < len(os.fsencode(name)) <= LONGEST_NAME and not name.startswith((".", " ")),
        f"{of} {shortened(name)}: expected 1 to {LONGEST_NAME} printable characters, no slash or "
        "backslash, and no dot or blank at the beginning; choose another name",
    )


def check_task_name(name: str, of: str) -> None:
    """Raises `InputError` unless a name can be that of a task: a path inside of a study.

    Args:
        name: of the task, its parts separated by "/".
        of: what has that name, for the message.

    Raises:
        InputError: for a part that is no name of a folder, or a first one that is a study's own.

    Example:
        >>> check_task_name("digits/mlp", "task")  # as it should be: nothing happens
    """
    first, *_ = parts = name.split("/")
    for part in parts:
        check_folder_name(part, f"{of} {shortened(name)}")
    check(
        first.casefold() not in OF_A_STUDY,
        f"{of} {shortened(name)}: {first} is a study's own; choose another name",
    )


def shortened(value: Any) -> str:
    """A value as Python writes it, on one line and not longer than a message can bear.

    Example:
        >>> shortened("a" * 200)[-7:]
        'aaaaaa…'
    """
    try:
        text = str(value) if isinstance(value, numbers.Number) else repr(value)
    except ValueError:  # Python writes no whole numbers of more than 4,300 digits
        text = "of thousands of digits"
    return text if len(text) <= 150 else f"{text[:149]}…"
