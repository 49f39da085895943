"""Members on the host: networks, the seeds that are worked at together, and the task's engine."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
from jaxtyping import Int

from prune_fair.engine import network
from prune_fair.engine.images import DeviceData
from prune_fair.engine.population import Population
from prune_fair.engine.task import Task
from prune_fair.pruning import Schedule
from prune_fair.types import Mask, Variables

MOST_NUMBERS = 1 << 28  # parameters of all levels that are pruned in one go, float32: 1 GiB
Seeds: TypeAlias = Int[np.ndarray, " seeds"]


class Networks(NamedTuple):
    """Networks on the host, stacked."""

    variables: Variables
    mask: Mask


class Level(NamedTuple):
    """What a level gives: networks by technique, and results by technique and seed first."""

    networks: dict[str, Networks]
    results: dict[str, np.ndarray]


class Engine(NamedTuple):
    """A task on the machine.

    Attributes:
        population: the machine.
        task: what its networks share.
        data: its images, on the devices.
        schedule: the sparsity of each level.
        programs: those lifted so far, each compiled once.
        given: dense networks that were handed over, stacked by seed; None where they are trained.
    """

    population: Population
    task: Task
    data: DeviceData
    schedule: Schedule
    programs: dict[Any, Callable[..., Any]]
    given: Variables | None = None

    def lifted(
        self, function: Callable[..., Any], *static: Any, brief: bool = False
    ) -> Callable[..., Any]:
        """A function of the task, and of what else is static, lifted to many networks."""
        key = function, *static
        if key not in self.programs:
            made = partial(function, self.task, *static)
            self.programs[key] = self.population.lift(made, brief=brief)
        return self.programs[key]


class Block(NamedTuple):
    """Seeds that are worked at together.

    Attributes:
        seeds: of the networks.
        initial: their initialisations.
        dense: their dense networks, for losses that ask for them; None where none does.
    """

    seeds: Seeds
    initial: Variables
    dense: Variables | None = None


def begin_block(engine: Engine, seeds: Seeds) -> Block:
    """The initialisations of some seeds; handed-over networks where there are some."""
    if engine.given is not None:
        given = jax.tree.map(lambda leaf: leaf[seeds], engine.given)
        return Block(seeds, given, given)
    return Block(seeds, initialise(engine, 0, seeds))


def dense_parents(block: Block) -> Networks:
    """What the dense networks start from: nothing is removed."""
    initial = block.initial
    return Networks(initial, jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), initial.params))


def initialise(engine: Engine, level: int, seeds: Seeds) -> Variables:
    """Fresh variables of some seeds: at level 0 their initialisations, at others new draws."""
    return engine.lifted(network.initialise, brief=True)((np.int32(level),), seeds)


def levels_together(networks: int, task: Task, levels: int) -> int:
    """How many levels of so many networks each the host's memory may hold, 1 to all of them."""
    return min(levels, max(1, MOST_NUMBERS // (networks * task.model.parameters)))
