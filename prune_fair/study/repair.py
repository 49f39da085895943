"""A study made whole again: what is damaged goes, and the study goes on where it is missing."""

from pathlib import Path

from prune_fair.config import StudyConfig
from prune_fair.engine.plan import PlanConfig
from prune_fair.errors import InputError
from prune_fair.store import find_problems, read_study, set_aside
from prune_fair.study.levels import Progress, silent
from prune_fair.study.running import run_study

ROUNDS = 2  # the second finds what lay behind metadata that the first wrote again


def repair(path: str | Path, *, progress: Progress = silent) -> None:
    """Computes everything of a study that is damaged, missing or not finished.

    From the nearest networks that are there: those of the level before, the dense ones, or where
    these are lost from the seed. What is whole stays as it is. On the machine and with the versions
    that ran the study the same numbers come about.

    Args:
        path: of the study.
        progress: told of networks as they are finished.

    Raises:
        InputError: if the path is no study, another process runs it, its study.json is damaged, or
            what is missing comes from networks that were handed over.

    Example:
        >>> from prune_fair.store import EXAMPLE
        >>> repair(EXAMPLE)  # it is whole: nothing happens
    """
    for _ in range(ROUNDS):
        problems = find_problems(path)
        if not problems:
            return
        set_aside(path, problems)
    if not find_problems(path):
        return
    study = read_study(path)
    if "networks_sha256" in study["config"]:
        raise InputError(
            f"{path}: is an audit, whose networks were handed over; what was damaged is out of the "
            "way: give the audit's command again, which computes it"
        )
    asked = {name: run["plan"][name] for run in study["runs"] for name in ("shuffling", "dtype")}
    run_study(
        StudyConfig.from_json(study["config"]), path, plan=PlanConfig(**asked), progress=progress
    )
