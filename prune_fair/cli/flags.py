"""What all commands share: how a study is named, and what flags may be."""

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import tyro
import xarray as xr

from prune_fair import analysis
from prune_fair.cli.endings import MISTAKE
from prune_fair.data import TEST
from prune_fair.errors import InputError, check, of_one
from prune_fair.store import open_study

Answer = TypeVar("Answer")
StudyPath = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="STUDY")]


def opened(study: Path, split: str) -> xr.DataTree:
    """A study's results, in which the split that is asked for stands for the test split.

    Raises:
        InputError: where the study cannot be read, or a task of it lacks the split.
    """
    results = open_study(study)
    if split == TEST:
        return results
    nodes, attributes = {}, results.attrs
    for node in results.leaves:
        with of_one(node.path.strip("/"), len(results.leaves)):
            nodes[node.path] = analysis.reported_on(node, split)
    results = xr.DataTree.from_dict(nodes)
    results.attrs = {**attributes, "split": split}
    return results


def tasks_of(results: xr.DataTree) -> list[tuple[str, xr.Dataset]]:
    """A study's tasks, each by its name, with every split."""
    return [(node.path.strip("/"), node.to_dataset()) for node in results.leaves]


def called_by_flags(commands: Mapping[str, Callable[..., None]], **options: Any) -> None:
    """Calls the command that words name with its flags; wrong ones are one `InputError`.

    Args:
        commands: by name.
        options: of `tyro.extras.subcommand_cli_from_dict`.
    """

    def ready(command: Callable[..., None]) -> Callable[..., Callable[[], None]]:
        @wraps(command)
        def prepared(*arguments: Any, **flags: Any) -> Callable[[], None]:
            return partial(command, *arguments, **flags)

        return prepared

    with wrong_flags_in_a_line():
        call = tyro.extras.subcommand_cli_from_dict(
            {name: ready(command) for name, command in commands.items()},
            registry=flag_registry(),
            **options,
        )
    call()


@contextmanager
def wrong_flags_in_a_line() -> Iterator[None]:
    """What tyro says of wrong flags in a box on standard error, as one `InputError`."""
    said, boxed = io.StringIO(), False
    try:
        with redirect_stderr(said):
            yield
    except SystemExit as ended:
        boxed = ended.code == MISTAKE
        if boxed:
            raise InputError(unboxed(said.getvalue())) from None
        raise
    finally:
        if not boxed:
            print(said.getvalue(), end="", file=sys.stderr)


def unboxed(box: str) -> str:
    r"""The text of one of tyro's boxes in a line: what is wrong, and what is to be done.

    Example:
        >>> rows = "Error parsing --seeds: no number", "---", "Argument helptext:", "--seeds INT"
        >>> unboxed("\n".join(f"| {row:40} |" for row in ("Value error", *rows, "")))
        '--seeds: no number; expected --seeds INT'
    """
    _, *rows = (line[2:-1].rstrip() for line in f"{box}\n".splitlines())  # the first is a title
    parts: list[list[str]] = [[]]
    for row in rows:
        if row and not row.strip("\u2500-"):
            parts.append([])
        elif not row.startswith(" " * 8):  # help of a flag
            parts[-1].append(row.strip())
    parts = [part[:2] if part[:1] == ["Argument helptext:"] else part for part in parts]
    texts = [" ".join(part).partition(" Got errors:")[0].rstrip(". ") for part in parts]
    first, *hints = [text for text in texts if text] or [box]
    hints = [hint.replace("Argument helptext:", "expected") for hint in hints]
    lines = [first.removeprefix("Error parsing "), *(hint[0].lower() + hint[1:] for hint in hints)]
    return "; ".join(lines)


def by_task(results: xr.DataTree, answer: Callable[[xr.Dataset], Answer]) -> dict[str, Answer]:
    """What a function says of each task of a study, by name."""
    answers, tasks = {}, tasks_of(results)
    for name, node in tasks:
        with of_one(name, len(tasks)):
            answers[name] = answer(node)
    return answers


def check_level(level: int | None, last: int) -> None:
    """Raises `InputError` for a level of pruned networks that is not there."""
    check(level is None or 1 <= level <= last, f"level {level}: expected 1 to {last}")


def shown_level(own: xr.Dataset, level: int | None) -> int:
    """The level that is asked for of a technique's; else the last one with finished `networks`."""
    finished = np.flatnonzero(own["networks"].values)
    return (int(finished[-1]) if len(finished) else 0) if level is None else level


def flag_registry() -> tyro.constructors.ConstructorRegistry:
    """Flags for the types that tyro does not know: `--data.keep 3=0.35 8=0.2`."""
    registry = tyro.constructors.ConstructorRegistry()

    @registry.primitive_rule
    def fractions(info: tyro.constructors.PrimitiveTypeInfo):
        if info.type != Mapping[str, float]:
            return None
        return tyro.constructors.PrimitiveConstructorSpec(
            nargs="*",
            metavar="[CLASS=FRACTION ...]",
            instance_from_str=_read_fractions,
            is_instance=lambda value: isinstance(value, Mapping),
            str_from_instance=lambda value: [f"{name}={part}" for name, part in value.items()],
        )

    return registry


def _read_fractions(words: Sequence[str]) -> dict[str, float]:
    try:
        pairs = [word.rsplit("=", 1) for word in words]
        return {name: float(fraction) for name, fraction in pairs}
    except ValueError:
        raise InputError(
            f"keep {' '.join(words)!r}: expected CLASS=FRACTION pairs, such as 3=0.35 8=0.2"
        ) from None
