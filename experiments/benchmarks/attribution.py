"""How often is a covariate told to go with a class's loss where it does not?

Purpose   the level of the p over classes, and of a p clustered by seed, which takes networks for
          more classes
Command   python experiments/benchmarks/attribution.py [--studies N] [--json]
Hardware  1 CPU core and 1 GiB of memory
Time      4 minutes for 400 studies of each kind
Expected  see docs/method.md: 0.04 to 0.07 over classes, up to 0.9 clustered by seed

A study has ten classes, of which two are rare: the same in its one task, or others in each of ten
tasks. Classes differ in what they lose, whatever their share; so do classes in a task, networks,
and classes in a network. The effect of a doubled share is 0 in each class, or 0 on average and
another in each class.
"""

import json as json_format
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from scipy.stats import t as student
from statsmodels.regression.linear_model import OLS

from prune_fair.analysis.class_model import make_model
from prune_fair.analysis.covariates import Cells, Gathered
from prune_fair.analysis.mixed import fit_mixed
from prune_fair.analysis.rarity import FIXED, ROTATED, Rarity
from prune_fair.analysis.robustness import permuted

CLASSES, LEVEL = 10, 0.05
KEPT = (0.35, 0.2)
COVARIATES = ("share", "complexity")
SPREAD = {"class": 2.0, "class in task": 0.7, "network": 0.5, "class in network": 2.0}  # points
TESTS = ("clustered by seed", "permutation over classes", "interval of the mixed model")


class World(NamedTuple):
    """A design, the mean effect of a doubled share in points, and how classes differ in it."""

    design: str
    effect: float = 0.0
    differ: float = 0.0


Kind = Literal[
    "fixed, nothing",
    "rotated, nothing",
    "rotated, 0 on average",
    "rotated, 1 point",
    "fixed, 0 on average",
]
WORLDS: dict[Kind, World] = {
    "fixed, nothing": World(FIXED),
    "rotated, nothing": World(ROTATED),
    "rotated, 0 on average": World(ROTATED, differ=1.0),
    "rotated, 1 point": World(ROTATED, effect=1.0, differ=1.0),
    "fixed, 0 on average": World(FIXED, differ=1.0),
}


def main(
    studies: int = 400,
    seeds: int = 16,
    permutations: int = 1000,
    worlds: tuple[Kind, ...] = (),
    json: bool = False,
) -> None:
    """How often each test takes share, and complexity, for no chance at the level of 0.05.

    Args:
        studies: how many are simulated of each kind.
        seeds: of a study.
        permutations: of each p.
        worlds: which kinds; all of them if not said.
        json: print one JSON document.
    """
    found = {
        name: rates(WORLDS[name], studies, seeds, permutations, [*WORLDS].index(name))
        for name in worlds or WORLDS
    }
    if json:
        print(json_format.dumps(found, indent=1))
    else:
        show(found, studies)


def rates(
    world: World, studies: int, seeds: int, permutations: int, number: int
) -> dict[str, dict[str, float]]:
    """By covariate and test, the share of studies in which it says that there is something."""
    rng = np.random.default_rng((9, number))
    told = [verdicts(*draw(rng, world, seeds), permutations) for _ in range(studies)]
    means = np.mean(told, axis=0)
    return {
        name: dict(zip(TESTS, row.round(4).tolist(), strict=True))
        for name, row in zip(COVARIATES, means, strict=True)
    }


def draw(rng: np.random.Generator, world: World, seeds: int) -> tuple[np.ndarray, Gathered]:
    """Changes (task, seed, class), and their means as `attribute` gathers them."""
    tasks = CLASSES if world.design == ROTATED else 1
    kept, order = np.ones((tasks, CLASSES)), rng.permutation(CLASSES)
    for task in range(tasks):
        kept[task, np.roll(order, task)[: len(KEPT)]] = KEPT
    share = np.log2(kept * CLASSES / kept.sum(axis=1, keepdims=True))
    complexity = rng.normal(size=CLASSES)
    slope = world.effect + world.differ * rng.normal(size=CLASSES)
    scatter = {
        "class": rng.normal(size=CLASSES),
        "class in task": rng.normal(size=(tasks, 1, CLASSES)),
        "network": rng.normal(size=(tasks, seeds, 1)),
        "class in network": rng.normal(size=(tasks, seeds, CLASSES)),
    }
    change = (slope * share)[:, None] + sum(SPREAD[name] * each for name, each in scatter.items())
    task, unit = (each.ravel() for each in np.indices((tasks, CLASSES)))
    cells = Cells(
        change.mean(axis=1).ravel(),
        share.ravel(),
        complexity[unit],
        0.0 * share.ravel(),
        task,
        unit,
    )
    units = tuple(("digits", str(label)) for label in range(CLASSES))
    names = tuple(str(each) for each in range(tasks))
    rarity = Rarity(world.design, tuple(names))
    return change, Gathered(cells, 0.9, names, units, (seeds,) * tasks, ("m",), rarity, ())


def verdicts(change: np.ndarray, gathered: Gathered, permutations: int) -> np.ndarray:
    """Whether each test (columns) says of share and of complexity that there is something."""
    model, _ = make_model(gathered, COVARIATES)
    fitted = fit_mixed(gathered.cells.change, model.fixed, gathered.cells.unit, model.slopes)
    reach = student.ppf(1 - LEVEL / 2, CLASSES - 1 - len(COVARIATES)) * fitted.error[-2:]
    over_classes = [permuted(gathered, model, name, permutations).p for name in COVARIATES]
    return np.column_stack(
        [
            by_seed(change, model.fixed) <= LEVEL,
            np.array(over_classes) <= LEVEL,
            np.abs(fitted.estimate[-2:]) > reach,
        ]
    )


def by_seed(change: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """The p of least squares over networks and classes, clustered by dense network."""
    tasks, seeds, classes = change.shape
    rows = np.repeat(fixed.reshape(tasks, 1, classes, -1), seeds, axis=1).reshape(change.size, -1)
    networks = np.repeat(np.arange(tasks * seeds), classes)
    fit = partial(OLS(change.ravel(), rows).fit, cov_type="cluster", use_t=True)
    return np.asarray(fit(cov_kwds={"groups": networks}).pvalues)[-2:]


def show(found: dict[str, dict[str, dict[str, float]]], studies: int) -> None:
    """A row a kind of study and covariate, a column a test."""
    table = Table(title=f"p at most {LEVEL} in {studies:,} studies of each kind")
    for name in ("study", "covariate", *TESTS):
        table.add_column(name, justify="left" if name in ("study", "covariate") else "right")
    for world, covariates in found.items():
        for name, row in covariates.items():
            table.add_row(world, name, *(f"{value:.3f}" for value in row.values()))
    Console(width=130).print(table)


if __name__ == "__main__":
    tyro.cli(main)
