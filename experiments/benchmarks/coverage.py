"""Do the intervals hold what they say? Coverage of the 95 % bootstrap intervals over seeds.

Purpose   how often the interval of a mean over seeds, and that of a hypervolume, covers the truth
Command   python experiments/benchmarks/coverage.py [--studies N] [--seeds 8 16 32] [--json]
Hardware  1 CPU core and 1 GiB of memory
Time      2 minutes for 2,000 studies
Expected  see docs/method.md: 0.85 to 0.90 at 8 seeds, 0.91 to 0.93 at 16, 0.93 to 0.95 at 32

A network is its recalls: logits with the means and the spread over seeds of magnitude pruning of
the digits mlp at sparsity 0.94 (`quickstart.py`), a part of the spread shared by all classes, and
binomial counts of test images. The truth is the mean over two million such networks. Hypervolumes
are of 13 levels, where the logits fall with the logarithm of density.
"""

import json as json_format
from collections.abc import Iterator

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from scipy.special import expit

from prune_fair.fairness import (
    bootstrap_weights,
    corrected_interval,
    hypervolume,
    mean_interval,
    weighted_means,
)

LOGITS = np.array([4.4, 3.7, 3.9, 2.4, 3.7, 3.7, 3.5, 4.7, 1.0, 3.5])
SPREADS = np.array([0.54, 0.62, 0.54, 0.31, 0.55, 0.64, 0.22, 0.30, 0.20, 0.27])
SHARED = 0.3  # correlation of two classes' logits over seeds
IMAGES = np.array([54, 55, 53, 55, 54, 55, 54, 54, 52, 54])
LOSS = 0.2  # by which the logits of a second technique's networks are lower, on the same seeds
DENSITY = 0.7 ** np.arange(13)  # of the levels under one hypervolume
FALL = 0.15  # of logits, for each factor e in density
REFERENCE = np.array([0.0, 0.1, 0.0])
VOLUME = "hypervolume, three objectives"
TRUTH, AT_ONCE = 2_000_000, 100_000


def main(
    studies: int = 2000,
    seeds: tuple[int, ...] = (8, 16, 32),
    truth: int = TRUTH,
    json: bool = False,
) -> None:
    """Coverage of the 95 % bootstrap intervals over seeds.

    Args:
        studies: how many are simulated for each number of seeds.
        seeds: of a study.
        truth: networks over which the true means are taken.
        json: print one JSON document.
    """
    rng = np.random.default_rng(0)
    true = true_means(rng, truth)
    volume = true_volume(rng, truth // len(DENSITY))
    covered = {
        count: {
            **coverage(rng, studies, count, true),
            VOLUME: volume_coverage(rng, studies, count, volume),
        }
        for count in seeds
    }
    if json:
        print(json_format.dumps(covered, indent=1))
    else:
        show(covered, studies)


def networks(rng: np.random.Generator, *shape: int) -> dict[str, np.ndarray]:
    """Metrics of so many networks, and how much a second technique's of the same seeds lose."""
    shared = rng.normal(size=(*shape, 1)) * np.sqrt(SHARED)
    own = rng.normal(size=(*shape, len(LOGITS))) * np.sqrt(1 - SHARED)
    logits = LOGITS + SPREADS * (shared + own)
    again = logits - LOSS * (1 + 0.5 * rng.normal(size=(*shape, len(LOGITS))))
    first, second = metrics(rng, logits), metrics(rng, again)
    loss = first["recall_group_min"] - second["recall_group_min"]
    return {**first, "loss of recall_group_min, paired": loss}


def metrics(rng: np.random.Generator, logits: np.ndarray) -> dict[str, np.ndarray]:
    """Metrics of networks with these logits of recall, counted on the test images."""
    right = rng.binomial(IMAGES, expit(logits))
    recall = right / IMAGES
    return {
        "accuracy": right.sum(axis=-1) / IMAGES.sum(),
        "recall_group_min": recall.min(axis=-1),
        "recall_difference": np.ptp(recall, axis=-1),
    }


def true_means(rng: np.random.Generator, count: int) -> dict[str, float]:
    """Means over very many networks."""
    sizes = [min(AT_ONCE, count - start) for start in range(0, count, AT_ONCE)]
    parts = [networks(rng, size) for size in sizes]
    return {name: float(np.concatenate([p[name] for p in parts]).mean()) for name in parts[0]}


def coverage(
    rng: np.random.Generator, studies: int, seeds: int, true: dict[str, float]
) -> dict[str, float]:
    """The share of studies whose interval covers the true mean, by metric."""
    hits = dict.fromkeys(true, 0)
    for part in blocks(studies):
        for name, values in networks(rng, seeds, part).items():
            interval = mean_interval(values)
            hits[name] += int(((interval.low <= true[name]) & (true[name] <= interval.high)).sum())
    return {name: count / studies for name, count in hits.items()}


def levels(rng: np.random.Generator, count: int) -> np.ndarray:
    """Sparsity, accuracy and smallest recall of networks: (networks, levels, 3)."""
    shared = rng.normal(size=(count, 1, 1)) * np.sqrt(SHARED)  # a seed's, at all levels
    own = rng.normal(size=(count, len(DENSITY), len(LOGITS))) * np.sqrt(1 - SHARED)
    there = np.log(DENSITY[8])  # where LOGITS are from
    logits = LOGITS + FALL * (np.log(DENSITY)[:, None] - there) + SPREADS * (shared + own)
    found = metrics(rng, logits)
    sparsity = np.broadcast_to(1 - DENSITY, (count, len(DENSITY)))
    return np.stack([sparsity, found["accuracy"], found["recall_group_min"]], axis=-1)


def true_volume(rng: np.random.Generator, count: int) -> float:
    """The hypervolume of the true means."""
    sizes = list(blocks(count, 20_000))
    total = sum((levels(rng, size).sum(axis=0) for size in sizes), np.zeros(3))
    return float(hypervolume(total / count, REFERENCE))


def volume_coverage(rng: np.random.Generator, studies: int, seeds: int, true: float) -> float:
    """The share of studies whose interval covers the true hypervolume."""
    weights, hits = bootstrap_weights(seeds), 0
    for _ in range(studies):
        resampled = hypervolume(weighted_means(weights, levels(rng, seeds)), REFERENCE)
        interval = corrected_interval(resampled, seeds)
        hits += int(interval.low <= true <= interval.high)
    return hits / studies


def blocks(studies: int, size: int = 1000) -> Iterator[int]:
    """Numbers of studies that together are all of them."""
    for start in range(0, studies, size):
        yield min(size, studies - start)


def show(covered: dict[int, dict[str, float]], studies: int) -> None:
    """A row a metric, a column a number of seeds."""
    table = Table(title=f"Coverage of 95 % intervals in {studies:,} simulated studies")
    table.add_column("mean of")
    for seeds in covered:
        table.add_column(f"{seeds} seeds", justify="right")
    for name in next(iter(covered.values())):
        table.add_row(name, *(f"{row[name]:.3f}" for row in covered.values()))
    Console().print(table)


if __name__ == "__main__":
    tyro.cli(main)
