"""Whether a study is as it was written: what is damaged or missing, and its way out of the way."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from prune_fair.errors import InputError, check, writing_to
from prune_fair.store.chunks import Task, damage, damaged_constants
from prune_fair.store.claims import Claims
from prune_fair.store.describing import complete
from prune_fair.store.layout import FINISHED, Layout, in_words
from prune_fair.store.networks import (
    checkpoint_folder,
    digest_file,
    foreign_files,
    has_networks,
    networks_damage,
)
from prune_fair.store.results import metadata_fault
from prune_fair.store.studies import layouts_of, read_description, read_run, run_files


class Problem(NamedTuple):
    """Something of a study that is not as it should be.

    Attributes:
        kind: `damaged`, `missing`, or `unfinished` for a piece that was never there.
        message: what it is, in a line.
        files: what has to go for the study's run to make it again.
        task: that has to run for it; empty where none has to.
        first_seed: of the block.
        level: of the piece.
        networks: the checkpoint, where it is one.

    Example:
        >>> Problem("missing", "the networks of digits/mlp, seeds 0 to 31, level 0", ()).task
        ''
    """

    kind: str
    message: str
    files: tuple[Path, ...]
    task: str = ""
    first_seed: int = 0
    level: int = 0
    networks: Path | None = None


def find_problems(path: str | Path) -> list[Problem]:
    """Everything of a study that is damaged, missing or not finished; nothing where it is whole.

    Every file that the study wrote is read. Blocks that a process works at now are not looked at.
    Networks are only missed where a folder of checkpoints is there.

    Raises:
        InputError: if the path is no study, or its study.json is damaged, of which nothing can be
            known then.

    Example:
        >>> from prune_fair.store import EXAMPLE
        >>> find_problems(EXAMPLE)
        []
    """
    path = Path(os.path.expanduser(path))
    study = read_description(path)
    found = [*_of_runs(path), *_of_metadata(path, study["metadata"])]
    closed = {file.parent for problem in found for file in problem.files}
    for name, layout in layouts_of(study).items():
        arrays = {*layout.coords(), *layout.all_variables}
        readable = {each for each in arrays if path / name / each not in closed}
        found += _of_task(Task(path, name, layout), readable, "networks_sha256" in study["config"])
    return found


def set_aside(path: str | Path, problems: Sequence[Problem]) -> None:
    """Takes what is damaged out of the way, and writes what study.json alone gives again.

    The study's run computes the rest once more. Only files that the study wrote are removed; the
    damaged record of a run, which nothing can make again, is renamed.

    Raises:
        InputError: for files in a checkpoint that are somebody else's, or a block that a process
            works at.
    """
    path = Path(os.path.expanduser(path))
    claims, records = Claims(path / "claims"), run_files(path)
    layouts = layouts_of(read_description(path))
    for file in (file for problem in problems for file in problem.files):
        _check_free(path, file)
    for problem in problems:
        check(
            not problem.task or not claims.in_work(problem.task, problem.first_seed),
            f"{path}: another process is running this study; wait for it",
        )
        if problem.task:
            _check_place(path, layouts[problem.task], problem)
        if problem.networks is not None and (others := foreign_files(problem.networks)):
            raise InputError(
                f"{problem.networks}: holds {others[0]!r}, which is not of this study; move it away"
            )
    for file in dict.fromkeys(file for problem in problems for file in problem.files):
        with writing_to(file):
            if file in records:
                file.rename(file.with_name(f"{file.name}.damaged"))
            else:
                file.unlink(missing_ok=True)
    complete(path, read_description(path), {})


def _check_place(path: Path, layout: Layout, problem: Problem) -> None:
    """Raises `InputError` where what is no file of the study stands in the place of a piece."""
    at = layout.blocks.index(problem.first_seed), problem.level
    for name, variable in layout.all_variables.items():
        if variable.by_piece:
            _check_free(path, path / problem.task / layout.chunk(name, *at))
    if problem.networks is not None:
        _check_free(path, problem.networks / "any")


def _check_free(path: Path, file: Path) -> None:
    """Raises `InputError` where no file of the study can stand: a pipe, or a file for a folder."""
    folders = [path / part for part in file.relative_to(path).parents]
    foreign = [each for each in folders if each.exists() and not each.is_dir()]
    if file.exists() and not file.is_file():
        foreign.append(file)
    check(not foreign, f"{(foreign or [file])[0]}: is none of this study's files; move it away")


def status_of(path: str | Path) -> dict[str, Any]:
    """How far a study is, as JSON types: pieces by task, and by which runs.

    Raises:
        InputError: if the path is no study.

    Example:
        >>> from prune_fair.store import EXAMPLE
        >>> status_of(EXAMPLE)["tasks"]
        {'digits/mlp': {'pieces': 7, 'finished': 7, 'blocks': 1, 'blocks_in_work': 0}}
    """
    path = Path(os.path.expanduser(path))
    study, tasks = read_description(path), {}
    claims, runs = Claims(path / "claims"), [read_run(file) for file in run_files(path)]
    for name, layout in layouts_of(study).items():
        finished = Task(path, name, layout).finished()
        tasks[name] = {
            "pieces": finished.size,
            "finished": int(finished.sum()),
            "blocks": len(layout.blocks),
            "blocks_in_work": sum(
                not finished[block].all() and claims.in_work(name, first)
                for block, first in enumerate(layout.blocks)
            ),
        }
    return {
        "complete": all(each["finished"] == each["pieces"] for each in tasks.values()),
        "running": any(each["blocks_in_work"] for each in tasks.values()),
        "tasks": tasks,
        "runs": [{key: run[key] for key in ("started", "seconds", "command")} for run in runs],
    }


def _of_runs(path: Path) -> Iterator[Problem]:
    for file in run_files(path):
        try:
            read_run(file)
        except InputError as error:
            yield Problem("damaged", str(error).partition(";")[0], (file,))


def _of_metadata(path: Path, digests: Mapping[str, str]) -> Iterator[Problem]:
    for name, digest in digests.items():
        fault = metadata_fault(path / name, digest)
        if fault:
            kind = "damaged" if (path / name).exists() else "missing"
            yield Problem(kind, f"{path / name}: is {kind} ({fault})", (path / name,))


def _of_task(task: Task, readable: set[str], keeps_all: bool) -> Iterator[Problem]:
    """What is wrong with a task's arrays, those that can be opened, and its networks."""
    layout, finished, claims = task.layout, task.finished(), Claims(task.path / "claims")
    for file, message in damaged_constants(task, readable):
        yield Problem("damaged", message.partition(";")[0], (task.folder / file,))
    for block, level, message in damage(task, finished, readable):
        yield _of_piece(task, block, level, "damaged", message.partition(";")[0])
    for block, first in enumerate(layout.blocks):
        if claims.in_work(task.name, first):
            continue
        for level in layout.levels:
            if not finished[block, level]:
                what = in_words(layout, task.name, block, level)
                yield _of_piece(task, block, level, "unfinished", f"{what}: is not finished")
        yield from _of_networks(task, block, finished[block].tolist(), keeps_all)


def _of_piece(task: Task, block: int, level: int, kind: str, message: str) -> Problem:
    commit = task.folder / task.layout.chunk(FINISHED, block, level)
    return Problem(kind, message, (commit,), task.name, task.layout.blocks[block], level)


def _of_networks(
    task: Task, block: int, finished: Sequence[bool], keeps_all: bool
) -> Iterator[Problem]:
    """Networks of a block that are damaged, or missing: of the dense and the last level, or all."""
    done = [level for level, there in enumerate(finished) if there]
    if not done or not (task.path / "checkpoints").is_dir():
        return
    needed = done if keeps_all else {0, done[-1]} & {*done}
    for level in task.layout.levels:
        folder = checkpoint_folder(task.path, task.name, task.layout.blocks[block], level)
        if not has_networks(folder):
            kind, why = "missing", "no digests of its files" if folder.is_dir() else "no folder"
            faults = [why] if level in needed else []
        else:
            kind, faults = "damaged", networks_damage(folder)
        if faults:
            what = in_words(task.layout, task.name, block, level)
            message = f"{folder}: the networks of {what} are {kind} ({faults[0]})"
            problem = _of_piece(task, block, level, kind, message)
            yield problem._replace(files=(digest_file(folder), *problem.files), networks=folder)
