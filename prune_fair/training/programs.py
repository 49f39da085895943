"""A task as a machine computes it: its model and data in place, its programs lifted to members."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from prune_fair.config import TaskConfig
from prune_fair.models import build
from prune_fair.pruning import Method
from prune_fair.training import network
from prune_fair.training.population import Plan, Population
from prune_fair.types import Dataset, Model


class Programs(NamedTuple):
    """What a population does, each compiled once: functions of (what is shared, stacked ...)."""

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


def make_task(config: TaskConfig, dataset: Dataset, plan: Plan) -> network.Task:
    """What a task's networks share, as the plan has it computed."""
    return network.Task(
        build_model(config, dataset, plan.lowering, plan.dtype),
        network.Pixels.of(dataset),
        config.recipe,
        len(dataset.train_labels),
        len(dataset.class_names),
        plan.shuffling,
        len(dataset.group_names),
    )


def make_programs(
    population: Population,
    task: network.Task,
    methods: Sequence[str],
    trained: Callable[[int], None] = lambda members: None,
) -> Programs:
    """The programs of a task and its methods; `trained` is told of members as they are."""
    return Programs(
        population.lift(partial(network.initialise, task), brief=True),
        population.lift(partial(network.train, task), trained),
        population.lift(partial(network.evaluate, task), brief=True),
        {
            method: population.lift(partial(network.prune, task, Method.parse(method)), brief=True)
            for method in methods
        },
    )
