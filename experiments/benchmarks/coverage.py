"""Do intervals hold what they say? Coverage over seeds, over images and over both.

Purpose   how often a 95 % interval covers what other seeds and other test images would show
Command   python experiments/benchmarks/coverage.py [--studies N] [--seeds 8 16] [--images 20 50]
Hardware  2 CPU cores and 1 GiB of memory
Time      5 minutes of one core for 1,000 studies of each size
Expected  see docs/method.md: both 0.93 to 0.99, 0.90 to 0.94 for hypervolumes; seeds 0.4 to 0.9

Studies are those of `simulated.py`, whose networks share their test images: ten classes, two
techniques, and the levels under a hypervolume. Intervals of classes, of accuracy and of the
smallest mean change are those that `prune-fair` shows with `--over seeds|images|both`; it shows
hypervolumes over seeds alone. The last row is of other networks: two techniques that lose as much
as each other, but on images of their own, so that no class is better under one in truth.
"""

import json as json_format
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from typing import get_args

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from simulated import CLASSES, LOSSES, MOST, answers, draw_images, draw_seeds, labels, right, truth

from prune_fair.fairness import (
    Interval,
    Over,
    bootstrap_weights,
    by_class,
    class_change_interval,
    class_recall_interval,
    corrected_interval,
    crossed_means,
    hypervolume,
    image_weights,
    over_images,
    percentile_interval,
    scaled,
    two_way,
    weighted_means,
)

AMOUNTS = (0.3, 0.6, 1.0, 1.5, 1.15)  # of pruning: four levels, then another technique
LEVELS, PRUNED, OTHER = [0, 1, 2, 3, 4], 3, 5
SPARSITY = np.array([0.0, 0.5, 0.75, 0.9, 0.95])
REFERENCE = np.array([-0.05, 0.1, 0.0])
ROWS = 500
LEAST = 0  # the class that loses least, about 0.5 points; MOST loses 13
WAYS: tuple[Over, ...] = get_args(Over)
UNCHANGED = "a class that does not change is said to fall, or to rise"


def main(
    studies: int = 1000,
    seeds: tuple[int, ...] = (8, 16, 32),
    images: tuple[int, ...] = (20, 50, 200),
    truth_pairs: int = 1_000_000,
    processes: int = 2,
    json: bool = False,
) -> None:
    """Coverage of 95 % intervals, by what is resampled.

    Args:
        studies: how many are simulated of each size.
        seeds: of a study.
        images: of each class.
        truth_pairs: pairs of a seed and an image over which the truth is taken.
        processes: that work at once; what they find does not depend on how many.
        json: print one JSON document.
    """
    true = statistics(truth(AMOUNTS, truth_pairs)[None])
    true = {name: float(values[0]) for name, values in true.items()}
    sizes = list(product(seeds, images))
    if processes == 1:
        covered = [coverage(studies, *size, true) for size in sizes]
    else:
        with ProcessPoolExecutor(processes) as pool:
            jobs = [pool.submit(coverage, studies, *size, true) for size in sizes]
            covered = [job.result() for job in jobs]
    found = {f"{count} x {each}": rows for (count, each), rows in zip(sizes, covered, strict=True)}
    if json:
        print(json_format.dumps(found, indent=1))
    else:
        show(found, studies)


def statistics(recalls: np.ndarray) -> dict[str, np.ndarray]:
    """What is asked of mean recalls (rows, 1 + amounts, classes); classes are of one size."""
    change = recalls[:, PRUNED] - recalls[:, 0]
    levels = recalls[:, LEVELS]
    sparsity = np.broadcast_to(SPARSITY, levels.shape[:2])
    points = np.stack([sparsity, levels.mean(axis=2), levels.min(axis=2)], axis=-1)
    return {
        "accuracy": recalls[:, PRUNED].mean(axis=1),
        "recall change, class that loses least": change[:, LEAST],
        "recall change, class that loses most": change[:, MOST],
        "mean_recall_change_min": change.min(axis=1),
        "recall of a class, two techniques": (recalls[:, PRUNED] - recalls[:, OTHER])[:, MOST],
        "hypervolume": hypervolume(points, REFERENCE),
    }


def coverage(
    studies: int, seeds: int, images: int, true: dict[str, float]
) -> dict[str, dict[str, float]]:
    """By what intervals are of and over, the share of studies in which they cover the truth.

    And the share of classes that do not change whose intervals exclude 0.
    """
    rng, own = np.random.default_rng((seeds, images)), labels(images)
    hits = {name: dict.fromkeys(WAYS, 0.0) for name in (*true, UNCHANGED)}
    for _ in range(studies):
        values = right(rng, AMOUNTS, own, seeds)
        before, after = right_alike(rng, own, seeds)
        for way in WAYS:
            for name, bounds in intervals(values, own, way).items():
                hits[name][way] += bool(bounds.low <= true[name] <= bounds.high)
            change = change_by_class(before, after, own, way)
            hits[UNCHANGED][way] += float(np.mean((change.low > 0) | (change.high < 0)))
    return {name: {way: hits[name][way] / studies for way in WAYS} for name in hits}


def right_alike(rng: np.random.Generator, own: np.ndarray, seeds: int) -> np.ndarray:
    """Whether networks of two techniques are right, (2, seeds, images), neither better in truth.

    Each loses images of its own: the two may be exchanged.
    """
    images = draw_images(rng, (1, len(own)))
    falls = [np.array(LOSSES)[own] * draw_images(rng, (1, len(own))).vulnerable for _ in range(2)]
    return answers(rng, own, draw_seeds(rng, (1.0, 1.0), seeds), images, falls)[1:]


def change_by_class(before: np.ndarray, after: np.ndarray, own: np.ndarray, over: Over) -> Interval:
    """The change of each class's recall with its interval."""
    if over != "seeds":
        return class_change_interval(before, after, own, CLASSES, over=over)
    by_seed = means_by_seed(after.astype(float) - before)
    return percentile_interval(weighted_means(bootstrap_weights(len(before)), by_seed), len(before))


def intervals(values: np.ndarray, own: np.ndarray, over: Over) -> dict[str, Interval]:
    """What is asked of a study, with the intervals over seeds, images or both.

    Args:
        values: whether networks are right, (1 + amounts, seeds, images).
        own: the class of each image.
        over: what intervals are over.
    """
    seeds, pruned = values.shape[1], values[PRUNED]
    change = change_by_class(values[0], pruned, own, over)
    between = change_by_class(values[OTHER], pruned, own, over)
    spread = resampled(values.astype(float), own, over)
    changes = resampled(pruned.astype(float) - values[0], own, over)
    if over == "seeds":
        accuracy = percentile_interval(spread[:, PRUNED].mean(axis=1), seeds)
    else:
        accuracy = at(class_recall_interval(pruned, np.zeros_like(own), 1, over=over), 0)
    return {
        "accuracy": accuracy,
        "recall change, class that loses least": at(change, LEAST),
        "recall change, class that loses most": at(change, MOST),
        "mean_recall_change_min": percentile_interval(changes.min(axis=1), seeds),
        "recall of a class, two techniques": at(between, MOST),
        "hypervolume": corrected_interval(statistics(spread)["hypervolume"], seeds),
    }


def resampled(values: np.ndarray, own: np.ndarray, over: Over) -> np.ndarray:
    """Means by class under resamples of seeds, of images or of both, (rows, ..., classes)."""
    weights = bootstrap_weights(values.shape[-2], ROWS)
    if over == "seeds":
        return weighted_means(weights, means_by_seed(values))
    error_of = two_way if over == "both" else over_images
    if over == "images":
        weights = np.full_like(weights, 1 / values.shape[-2])
    rows = crossed_means(values, own, CLASSES, weights, image_weights(own, ROWS))
    return scaled(rows, by_class(values, own, CLASSES, error_of))


def means_by_seed(values: np.ndarray) -> np.ndarray:
    """Of values (..., seeds, images) each seed's means by class, (seeds, ..., classes)."""
    by_seed = values.reshape(*values.shape[:-1], CLASSES, -1).mean(axis=-1)
    return np.moveaxis(by_seed, -2, 0)


def at(interval: Interval, place: int) -> Interval:
    """The interval of one class."""
    return Interval(*(part[place] for part in interval))


def show(found: dict[str, dict[str, dict[str, float]]], studies: int) -> None:
    """A row for what an interval is of and over, a column a size of study."""
    table = Table(title=f"Coverage of 95 % intervals in {studies:,} simulated studies")
    table.add_column("of")
    table.add_column("over")
    for size in found:
        table.add_column(size, justify="right")
    for name, ways in next(iter(found.values())).items():
        for way in ways:
            table.add_row(name, way, *(f"{rows[name][way]:.3f}" for rows in found.values()))
    Console(width=140).print(table)


if __name__ == "__main__":
    tyro.cli(main)
