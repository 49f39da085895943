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
from prune_fair.errors import check
from prune_fair.fairness import (
    FEWEST_SEEDS,
    corrected_interval,
    hypervolume,
    non_dominated,
    non_dominated_probability,
    percentile_interval,
    rank_agreement,
)

PERFORMANCE = (SPARSITY, "accuracy")
FAIRNESS = ("recall_group_min",)
DEFAULT_OBJECTIVES = (*PERFORMANCE, *FAIRNESS)
RANKINGS = ("performance", "with_fairness")
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
    rows = _resampled_volumes(results, objectives, point)
    seeds = results.sizes["seed"]
    volumes = corrected_interval(rows, seeds, confidence)
    paired = rows[:, :, None] - rows[:, None, :]
    difference = np.stack(corrected_interval(paired, seeds, confidence), axis=-1)
    known = np.isfinite(volumes.estimate).any()
    best = str(names[_first(volumes.estimate)]) if known else ""
    return xr.Dataset(
        {
            "hypervolume": (("technique", "estimate"), np.stack(volumes, axis=-1)),
            "rank": ("technique", _ranks(volumes.estimate)),
            "difference": (("technique", "other", "estimate"), difference),
            "apart": (("technique", "other"), (difference[..., 1] > 0) | (difference[..., 2] < 0)),
        },
        {"technique": names, "other": names, "estimate": list(ESTIMATES)},
        {"reference": point, "best": best},
    )


def ranking_change(
    results: Results,
    performance: Sequence[str] = PERFORMANCE,
    fairness: Sequence[str] = FAIRNESS,
    reference: Mapping[str, float] | None = None,
    confidence: float = CONFIDENCE,
) -> xr.Dataset:
    """Whether other techniques win once fairness counts: ranks by hypervolume without and with it.

    Args:
        results: one task's results, of at least two techniques.
        performance: the objectives of the first ranking.
        fairness: those that the second ranking has besides.
        reference: as in `hypervolumes`.
        confidence: of the intervals.

    Returns:
        By `ranking` (performance, with_fairness) and technique: `hypervolume` (and estimate) and
        `rank`; `rank_change` (technique), positive for one that falls; `tau` (estimate), Kendall's
        tau-b between the two orders; `first_place_changes`, the share of resamples in which
        another technique is first. The last two without bounds or NaN with fewer than 3 seeds.
        Attribute `reference` by objective.

    Raises:
        InputError: as `hypervolumes` does, and for a single technique.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> change = ranking_change(results)
        >>> change.rank_change.values.tolist(), change.tau.sel(estimate="mean").round(3).item()
        ([0.0, 0.0, 0.0], 1.0)
    """
    results = candidates(with_resamples(results))
    names = results["technique"].values
    check(len(names) > 1, f"only one technique, {str(names[0])!r}: expected two at least to rank")
    check(bool(fairness), "no fairness metrics: expected some beside those of performance")
    objectives = (*performance, *fairness)
    check_objectives(results, objectives)
    check_confidence(confidence)
    point = reference_point(results, objectives, reference)
    pair = [_resampled_volumes(results, part, point) for part in (performance, objectives)]
    seeds = results.sizes["seed"]
    volumes = [corrected_interval(part, seeds, confidence) for part in pair]
    tau = percentile_interval(rank_agreement(*pair), seeds, confidence)
    tau = tau._replace(estimate=rank_agreement(*(part.estimate for part in volumes)))
    moved = (_first(pair[0]) != _first(pair[1]))[1:].mean() if seeds >= FEWEST_SEEDS else np.nan
    ranks = np.stack([_ranks(part.estimate) for part in volumes])
    intervals = np.stack([np.stack(part, axis=-1) for part in volumes])
    return xr.Dataset(
        {
            "hypervolume": (("ranking", "technique", "estimate"), intervals),
            "rank": (("ranking", "technique"), ranks),
            "rank_change": ("technique", ranks[1] - ranks[0]),
            "tau": ("estimate", np.stack(tau)),
            "first_place_changes": moved,
        },
        {"ranking": list(RANKINGS), "technique": names, "estimate": list(ESTIMATES)},
        {"reference": point},
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


def _resampled_volumes(
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


def _ranks(volumes: np.ndarray) -> np.ndarray:
    """1 for the largest; equal ones share the better rank, NaN has none."""
    better = (volumes > volumes[:, None]).sum(axis=1)
    return np.where(np.isnan(volumes), np.nan, 1.0 + better)


def _first(resampled: np.ndarray) -> np.ndarray:
    """The technique with the largest hypervolume, along the last axis."""
    return np.asarray(np.where(np.isnan(resampled), -np.inf, resampled).argmax(axis=-1))
