"""Metrics and recalls of a study's networks as labelled arrays, alone and over seeds."""

from collections.abc import Iterable, Sequence

import jax.numpy as jnp
import numpy as np
import xarray as xr

from prune_fair import fairness
from prune_fair.analysis.resampling import (
    Results,
    as_dataset,
    networks,
    resample_weights,
    with_resamples,
)
from prune_fair.errors import check, unknown
from prune_fair.fairness import METRICS
from prune_fair.store import DENSE, MEMBERS

ESTIMATES = ("mean", "low", "high")
SPARSITY = "sparsity"
CONFIDENCE = 0.95
KNOWN_NAMES = "sparsity, and the metrics of `prune-fair list`"
DEFAULT_METRICS = (
    "accuracy",
    "recall_group_min",
    "recall_difference",
    "recall_change_min",
)


def class_recall(results: Results) -> xr.DataArray:
    """Recall of each network and class: (method, seed, level, true); NaN where unfinished.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> dense = class_recall(results).sel(level=0).mean(["method", "seed"])
        >>> f"{dense.sel(true='8'):.3f}"
        '0.796'
    """
    results = as_dataset(results)
    values = np.asarray(fairness.recall(jnp.asarray(results["confusion"].values)))
    kept = results["confusion"].isel(predicted=0, drop=True)
    return kept.copy(data=values).rename("recall").assign_attrs(units="fraction of the class")


def network_metrics(results: Results, names: Sequence[str] | None = None) -> xr.Dataset:
    """Metrics of each network: one variable a metric, (method, seed, level).

    NaN where a network is unfinished or the metric is undefined for it.

    Args:
        results: one task's results.
        names: metrics or `sparsity`; None for all that these results can give.

    Raises:
        InputError: for an unknown metric, one of groups where there are none, or one against the
            dense network where level 0 is not among the results.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> table = network_metrics(results, ["accuracy", "recall_ratio"])
        >>> table.recall_ratio.dims, table.accuracy.max().round(3).item()
        (('method', 'seed', 'level'), 0.97)
    """
    results = as_dataset(results)
    names = known_metrics(results) if names is None else names
    check_names(results, "metric", names)
    table = results[SPARSITY].drop_attrs().to_dataset().drop_vars(SPARSITY)
    for name in names:
        if name == SPARSITY:
            table[name] = results[SPARSITY]
        else:
            values = METRICS[name].function(*_counts(results, name))
            table[name] = (MEMBERS, np.asarray(values, dtype=float))
    return table


def known_metrics(results: Results) -> list[str]:
    """The metrics that these results can give: those of groups only where images have groups.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> len(known_metrics(results)), known_metrics(results)[:2]
        (86, ['accuracy', 'balanced_accuracy'])
    """
    grouped = "group_confusion" in as_dataset(results)
    return [name for name, metric in METRICS.items() if grouped or metric.over != "group"]


def check_names(results: Results, kind: str, names: Iterable[str]) -> None:
    """Raises `InputError` for a name that is neither `sparsity` nor a metric of these results."""
    known = known_metrics(results)
    for name in names:
        if name not in (SPARSITY, *METRICS):
            raise unknown(kind, name, [SPARSITY, *known], KNOWN_NAMES)
        check(
            name == SPARSITY or name in known,
            f"{kind} {name!r}: these results have no groups; run the study with --data.groups",
        )


def check_dense(results: xr.Dataset) -> None:
    """Raises `InputError` for results whose first level is not that of the dense networks."""
    check(
        0 in results["level"].values[:1],
        "these results have no level 0: expected the dense networks first, to compare with",
    )


def check_confidence(confidence: float) -> None:
    """Raises `InputError` for a confidence outside (0, 1)."""
    check(0 < confidence < 1, f"confidence {confidence}: expected in (0, 1), such as 0.95")


def _counts(results: xr.Dataset, name: str) -> tuple[jnp.ndarray, jnp.ndarray]:
    """What a metric is a function of: counts of every network, and of its dense network."""
    variable = "group_confusion" if METRICS[name].over == "group" else "confusion"
    counts = results[variable].transpose(*MEMBERS, ...)
    check_dense(results)
    dense = counts.sel(level=[0]).values
    return jnp.asarray(counts.values), jnp.broadcast_to(jnp.asarray(dense), counts.shape)


def over_seeds(values: xr.DataArray, confidence: float = CONFIDENCE) -> xr.DataArray:
    """Mean over seeds with its percentile bootstrap interval, along a new axis `estimate`.

    The coordinates of `estimate` are mean, low and high. With fewer than 3 seeds there is no
    interval: low and high are NaN. Values computed `with_resamples` of one network's test images
    have that network's own value for a mean, and an interval over images.

    Raises:
        InputError: for a confidence outside (0, 1).

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> last = over_seeds(results["sparsity"]).isel(method=0, level=-1)
        >>> last.round(3).values.tolist()
        [0.972, 0.972, 0.972]
    """
    check_confidence(confidence)
    by_seed = values.transpose("seed", ...)
    weights = resample_weights(by_seed)
    interval = fairness.mean_interval(by_seed.values.astype(float), confidence, weights)
    return _with_estimates(by_seed.isel(seed=0, drop=True), interval)


def metrics(
    results: Results,
    names: Sequence[str] = DEFAULT_METRICS,
    confidence: float = CONFIDENCE,
    pooled: bool = False,
) -> xr.Dataset:
    """Sparsity and metrics over seeds: one variable each, (method, level, estimate).

    Args:
        results: one task's results.
        names: metrics, or `sparsity`.
        confidence: of the intervals, in (0, 1).
        pooled: False for the mean over seeds of each network's metric: what one network may be
            expected to show. True for the metric of the counts summed over seeds: what pruning
            does to a class on average, whatever each network's luck.

    Returns:
        Also `undefined` (metric, method, level): how many finished networks a metric is undefined
        for. The mean over seeds is that of the others; pooled, it is undefined for all or none.

    Raises:
        InputError: as `network_metrics`, or for a confidence outside (0, 1).

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> worst = metrics(results, ["recall_group_min"]).recall_group_min
        >>> worst.isel(method=0, level=4).round(3).values.tolist()
        [0.748, 0.728, 0.766]
    """
    results = with_resamples(results)
    columns = list(dict.fromkeys((SPARSITY, *names)))
    check_names(results, "metric", columns)
    table = network_metrics(results, [SPARSITY] if pooled else columns)
    whole = {
        name: over_seeds(table[name], confidence)
        if name in table
        else _pooled(results, name, confidence)
        for name in columns
    }
    known = networks(table)
    finished = known[SPARSITY].notnull()
    missing = {
        name: (known[name].isnull() & finished).sum("seed")
        if name in known
        else finished.sum("seed").where(values.sel(estimate="mean").isnull(), 0)
        for name, values in whole.items()
    }
    undefined = xr.Dataset(missing).drop_vars("estimate", errors="ignore").to_dataarray("metric")
    return xr.Dataset(whole).assign(undefined=undefined)


def _with_estimates(like: xr.DataArray, interval: fairness.Interval) -> xr.DataArray:
    estimates = xr.Variable("estimate", list(ESTIMATES))
    parts = [like.copy(data=bound) for bound in interval]
    return xr.concat(parts, estimates).transpose(..., "estimate")


def _pooled(results: xr.Dataset, name: str, confidence: float) -> xr.DataArray:
    """A metric of the counts summed over seeds, with its interval over seeds.

    The dense counts are those of the same seeds, so that both sides know the same networks.
    """
    check_confidence(confidence)
    counts, dense = _counts(results, name)
    sparsity = results[SPARSITY].transpose(*MEMBERS)
    rows = jnp.asarray(resample_weights(sparsity), jnp.float32)
    finished, resampled = sparsity.notnull(), []
    for own, own_dense, known in zip(counts, dense, finished.values, strict=True):
        shown = known.reshape(*known.shape, *(1,) * (own.ndim - 2))
        pair = (jnp.tensordot(rows, part * shown, axes=1) for part in (own, own_dense))
        resampled.append(np.asarray(METRICS[name].function(*pair), dtype=float))
    seeds = finished.sum("seed").values
    interval = fairness.percentile_interval(np.stack(resampled, axis=1), seeds, confidence)
    return _with_estimates(sparsity.isel(seed=0, drop=True), interval)


def operating_points(
    results: Results,
    names: Sequence[str],
    confidence: float = CONFIDENCE,
    pooled: bool = False,
    by_class: bool = True,
) -> xr.Dataset:
    """Every (method, level) as a point: sparsity and metrics over seeds, and recall by class.

    Returns:
        One variable a name, (point, estimate), and if `by_class` `recall` (point, true,
        estimate); `undefined` as `metrics` gives it; `method` and `level` by point. The dense
        network is one point, of method `dense`.

    Raises:
        InputError: for an unknown metric or a confidence outside (0, 1).

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> points = operating_points(results, ["accuracy"])
        >>> points.sizes["point"], points.method.values[:2].tolist()
        (19, ['dense', 'magnitude-global-rewind'])
    """
    results = with_resamples(results)
    table = metrics(results, names, confidence, pooled)
    if by_class:
        table = table.assign(recall=over_seeds(class_recall(results), confidence))
    points = table.stack(point=("method", "level"), create_index=False).transpose("point", ...)
    duplicate = (points["level"] == 0) & (points["method"] != points["method"][0])
    method = xr.where(points["level"] == 0, DENSE, points["method"])
    return points.assign_coords(method=method).isel(point=~duplicate.values)
