"""Metrics and recalls of a study's networks as labelled arrays, alone and over seeds."""

from collections.abc import Sequence
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np
import xarray as xr

from prune_fair import fairness
from prune_fair.errors import check, unknown
from prune_fair.fairness import METRICS
from prune_fair.store import DENSE

ESTIMATES = ("mean", "low", "high")
SPARSITY = "sparsity"
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
