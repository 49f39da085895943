"""Metrics and recalls of each network of a study, as labelled arrays."""

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from jaxtyping import Bool

from prune_fair import fairness
from prune_fair.analysis.resampling import Results, as_dataset, networks
from prune_fair.errors import check, unknown
from prune_fair.fairness import METRICS
from prune_fair.store import MEMBERS

SPARSITY = "sparsity"
KNOWN_NAMES = "sparsity, and the metrics of `prune-fair list`"


def class_recall(results: Results) -> xr.DataArray:
    """Recall of each network and class: (technique, seed, level, true); NaN where unfinished.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> dense = class_recall(results).sel(level=0).mean(["technique", "seed"])
        >>> f"{dense.sel(true='8'):.3f}"
        '0.796'
    """
    results = as_dataset(results)
    values = fairness.recall(results["confusion"].values)
    kept = results["confusion"].isel(predicted=0, drop=True)
    return kept.copy(data=values).rename("recall").assign_attrs(units="fraction of the class")


def network_metrics(results: Results, names: Sequence[str] | None = None) -> xr.Dataset:
    """Metrics of each network: one variable a metric, (technique, seed, level).

    NaN where a network is unfinished or the metric is undefined for it. A diverged network, and one
    that lost a layer and has nothing right, has what `Metric.worst` says.

    Args:
        results: one task's results.
        names: metrics or `sparsity`; None for all that a network of these results can give.

    Raises:
        InputError: for an unknown metric, one of groups where there are none, one that is of many
            networks together, or results without finite networks at level 0 to compare with.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> table = network_metrics(results, ["accuracy", "recall_ratio"])
        >>> table.recall_ratio.dims, table.accuracy.max().round(3).item()
        (('technique', 'seed', 'level'), 0.97)
    """
    results = as_dataset(results)
    if names is None:
        names = [name for name in known_metrics(results) if not METRICS[name].averaged]
    check_names(results, "metric", names)
    nothing_right = failed_all(results)
    table = results[SPARSITY].drop_attrs().to_dataset().drop_vars(SPARSITY)
    for name in names:
        if name == SPARSITY:
            table[name] = results[SPARSITY]
        else:
            metric = METRICS[name]
            check(
                metric.averaged is None,
                f"metric {name!r}: it is of all networks together; expected one that each network "
                "has, such as recall_change_min",
            )
            values = metric.function(*counts_of(results, name))
            if metric.worst is not None:
                values = np.where(nothing_right, metric.worst, values)
            table[name] = (MEMBERS, values)
    return table


def diverged(results: Results) -> xr.DataArray:
    """Which networks have numbers or outputs that are not finite: (technique, seed, level) bool.

    Example:
        >>> from prune_fair import open_example
        >>> bool(diverged(open_example()["digits/mlp"]).any())
        False
    """
    results = as_dataset(results)
    return results.get("diverged", xr.zeros_like(results[SPARSITY], dtype=bool))


def failed(results: Results) -> xr.DataArray:
    """Which networks diverged, or lost every weight of a layer: (technique, seed, level) bool.

    A point with one holds no constraint, is on no frontier and has no part in a hypervolume.

    Example:
        >>> from prune_fair import open_example
        >>> bool(failed(open_example()["digits/mlp"]).any())
        False
    """
    lost = diverged(results)
    return lost | as_dataset(results).get("collapsed", xr.zeros_like(lost))


def count_networks(flags: xr.DataArray) -> int:
    """How many networks are flagged: a dense one, the same for every technique, is one.

    Example:
        >>> from prune_fair import open_example
        >>> count_networks(open_example()["digits/mlp"].finished)
        304
    """
    flags = networks(flags).transpose(*MEMBERS)
    return int(flags[:, :, 1:].sum() + flags[:1, :, :1].sum())


def count_collapsed(results: Results) -> int:
    """How many networks lost every weight of a layer and did not diverge.

    Example:
        >>> from prune_fair import open_example
        >>> count_collapsed(open_example()["digits/mlp"])
        0
    """
    return count_networks(failed(results) & np.logical_not(diverged(results)))


def classes_without_images(results: Results) -> list[str]:
    """The classes that no test image is of: nothing is known of them.

    Example:
        >>> from prune_fair import open_example
        >>> classes_without_images(open_example()["digits/mlp"])
        []
    """
    images = as_dataset(results)["confusion"].sum("predicted").max(MEMBERS)
    known = bool(images.any())  # else no network is finished
    return [str(name) for name in images["true"].values[(images == 0).values]] if known else []


def known_metrics(results: Results) -> list[str]:
    """The metrics that these results can give: those of groups only where images have groups.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> known_metrics(results)[:2]
        ['accuracy', 'balanced_accuracy']
    """
    grouped = "group_confusion" in as_dataset(results)
    return [name for name, metric in METRICS.items() if grouped or "groups" not in metric.needs]


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
    """Raises `InputError` for results whose first level is not that of finite dense networks."""
    check(
        0 in results["level"].values[:1],
        "these results have no level 0: expected the dense networks first, to compare with",
    )
    lost = networks(diverged(results)).isel(level=0).any("technique")
    seeds = ", ".join(map(str, np.flatnonzero(lost.values)[:5]))
    check(
        not lost.any(),
        f"{int(lost.sum())} dense networks (seeds {seeds}) are not finite: expected finite ones to "
        "compare with; train them at a lower learning rate, or leave their seeds out",
    )


def counts_of(results: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray]:
    """What a metric is a function of: counts of every network, and of its dense network."""
    variable = "group_confusion" if METRICS[name].over == "group" else "confusion"
    counts = results[variable].transpose(*MEMBERS, ...)
    check_dense(results)
    dense = counts.sel(level=[0]).values
    return counts.values, np.broadcast_to(dense, counts.shape)


def failed_all(results: xr.Dataset) -> Bool[np.ndarray, "techniques seeds levels"]:
    """Which networks failed and have no image right: those whose metrics are `Metric.worst`."""
    counts = results["confusion"].transpose(*MEMBERS, ...).values
    nothing_right = np.trace(counts, axis1=-2, axis2=-1) == 0
    return failed(results).transpose(*MEMBERS).values & nothing_right
