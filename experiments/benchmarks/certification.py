"""Do claims hold? How often a point, or a network, is certified that loses more than it may.

Purpose   how often "every class loses at most 5 points" is said of what loses more
Command   python experiments/benchmarks/certification.py [--studies N] [--images 50 200] [--json]
Hardware  1 CPU core and 1 GiB of memory
Time      3 minutes for 600 studies of each size
Expected  see docs/method.md: at most 0.05 by the bounds, 0.5 to 0.8 by the mean

Studies are those of `simulated.py`: techniques at ten amounts of pruning each, of which the first
four hold the bound in truth, where several classes lose or one. A rule takes the sparsest point
that it lets pass, of the first technique or of all; it is wrong where a class of that loses more
in truth, and breaks where one does on as many fresh images, of the same networks. All techniques
lose as much in truth, so that each is as good a chance to be wrong as the others. Then one
network, a class of which loses 6 points: how often that passes.
"""

import json as json_format

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from simulated import CLASSES, LOSSES, ONE_LOSES, labels, right_on_two, truth

from prune_fair.analysis.certifying import one_sided
from prune_fair.fairness import (
    Paired,
    TwoWay,
    bootstrap_weights,
    by_class,
    class_lower_bounds,
    crossed_means,
    image_weights,
    in_order,
    paired_lower_bound,
    percentile_interval,
    simultaneous_lower_bounds,
    weighted_means,
)

AMOUNTS = (0.2, 0.28, 0.34, 0.4, 0.43, 0.46, 0.5, 0.55, 0.6, 0.8)
TOLERANCE, CONFIDENCE, ROWS = 0.05, 0.95, 500
WORLDS = {"several classes lose": LOSSES, "one class loses": ONE_LOSES}
BOTH, LOST, WON = 0.83, 0.08, 0.02  # of the class that loses 6 points


def main(
    studies: int = 600,
    seeds: int = 16,
    images: tuple[int, ...] = (50, 200),
    techniques: int = 4,
    truth_pairs: int = 1_000_000,
    json: bool = False,
) -> None:
    """How often what loses more than 5 points in a class is certified.

    Args:
        studies: how many are simulated of each size.
        seeds: of a study.
        images: of each class.
        techniques: among which a point is chosen.
        truth_pairs: pairs of a seed and an image over which the truth is taken.
        json: print one JSON document.
    """
    found, true = {}, {}
    for world, losses in WORLDS.items():
        recalls = truth(AMOUNTS, truth_pairs, losses)
        true[world] = (recalls[1:] - recalls[0]).min(axis=1)
        sizes = (seeds, techniques)
        found[world] = {str(n): points(studies, *sizes, n, true[world], losses) for n in images}
    found["one network"] = {str(n): one_network(studies, n) for n in (20, 52, 100, 200)}
    if json:
        of_points = {name: each.round(4).tolist() for name, each in true.items()}
        print(json_format.dumps({"true smallest mean changes": of_points, **found}, indent=1))
        return
    for world in WORLDS:
        show(found[world], f"Points chosen in {studies:,} studies of {seeds} seeds, {world}")
    show(found["one network"], f"A class that loses 6 points passes, {studies:,} networks")


def points(
    studies: int,
    seeds: int,
    techniques: int,
    images: int,
    true: np.ndarray,
    losses: tuple[float, ...],
) -> dict[str, dict[str, float]]:
    """By rule: how often its point is wrong in truth, and breaks on fresh images; which it is."""
    rng, own = np.random.default_rng((7, images)), labels(images)
    weights = (bootstrap_weights(seeds, ROWS), image_weights(own, ROWS))
    chosen: dict[str, list[tuple[bool, bool, int]]] = {}
    for _ in range(studies):
        both = right_on_two(rng, AMOUNTS * techniques, own, seeds, losses)
        seen, fresh = (each[1:].astype(float) - each[0] for each in both)
        again = by_class(fresh, own, CLASSES).mean.min(axis=1).reshape(techniques, -1)
        for rule, passes in rules(seen, own, weights, techniques).items():
            last, technique = sparsest(passes)
            known = [true[last], again[technique, last]] if last >= 0 else [0.0, 0.0]
            wrong, breaks = (bool(change < -TOLERANCE) for change in known)
            chosen.setdefault(rule, []).append((wrong, breaks, last + 1))
    names = ("wrong", "breaks", "mean point")
    return {
        rule: dict(zip(names, np.mean(each, axis=0).round(4).tolist(), strict=True))
        for rule, each in chosen.items()
    }


def sparsest(passes: np.ndarray) -> tuple[int, int]:
    """The last point that passes of any technique, -1 for none, and the first whose it is."""
    last = int(np.flatnonzero(passes.any(axis=0)).max(initial=-1))
    return last, int(passes[:, last].argmax())


def rules(
    change: np.ndarray, own: np.ndarray, weights: tuple[np.ndarray, np.ndarray], techniques: int
) -> dict[str, np.ndarray]:
    """Which points pass, by rule: (techniques, points), of the first technique or of all."""
    found, shown = by_class(change, own, CLASSES), change.mean(axis=1)
    first, mean = slice(len(AMOUNTS)), found.mean.min(axis=1) >= -TOLERANCE
    of_first = TwoWay(*(part[first] for part in found))
    by_seed = change[first].reshape(len(AMOUNTS), -1, CLASSES, len(own) // CLASSES).mean(axis=3)
    over_seeds = weighted_means(weights[0], by_seed.swapaxes(0, 1)).min(axis=2)
    rows = crossed_means(change[first], own, CLASSES, *weights)
    together = simultaneous_lower_bounds(rows, of_first, shown[first], own, CONFIDENCE)
    each = one_sided(CONFIDENCE, techniques)
    alone, shared = (class_lower_bounds(found, shown, own, level) for level in (CONFIDENCE, each))
    passes = {
        "mean": mean[first],
        "interval over seeds": percentile_interval(over_seeds, len(by_seed[0])).low >= -TOLERANCE,
        "all bounds at once": (together >= -TOLERANCE).all(axis=1),
        "in order": certified(alone)[0],
        "mean, of all techniques": mean,
        "in order, of all techniques": certified(alone),
        "select --certify": certified(shared),
    }
    return {rule: np.asarray(each).reshape(-1, len(AMOUNTS)) for rule, each in passes.items()}


def certified(bounds: np.ndarray) -> np.ndarray:
    """The points of each technique that are certified, in order."""
    by_technique = bounds.reshape(-1, len(AMOUNTS), CLASSES)
    return np.stack([in_order(each, TOLERANCE) for each in by_technique])


def one_network(studies: int, images: int) -> dict[str, dict[str, float]]:
    """How often a class that loses 6 points passes a bound of 5 at confidence 0.95."""
    rng = np.random.default_rng((8, images))
    shares = (BOTH, LOST, WON, 1 - BOTH - LOST - WON)
    drawn = rng.multinomial(images, shares, size=studies)
    bootstrap = [
        percentile_interval(np.vstack([counts, again]) @ (0, -1, 1, 0) / images, 3).low
        for counts in drawn
        for again in [rng.multinomial(images, counts / images, size=ROWS)]
    ]
    score = paired_lower_bound(Paired(*drawn.T), 0.95)
    return {
        "bootstrap over images": {"passes": float(np.mean(np.array(bootstrap) >= -TOLERANCE))},
        "score and exact bound": {"passes": float(np.mean(score >= -TOLERANCE))},
    }


def show(found: dict[str, dict[str, dict[str, float]]], title: str) -> None:
    """A row a rule, columns for each number of images a class."""
    table = Table(title=title)
    table.add_column("rule")
    first = next(iter(found.values()))
    for images in found:
        for name in next(iter(first.values())):
            table.add_column(f"{name}, {images} images", justify="right")
    for rule in first:
        cells = (value for rows in found.values() for value in rows[rule].values())
        table.add_row(rule, *(f"{value:.3f}" for value in cells))
    Console(width=150).print(table)


if __name__ == "__main__":
    tyro.cli(main)
