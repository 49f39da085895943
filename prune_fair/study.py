"""The lifecycle of a study: train, then level by level score, prune, treat, retrain, evaluate.

The only place that knows this order. A piece of work is one level of a block of seeds, all methods
together; a finished piece is never computed again.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import numpy as np
import xarray as xr

from prune_fair.config import StudyConfig, TaskConfig
from prune_fair.errors import check
from prune_fair.pruning import TREATMENTS, Method, Treatment
from prune_fair.store import DENSE, StudyStore, open_study, writing
from prune_fair.training import network
from prune_fair.training.counts import counts
from prune_fair.training.plan import Plan, PlanConfig, make_plan, use_every_core
from prune_fair.training.population import Population
from prune_fair.training.programs import (
    Programs,
    Seeds,
    build_model,
    make_programs,
    make_task,
)
from prune_fair.training.retraining import (
    Networks,
    Piece,
    Retrained,
    levels_together,
    prune,
    prune_untrained,
    retrain,
    train_to_rewind_step,
)
from prune_fair.training.spans import check_steps
from prune_fair.types import Dataset, Mask, Model, Variables


@runtime_checkable
class Progress(Protocol):
    """Hears of networks as they are finished; `reused` where an earlier run had finished them."""

    def __call__(self, networks: int, *, reused: bool = False) -> None:
        """Called with how many are new."""
        ...


def silent(networks: int, *, reused: bool = False) -> None:
    """Tells nobody."""


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
    task: Callable[[Plan], network.Task]
    dense: Variables | None = None


class TaskRun(NamedTuple):
    """What all levels and seeds of one task share.

    Its dense networks may be `given`; `levels_together` of networks that are not trained are pruned
    at a time, 0 where each level waits for the one before.
    """

    name: str
    config: StudyConfig
    task: network.Task
    data: network.DeviceData
    programs: Programs
    store: StudyStore
    progress: Progress
    given: bool = False
    levels_together: int = 0


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
        InputError: for data that cannot be had, or a directory that cannot be used.

    Example:
        >>> import tempfile
        >>> from prune_fair import RecipeConfig, Schedule, TaskConfig
        >>> task = TaskConfig(recipe=RecipeConfig(epochs=1))  # an mlp on digits
        >>> config = StudyConfig((task,), schedule=Schedule(levels=1), seeds=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results = run_study(config, folder)["digits/mlp"]
        >>> results.sparsity.isel(method=0, seed=0).round(2).values.tolist()
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
        if store.study["complete"]:
            progress(config.networks, reused=True)
            return open_study(path)
        use_every_core()
        asked = subjects()
        for method, subject in itertools.product(config.methods, asked.values()):
            Method.parse(method).check_fits(subject.model)
        parameters = max(subject.model.parameters for subject in asked.values())
        laid = make_plan(min(config.seeds, config.seeds_per_piece), parameters, plan)
        tasks = {name: subject.task(laid) for name, subject in asked.items()}
        treatments = [_treatment(method) for method in config.methods]
        for task in tasks.values():
            check_steps(task.recipe, treatments, network.total_steps(task))
        store.begin_run(asdict(laid))
        for name, subject in asked.items():
            machine = Population(laid)
            run_task(_begin_task(config, name, tasks[name], subject, machine, store, progress))
        store.finish()
    return open_study(path)


def _own_subjects(config: StudyConfig) -> dict[str, Subject]:
    """Those whose networks are trained by the study itself."""

    def subject(task: TaskConfig) -> Subject:
        dataset = task.data.load()
        made = partial(make_task, task, dataset, votes=config.votes)
        return Subject(dataset, build_model(task, dataset), made)

    return {task.name: subject(task) for task in config.tasks}


def run_task(run: TaskRun) -> None:
    """Every block of seeds of one task, from the dense networks to the last level."""
    block = run.config.seeds_per_piece
    for first in range(0, run.config.seeds, block):
        run_block(run, np.arange(first, min(first + block, run.config.seeds), dtype=np.int32))


def run_block(run: TaskRun, seeds: Seeds) -> None:
    """The levels of some seeds, going on after the last finished one."""
    sparsities = run.config.schedule.sparsity_by_level()
    next_level = _first_unfinished_level(run, seeds)
    if next_level == len(sparsities):
        return
    initial = run.programs.initialise((np.int32(0),), seeds)
    piece = _piece(run, seeds, 0, initial)
    if next_level == 0:
        nothing_removed = jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), initial.params)
        networks = _retrain(run, piece, {DENSE: Networks(initial, nothing_removed)})
    else:
        networks = _load(run, seeds, next_level - 1)
    dense = networks[DENSE] if DENSE in networks else _load(run, seeds, 0)[DENSE]
    levels = range(max(1, next_level), len(sparsities))
    if run.levels_together:
        run_untrained(run, piece, levels, dense)
        return
    rewound = initial
    if any(_treatment(name).rewinds for name in run.config.methods):
        rewound = train_to_rewind_step(piece)
    for level in levels:
        piece = piece._replace(level=level)
        parents = dict.fromkeys(run.config.methods, dense) if piece.from_dense else networks
        pruned = _prune(piece, parents, sparsities[level])
        starts = _treat(piece, rewound, parents, pruned)
        networks = _retrain(run, piece, starts)


def run_untrained(run: TaskRun, piece: Piece, levels: range, dense: Networks) -> None:
    """The levels of some seeds whose networks are not trained, many at a time."""
    for first in levels[:: run.levels_together]:
        some = range(first, min(first + run.levels_together, levels.stop))
        pieces = [piece._replace(level=level) for level in some]
        together = prune_untrained(pieces, run.config.methods, dense)
        for each, pruned in zip(pieces, together, strict=True):
            _save(run, each, pruned)
            run.progress(len(each.seeds) * len(pruned))


def _first_unfinished_level(run: TaskRun, seeds: Seeds) -> int:
    """Where these seeds go on; tells the progress of what is finished."""
    levels = len(run.config.schedule.sparsity_by_level())
    done = [run.store.has_piece(run.name, int(seeds[0]), level) for level in range(levels)]
    level = done.index(False) if False in done else levels
    if level:
        run.progress(len(seeds) * (1 + (level - 1) * len(run.config.methods)), reused=True)
    return level


def _piece(run: TaskRun, seeds: Seeds, level: int, initial: Variables) -> Piece:
    shared = run.programs, run.task, run.data, run.config.schedule
    return Piece(*shared, level, seeds, initial)


def _prune(piece: Piece, parents: Mapping[str, Networks], sparsity: float) -> dict[str, Mask]:
    """The next mask of every method's networks; that of before, where pruning is gradual."""
    return {
        name: parent.mask if _treatment(name).gradual else prune(piece, name, parent, sparsity)
        for name, parent in parents.items()
    }


def _treat(
    piece: Piece,
    rewound: Variables,
    parents: Mapping[str, Networks],
    masks: Mapping[str, Mask],
) -> dict[str, Networks]:
    """The variables that every method's survivors train from."""
    fresh = piece.programs.initialise((np.int32(piece.level),), piece.seeds)
    return {
        name: Networks(_treatment(name).start(rewound, parents[name].variables, fresh), mask)
        for name, mask in masks.items()
    }


def _retrain(run: TaskRun, piece: Piece, starts: Mapping[str, Networks]) -> dict[str, Networks]:
    """Trains and evaluates the networks of all methods, and saves them."""
    treatments = {name: _treatment(name) for name in starts}
    if DENSE in starts and run.given:
        treatments = {DENSE: TREATMENTS["none"]}
    retrained = retrain(piece, starts, treatments, run.progress)
    _save(run, piece, retrained)
    return {name: each.networks for name, each in retrained.items()}


def _treatment(name: str) -> Treatment:
    """Dense networks train as reinitialised ones do: all steps, at the whole rate."""
    return TREATMENTS["reinit" if name == DENSE else Method.parse(name).treatment]


def _save(run: TaskRun, piece: Piece, retrained: Mapping[str, Retrained]) -> None:
    """Networks first, then the results that say they are there, then drops what is superseded."""
    first_seed, level = int(piece.seeds[0]), piece.level
    saved = {
        name: {**each.networks.variables._asdict(), "mask": each.networks.mask}
        for name, each in retrained.items()
    }
    run.store.save_networks(run.name, first_seed, level, saved)
    counted = counts(run.task, retrained, run.data.test_labels)
    run.store.write_piece(run.name, level, list(retrained), piece.seeds.tolist(), counted)
    if level > 1 and not run.given:  # of an audit any network may be asked for
        run.store.drop_networks(run.name, first_seed, level - 1)


def _load(run: TaskRun, seeds: Seeds, level: int) -> dict[str, Networks]:
    saved = run.store.load_networks(run.name, int(seeds[0]), level)
    names = run.config.methods if level else (DENSE,)
    return {
        name: Networks(Variables(saved[name]["params"], saved[name]["state"]), saved[name]["mask"])
        for name in names
    }


def _begin_task(
    config: StudyConfig,
    name: str,
    task: network.Task,
    subject: Subject,
    machine: Population,
    store: StudyStore,
    progress: Progress,
) -> TaskRun:
    """Puts a task on the machine, and tells the store what its results look like."""
    dataset, dense = subject.dataset, subject.dense
    levels = len(config.schedule.sparsity_by_level())
    store.describe_task(name, config.methods, levels, task.model.layers, dataset, config.votes)
    one_go = not config.schedule.iterative and not any(
        _treatment(name).trains for name in config.methods
    )
    networks = min(config.seeds, config.seeds_per_piece) * len(config.methods)
    together = levels_together(networks, task, levels - 1) if one_go else 0
    programs = make_programs(machine, task, config.methods, max(1, together))
    if dense is not None:
        programs = programs._replace(initialise=partial(_of_seeds, dense))
    return TaskRun(
        name,
        config,
        task,
        machine.share(network.DeviceData(*dataset[:4], dataset.test_groups)),
        programs,
        store,
        progress,
        dense is not None,
        together,
    )


def _of_seeds(dense: Variables, shared: tuple[Any, ...], seeds: Seeds) -> Variables:
    """What networks of these seeds start from, where they were handed over."""
    return jax.tree.map(lambda leaf: leaf[seeds], dense)
