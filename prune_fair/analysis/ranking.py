"""Whether other techniques win once fairness counts."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from jaxtyping import Float

from prune_fair.analysis.controls import candidates
from prune_fair.analysis.frontiers import (
    FAIRNESS,
    PERFORMANCE,
    first_of,
    ranks_of,
    resampled_volumes,
)
from prune_fair.analysis.objectives import check_objectives, reference_point
from prune_fair.analysis.resampling import Results, with_resamples
from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES, check_confidence
from prune_fair.errors import check
from prune_fair.fairness import (
    FEWEST_SEEDS,
    corrected_interval,
    percentile_interval,
    rank_agreement,
)

RANKINGS = ("performance", "with_fairness")


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
        By technique and `other`: `swapped`, whether their order is another once fairness counts,
        and `resolved`, whether the intervals of their difference exclude 0 in both rankings.
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
    pair = [resampled_volumes(results, part, point) for part in (performance, objectives)]
    seeds = results.sizes["seed"]
    volumes = [corrected_interval(part, seeds, confidence) for part in pair]
    tau = percentile_interval(rank_agreement(*pair), seeds, confidence)
    tau = tau._replace(estimate=rank_agreement(*(part.estimate for part in volumes)))
    moved = (first_of(pair[0]) != first_of(pair[1]))[1:].mean() if seeds >= FEWEST_SEEDS else np.nan
    ranks = np.stack([ranks_of(part.estimate) for part in volumes])
    intervals = np.stack([np.stack(part, axis=-1) for part in volumes])
    signs = np.stack([_order(part, seeds, confidence) for part in pair])
    return xr.Dataset(
        {
            "swapped": (("technique", "other"), (signs[0, 0] * signs[1, 0] < 0)),
            "resolved": (("technique", "other"), (signs[0, 1] * signs[1, 1] < 0)),
            "hypervolume": (("ranking", "technique", "estimate"), intervals),
            "rank": (("ranking", "technique"), ranks),
            "rank_change": ("technique", ranks[1] - ranks[0]),
            "tau": ("estimate", np.stack(tau)),
            "first_place_changes": moved,
        },
        {
            "ranking": list(RANKINGS),
            "technique": names,
            "other": names,
            "estimate": list(ESTIMATES),
        },
        {"reference": point},
    )


def _order(
    rows: Float[np.ndarray, "rows techniques"], seeds: int, confidence: float
) -> Float[np.ndarray, "2 techniques techniques"]:
    """Signs of the differences of hypervolumes, and the same where intervals exclude 0, else 0."""
    between = corrected_interval(rows[:, :, None] - rows[:, None], seeds, confidence)
    excludes = (between.low > 0) | (between.high < 0)
    sign = np.nan_to_num(np.sign(between.estimate))
    return np.stack([sign, np.where(excludes, sign, 0)])
