"""Techniques over several tasks: which is better, is that resolved, and do tasks agree on it?"""

from collections.abc import Mapping
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES, check_confidence
from prune_fair.fairness import (
    confidence_of_each,
    holm,
    improvement_interval,
    improvement_probability,
    interquartile_interval,
    interquartile_mean,
    paired_difference,
    percentile_interval,
    performance_profile,
    rank_agreement,
    rank_test,
    score_ranks,
    stratified_weights,
)

PAIR = ("technique", "other")
THRESHOLDS = 61
DIGITS = 12  # means that differ by less are equal


class _Runs(NamedTuple):
    """Scores of each task's runs, better when higher, and their weights in each resample."""

    tasks: list[Float[np.ndarray, "runs techniques"]]
    weights: list[Float[np.ndarray, "rows runs"]]

    @property
    def pooled(self) -> tuple[np.ndarray, np.ndarray]:
        """Runs of all tasks, and weights of which each task has as much."""
        return np.vstack(self.tasks), np.hstack(self.weights) / len(self.tasks)


def across(scores: xr.Dataset, confidence: float = CONFIDENCE) -> xr.Dataset:
    """Techniques over all tasks, each of which counts the same.

    Intervals are over seeds, drawn within each task and shared by all techniques: what these tasks
    would show if networks were trained again. Ranks take tasks as drawn from others of their kind.

    Args:
        scores: as `task_scores` gives them.
        confidence: of the intervals; of the rank test, and of the paired tests within tasks, the
            level is what is left to 1.

    Returns:
        By technique: `iqm`, the interquartile mean of all tasks' runs (and estimate), `failed`,
        `mean_rank`. `difference` (technique, other, estimate), of IQM, technique minus other;
        `improvement` (technique, other, estimate), the probability that a run of technique is
        better than one of other, of the same task; the intervals of each of these two hold for all
        pairs together. `profile` (technique, threshold, estimate), the
        share of runs at least as good as a threshold. `rank` (task, technique) of the mean over
        seeds. `better` (task, technique, other): 1 where technique is better in the task by a
        paired t-test over seeds, adjusted for all pairs and tasks by Holm, -1 where worse, else 0.
        `tau` (task, other_task, estimate), Kendall's tau-b between two tasks' orders; `alike` and
        `opposite` (task, other_task), how many pairs are told apart in both, in the same or in the
        other order. `p` of Friedman's test, `critical_difference` of mean ranks, and the
        `fewest_tasks` that could show any. Attributes: those of the scores, and `confidence`.
        Bounds are NaN with fewer than 3 seeds of a task.

    Raises:
        InputError: for a confidence outside (0, 1).

    Example:
        >>> from prune_fair import open_example
        >>> from prune_fair.analysis import task_scores
        >>> results = open_example()["digits/mlp"]
        >>> halves = {"one": results.isel(seed=slice(8)), "two": results.isel(seed=slice(8, 16))}
        >>> found = across(task_scores(halves, "accuracy", 0.91))
        >>> found.iqm.sel(estimate="mean").round(3).values.tolist(), found.mean_rank.values.tolist()
        ([-0.005, -0.013, -0.025], [1.0, 2.0, 3.0])
    """
    check_confidence(confidence)
    sign = 1 if scores.attrs["higher_is_better"] else -1
    seeds = scores["seeds"].values.tolist()
    by_task = sign * scores["score"].transpose("task", "seed", "technique").values
    tasks = [each[:count] for each, count in zip(by_task, seeds, strict=True)]
    runs = _Runs(tasks, stratified_weights(seeds))
    thresholds = np.linspace(*_ends(np.vstack(tasks)), THRESHOLDS)
    rows = _resampled(runs, thresholds)
    estimates = _estimates(rows, len(tasks), min(seeds), confidence)
    for name in ("iqm", "difference"):
        estimates[name] = _in_own_units(estimates[name], sign)
    names = scores["technique"].values
    return xr.Dataset(
        {
            **estimates,
            "failed": scores["failed"].sum("task"),
            "sparsity": scores["sparsity"],
            "seeds": scores["seeds"],
            **_ranks(tasks, 1 - confidence),
            **_orders(tasks, 1 - confidence),
        },
        {
            "technique": names,
            "other": names,
            "task": scores["task"].values,
            "other_task": scores["task"].values,
            "threshold": sign * thresholds,
            "estimate": list(ESTIMATES),
        },
        {**scores.attrs, "confidence": confidence},
    ).sortby("threshold")


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _resampled(
    runs: _Runs, thresholds: np.ndarray
) -> Mapping[str, tuple[tuple[str, ...], np.ndarray]]:
    """Each statistic's axes, and its values under each row of weights."""
    values, weights = runs.pooled
    iqm = np.stack([interquartile_mean(each, weights) for each in values.T], axis=1)
    profile = [performance_profile(each, weights, thresholds) for each in values.T]
    pairs = zip(runs.tasks, runs.weights, strict=True)
    improvement = sum(improvement_probability(*pair) for pair in pairs) / len(runs.tasks)
    means = np.stack([w @ x for x, w in zip(runs.tasks, runs.weights, strict=True)], axis=1)
    return {
        "iqm": (("technique",), iqm),
        "difference": (PAIR, iqm[:, :, None] - iqm[:, None, :]),
        "improvement": (PAIR, np.asarray(improvement)),
        "profile": (("technique", "threshold"), np.stack(profile, axis=1)),
        "tau": (("task", "other_task"), _agreement(means.round(DIGITS))),
    }


def _estimates(
    rows: Mapping[str, tuple[tuple[str, ...], np.ndarray]],
    tasks: int,
    seeds: int,
    confidence: float,
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """The statistics with their intervals: of what is of pairs, of all pairs together."""
    bound = {
        **dict.fromkeys(rows, percentile_interval),
        **dict.fromkeys(("iqm", "difference"), partial(interquartile_interval, tasks=tasks)),
        "improvement": partial(improvement_interval, tasks=tasks),
    }
    found = {}
    for name, (dims, values) in rows.items():
        single = confidence
        if dims == PAIR:
            upper = np.triu_indices(values.shape[-1], 1)
            single = confidence_of_each(values[:, *upper], confidence)
        bounds = np.stack(bound[name](values, seeds, single), axis=-1)
        found[name] = (*dims, "estimate"), bounds
    return found


def _agreement(
    means: Float[np.ndarray, "rows tasks techniques"],
) -> Float[np.ndarray, "rows tasks tasks"]:
    """Kendall's tau-b of every two tasks, a pair of tasks at a time, which bounds the memory."""
    tasks = means.shape[1]
    tau = np.ones((len(means), tasks, tasks))
    for one, other in combinations(range(tasks), 2):
        tau[:, one, other] = rank_agreement(means[:, one], means[:, other])
        tau[:, other, one] = tau[:, one, other]
    return tau


def _in_own_units(
    variable: tuple[tuple[str, ...], np.ndarray], sign: int
) -> tuple[tuple[str, ...], np.ndarray]:
    """Estimates of scores that are better when higher, as the metric counts them."""
    dims, values = variable
    return dims, (values if sign > 0 else -values[..., [0, 2, 1]])


def _ranks(tasks: list[np.ndarray], alpha: float) -> dict[str, tuple]:
    """Ranks of the means over seeds, and what they tell apart."""
    ranks = score_ranks(np.stack([each.mean(axis=0) for each in tasks]).round(DIGITS))
    found = rank_test(ranks, alpha)
    return {
        "rank": (("task", "technique"), ranks),
        "mean_rank": ("technique", found.mean_ranks),
        "p": ((), found.p),
        "critical_difference": ((), found.critical_difference),
        "fewest_tasks": ((), found.fewest_tasks),
    }


def _orders(tasks: list[np.ndarray], alpha: float) -> dict[str, tuple]:
    """Which pairs of techniques are told apart within each task, and whether tasks agree."""
    better = _told_apart(tasks, alpha)
    both = better[:, None] * better[None, :]
    upper = np.triu(np.ones(better.shape[1:], bool))
    between = ("task", "other_task")
    return {
        "better": (("task", "technique", "other"), better),
        "alike": (between, ((both > 0) & upper).sum(axis=(2, 3))),
        "opposite": (between, ((both < 0) & upper).sum(axis=(2, 3))),
    }


def _told_apart(
    tasks: list[np.ndarray], alpha: float
) -> Int[np.ndarray, "tasks techniques techniques"]:
    techniques = tasks[0].shape[1]
    one, other = np.array([*combinations(range(techniques), 2)]).T
    tests = [paired_difference(each[:, one], each[:, other]) for each in tasks]
    p = holm(np.stack([test.p for test in tests]))
    signs = np.stack([np.sign(test.mean.estimate) for test in tests])
    better = np.zeros((len(tasks), techniques, techniques), int)
    better[:, one, other] = np.where(p < alpha, signs, 0)
    return better - better.transpose(0, 2, 1)
