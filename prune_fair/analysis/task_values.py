"""What the networks of one task score, such that scores of several tasks can be compared."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from prune_fair.analysis.objectives import check_objectives, direction_of, reference_point
from prune_fair.analysis.per_network import SPARSITY, diverged, network_metrics
from prune_fair.errors import check
from prune_fair.fairness import METRICS, hypervolume
from prune_fair.store import MEMBERS

NORMALISATIONS = "dense", "none"
NEAR = 1.25  # the most that densities of levels may differ from what is asked, as a factor
SAME = 1e-9  # logarithms of density that differ by less are one


class Scores(NamedTuple):
    """What one task has: scores, NaN where unfinished, and whether a failure stands in them.

    `level` and `sparsity` are NaN for a hypervolume. `lacks` names techniques without a level near
    the sparsity, and says what they have.
    """

    score: Float[np.ndarray, "techniques seeds"]
    failed: Bool[np.ndarray, "techniques seeds"]
    level: Float[np.ndarray, " techniques"]
    sparsity: Float[np.ndarray, " techniques"]
    lacks: Mapping[str, str]


def scores_at_level(node: xr.Dataset, metric: str, sparsity: float, normalise: str) -> Scores:
    """Scores at each technique's level nearest to the sparsity."""
    means = node[SPARSITY].mean("seed").transpose("technique", "level").values
    with np.errstate(divide="ignore"):
        distance = np.abs(np.log1p(-means) - np.log1p(-sparsity))
    distance = np.where(np.isnan(distance), np.inf, distance)
    level = distance.argmin(axis=1)
    rows = np.arange(len(level))
    found, near = means[rows, level], distance[rows, level] <= np.log(NEAR) + SAME
    lacks = {
        str(name): f"its level nearest to sparsity {sparsity:.4g} has {at:.4g}"
        for name, at, is_near in zip(node["technique"].values, found, near, strict=True)
        if not is_near
    }
    names = dict.fromkeys((SPARSITY, metric))
    table = network_metrics(node, [*names]).transpose(*MEMBERS)
    value, dense = _filled(table[metric].values, metric)
    score = value - dense if normalise == "dense" and not METRICS[metric].against_dense else value
    failed = np.asarray((diverged(node).transpose(*MEMBERS) | table[metric].isnull()).values)
    score = np.where(table[SPARSITY].isnull(), np.nan, score)
    return Scores(score[rows, :, level], failed[rows, :, level], level + 0.0, found, lacks)


def _filled(
    values: Float[np.ndarray, "techniques seeds levels"], metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Values, the worst where undefined, and those of dense networks, the best where undefined."""
    row, known = METRICS[metric], values[np.isfinite(values)]
    check(bool(known.size), f"metric {metric!r}: it is undefined for every network of a task")
    low = row.bounds[0] if np.isfinite(row.bounds[0]) else known.min()
    high = row.bounds[1] if np.isfinite(row.bounds[1]) else known.max()
    worst, best = (low, high) if row.higher_is_better else (high, low)
    dense = values[:, :, :1]
    return np.where(np.isfinite(values), values, worst), np.where(np.isfinite(dense), dense, best)


def volume_scores(node: xr.Dataset, objectives: Sequence[str], normalise: str) -> Scores:
    """Hypervolumes of the operating points that the networks of each technique and seed have."""
    check_objectives(node, objectives)
    names = dict.fromkeys((SPARSITY, *objectives))
    table = network_metrics(node, [*names]).transpose(*MEMBERS)
    point = reference_point(node, objectives)
    signs = np.array([direction_of(name) for name in objectives])
    origin = signs * [point[name] for name in objectives]
    values = signs * np.stack([table[name].values for name in objectives], axis=-1)
    unfinished = table[SPARSITY].isnull()
    score = hypervolume(np.moveaxis(values, 2, -2), origin)
    if normalise == "dense":
        score = score / _dense_volume(table, objectives, point)
    failed = diverged(node).transpose(*MEMBERS).values | np.isnan(values).any(axis=-1)
    score = np.where(unfinished.any("level"), np.nan, score)
    nothing = np.full(len(score), np.nan)
    return Scores(score, np.asarray(failed.any(axis=-1)), nothing, nothing, {})


def _dense_volume(
    table: xr.Dataset, objectives: Sequence[str], point: Mapping[str, float]
) -> float:
    """The volume of a point at sparsity 1 with the mean values of the dense networks."""
    dense = {name: float(table[name].sel(level=0).mean()) for name in objectives}
    dense = {name: 1.0 if name == SPARSITY else value for name, value in dense.items()}
    gains = {name: direction_of(name) * (dense[name] - point[name]) for name in objectives}
    for name, gain in gains.items():
        check(
            gain > 0,
            f"objective {name!r}: dense networks have {dense[name]:.4g} on average, no better than "
            f"the reference {point[name]:.4g}; expected other objectives, or no normalisation",
        )
    return float(np.prod([*gains.values()]))
