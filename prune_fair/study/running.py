"""A study from its config to its directory: what it is about, on which machine, and where to."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from prune_fair.config import StudyConfig, TaskConfig
from prune_fair.data import BY_IMAGE, Dataset
from prune_fair.engine.images import DeviceData
from prune_fair.engine.machine import set_up_jax
from prune_fair.engine.members import Engine, levels_together
from prune_fair.engine.objective import check_groups_known
from prune_fair.engine.plan import Plan, PlanConfig, make_plan
from prune_fair.engine.population import Population
from prune_fair.engine.spans import check_steps
from prune_fair.engine.task import Task, build_model, make_task, total_steps
from prune_fair.errors import check
from prune_fair.provenance import physical_memory
from prune_fair.store import Layout, StudyStore, open_study, writing
from prune_fair.study.background import Submit, in_background
from prune_fair.study.levels import Progress, TaskRun, run_task, silent
from prune_fair.study.schema import layout_of, made_of
from prune_fair.types import Model, Variables

MOST_PREDICTIONS = 16 << 30  # bytes, of a study, before they are compressed


class Subject(NamedTuple):
    """What a task is about.

    Attributes:
        dataset: its images.
        model: the architecture.
        task: what its networks share, as a plan has it computed.
        dense: variables of trained networks, stacked by seed; None where they are to be trained.
    """

    dataset: Dataset
    model: Model
    task: Callable[[Plan], Task]
    dense: Variables | None = None


def run_study(
    config: StudyConfig,
    path: str | Path,
    *,
    plan: PlanConfig = PlanConfig(),
    progress: Progress = silent,
) -> xr.DataTree:
    """Runs a study into a directory, or goes on where the directory holds it half done.

    Args:
        config: what to train and prune.
        path: the study's directory.
        plan: what is asked of the plan that lays networks over the machine.
        progress: told of networks as they are finished.

    Returns:
        The results, as `open_study` gives them.

    Raises:
        InputError: for data that cannot be had, more predictions than `MOST_PREDICTIONS` bytes, or
            a directory that cannot be used.

    Example:
        >>> import tempfile
        >>> from prune_fair import RecipeConfig, Schedule, TaskConfig
        >>> task = TaskConfig(recipe=RecipeConfig(epochs=1))  # an mlp on digits
        >>> config = StudyConfig((task,), schedule=Schedule(levels=1), seeds=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results = run_study(config, folder)["digits/mlp"]
        >>> results.sparsity.isel(technique=0, seed=0).round(2).values.tolist()
        [0.0, 0.3]
    """
    for task in config.tasks:
        name = task.model.name
        check(
            not task.model.is_given, f"model {name!r}: is to be handed over; use prune_fair.audit"
        )
    return carry_out(config, path, partial(_own_subjects, config), plan, progress)


def carry_out(
    config: StudyConfig,
    path: str | Path,
    subjects: Callable[[], Mapping[str, Subject]],
    plan: PlanConfig,
    progress: Progress,
) -> xr.DataTree:
    """As `run_study`, of subjects by the name of their task, which are asked for where needed."""
    with writing(path, config.as_json(), config.fingerprint()) as store:
        store.check_plan(asdict(plan))
        if store.is_whole(config.task_names):
            progress(config.networks, reused=True)
            return open_study(path)
        store.check_work_left()
        set_up_jax()
        asked = subjects()
        for technique, subject in itertools.product(config.parsed_techniques, asked.values()):
            technique.check_fits(subject.model)
        parameters = max(subject.model.parameters for subject in asked.values())
        _check_memory(config, parameters)
        audit = any(subject.dense is not None for subject in asked.values())
        laid = make_plan(min(config.seeds, config.seeds_per_piece), parameters, plan, audit)
        tasks = {name: subject.task(laid) for name, subject in asked.items()}
        for technique, task in itertools.product(config.parsed_techniques, tasks.values()):
            check_steps(technique, total_steps(task))
            check_groups_known(technique, task)
        described = {
            name: layout_of(config, tasks[name], subject.dataset) for name, subject in asked.items()
        }
        _check_predictions(described)
        made = {
            name: made_of(config, tasks[name], each.dataset, each.dense is not None)
            for name, each in asked.items()
        }
        store.describe(described, made)
        store.begin_run(asdict(laid))
        for name, subject in asked.items():
            machine = Population(laid)
            told = store, progress
            with in_background() as behind:
                run_task(_begin_task(config, name, tasks[name], subject, machine, *told, behind))
    return open_study(path)


def _check_memory(config: StudyConfig, parameters: int) -> None:
    """Raises `InputError` where a piece's networks alone take more memory than there is."""
    networks = min(config.seeds, config.seeds_per_piece) * (1 + len(config.parsed_techniques))
    needed, there = 4 * parameters * networks / 2**30, physical_memory() / 2**30
    check(
        needed < there,
        f"{networks:,} networks of {parameters:,} parameters take {needed:,.0f} GiB of memory at "
        f"once, this machine has {there:,.0f}; lower seeds_per_piece, the techniques or the width",
    )


def _check_predictions(layouts: Mapping[str, Layout]) -> None:
    """Raises `InputError` where a study's predictions take more than `MOST_PREDICTIONS` bytes."""
    names = [each.predictions for each in BY_IMAGE.values()]
    size = sum(
        layout.bytes(layout.variables[name])
        for layout in layouts.values()
        for name in names
        if name in layout.variables
    )
    check(
        size <= MOST_PREDICTIONS,
        f"predictions of every network for every image take {size / 2**30:,.1f} GiB, at most "
        f"{MOST_PREDICTIONS / 2**30:.0f} are kept; leave out --predictions (in Python, "
        "predictions=True), or ask fewer techniques, levels or seeds",
    )


def _own_subjects(config: StudyConfig) -> dict[str, Subject]:
    """Those whose networks are trained by the study itself."""

    def subject(task: TaskConfig) -> Subject:
        dataset = task.data.load()
        kept = {"predictions": config.predictions, "calibration": config.calibration}
        made = partial(make_task, task, dataset, **kept)
        return Subject(dataset, build_model(task, dataset), made)

    return {task.node: subject(task) for task in config.tasks}


def _begin_task(
    config: StudyConfig,
    name: str,
    task: Task,
    subject: Subject,
    machine: Population,
    store: StudyStore,
    progress: Progress,
    behind: Submit,
) -> TaskRun:
    """Puts a task on the machine."""
    dataset, levels = subject.dataset, len(config.schedule.sparsity_by_level())
    one_go = not config.schedule.iterative and not any(
        technique.retraining.trains for technique in config.parsed_techniques
    )
    networks = min(config.seeds, config.seeds_per_piece) * len(config.parsed_techniques)
    together = levels_together(networks, task, levels - 1) if one_go else 1
    engine = Engine(
        machine,
        task,
        machine.share(DeviceData.of(dataset)),
        config.schedule,
        {},
        subject.dense,
    )
    return TaskRun(name, config, engine, store, progress, behind, together)
