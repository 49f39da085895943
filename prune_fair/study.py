"""The lifecycle of a study: train, then level by level score, prune, treat, retrain, evaluate.

The only place that knows this order. A piece of work is one level of a block of seeds, all methods
together; a finished piece is never computed again.
"""

import itertools
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import numpy as np
import xarray as xr

from prune_fair.config import StudyConfig
from prune_fair.pruning import TREATMENTS, Method, Treatment, kernels, quota
from prune_fair.store import DENSE, StudyStore, open_study, writing
from prune_fair.training import network
from prune_fair.training.evaluation import Evaluated
from prune_fair.training.plan import PlanConfig, make_plan, use_every_core
from prune_fair.training.population import Population
from prune_fair.training.programs import (
    Programs,
    Seeds,
    build_model,
    make_programs,
    make_task,
    retrain,
    train_to_rewind_step,
)
from prune_fair.training.votes import Votes
from prune_fair.types import Dataset, Mask, Variables


@runtime_checkable
class Progress(Protocol):
    """Hears of networks as they are finished; `reused` where an earlier run had finished them."""

    def __call__(self, networks: int, *, reused: bool = False) -> None:
        """Called with how many are new."""
        ...


def silent(networks: int, *, reused: bool = False) -> None:
    """Tells nobody."""


class Networks(NamedTuple):
    """Networks of one method on the host, stacked by seed."""

    variables: Variables
    mask: Mask


class TaskRun(NamedTuple):
    """What all levels and seeds of one task share."""

    name: str
    config: StudyConfig
    task: network.Task
    data: network.DeviceData
    programs: Programs
    layer_sizes: dict[str, int]
    store: StudyStore
    progress: Progress


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
    """
    with writing(path, config.as_json(), config.fingerprint()) as store:
        store.check_plan(asdict(plan))
        if store.study["complete"]:
            progress(config.networks, reused=True)
            return open_study(path)
        use_every_core()
        datasets = {task.name: task.data.load() for task in config.tasks}
        models = [build_model(task, datasets[task.name]) for task in config.tasks]
        for method, model in itertools.product(config.methods, models):
            Method.parse(method).check_fits(model)
        parameters = max(model.parameters for model in models)
        laid = make_plan(min(config.seeds, config.seeds_per_piece), parameters, plan)
        made = {
            task.name: make_task(task, datasets[task.name], laid, config.votes)
            for task in config.tasks
        }
        store.begin_run(asdict(laid))
        for name, task in made.items():
            machine = Population(laid)
            run_task(_begin_task(config, name, task, datasets[name], machine, store, progress))
        store.finish()
    return open_study(path)


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
    initial = _initialise(run, seeds, level=0)
    if next_level == 0:
        nothing_removed = jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), initial.params)
        networks = _retrain(run, seeds, 0, {DENSE: Networks(initial, nothing_removed)})
    else:
        networks = _load(run, seeds, next_level - 1)
    dense = networks[DENSE] if DENSE in networks else _load(run, seeds, 0)[DENSE]
    rewound = initial
    if any(_treatment(name).rewinds for name in run.config.methods):
        shared = run.data, np.int32(0)
        rewound = train_to_rewind_step(run.programs, run.task, shared, initial, seeds)
    for level in range(max(1, next_level), len(sparsities)):
        from_dense = level == 1 or not run.config.schedule.iterative
        parents = dict.fromkeys(run.config.methods, dense) if from_dense else networks
        pruned = _prune(run, seeds, level, initial, parents)
        starts = _treat(run, seeds, level, rewound, parents, pruned)
        networks = _retrain(run, seeds, level, starts)


def _first_unfinished_level(run: TaskRun, seeds: Seeds) -> int:
    """Where these seeds go on; tells the progress of what is finished."""
    levels = len(run.config.schedule.sparsity_by_level())
    done = [run.store.has_piece(run.name, int(seeds[0]), level) for level in range(levels)]
    level = done.index(False) if False in done else levels
    if level:
        run.progress(len(seeds) * (1 + (level - 1) * len(run.config.methods)), reused=True)
    return level


def _initialise(run: TaskRun, seeds: Seeds, level: int) -> Variables:
    return run.programs.initialise((np.int32(level),), seeds)


def _prune(
    run: TaskRun, seeds: Seeds, level: int, initial: Variables, parents: Mapping[str, Networks]
) -> dict[str, Mask]:
    """The next mask of every method's networks."""
    sparsities, masks = run.config.schedule.sparsity_by_level(), {}
    for name, parent in parents.items():
        method = Method.parse(name)
        kept = quota(method.scope, sparsities[level], method.shapes(run.task.model), sparsities[-1])
        stacked = *parent, initial, seeds, np.tile(kept, (len(seeds), 1))
        masks[name] = run.programs.prune[name]((run.data, np.int32(level)), *stacked)
    return masks


def _treat(
    run: TaskRun,
    seeds: Seeds,
    level: int,
    rewound: Variables,
    parents: Mapping[str, Networks],
    masks: Mapping[str, Mask],
) -> dict[str, Networks]:
    """The variables that every method's survivors train from."""
    fresh = _initialise(run, seeds, level)
    return {
        name: Networks(_treatment(name).start(rewound, parents[name].variables, fresh), mask)
        for name, mask in masks.items()
    }


def _retrain(
    run: TaskRun, seeds: Seeds, level: int, starts: Mapping[str, Networks]
) -> dict[str, Networks]:
    """Trains and evaluates the networks of all methods together, and saves them."""
    variables, mask = jax.tree.map(lambda *leaves: np.concatenate(leaves), *starts.values())
    treatments = [_treatment(name) for name in starts for _ in seeds]
    members = treatments, variables, mask, np.tile(seeds, len(starts))
    shared = run.data, np.int32(level)
    trained = retrain(run.programs, run.task, shared, *members, done=run.progress)
    evaluated, votes = run.programs.evaluate(run.data, seeds, trained.variables, mask)
    networks, counts = jax.tree.map(
        lambda leaf: leaf.reshape(len(starts), len(seeds), *leaf.shape[1:]),
        (Networks(trained.variables, mask), (trained.diverged, evaluated)),
    )
    retrained = {
        name: jax.tree.map(lambda leaf, row=row: leaf[row], networks)
        for row, name in enumerate(starts)
    }
    _save(run, seeds, level, retrained, *counts, votes=votes)
    return retrained


def _treatment(name: str) -> Treatment:
    """Dense networks train as reinitialised ones do: all steps, at the whole rate."""
    return TREATMENTS["reinit" if name == DENSE else Method.parse(name).treatment]


def _save(
    run: TaskRun,
    seeds: Seeds,
    level: int,
    networks: Mapping[str, Networks],
    diverged: Any,
    evaluated: Evaluated,
    votes: Votes | None,
) -> None:
    """Networks first, then the results that say they are there, then drops what is superseded."""
    first_seed, sizes = int(seeds[0]), np.array(list(run.layer_sizes.values()))
    prunable = np.array([_prunable(run, name) for name in networks])[:, None, :]
    removed = evaluated.removed_weights
    variables = {
        "confusion": evaluated.confusion,
        "margin": evaluated.margin,
        "sparsity": (removed * prunable).sum(axis=-1) / (sizes * prunable).sum(axis=-1),
        "parameter_sparsity": evaluated.removed_parameters / run.task.model.parameters,
        "layer_sparsity": removed / sizes,
        "diverged": diverged,
        "collapsed": (removed == sizes).any(axis=-1),
    }
    if evaluated.group_confusion is not None:
        variables["group_confusion"] = evaluated.group_confusion
    if votes is not None:
        variables |= {"votes": votes, "image_label": np.asarray(run.data.test_labels)}
    saved = {
        name: {**members.variables._asdict(), "mask": members.mask}
        for name, members in networks.items()
    }
    run.store.save_networks(run.name, first_seed, level, saved)
    run.store.write_piece(run.name, level, list(networks), seeds.tolist(), variables)
    if level > 1:
        run.store.drop_networks(run.name, first_seed, level - 1)


def _prunable(run: TaskRun, name: str) -> list[bool]:
    layers = run.task.model.layers
    prunable = layers if name == DENSE else Method.parse(name).prunable(layers)
    return [layer in prunable for layer in layers]


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
    dataset: Dataset,
    machine: Population,
    store: StudyStore,
    progress: Progress,
) -> TaskRun:
    """Puts a task on the machine, and tells the store what its results look like."""
    levels = len(config.schedule.sparsity_by_level())
    layers, shapes = task.model.layers, task.model.shapes
    store.describe_task(name, config.methods, levels, layers, dataset, config.votes)
    return TaskRun(
        name,
        config,
        task,
        machine.share(network.DeviceData(*dataset[:4], dataset.test_groups)),
        make_programs(machine, task, config.methods),
        {la: kernel.size for la, kernel in zip(layers, kernels(shapes, layers), strict=True)},
        store,
        progress,
    )
