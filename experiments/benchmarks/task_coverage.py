"""Do answers over several tasks hold what they say? Coverage of intervals, errors of tests.

Purpose   how often 95 % intervals over seeds, drawn within tasks, cover what endless seeds of the
          same tasks would show; how often techniques that are equal are told apart
Command   python experiments/benchmarks/task_coverage.py [--studies N] [--tasks 3 10] [--seeds 8]
          [--json]
Hardware  1 CPU core and 1 GiB of memory
Time      five minutes for 1,000 studies of each size
Expected  see docs/method.md

A task has its own loss, of 0.5 to 6 points, and two techniques of which one loses 0.4 points more.
A run's loss is that, a part that both techniques of its seed share, and a part of its own which is
skewed: a few runs lose much. For errors four techniques lose the same in every task.
"""

import json as json_format
from collections.abc import Sequence

import numpy as np
import tyro
from jaxtyping import Float
from rich.console import Console
from rich.table import Table

from prune_fair.fairness import (
    confidence_of_each,
    improvement_interval,
    improvement_probability,
    interquartile_interval,
    interquartile_mean,
    rank_test,
    score_ranks,
    stratified_weights,
)

SPREAD = 0.01  # of runs, in two equal parts
APART = 0.004
RESAMPLES = 1000
TRUTH = 100_000  # runs of each task
EQUAL_TECHNIQUES = 4


def main(
    studies: int = 1000,
    tasks: tuple[int, ...] = (2, 3, 10),
    seeds: tuple[int, ...] = (3, 5, 8, 16),
    json: bool = False,
) -> None:
    """Coverage of the 95 % intervals over tasks, and errors at 0.05.

    Args:
        studies: how many are drawn of each size.
        tasks: of a study.
        seeds: of a task.
        json: print one JSON document.
    """
    rng = np.random.default_rng(0)
    covered = {
        f"{number} x {runs}": coverage(rng, studies, number, runs)
        for number in tasks
        for runs in seeds
    }
    errors = {
        f"{number} x {runs}": told_apart(rng, studies, number, runs)
        for number in tasks
        for runs in seeds
    }
    if json:
        print(json_format.dumps({"coverage": covered, "told apart": errors}, indent=1))
        return
    show(covered, f"coverage in {studies:,} studies, tasks x seeds")
    show(errors, f"any two of {EQUAL_TECHNIQUES} equal techniques told apart, tasks x seeds")


def coverage(rng: np.random.Generator, studies: int, tasks: int, seeds: int) -> dict[str, float]:
    """How often each interval covers the truth."""
    losses = np.linspace(0.005, 0.06, tasks)
    weights = stratified_weights([seeds] * tasks, RESAMPLES)
    true = answers(draw(rng, losses, TRUTH), [np.full((1, TRUTH), 1 / TRUTH)] * tasks)
    true["improvement"] = np.array([_chance(draw(rng, losses, TRUTH))])
    hits: dict[str, list[bool]] = {name: [] for name in true}
    for _ in range(studies):
        runs = draw(rng, losses, seeds)
        found = answers(runs, weights)
        chances = zip(runs, weights, strict=True)
        chance = np.mean([improvement_probability(*each)[:, 0, 1] for each in chances], axis=0)
        bounds = {n: interquartile_interval(rows, seeds, tasks=tasks) for n, rows in found.items()}
        bounds["improvement"] = improvement_interval(chance, seeds, tasks=tasks)
        for name, each in bounds.items():
            hits[name].append(bool(each.low <= true[name][0] <= each.high))
    return {name: float(np.mean(each)) for name, each in hits.items()}


def answers(
    runs: Float[np.ndarray, "tasks seeds techniques"], weights: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    """The interquartile mean of the first technique, and how far it is above the second's."""
    pooled = np.hstack(weights) / len(runs)
    first, second = (interquartile_mean(each.ravel(), pooled) for each in np.moveaxis(runs, 2, 0))
    return {"iqm": first, "difference": first - second}


def draw(
    rng: np.random.Generator, losses: Float[np.ndarray, " tasks"], seeds: int, techniques: int = 2
) -> Float[np.ndarray, "tasks seeds techniques"]:
    """Changes of runs: techniques of a seed share half of the variance, the rest is skewed."""
    shared = rng.normal(size=(len(losses), seeds, 1))
    own = 1 - rng.exponential(size=(len(losses), seeds, techniques))
    worse = APART * (np.arange(techniques) > 0) if techniques == 2 else 0.0
    return -losses[:, None, None] - worse + SPREAD * np.sqrt(0.5) * (shared + own)


def _chance(runs: Float[np.ndarray, "tasks seeds techniques"]) -> float:
    """That a run of the first technique is better than one of the second, of the seed after it."""
    return float((runs[..., 0] > np.roll(runs[..., 1], 1, axis=1)).mean())


def told_apart(rng: np.random.Generator, studies: int, tasks: int, seeds: int) -> dict[str, float]:
    """How often any two of equal techniques are told apart, by each way to do so."""
    found: dict[str, list[bool]] = {
        "difference": [],
        "improvement": [],
        "Nemenyi": [],
        "Friedman": [],
    }
    weights = stratified_weights([seeds] * tasks, RESAMPLES)
    pooled = np.hstack(weights) / tasks
    upper = np.triu_indices(EQUAL_TECHNIQUES, 1)
    for _ in range(studies):
        runs = draw(rng, np.linspace(0.005, 0.06, tasks), seeds, EQUAL_TECHNIQUES)
        means = [interquartile_mean(each.ravel(), pooled) for each in np.moveaxis(runs, 2, 0)]
        differences = np.stack([means[i] - means[j] for i, j in zip(*upper, strict=True)], axis=1)
        single = confidence_of_each(differences)
        bounds = interquartile_interval(differences, seeds, single, tasks=tasks)
        found["difference"].append(bool(((bounds.low > 0) | (bounds.high < 0)).any()))
        parts = [improvement_probability(*each) for each in zip(runs, weights, strict=True)]
        chances = np.mean(parts, axis=0)[:, *upper]
        bounds = improvement_interval(chances, seeds, confidence_of_each(chances), tasks=tasks)
        found["improvement"].append(bool(((bounds.low > 0.5) | (bounds.high < 0.5)).any()))
        ranks = rank_test(score_ranks(runs.mean(axis=1)))
        found["Nemenyi"].append(bool(np.ptp(ranks.mean_ranks) >= ranks.critical_difference))
        found["Friedman"].append(ranks.p < 0.05)
    return {name: float(np.mean(each)) for name, each in found.items()}


def show(rows: dict[str, dict[str, float]], title: str) -> None:
    """A table on the terminal."""
    table = Table(title=title)
    for column in ("", *next(iter(rows.values()))):
        table.add_column(column)
    for name, row in rows.items():
        table.add_row(name, *(f"{value:.3f}" for value in row.values()))
    Console().print(table)


if __name__ == "__main__":
    tyro.cli(main)
