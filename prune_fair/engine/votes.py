"""Votes: how many networks of a population predict each class for each test image.

A network's predictions stay on its device, where they are added to the votes of its technique; the
host gets sums over seeds alone.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from prune_fair.data import TEST
from prune_fair.engine import evaluation
from prune_fair.engine.images import DeviceData
from prune_fair.engine.population import Population
from prune_fair.engine.statistics import add_votes
from prune_fair.engine.task import Task
from prune_fair.types import Mask, Variables

HALVES = 2  # the even seeds and the odd ones
Votes: TypeAlias = Int[np.ndarray, "techniques half images classes"]
Evaluate: TypeAlias = Callable[..., tuple[evaluation.Evaluated, Votes | None]]


def evaluator(population: Population, task: Task, techniques: int) -> Evaluate:
    """Evaluation of stacked networks, those of all seeds of a technique after the other.

    Args:
        population: to lift it over.
        task: of the networks.
        techniques: the most that are evaluated together.

    Returns:
        A function of (data, seeds, variables, mask) to what is counted of each network, and, in a
        task with votes, the votes of each technique's even and odd seeds.
    """
    if not task.votes:
        count = population.lift(partial(evaluation.evaluate, task), brief=True)
        return lambda data, seeds, *networks: (count((data,), *networks), None)

    def one(data: DeviceData, row: Int[Array, ""], variables: Variables, mask: Mask):
        evaluated = evaluation.evaluate(task, data, variables, mask)
        return evaluated._replace(predicted=None), (row, evaluated.predicted)

    tally = population.lift_tally(
        one, lambda votes, weight, cast: add_votes(votes, weight, *cast), brief=True
    )

    def evaluate(
        data: DeviceData, seeds: Int[np.ndarray, " seeds"], variables: Variables, mask: Mask
    ) -> tuple[evaluation.Evaluated, Votes]:
        evaluated_techniques = len(jax.tree.leaves(mask)[0]) // len(seeds)
        rows = np.arange(evaluated_techniques, dtype=np.int32)[:, None] * HALVES + seeds % HALVES
        shape = techniques * HALVES, len(data.splits[TEST].labels), task.classes
        votes = jax.ShapeDtypeStruct(shape, jnp.int32)
        evaluated, votes = tally((data,), votes, rows.ravel(), variables, mask)
        return evaluated, votes.reshape(techniques, HALVES, *shape[1:])[:evaluated_techniques]

    return evaluate
