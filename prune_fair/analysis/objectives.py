"""Objectives of a frontier: which way is better, from where volumes are measured, resamples."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from jaxtyping import Float

from prune_fair.analysis.per_network import (
    KNOWN_NAMES,
    SPARSITY,
    check_names,
    failed,
)
from prune_fair.analysis.resampling import Results, as_dataset, networks
from prune_fair.analysis.tables import resampled
from prune_fair.errors import check, unknown
from prune_fair.fairness import METRICS


def reference_point(
    results: Results, objectives: Sequence[str], given: Mapping[str, float] | None = None
) -> dict[str, float]:
    """The point that hypervolumes are measured from, by objective and in its own units.

    What is not given: sparsity 0; chance, 1/classes, for metrics that say so (`Metric.chance`); the
    worst possible value for those of a network alone that have one (`Metric.worst_bound`); else the
    worst mean over seeds of all techniques and levels at which no network failed, which then
    depends on what is compared (NaN where no mean is known).

    Raises:
        InputError: for a given name that is no objective, or a value that is not finite.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> reference_point(results, ["sparsity", "accuracy", "recall_group_min"])
        {'sparsity': 0.0, 'accuracy': 0.1, 'recall_group_min': 0.0}
    """
    given = given or {}
    for name, value in given.items():
        if name not in objectives:
            raise unknown("objective of the reference", name, objectives)
        check(bool(np.isfinite(value)), f"reference {name}={value}: expected a finite number")
    return {
        name: float(given[name]) if name in given else _worst(results, name) for name in objectives
    }


def _worst(results: Results, name: str) -> float:
    if name == SPARSITY:
        return 0.0
    metric = METRICS[name]
    if metric.chance:
        return 1 / as_dataset(results).sizes["true"]
    if not metric.against_dense and np.isfinite(metric.worst_bound):
        return metric.worst_bound
    means = resampled_objectives(as_dataset(results), [name], 0)
    known = means[np.isfinite(means)]
    return direction_of(name) * known.min() if known.size else np.nan


def check_objectives(results: Results, objectives: Sequence[str]) -> None:
    """Raises `InputError` for objectives that are unknown, named twice, or none."""
    check(bool(objectives), f"no objectives: expected some of {KNOWN_NAMES}")
    check_names(results, "objective", objectives)
    listed = ", ".join(objectives)
    check(len({*objectives}) == len(objectives), f"objectives {listed}: expected each once")


def direction_of(name: str) -> int:
    """1 where more of an objective is better, -1 where less is."""
    return 1 if name == SPARSITY or METRICS[name].higher_is_better else -1


def resampled_objectives(
    results: xr.Dataset, objectives: Sequence[str], resamples: int
) -> Float[np.ndarray, "rows techniques levels objectives"]:
    """Objectives over networks under each row of weights, higher is better.

    NaN where a network failed, or has no value of an objective: a mean of the others would reward
    collapse.
    """
    columns = [direction_of(name) * resampled(results, name, resamples) for name in objectives]
    values = np.stack(columns, axis=-1)
    lost = networks(failed(results)).any("seed").transpose("technique", "level").values
    lost |= np.isnan(values[0]).any(axis=-1)
    return np.where(lost[..., None], np.nan, values)
