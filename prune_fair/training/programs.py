"""A task as a machine computes it: its model and data in place, its programs lifted to members."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
from jaxtyping import Bool, Int

from prune_fair.config import TaskConfig
from prune_fair.errors import check
from prune_fair.models import build
from prune_fair.pruning import Method, Treatment
from prune_fair.training import network
from prune_fair.training.plan import Plan
from prune_fair.training.population import Population
from prune_fair.training.votes import evaluator
from prune_fair.types import Dataset, Mask, Model, Variables

Seeds: TypeAlias = Int[np.ndarray, " seeds"]


class Programs(NamedTuple):
    """What a population does, each compiled once: functions of (what is shared, stacked ...).

    `evaluate` is one of votes too, as `votes.evaluator` gives it.
    """

    initialise: Callable[..., Any]
    train: Callable[..., Any]
    evaluate: Callable[..., Any]
    prune: dict[str, Callable[..., Any]]


def build_model(
    config: TaskConfig, dataset: Dataset, lowering: str = "native", dtype: str = "float32"
) -> Model:
    """A task's architecture for its images.

    Raises:
        InputError: for an architecture that does not fit them.
    """
    shape, classes = dataset.train_images.shape[1:], len(dataset.class_names)
    model = config.model
    return build(model.name, shape, classes, model.widths, lowering, dtype, model.width)


def make_task(
    config: TaskConfig, dataset: Dataset, plan: Plan, votes: bool = False
) -> network.Task:
    """What a task's networks share, as the plan has it computed; and whether they vote.

    Raises:
        InputError: for an architecture that does not fit the images, or a `rewind_step` that leaves
            nothing to train.
    """
    task = network.Task(
        build_model(config, dataset, plan.lowering, plan.dtype),
        network.Pixels.of(dataset),
        config.recipe,
        len(dataset.train_labels),
        len(dataset.class_names),
        plan.shuffling,
        len(dataset.group_names),
        votes,
    )
    step, steps = task.recipe.rewind_step, network.total_steps(task)
    check(step < steps, f"rewind_step {step}: expected below {steps}, the steps of a training")
    return task


def make_programs(population: Population, task: network.Task, methods: Sequence[str]) -> Programs:
    """The programs of a task and its methods."""
    return Programs(
        population.lift(partial(network.initialise, task), brief=True),
        population.lift(partial(network.train, task)),
        evaluator(population, task, len(methods)),
        {
            method: population.lift(partial(network.prune, task, Method.parse(method)), brief=True)
            for method in methods
        },
    )


def train_to_rewind_step(
    programs: Programs,
    task: network.Task,
    shared: tuple[network.DeviceData, Any],
    initial: Variables,
    seeds: Seeds,
) -> Variables:
    """The dense networks at the recipe's `rewind_step`; their initialisation if that is 0."""
    step = task.recipe.rewind_step
    if step == 0:
        return initial
    mask = jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), initial.params)
    full_rate, span = np.ones(len(seeds), np.float32), np.array([[0, step]] * len(seeds), np.int32)
    return programs.train(shared, initial, mask, seeds, full_rate, span).variables


def retrain(
    programs: Programs,
    task: network.Task,
    shared: tuple[network.DeviceData, Any],
    treatments: Sequence[Treatment],
    variables: Variables,
    mask: Mask,
    seeds: Seeds,
    done: Callable[[int], None],
) -> network.Trained:
    """Trains those of stacked networks whose treatment does, and leaves the others as they start.

    Args:
        programs: of the task.
        task: theirs.
        shared: the images, and the level.
        treatments: of each network.
        variables: what each starts from.
        mask: of each.
        seeds: of each.
        done: hears of networks as they are finished.
    """
    finetune = task.recipe.finetune_learning_rate
    shares = [1.0 if row.full_learning_rate else finetune for row in treatments]
    members = variables, mask, seeds, np.array(shares, np.float32)
    if task.recipe.rewind_step:
        steps = network.total_steps(task)
        spans = [(task.recipe.rewind_step if row.rewinds else 0, steps) for row in treatments]
        members = *members, np.array(spans, np.int32)
    trains = np.array([row.trains for row in treatments])
    if trains.all():
        return programs.train(shared, *members, done=done)
    rest = jax.tree.map(lambda leaf, kept: np.where(kept, leaf, 0), variables.params, mask)
    whole = network.Trained(variables._replace(params=rest), np.zeros(len(trains), bool))
    done(int((~trains).sum()))
    if not trains.any():
        return whole
    some = jax.tree.map(lambda leaf: leaf[trains], members)
    trained = programs.train(shared, *some, done=done)
    return jax.tree.map(lambda leaf, new: _with_rows(leaf, trains, new), whole, trained)


def _with_rows(leaf: np.ndarray, rows: Bool[np.ndarray, " members"], new: np.ndarray) -> np.ndarray:
    changed = leaf.copy()
    changed[rows] = new
    return changed
