"""Techniques against their baselines at every level: of one sparsity, the same seeds and images."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from prune_fair import fairness
from prune_fair.analysis.by_image import IMAGE_RESAMPLES, Said, said_of_images
from prune_fair.analysis.resampling import BOTH, SEEDS, Results, as_dataset
from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES
from prune_fair.errors import check, lookup
from prune_fair.fairness import FEWEST_SEEDS, Interval, holm, paired_difference
from prune_fair.store import MEMBERS

ACCURACY, WORST_CLASS = "accuracy", "worst_class_recall"


class Difference(NamedTuple):
    """A difference with its interval, and the p of a test that it is 0."""

    difference: Interval
    p: float


def against(
    results: Results,
    baselines: Mapping[str, str],
    confidence: float = CONFIDENCE,
    more: xr.Dataset | None = None,
) -> xr.Dataset:
    """What techniques change against others at the same level, where their sparsity is the same.

    Of `accuracy` and of `worst_class_recall`, the smallest of the classes' mean recalls, intervals
    and tests are over seeds and images: both networks of a seed saw the same images. They need
    predictions. Of `more` they are over seeds alone.

    Args:
        results: one task's results, with predictions.
        baselines: by technique the one that it is compared with.
        confidence: of the intervals, in (0, 1).
        more: other numbers of each network, (technique, seed, level), such as errors of
            calibration.

    Returns:
        By metric, technique and level: `difference` (and estimate) of the technique minus its
        baseline, `p`, and `p_holm` over all techniques and levels of a metric. `over`, by metric,
        what intervals are over. NaN where fewer than 3 seeds are finished. Level 0 is left out:
        the dense networks are the same.

    Raises:
        InputError: for a technique that the results do not have, results without predictions, or
            baselines of another sparsity.

    A p of accuracy is of Student's t alone, and its interval corrected for skewness: where p is
    about 1 - confidence the two may disagree.

    Source: `two_way` for accuracy; `crossed_means` for the worst class, p from the normal
    distribution with the resamples' standard deviation; Student's paired t-test for the rest.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> table = against(results, {"random-global-rewind": "magnitude-global-rewind"})
        >>> found = table.difference.sel(metric="accuracy", level=4).isel(technique=0)
        >>> found.round(3).values.tolist()
        [-0.021, -0.029, -0.014]
    """
    table = as_dataset(results)
    places = {str(name): at for at, name in enumerate(table["technique"].values)}
    pairs = [
        (lookup(places, name, "technique"), lookup(places, other, "technique"))
        for name, other in baselines.items()
    ]
    check(bool(pairs), "no baselines: expected a technique at least, and what to compare it with")
    _check_sparsity(table, pairs)
    levels = range(1, table.sizes["level"])
    said = {each.place: each for each in said_of_images(table)}
    own = {ACCURACY: _accuracy, WORST_CLASS: _worst_class}
    numbers = {} if more is None else {str(name): more[name] for name in more.data_vars}
    shape = len(own) + len(numbers), len(pairs), len(levels)
    bounds, p = np.full((*shape, 3), np.nan), np.full(shape, np.nan)
    for pair, (one, other) in enumerate(pairs):
        for at, level in enumerate(levels):
            shared = _of_shared_seeds(said.get((one, level)), said.get((other, level)))
            for row, test in enumerate(own.values()):
                if shared is not None:
                    found = test(*shared, confidence)
                    bounds[row, pair, at], p[row, pair, at] = np.stack(found.difference), found.p
        for row, values in enumerate(numbers.values(), len(own)):
            by_network = values.transpose(*MEMBERS).values[:, :, 1:]
            tested = paired_difference(by_network[one], by_network[other], confidence)
            bounds[row, pair], p[row, pair] = np.stack(tested.mean, axis=-1), tested.p
    columns = {
        "difference": (("metric", "technique", "level", "estimate"), bounds),
        "p": (("metric", "technique", "level"), p),
        "p_holm": (("metric", "technique", "level"), np.stack([holm(each) for each in p])),
        "over": ("metric", [BOTH] * len(own) + [SEEDS] * len(numbers)),
    }
    coords = {
        "metric": [*own, *numbers],
        "technique": list(baselines),
        "baseline": ("technique", list(baselines.values())),
        "level": table["level"].values[1:],
        "estimate": list(ESTIMATES),
    }
    return xr.Dataset(columns, coords)


def _check_sparsity(results: xr.Dataset, pairs: list[tuple[int, int]]) -> None:
    sparsity = results["sparsity"].transpose(*MEMBERS).values
    for one, other in pairs:
        apart = np.nanmax(np.abs(sparsity[one] - sparsity[other]), initial=0.0)
        names = results["technique"].values[[one, other]].tolist()
        check(
            bool(apart < 1e-6),
            f"techniques {names[0]!r} and {names[1]!r} differ in sparsity by {apart:.3g} at some "
            "level; expected a baseline that prunes as much, or compare, which interpolates",
        )


def _of_shared_seeds(one: Said | None, other: Said | None) -> tuple[Said, Said] | None:
    """The networks of seeds that both have finished; None for fewer than 3."""
    if one is None or other is None:
        return None
    shared = np.intersect1d(one.seeds, other.seeds)
    if len(shared) < FEWEST_SEEDS:
        return None
    first, second = (
        each._replace(before=each.before[own], after=each.after[own], seeds=shared)
        for each in (one, other)
        for own in [np.isin(each.seeds, shared)]
    )
    return first, second


def _accuracy(one: Said, other: Said, confidence: float) -> Difference:
    from scipy.special import stdtr

    (_, right), (_, before) = one.right, other.right
    alike = np.zeros_like(one.labels), 1
    found = fairness.class_change_interval(before, right, *alike, confidence)
    moved = fairness.two_way(right.astype(float) - before)
    p = 2 * stdtr(moved.freedom, -np.abs(moved.mean) / moved.error) if moved.error > 0 else np.nan
    return Difference(Interval(*(bound[0] for bound in found)), float(p))


def _worst_class(one: Said, other: Said, confidence: float) -> Difference:
    from scipy.special import ndtr

    right = np.stack([said.right[1] for said in (one, other)]).astype(float)
    labels, classes, seeds = one.labels, one.classes, len(one.seeds)
    weights = fairness.image_weights(labels, IMAGE_RESAMPLES)
    of_seeds = fairness.bootstrap_weights(seeds, IMAGE_RESAMPLES)
    rows = fairness.crossed_means(right, labels, classes, of_seeds, weights)
    rows = fairness.scaled(rows, fairness.by_class(right, labels, classes))
    smallest = np.nanmin(rows, axis=-1)
    difference = smallest[:, 0] - smallest[:, 1]
    found = fairness.percentile_interval(difference, np.array(seeds), confidence)
    spread = difference[1:].std()
    p = 2 * ndtr(-np.abs(difference[0]) / spread) if spread > 0 else np.nan
    return Difference(found, float(p))
