"""Is P(on frontier) what it says? How often points that are told a probability are on it in truth.

Purpose   the calibration curve of `prune-fair frontier`'s P(on frontier)
Command   python experiments/benchmarks/frontier_calibration.py [--studies N] [--json]
Hardware  1 CPU core and 1 GiB of memory
Time      3 minutes for 400 studies of each size
Expected  see docs/method.md: by seeds about right of the same test images, too sure of others

Studies are those of `simulated.py`, each with three techniques of its own, whose classes lose
differently much, at four sparsities. Objectives are sparsity, accuracy and the smallest of the
classes' mean changes. What is told is the share of 500 resamples in which no other point
dominates: of seeds, as the command gives it, or of seeds and images. What is true is the frontier
of the same techniques' means over endless seeds, on the study's own test images or on endless ones.
The dense network, which nothing dominates, is left out.
"""

import json as json_format
from functools import lru_cache
from itertools import pairwise

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from scipy.stats import lognorm, t
from simulated import (
    CLASSES,
    HARDNESS,
    LOSSES,
    VULNERABILITY,
    Images,
    answers,
    draw_images,
    draw_seeds,
    expected,
    labels,
)

from prune_fair.fairness import (
    bootstrap_weights,
    by_class,
    crossed_means,
    image_weights,
    non_dominated,
    non_dominated_probability,
    scaled,
    weighted_means,
)

TECHNIQUES, AMOUNTS = 3, (0.3, 0.6, 1.0, 1.5)  # of pruning, at the sparsities
SPARSITY = np.array([0.0, *[0.5, 0.75, 0.9, 0.95] * TECHNIQUES])
APART, CLASSES_APART = 0.1, 0.35  # standard deviations of the logarithms of amounts and losses
ROWS = 500
EDGES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
GRID = 40  # quantiles of hardness, and of vulnerability, that stand for endless images
WAYS, TRUTHS = ("seeds", "both"), ("same images", "endless images")


def main(
    studies: int = 400,
    sizes: tuple[str, ...] = ("8x50", "16x50", "16x200", "32x50"),
    json: bool = False,
) -> None:
    """How often points are on the true frontier, by the probability that they are told.

    Args:
        studies: how many are simulated of each size.
        sizes: seeds x images of each class.
        json: print one JSON document.
    """
    found = {size: calibration(studies, *map(int, size.split("x"))) for size in sizes}
    if json:
        print(json_format.dumps(found, indent=1))
    else:
        for size, ways in found.items():
            show(ways, f"{studies:,} studies of {size} seeds and images of a class")


def calibration(studies: int, seeds: int, images: int) -> dict[str, dict[str, dict[str, float]]]:
    """By what is resampled and bin of what is told: points, mean told, and true in both ways."""
    rng, true = np.random.default_rng((9, seeds, images)), labels(images)
    weights = bootstrap_weights(seeds, ROWS), image_weights(true, ROWS)
    told: dict[str, list[np.ndarray]] = {way: [] for way in (*WAYS, *TRUTHS)}
    for _ in range(studies):
        losses = techniques(rng)
        seen = draw_images(rng, (len(true),))
        falls = [each[true] * seen.vulnerable for each in losses]
        drawn = draw_seeds(rng, (1.0,) * len(losses), seeds)
        values = answers(rng, true, drawn, seen, falls).astype(float)
        told["seeds"].append(probability(over_seeds(values, images, weights[0])))
        rows = crossed_means(values, true, CLASSES, *weights)
        told["both"].append(probability(scaled(rows, by_class(values, true, CLASSES))))
        own = expected(true, seen, falls).reshape(-1, CLASSES, images).mean(axis=2)
        told["same images"].append(non_dominated(objectives(own)))
        told["endless images"].append(non_dominated(objectives(endless(losses))))
    joined = {name: np.concatenate([each[1:] for each in part]) for name, part in told.items()}
    return {way: binned(joined[way], joined) for way in WAYS}


def techniques(rng: np.random.Generator) -> list[np.ndarray]:
    """What each point takes off the logits of each class: techniques, each with its levels."""
    strength = rng.lognormal(0, APART, TECHNIQUES)
    by_class = np.array(LOSSES) * rng.lognormal(0, CLASSES_APART, (TECHNIQUES, CLASSES))
    return [
        amount * factor * own
        for factor, own in zip(strength, by_class, strict=True)
        for amount in AMOUNTS
    ]


def objectives(recalls: np.ndarray) -> np.ndarray:
    """Of mean recalls (..., points, classes), the dense network's first; higher is better."""
    change = (recalls - recalls[..., :1, :]).min(axis=-1)
    sparsity = np.broadcast_to(SPARSITY, change.shape)
    return np.stack([sparsity, recalls.mean(axis=-1), change], axis=-1)


def over_seeds(values: np.ndarray, images: int, weights: np.ndarray) -> np.ndarray:
    """Mean recalls under resamples of seeds, (rows, points, classes)."""
    by_seed = values.reshape(*values.shape[:2], CLASSES, images).mean(axis=3).swapaxes(0, 1)
    return weighted_means(weights, by_seed)


def probability(rows: np.ndarray) -> np.ndarray:
    """P(on frontier) as `analysis.frontier` has it; row 0 is the sample."""
    return non_dominated_probability(objectives(rows)[1:])


@lru_cache
def all_images() -> tuple[np.ndarray, Images]:
    """Classes of images that stand for endless ones: quantiles of both of their traits, crossed."""
    middle = (np.arange(GRID) + 0.5) / GRID
    hard, easy = np.meshgrid(
        t(3).ppf(middle), lognorm(VULNERABILITY, scale=np.exp(-0.5)).ppf(middle)
    )
    one = Images(HARDNESS * hard.ravel(), easy.ravel())
    return labels(GRID**2), Images(*(np.tile(part, CLASSES) for part in one))


def endless(losses: list[np.ndarray]) -> np.ndarray:
    """Mean recalls over endless seeds and images."""
    true, images = all_images()
    right = expected(true, images, [each[true] * images.vulnerable for each in losses])
    return right.reshape(len(right), CLASSES, -1).mean(axis=2)


def binned(told: np.ndarray, true: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """A row a bin of what is told."""
    place = np.clip(np.searchsorted(EDGES, told, side="right") - 1, 0, len(EDGES) - 2)
    rows = {}
    for number, (low, high) in enumerate(pairwise(EDGES)):
        own = place == number
        if own.any():
            row = {"points": float(own.sum()), "told": float(told[own].mean())}
            rows[f"{low:g} to {high:g}"] = row | {
                name: float(true[name][own].mean()) for name in TRUTHS
            }
    return rows


def show(ways: dict[str, dict[str, dict[str, float]]], title: str) -> None:
    """A row a bin of each way of resampling."""
    table = Table(title=title)
    for name in ("resampled", "told", "points", "mean told", *(f"true, {name}" for name in TRUTHS)):
        table.add_column(name, justify="right")
    for way, rows in ways.items():
        for name, row in rows.items():
            cells = (f"{row[each]:.3f}" for each in ("told", *TRUTHS))
            table.add_row(way, name, f"{row['points']:.0f}", *cells)
    Console(width=120).print(table)


if __name__ == "__main__":
    tyro.cli(main)
