"""Do intervals of one network hold what they say? Coverage of 95 % bootstraps over test images.

Purpose   how often the interval of an audited network covers what endless test images would show
Command   python experiments/benchmarks/image_coverage.py [--studies N] [--images 500 2000] [--json]
Hardware  1 CPU core and 1 GiB of memory
Time      a minute for 2,000 studies
Expected  see docs/method.md: 0.93 to 0.95, and less for the worst of all classes

A dense network and its pruned one are, for each of ten classes of one size, how often both are
right, one of them, and none: recalls of 0.67 to 0.98, of which pruning takes 0 to 6 points, twice
as many images changing from right to wrong as that, the surplus the other way. An image is a draw
of its class and of these four; a resample draws images with replacement.
"""

import json as json_format

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from prune_fair.fairness import percentile_interval

RECALL = np.array([0.82, 0.96, 0.84, 0.86, 0.74, 0.95, 0.67, 0.94, 0.98, 0.95])
LOSS = np.array([0.02, 0.0, 0.06, 0.01, 0.03, 0.01, 0.04, 0.0, 0.0, 0.01])
RESAMPLES = 1000


def main(studies: int = 2000, images: tuple[int, ...] = (500, 2000), json: bool = False) -> None:
    """Coverage of the 95 % bootstrap intervals over test images.

    Args:
        studies: how many test sets are drawn of each size.
        images: of a test set.
        json: print one JSON document.
    """
    rng = np.random.default_rng(0)
    lost, won = 2 * LOSS, LOSS
    both = np.stack([RECALL - lost, lost, won, 1 - RECALL - won], axis=-1) / len(RECALL)
    true = metrics(both)
    covered = {}
    for count in images:
        drawn = rng.multinomial(count, both.ravel(), size=studies)
        hits = [covers(rng, counts, true) for counts in drawn]
        covered[count] = {name: float(np.mean([each[name] for each in hits])) for name in true}
    if json:
        print(json_format.dumps(covered, indent=1))
    else:
        show(covered, studies)


def metrics(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Of the pruned network, from counts by class and right (both, dense, pruned, none)."""
    total = np.maximum(counts.sum(axis=-1), 1e-9)
    dense = counts[..., [0, 1]].sum(axis=-1) / total
    pruned = counts[..., [0, 2]].sum(axis=-1) / total
    return {
        "accuracy": counts[..., [0, 2]].sum(axis=(-1, -2)) / counts.sum(axis=(-1, -2)),
        "recall of a class": pruned[..., 2],
        "recall change of a class": (pruned - dense)[..., 2],
        "recall_group_min": pruned.min(axis=-1),
        "recall_change_min": (pruned - dense).min(axis=-1),
    }


def covers(
    rng: np.random.Generator, counts: np.ndarray, true: dict[str, np.ndarray]
) -> dict[str, bool]:
    """Whether a test set's intervals cover what is true."""
    again = rng.multinomial(counts.sum(), counts / counts.sum(), size=RESAMPLES)
    rows = np.concatenate([counts[None], again]).reshape(RESAMPLES + 1, len(RECALL), 4)
    intervals = {name: percentile_interval(values, 3) for name, values in metrics(rows).items()}
    return {
        name: bool(interval.low <= true[name] <= interval.high)
        for name, interval in intervals.items()
    }


def show(covered: dict[int, dict[str, float]], studies: int) -> None:
    """A row a metric, a column a size of the test set."""
    table = Table(title=f"Coverage of 95 % intervals in {studies:,} simulated test sets")
    table.add_column("of one network")
    for images in covered:
        table.add_column(f"{images:,} images", justify="right")
    for name in next(iter(covered.values())):
        table.add_row(name, *(f"{row[name]:.3f}" for row in covered.values()))
    Console().print(table)


if __name__ == "__main__":
    tyro.cli(main)
