"""Do the intervals of flips and churn hold what they say? Coverage over seeds and images.

Purpose   how often a 95 % interval covers what other seeds and other test images would show
Command   python experiments/benchmarks/multiplicity_coverage.py [--studies N] [--json]
Hardware  1 CPU core and 1 GiB of memory
Time      a minute for 300 studies of each size
Expected  see docs/method.md: 0.93 to 1

Studies are those of `simulated.py`; a network that is wrong says the next class. By class means
all classes, each by itself.
"""

import json as json_format
from functools import lru_cache

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from simulated import CLASSES, labels, right

from prune_fair.fairness import (
    Interval,
    change_intervals,
    disagreement,
    flips,
    influence,
    rate_intervals,
)

AMOUNTS = (1.0,)
TRUE_SEEDS, TRUE_IMAGES = 8, 60  # of each of the studies over which the truth is taken
Values = dict[str, np.ndarray]


def main(
    studies: int = 300,
    sizes: tuple[str, ...] = ("8x20", "8x50", "16x20", "16x50", "16x200", "32x50"),
    truth_studies: int = 1500,
    json: bool = False,
) -> None:
    """Coverage of 95 % intervals over seeds and images.

    Args:
        studies: how many are simulated of each size.
        sizes: seeds x images of each class.
        truth_studies: over which the truth is taken.
        json: print one JSON document.
    """
    true = truth(truth_studies)
    found = {size: coverage(studies, size, true) for size in sizes}
    if json:
        print(json_format.dumps(found, indent=1))
    else:
        show(found, studies)


def measured(rng: np.random.Generator, seeds: int, images: int) -> Values:
    """Of a study, what intervals are of, by network and image."""
    true = labels(images)
    said = np.where(right(rng, AMOUNTS, true, seeds), true, (true + 1) % CLASSES)
    dense, pruned = (influence(disagreement(each, CLASSES)) for each in said)
    flipped = flips(said[1], said[0], true, CLASSES).all.astype(float)
    return {
        "flip rate": flipped,
        "churn": pruned,
        "flip rate minus dense churn": flipped - dense,
        "churn minus dense churn": pruned - dense,
    }


@lru_cache
def truth(studies: int) -> Values:
    """Means of these by class; all of them are unbiased, whatever the size of a study."""
    rng, total = np.random.default_rng(4), {}
    for _ in range(studies):
        for name, values in measured(rng, TRUE_SEEDS, TRUE_IMAGES).items():
            by_class = values.mean(axis=0).reshape(CLASSES, -1).mean(axis=1)
            total[name] = total.get(name, 0) + by_class / studies
    return total


def coverage(studies: int, size: str, true: Values) -> dict[str, float]:
    """The share of studies, and of classes, in which intervals cover the truth."""
    seeds, images = map(int, size.split("x"))
    rng, own = np.random.default_rng((seeds, images)), labels(images)
    hits: dict[str, list[float]] = {}
    for _ in range(studies):
        for name, values in measured(rng, seeds, images).items():
            make = change_intervals if "minus" in name else rate_intervals
            whole, by_class = make(values, own * 0, 1), make(values, own, CLASSES)
            hits.setdefault(name, []).append(covers(whole, true[name].mean(keepdims=True)))
            hits.setdefault(f"{name}, by class", []).append(covers(by_class, true[name]))
    return {name: float(np.mean(each)) for name, each in hits.items()}


def covers(interval: Interval, true: np.ndarray) -> float:
    """The share of the intervals that hold what is true."""
    return float(np.mean((interval.low <= true) & (true <= interval.high)))


def show(found: dict[str, dict[str, float]], studies: int) -> None:
    """A row for what an interval is of, a column a size of study."""
    table = Table(title=f"Coverage of 95 % intervals in {studies:,} simulated studies")
    table.add_column("of")
    for size in found:
        table.add_column(size, justify="right")
    for name in next(iter(found.values())):
        table.add_row(name, *(f"{rows[name]:.3f}" for rows in found.values()))
    Console(width=120).print(table)


if __name__ == "__main__":
    tyro.cli(main)
