"""Questions to a study's results: labelled arrays in, labelled arrays out.

Every function takes one node of `open_study(...)`, as a Dataset or a DataTree node, and reads
nothing else.
"""

from collections.abc import Sequence
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from prune_fair import fairness
from prune_fair.errors import check, unknown
from prune_fair.fairness import METRICS
from prune_fair.store import DENSE

ESTIMATES = ("mean", "low", "high")
SPARSITY = "sparsity"
DEFAULT_OBJECTIVES = (SPARSITY, "accuracy", "recall_group_min")
ACCURACY_TOLERANCE = 0.01
RECALL_TOLERANCE = 0.05

Results: TypeAlias = xr.Dataset | xr.DataTree


def as_dataset(results: Results) -> xr.Dataset:
    """A task's results as a Dataset, from a node of the tree or from a Dataset."""
    return results.to_dataset() if isinstance(results, xr.DataTree) else results


def class_recall(results: Results) -> xr.DataArray:
    """Recall of each network and class: (method, seed, level, true); NaN where unfinished."""
    results = as_dataset(results)
    values = np.asarray(fairness.recall(jnp.asarray(results["confusion"].values)))
    kept = results["confusion"].isel(predicted=0, drop=True)
    return kept.copy(data=values).rename("recall").assign_attrs(units="fraction of the class")


def network_metrics(results: Results, names: Sequence[str] = tuple(METRICS)) -> xr.Dataset:
    """Metrics of each network: one variable a metric, (method, seed, level); NaN where unfinished.

    Raises:
        InputError: for an unknown metric.
    """
    results = as_dataset(results)
    confusion = results["confusion"]
    counts = jnp.asarray(confusion.values)
    dense = jnp.broadcast_to(jnp.asarray(confusion.values[:, :, :1]), counts.shape)
    dims, coords = confusion.dims[:3], confusion.isel(true=0, predicted=0, drop=True).coords
    columns = {}
    for name in names:
        if name == SPARSITY:
            columns[name] = results[SPARSITY]
        elif name in METRICS:
            values = np.asarray(METRICS[name].function(counts, dense), dtype=float)
            columns[name] = (dims, values)
        else:
            raise unknown("metric", name, [SPARSITY, *METRICS])
    return xr.Dataset(columns, coords)


def over_seeds(values: xr.DataArray, confidence: float = 0.95) -> xr.DataArray:
    """Mean over seeds with its percentile bootstrap interval, along a new axis `estimate`.

    The coordinates of `estimate` are mean, low and high. With fewer than 3 seeds there is no
    interval: low and high are NaN.

    Raises:
        InputError: for a confidence outside (0, 1).
    """
    check(0 < confidence < 1, f"confidence {confidence}: expected in (0, 1), such as 0.95")
    by_seed = values.transpose("seed", ...)
    interval = fairness.mean_interval(by_seed.values.astype(float), confidence)
    like = by_seed.isel(seed=0, drop=True)
    parts = [like.copy(data=bound) for bound in interval]
    return xr.concat(parts, xr.Variable("estimate", list(ESTIMATES))).transpose(..., "estimate")


def metrics(
    results: Results, names: Sequence[str] = tuple(METRICS), confidence: float = 0.95
) -> xr.Dataset:
    """Sparsity and metrics over seeds: one variable each, (method, level, estimate).

    Raises:
        InputError: for an unknown metric or a confidence outside (0, 1).
    """
    columns = dict.fromkeys((SPARSITY, *names))
    table = network_metrics(results, tuple(columns))
    return table.map(lambda column: over_seeds(column, confidence))


def operating_points(
    results: Results, names: Sequence[str], confidence: float = 0.95
) -> xr.Dataset:
    """Every (method, level) as a point: sparsity and metrics over seeds, and recall by class.

    Returns:
        One variable a name, (point, estimate), and `recall` (point, true, estimate); `method` and
        `level` by point. The dense network is one point, of method `dense`.

    Raises:
        InputError: for an unknown metric or a confidence outside (0, 1).
    """
    table = metrics(results, names, confidence)
    table = table.assign(recall=over_seeds(class_recall(results), confidence))
    points = table.stack(point=("method", "level"), create_index=False).transpose("point", ...)
    duplicate = (points["level"] == 0) & (points["method"] != points["method"][0])
    method = xr.where(points["level"] == 0, DENSE, points["method"])
    return points.assign_coords(method=method).isel(point=~duplicate.values)


def frontier(
    results: Results,
    objectives: Sequence[str] = DEFAULT_OBJECTIVES,
    confidence: float = 0.95,
) -> xr.Dataset:
    """The operating points of all methods, and which of them no other dominates.

    Args:
        results: one task's results.
        objectives: `sparsity` (higher is better) and metrics, each in its own direction.
        confidence: of the intervals; the frontier itself is that of the means.

    Returns:
        `operating_points` of the objectives, with `on_frontier` (point).

    Raises:
        InputError: for an unknown objective, one named twice, or none.
    """
    valid = [SPARSITY, *METRICS]
    check(bool(objectives), f"no objectives: expected some of {', '.join(valid)}")
    check(len({*objectives}) == len(objectives), f"objectives {objectives}: expected each once")
    for name in objectives:
        if name not in valid:
            raise unknown("objective", name, valid)
    points = operating_points(results, objectives, confidence)
    signs = [1 if n == SPARSITY or METRICS[n].higher_is_better else -1 for n in objectives]
    means = [points[name].sel(estimate="mean").values for name in objectives]
    on_frontier = fairness.non_dominated(np.stack(means, axis=1) * signs)
    return points.assign(on_frontier=("point", on_frontier))


def price_of_accuracy(
    results: Results,
    accuracy_tolerance: float = ACCURACY_TOLERANCE,
    recall_tolerance: float = RECALL_TOLERANCE,
    confidence: float = 0.95,
) -> xr.Dataset:
    """What choosing a sparsity by accuracy alone costs the class that it hurts most.

    All changes are against the dense network of the same seed, averaged over seeds. Intervals are
    percentile bootstraps over seeds; that of a cost is for the level and class that the whole
    sample names.

    Args:
        results: one task's results.
        accuracy_tolerance: the fall of mean accuracy that accuracy alone accepts.
        recall_tolerance: the fall of mean recall that is accepted for every class.
        confidence: of the intervals, in (0, 1).

    Returns:
        By method (and `estimate`): `accuracy_level` and `accuracy_sparsity`, the sparsest choice
        within the accuracy tolerance; `worst_class` and `cost`, its change of recall there;
        `fair_level` and `fair_sparsity`, the sparsest choice that keeps every class within the
        recall tolerance.
    """
    results = as_dataset(results)
    recalls = class_recall(results).transpose("method", "seed", "level", "true").values
    accuracies = network_metrics(results, ["accuracy"]).accuracy.values
    sparsities = results[SPARSITY].values
    rows = [
        _price(accuracy, recall, sparsity, accuracy_tolerance, recall_tolerance, confidence)
        for accuracy, recall, sparsity in zip(accuracies, recalls, sparsities, strict=True)
    ]
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    names = np.array(results["true"].values)[columns.pop("worst_class")]
    table = {
        name: (("method", "estimate")[: values.ndim], values) for name, values in columns.items()
    }
    coords = {"method": results["method"].values, "estimate": list(ESTIMATES)}
    return xr.Dataset({**table, "worst_class": ("method", names)}, coords)


def _price(
    accuracy: Float[np.ndarray, "seeds levels"],
    recall: Float[np.ndarray, "seeds levels classes"],
    sparsity: Float[np.ndarray, "seeds levels"],
    accuracy_tolerance: float,
    recall_tolerance: float,
    confidence: float,
) -> dict[str, np.ndarray]:
    seeds = len(accuracy)
    weights = fairness.bootstrap_weights(seeds)
    accuracy_change = fairness.weighted_means(weights, accuracy - accuracy[:, :1])
    recall_change = fairness.weighted_means(weights, recall - recall[:, :1])
    by_accuracy = fairness.sparsest_within(accuracy_change, accuracy_tolerance)
    fair = fairness.sparsest_within(recall_change.min(axis=-1), recall_tolerance)
    mean_sparsity = fairness.weighted_means(weights, sparsity)
    worst = int(np.argmin(recall_change[0, by_accuracy[0]]))
    every = np.arange(len(weights))

    def interval(resampled: np.ndarray) -> np.ndarray:
        return np.stack(fairness.percentile_interval(resampled, seeds, confidence))

    return {
        "accuracy_level": np.asarray(by_accuracy[0]),
        "accuracy_sparsity": interval(mean_sparsity[every, by_accuracy]),
        "worst_class": np.array(worst),
        "cost": interval(recall_change[:, by_accuracy[0], worst]),
        "fair_level": np.asarray(fair[0]),
        "fair_sparsity": interval(mean_sparsity[every, fair]),
    }
