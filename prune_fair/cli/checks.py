"""`prune-fair check` and `prune-fair status`: whether a study is whole, and how far it is."""

from datetime import UTC, datetime
from pathlib import Path

from prune_fair import console
from prune_fair.cli.flags import StudyPath
from prune_fair.provenance import command_line
from prune_fair.store import Problem, find_problems, status_of
from prune_fair.store.studies import read_description
from prune_fair.words.numbers import duration

NOT_WHOLE = 1


def check(study: StudyPath, repair: bool = False, json: bool = False) -> None:
    """Reads every file of a study, and lists what is damaged or missing.

    The exit status is 0 where the study is whole, also after a repair, and 1 where it is not.

    Args:
        study: directory that an experiment wrote.
        repair: compute what is damaged, missing or not finished again, from the nearest networks
            that are there.
        json: print one JSON document.
    """
    found = find_problems(study)
    left = _repaired(study) if repair and found else found
    if json:
        rows = [_row(problem, repaired=problem not in left) for problem in found]
        console.print_json({"path": str(study), "whole": not left, "problems": rows})
    else:
        screen = console.make_console()
        for problem in found:
            screen.print(problem.message, soft_wrap=True, markup=False, highlight=False)
        ending = "is whole" if not left else f"has {len(left)} damaged or missing parts"
        screen.print(f"{study}: {ending}", soft_wrap=True, markup=False, highlight=False)
    if left:
        raise SystemExit(NOT_WHOLE)


def _repaired(study: Path) -> list[Problem]:
    """What is left after a repair."""
    from prune_fair.config import StudyConfig
    from prune_fair.study import repair  # brings what trains

    config = StudyConfig.from_json(read_description(study)["config"])
    with console.progress(config.networks) as progress:
        repair(study, progress=progress)
    return find_problems(study)


def _row(problem: Problem, repaired: bool) -> dict[str, object]:
    piece = {"task": problem.task, "first_seed": problem.first_seed, "level": problem.level}
    return {
        "kind": problem.kind,
        "message": problem.message,
        "piece": piece if problem.task else None,
        "repaired": repaired,
    }


def status(study: StudyPath, json: bool = False) -> None:
    """How far a study is, whether a process runs it, and what command goes on.

    Args:
        study: directory that an experiment wrote.
        json: print one JSON document.
    """
    document = {"path": str(study), **status_of(study)}
    asked = [run["command"] for run in document["runs"]]
    document["goes_on"] = command_line(asked[0]) if asked else f"prune-fair check {study} --repair"
    if json:
        return console.print_json(document)
    screen = console.make_console()
    lines = [
        f"{name}: {task['finished']} of {task['pieces']} pieces finished, "
        f"{task['blocks_in_work']} of {task['blocks']} blocks of seeds in work"
        for name, task in document["tasks"].items()
    ]
    for run in document["runs"]:
        started = datetime.fromtimestamp(run["started"], UTC).strftime("%Y-%m-%d %H:%M UTC")
        took = duration(run["seconds"])
        lines.append(f"run      {started}, {took}: {command_line(run['command'])}")
    ending = "running" if document["running"] else f"not running; `{document['goes_on']}` goes on"
    lines.append("complete" if document["complete"] else ending)
    for line in lines:
        screen.print(line, soft_wrap=True, markup=False, highlight=False)
    return None
