"""Metrics and recalls of a study over its networks, with intervals, as labelled arrays."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from jaxtyping import Float

from prune_fair import fairness
from prune_fair.analysis.crossed import metric_over_images
from prune_fair.analysis.per_network import (
    SPARSITY,
    check_names,
    counts_of,
    failed,
    network_metrics,
)
from prune_fair.analysis.resampling import (
    BOTH,
    GROUPED,
    IMAGES,
    SEEDS,
    Results,
    networks,
    resample_weights,
    with_resamples,
)
from prune_fair.analysis.uncertainty import over_classes
from prune_fair.errors import check
from prune_fair.fairness import EVERY_CLASS, METRICS, RESAMPLES, Over
from prune_fair.store import MEMBERS

ESTIMATES = ("mean", "low", "high")
CONFIDENCE = 0.95
DEFAULT_METRICS = ("accuracy", "recall_group_min", "recall_difference", EVERY_CLASS)


def check_confidence(confidence: float) -> None:
    """Raises `InputError` for a confidence outside (0, 1)."""
    check(0 < confidence < 1, f"confidence {confidence}: expected in (0, 1), such as 0.95")


def over_seeds(values: xr.DataArray, confidence: float = CONFIDENCE) -> xr.DataArray:
    """Mean over seeds with its percentile bootstrap interval, along a new axis `estimate`.

    The coordinates of `estimate` are mean, low and high, NaN with fewer than 3 seeds. Values
    computed `with_resamples` of one network's test images have that network's own value for a mean,
    and an interval over images.

    Raises:
        InputError: for a confidence outside (0, 1).

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> last = over_seeds(results["sparsity"]).isel(technique=0, level=-1)
        >>> last.round(3).values.tolist()
        [0.972, 0.972, 0.972]
    """
    check_confidence(confidence)
    by_seed = values.transpose("seed", ...)
    weights = resample_weights(by_seed)
    interval = fairness.mean_interval(by_seed.values.astype(float), confidence, weights)
    return labelled(by_seed.isel(seed=0, drop=True), interval)


def labelled(like: xr.DataArray, interval: fairness.Interval) -> xr.DataArray:
    """An interval as an array along a last axis `estimate`, with the coordinates of another."""
    estimates = xr.Variable("estimate", list(ESTIMATES))
    parts = [like.copy(data=bound) for bound in interval]
    return xr.concat(parts, estimates).transpose(..., "estimate")


def metrics(
    results: Results,
    names: Sequence[str] = DEFAULT_METRICS,
    confidence: float = CONFIDENCE,
    pooled: bool = False,
    over: Over | None = None,
) -> xr.Dataset:
    """Sparsity and metrics over networks: one variable each, (technique, level, estimate).

    Args:
        results: one task's results.
        names: metrics, or `sparsity`.
        confidence: of the intervals, in (0, 1).
        over: what intervals are over, as `interval_over` has it.
        pooled: False for the mean over seeds of each network's metric: what one network may be
            expected to show. True for the metric of the counts summed over seeds: what pruning
            does to a class on average, whatever each network's luck.

    Returns:
        Also `undefined` (metric, technique, level): how many finished networks a metric is
        undefined for; pooled, all or none. Where it is for any, the mean is NaN, since one of the
        others would reward collapse. Each has an attribute `over`, as `interval_over`.

    Raises:
        InputError: as `network_metrics` and `interval_over`.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> worst = metrics(results, ["recall_group_min"]).recall_group_min
        >>> worst.isel(technique=0, level=4).round(3).values.tolist()
        [0.748, 0.728, 0.766]
    """
    results = with_resamples(results)
    columns = list(dict.fromkeys((SPARSITY, *names)))
    check_names(results, "metric", columns)
    single = {name: name == SPARSITY or not METRICS[name].averaged for name in columns}
    own = [name for name in columns if single[name] and not (pooled and name != SPARSITY)]
    table = network_metrics(results, own)
    whole = {}
    for name in columns:
        ways = interval_over(results, name, over, pooled)
        images = _from_images(results, name, ways)
        if images is not None:
            like = networks(results)[SPARSITY].isel(seed=0, drop=True).drop_attrs()
            interval = metric_over_images(results, name, confidence, images)
            value = labelled(like.transpose("technique", "level"), interval)
        elif name in table:
            value = over_seeds(table[name], confidence)
        else:
            value = (_pooled if single[name] else _averaged)(results, name, confidence)
        whole[name] = value.assign_attrs(over=ways or "")
    known = networks(table)
    finished = known[SPARSITY].notnull()
    missing = {
        name: (known[name].isnull() & finished).sum("seed")
        if name in known
        else finished.sum("seed").where(values.sel(estimate="mean").isnull(), 0)
        for name, values in whole.items()
    }
    undefined = xr.Dataset(missing).drop_vars("estimate", errors="ignore").to_dataarray("metric")
    known_means = {name: values.where(missing[name] == 0) for name, values in whole.items()}
    return xr.Dataset(known_means).assign(undefined=undefined)


def interval_over(
    results: Results, name: str, over: Over | None = None, pooled: bool = False
) -> Over | None:
    """What the interval of a metric is over: `seeds`, `images` or `both`; None without one.

    Args:
        results: one task's results.
        name: a metric, or `sparsity`, which images have no part in.
        over: what is asked for. None for `both` of what is a mean over images (`Metric.of_right`)
            where predictions were kept, else for seeds: others take seconds.
        pooled: of summed counts, as of groups that no image is known of, it is seeds.

    Raises:
        InputError: for what these results cannot give.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> interval_over(results, "accuracy"), interval_over(results, "recall_ratio")
        ('both', 'seeds')
    """
    fixed = name == SPARSITY or pooled
    if fixed or (METRICS[name].over == "group" and GROUPED not in results):
        over_classes(results, over)  # refuses what cannot be had
        return _of_networks(results)
    if METRICS[name].of_right or over is not None:
        return over_classes(results, over)
    return _of_networks(results)


def _of_networks(results: Results) -> Over | None:
    """What intervals are over where images are not resampled network by network."""
    over = over_classes(results)
    return SEEDS if over == BOTH else over


def _from_images(results: xr.Dataset, name: str, over: Over | None) -> Over | None:
    """What an interval from predictions is over; None where it is from seeds or resamples."""
    if over not in (IMAGES, BOTH) or "predictions" not in results or name == SPARSITY:
        return None
    several = results.sizes["seed"] == networks(results).sizes["seed"]
    return over if several or METRICS[name].of_right else None


def resampled(
    results: xr.Dataset, name: str, resamples: int = RESAMPLES
) -> Float[np.ndarray, "rows techniques levels"]:
    """Sparsity or a metric over networks under each row of `resample_weights`; row 0 the sample.

    NaN where the metric is undefined for a finished network.
    """
    if name != SPARSITY and METRICS[name].averaged:
        return _means_reduced(results, name, resamples)
    values = network_metrics(results, [name])[name].transpose("seed", "technique", "level")
    missing = networks(values.isnull() & results[SPARSITY].notnull()).any("seed")
    rows = fairness.weighted_means(
        resample_weights(results, resamples), values.values.astype(float)
    )
    return np.where(missing.transpose("technique", "level").values, np.nan, rows)


def _means_reduced(
    results: xr.Dataset, name: str, resamples: int
) -> Float[np.ndarray, "rows techniques levels"]:
    """A metric of means over networks, under each row of weights."""
    counts, dense = counts_of(results, name)
    averaged = METRICS[name].averaged
    assert averaged is not None
    by_class, reduce = averaged
    weights, finished = resample_weights(results, resamples), results[SPARSITY].transpose(*MEMBERS)
    rows = []
    for own, own_dense, known in zip(counts, dense, finished.notnull().values, strict=True):
        values = np.where(known[..., None], by_class(own, own_dense), np.nan)
        rows.append(reduce(fairness.weighted_means(weights, values)))
    return np.stack(rows, axis=1)


def _averaged(results: xr.Dataset, name: str, confidence: float) -> xr.DataArray:
    """A metric of means over networks, with its interval."""
    check_confidence(confidence)
    sparsity = results[SPARSITY].transpose(*MEMBERS)
    rows, seeds = resampled(results, name), sparsity.notnull().sum("seed").values
    interval = fairness.percentile_interval(rows, seeds, confidence)
    return labelled(sparsity.isel(seed=0, drop=True), interval)


def _pooled(results: xr.Dataset, name: str, confidence: float) -> xr.DataArray:
    """A metric of the counts summed over seeds, with its interval over seeds.

    The dense counts are those of the same seeds, so that both sides know the same networks.
    """
    check_confidence(confidence)
    counts, dense = counts_of(results, name)
    lost = failed(results).any("seed").transpose("technique", "level").values
    sparsity = results[SPARSITY].transpose(*MEMBERS)
    rows = resample_weights(sparsity).astype(np.float32)
    finished, resampled = sparsity.notnull(), []
    for own, own_dense, known in zip(counts, dense, finished.values, strict=True):
        shown = known.reshape(*known.shape, *(1,) * (own.ndim - 2))
        pair = (
            np.tensordot(rows, (part * shown).astype(np.float32), axes=1)
            for part in (own, own_dense)
        )
        resampled.append(METRICS[name].function(*pair).astype(float))
    seeds, values = finished.sum("seed").values, np.stack(resampled, axis=1)
    if METRICS[name].worst is not None:  # summed counts of a failed network look even
        values = np.where(lost, np.nan, values)
    interval = fairness.percentile_interval(values, seeds, confidence)
    return labelled(sparsity.isel(seed=0, drop=True), interval)
