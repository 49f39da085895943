"""Which operating points no other dominates, and which techniques reach the better ones."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from prune_fair.analysis.controls import candidates
from prune_fair.analysis.failing import is_sound
from prune_fair.analysis.objectives import (
    check_objectives,
    direction_of,
    reference_point,
    resampled_objectives,
)
from prune_fair.analysis.per_network import SPARSITY
from prune_fair.analysis.points import operating_points
from prune_fair.analysis.resampling import Results, with_resamples
from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES, check_confidence
from prune_fair.fairness import (
    FEWEST_SEEDS,
    corrected_interval,
    hypervolume,
    non_dominated,
    non_dominated_probability,
)

PERFORMANCE = (SPARSITY, "accuracy")
FAIRNESS = ("recall_group_min",)
DEFAULT_OBJECTIVES = (*PERFORMANCE, *FAIRNESS)
PROBABILITY_RESAMPLES = 500  # a probability is then known to 0.045
VOLUME_RESAMPLES = 1000


def frontier(
    results: Results,
    objectives: Sequence[str] = DEFAULT_OBJECTIVES,
    confidence: float = CONFIDENCE,
    by_class: bool = True,
) -> xr.Dataset:
    """The operating points of all techniques, and which of them no other dominates.

    Args:
        results: one task's results.
        objectives: `sparsity` (higher is better) and metrics, each in its own direction.
        confidence: of the intervals; the frontier itself is that of the means.
        by_class: whether to give the recall of each class too.

    Returns:
        `operating_points` of the objectives, with `on_frontier` (point) and `probability` (point):
        the share of bootstrap resamples of seeds, paired over techniques and levels, in which no
        other point dominates it. It is 0 where a network failed or none is finished, and NaN with
        fewer than 3 seeds. Controls are on no frontier.

    Raises:
        InputError: for an unknown objective, one named twice, or none.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> points = frontier(results)
        >>> points.sizes["point"], int(points.on_frontier.sum())
        (19, 7)
    """
    results = with_resamples(results)
    check_objectives(results, objectives)
    points = operating_points(results, objectives, confidence, by_class=by_class)
    judged = ~points["control"]
    means = [
        points[name].sel(estimate="mean").where(is_sound(points, name) & judged).values
        * direction_of(name)
        for name in objectives
    ]
    return points.assign(
        on_frontier=("point", non_dominated(np.stack(means, axis=1))),
        probability=("point", _probability(results, objectives, judged.values)),
    )


def hypervolumes(
    results: Results,
    objectives: Sequence[str] = DEFAULT_OBJECTIVES,
    reference: Mapping[str, float] | None = None,
    confidence: float = CONFIDENCE,
) -> xr.Dataset:
    """How good each technique's operating points are together: the volume that they dominate.

    The dense network is a point of every technique; controls are left out. Seeds are resampled
    whole, so differences between techniques are paired. Noise lets a frontier look better than it
    is: estimates and bounds are corrected for that (`fairness.corrected_interval`).

    Args:
        results: one task's results.
        objectives: `sparsity` (higher is better) and metrics, each in its own direction.
        reference: the point that volumes are measured from, by objective, in its own units; what
            is left out is as in `reference_point`.
        confidence: of the intervals.

    Returns:
        `hypervolume` (technique, estimate) and `rank` (technique), 1 the best; `difference`
        (technique, other, estimate) of technique minus other, and `apart` (technique, other): its
        interval excludes 0. Attributes: `reference` by objective, and `best`, a technique, empty
        where there is none. NaN for a technique of which no network is finished or none has all
        objectives, and for bounds with fewer than 3 seeds. A level at which a network failed or
        has no value of an objective has no part in it.

    Raises:
        InputError: for bad objectives, a reference that is none of them, or is not finite.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> volumes = hypervolumes(results)
        >>> volumes.best, volumes["rank"].values.tolist()
        ('magnitude-global-rewind', [1.0, 2.0, 3.0])
    """
    results = candidates(with_resamples(results))
    check_objectives(results, objectives)
    check_confidence(confidence)
    point = reference_point(results, objectives, reference)
    names = results["technique"].values
    rows = resampled_volumes(results, objectives, point)
    seeds = results.sizes["seed"]
    volumes = corrected_interval(rows, seeds, confidence)
    paired = rows[:, :, None] - rows[:, None, :]
    difference = np.stack(corrected_interval(paired, seeds, confidence), axis=-1)
    known = np.isfinite(volumes.estimate).any()
    best = str(names[first_of(volumes.estimate)]) if known else ""
    return xr.Dataset(
        {
            "hypervolume": (("technique", "estimate"), np.stack(volumes, axis=-1)),
            "rank": ("technique", ranks_of(volumes.estimate)),
            "difference": (("technique", "other", "estimate"), difference),
            "apart": (("technique", "other"), (difference[..., 1] > 0) | (difference[..., 2] < 0)),
        },
        {"technique": names, "other": names, "estimate": list(ESTIMATES)},
        {"reference": point, "best": best},
    )


def _probability(
    results: xr.Dataset, objectives: Sequence[str], judged: Bool[np.ndarray, " points"]
) -> np.ndarray:
    """P(on the frontier) of the points of `operating_points`: the dense network is one of them.

    Those that are not judged have none.
    """
    techniques, levels = results.sizes["technique"], results.sizes["level"]
    once = (np.arange(levels) > 0) | (np.arange(techniques) == 0)[:, None]
    if results.sizes["seed"] < FEWEST_SEEDS:
        return np.full(np.count_nonzero(once), np.nan)
    values = resampled_objectives(results, objectives, PROBABILITY_RESAMPLES)[1:]
    found = np.full(len(judged), np.nan)
    found[judged] = non_dominated_probability(values[:, once][:, judged])
    return found


def resampled_volumes(
    results: xr.Dataset, objectives: Sequence[str], reference: Mapping[str, float]
) -> Float[np.ndarray, "rows techniques"]:
    """Hypervolumes under each row of weights; NaN for a technique without a finished network."""
    values = resampled_objectives(results, objectives, VOLUME_RESAMPLES)
    origin = np.array([direction_of(name) * reference[name] for name in objectives])
    by_technique = [
        hypervolume(values[:, technique], origin) for technique in range(values.shape[1])
    ]
    lost = np.isnan(values[0]).any(axis=2).all(axis=1)
    return np.where(lost, np.nan, np.stack(by_technique, axis=1))


def ranks_of(volumes: np.ndarray) -> np.ndarray:
    """1 for the largest; equal ones share the better rank, NaN has none."""
    better = (volumes > volumes[:, None]).sum(axis=1)
    return np.where(np.isnan(volumes), np.nan, 1.0 + better)


def first_of(resampled: np.ndarray) -> np.ndarray:
    """The technique with the largest hypervolume, along the last axis."""
    return np.asarray(np.where(np.isnan(resampled), -np.inf, resampled).argmax(axis=-1))
