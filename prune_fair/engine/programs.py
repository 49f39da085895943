"""A task as a machine computes it: its model and data in place, its programs lifted to members."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Int

from prune_fair.config import TaskConfig
from prune_fair.engine import network
from prune_fair.engine.plan import Plan
from prune_fair.engine.population import Population
from prune_fair.engine.spans import needs_spans
from prune_fair.engine.votes import evaluator
from prune_fair.models import build
from prune_fair.pruning import TREATMENTS, Technique
from prune_fair.types import Dataset, Model

Seeds: TypeAlias = Int[np.ndarray, " seeds"]


class Programs(NamedTuple):
    """What a population does, each compiled once: functions of (what is shared, stacked ...).

    Attributes:
        initialise: gives fresh variables.
        train: trains all steps at one go, or, where they are `spanned`, those of a span.
        evaluate: counts, and votes, as `votes.evaluator` gives it.
        prune: gives the next mask, by technique.
        spanned: whether some networks of the task do not train all steps at one go.
    """

    initialise: Callable[..., Any]
    train: Callable[..., Any]
    evaluate: Callable[..., Any]
    prune: dict[str, Callable[..., Any]]
    spanned: bool = False


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
        InputError: for an architecture that does not fit the images.
    """
    return network.Task(
        build_model(config, dataset, plan.lowering, plan.dtype),
        network.Pixels.of(dataset),
        config.recipe,
        len(dataset.train_labels),
        len(dataset.class_names),
        plan.shuffling,
        len(dataset.group_names),
        votes,
    )


def make_programs(
    population: Population, task: network.Task, techniques: Sequence[str], levels: int = 1
) -> Programs:
    """The programs of a task and its techniques, of which so many levels are evaluated together."""
    treatments = [TREATMENTS[Technique.parse(name).treatment] for name in techniques]
    spanned = needs_spans(task.recipe, treatments)
    return Programs(
        population.lift(partial(network.initialise, task), brief=True),
        population.lift(partial(network.train_span if spanned else network.train, task)),
        evaluator(population, task, len(techniques) * levels),
        {
            technique: population.lift(
                partial(network.prune, task, Technique.parse(technique)), brief=True
            )
            for technique in techniques
        },
        spanned,
    )
