"""One number for each technique, task and seed, such that numbers of tasks can be compared."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from prune_fair.analysis.comparison import common_sparsity
from prune_fair.analysis.frontiers import DEFAULT_OBJECTIVES
from prune_fair.analysis.per_network import SPARSITY, check_names
from prune_fair.analysis.resampling import Results, as_dataset
from prune_fair.analysis.task_values import NORMALISATIONS, Scores, scores_at_level, volume_scores
from prune_fair.errors import check, lookup, unknown
from prune_fair.fairness import METRICS

VOLUME = "hypervolume"


def task_scores(
    tasks: Mapping[str, Results],
    metric: str = "recall_group_min",
    sparsity: float | None = None,
    normalise: str = "dense",
    objectives: Sequence[str] = DEFAULT_OBJECTIVES,
) -> xr.Dataset:
    """A score of each technique, task and seed, higher or lower is better as the metric says.

    Args:
        tasks: results of each task, by its name.
        metric: a name of METRICS that each network has, at one level; or `hypervolume`, of the
            operating points that the networks of a seed have at all levels.
        sparsity: of each technique of a task, the level whose measured sparsity is nearest (in
            the logarithm of density) is taken; by default the sparsest that all techniques of all
            tasks reach. Its density may differ by the factor 1.25 at most.
        normalise: `dense` to make tasks comparable: a metric that does not compare with dense
            networks already is taken minus that of the seed's own dense network, and a
            hypervolume as a share of what the task's mean dense values, kept up to sparsity 1,
            would have. `none` to take numbers as they are.
        objectives: of the hypervolume.

    Returns:
        `score` (task, technique, seed), NaN for seeds that a task does not have, or of which a
        technique's network is not finished; `failed` (task, technique), how many scores stand for
        networks that diverged or have no value; `level` and `sparsity` (task, technique), of
        networks on average; `seeds` (task). Attributes: `metric`, `higher_is_better` and
        `normalised`; `asked`, the sparsity; `objectives` of the hypervolume; `left_out`, by name of
        a task or technique, why; `sources`, the data set of each task.

        An undefined value is the worst that the metric can have, or that any network of the task
        has where it has no bound; an undefined dense value is the best.

    Raises:
        InputError: for an unknown metric, one that no single network has, a sparsity that no two
            techniques of all tasks are near, or where no two techniques are in all tasks.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> halves = {"one": results.isel(seed=slice(8)), "two": results.isel(seed=slice(8, 16))}
        >>> scores = task_scores(halves, "accuracy", 0.91)
        >>> scores.score.dims, scores.level.values.tolist()[0]
        (('task', 'technique', 'seed'), [4.0, 4.0, 4.0])
        >>> scores.score.mean("seed").round(3).values.tolist()[0]
        [-0.005, -0.015, -0.024]
    """
    lookup(dict.fromkeys(NORMALISATIONS), normalise, "normalisation")
    left_out: dict[str, str] = {}
    nodes = _of_shared_techniques(
        {name: as_dataset(node) for name, node in tasks.items()}, left_out
    )
    if metric == VOLUME:
        check(
            sparsity is None, f"sparsity {sparsity}: a hypervolume is of all levels; leave it out"
        )
        parts = {name: volume_scores(node, objectives, normalise) for name, node in nodes.items()}
    else:
        _check_metric(nodes, metric)
        sparsity = _reached_by_all(nodes) if sparsity is None else sparsity
        check(0 <= sparsity < 1, f"sparsity {sparsity}: expected in [0, 1), such as 0.9")
        parts = {
            name: scores_at_level(node, metric, sparsity, normalise) for name, node in nodes.items()
        }
    return _table(parts, nodes, left_out).assign_attrs(
        metric=metric,
        asked=sparsity,
        objectives=list(objectives) if metric == VOLUME else [],
        normalised=normalise == "dense" and (metric == VOLUME or not METRICS[metric].against_dense),
        higher_is_better=metric == VOLUME or METRICS[metric].higher_is_better,
        left_out=left_out,
        sources={name: _source(node) for name, node in nodes.items() if name not in left_out},
    )


def _source(node: xr.Dataset) -> str:
    """The data set of a study's task; empty where it is not known."""
    return json.loads(node.attrs["config"])["data"]["name"] if "config" in node.attrs else ""


def _of_shared_techniques(
    nodes: Mapping[str, xr.Dataset], left_out: dict[str, str]
) -> dict[str, xr.Dataset]:
    """The tasks with finished networks, and of these the techniques that all have, in one order."""
    begun = {name: node for name, node in nodes.items() if node[SPARSITY].notnull().any()}
    left_out |= {name: "none of its networks is finished" for name in nodes if name not in begun}
    by_task = {name: [*map(str, node["technique"].values)] for name, node in begun.items()}
    for technique in dict.fromkeys(name for names in by_task.values() for name in names):
        lacking = [task for task, names in by_task.items() if technique not in names]
        if lacking:
            left_out[technique] = f"{lacking[0]} does not have it"
    shared = [name for name in next(iter(by_task.values()), []) if name not in left_out]
    _check_enough([*begun], shared, left_out)
    return {name: node.sel(technique=shared) for name, node in begun.items()}


def _check_enough(tasks: Sequence[str], names: Sequence[str], left_out: Mapping[str, str]) -> None:
    """Raises `InputError` where there is nothing to compare, or no tasks to compare it over."""
    why = "".join(f"; left out: {name} ({why})" for name, why in left_out.items())
    listed = ", ".join(map(repr, tasks)) or "none"
    check(
        len(tasks) > 1,
        f"tasks {listed}: expected two at least, in one study or several (`prune-fair compare` is "
        f"for one task){why}",
    )
    listed = ", ".join(map(repr, names)) or "none"
    check(len(names) > 1, f"techniques {listed}: expected two at least that all tasks have{why}")


def _check_metric(nodes: Mapping[str, xr.Dataset], metric: str) -> None:
    if metric not in METRICS:
        raise unknown("metric", metric, [*METRICS, VOLUME], f"{VOLUME}, or of `prune-fair list`")
    for node in nodes.values():
        check_names(node, "metric", [metric])


def _reached_by_all(nodes: Mapping[str, xr.Dataset]) -> float:
    return min(common_sparsity(node) for node in nodes.values())


def _table(
    parts: Mapping[str, Scores], nodes: Mapping[str, xr.Dataset], left_out: dict[str, str]
) -> xr.Dataset:
    """The tasks' parts as one, without what some task lacks; seeds are counted from 0 on."""
    shared = [*map(str, next(iter(nodes.values()))["technique"].values)]
    left_out |= {f: f"in {task} {w}" for task, part in parts.items() for f, w in part.lacks.items()}
    kept = [row for row, name in enumerate(shared) if name not in left_out]
    _check_enough([*parts], [shared[row] for row in kept], left_out)
    known = {task: np.isfinite(part.score[kept]).all(axis=0) for task, part in parts.items()}
    left_out |= {
        task: "no seed of it is finished for every technique"
        for task in parts
        if not known[task].any()
    }
    tasks = [task for task in parts if task not in left_out]
    _check_enough(tasks, [shared[row] for row in kept], left_out)
    seeds = [int(known[task].sum()) for task in tasks]
    score = np.full((len(tasks), len(kept), max(seeds)), np.nan)
    for row, task in enumerate(tasks):
        score[row, :, : seeds[row]] = parts[task].score[kept][:, known[task]]
    failed = [parts[task].failed[kept][:, known[task]].sum(axis=1) for task in tasks]
    by_technique = ("task", "technique")
    return xr.Dataset(
        {
            "score": ((*by_technique, "seed"), score),
            "failed": (by_technique, np.array(failed)),
            "level": (by_technique, np.array([parts[task].level[kept] for task in tasks])),
            "sparsity": (by_technique, np.array([parts[task].sparsity[kept] for task in tasks])),
            "seeds": ("task", seeds),
        },
        {"task": tasks, "technique": [shared[row] for row in kept]},
    )
