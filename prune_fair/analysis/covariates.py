"""What each class of each pruned network lost, and what was known of the class before pruning."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int

from prune_fair.analysis.controls import candidates
from prune_fair.analysis.per_network import (
    check_dense,
    class_recall,
    count_networks,
    diverged,
)
from prune_fair.analysis.resampling import Results, as_dataset
from prune_fair.errors import check, lookup, unknown
from prune_fair.fairness import FEWEST_SEEDS

DENSE_MARGIN = "dense_margin"
POINTS = 100.0


class Rows(NamedTuple):
    """A row a pruned network and class.

    Attributes:
        change: recall less that of the dense network of the same seed, in points.
        share: log2 of the class's training images over those of a balanced class.
        complexity: the measure, standardised over the classes of the task.
        dense_recall: mean over the dense networks of the other seeds, in points, less its mean over
            the task's classes.
        compression: log2 of 1 / density.
        task: position of the task.
        technique: position of the technique.
        seed: of the network.
        level: of the network.
        label: position of the class in its task.
    """

    change: Float[np.ndarray, " rows"]
    share: Float[np.ndarray, " rows"]
    complexity: Float[np.ndarray, " rows"]
    dense_recall: Float[np.ndarray, " rows"]
    compression: Float[np.ndarray, " rows"]
    task: Int[np.ndarray, " rows"]
    technique: Int[np.ndarray, " rows"]
    seed: Int[np.ndarray, " rows"]
    level: Int[np.ndarray, " rows"]
    label: Int[np.ndarray, " rows"]


class Gathered(NamedTuple):
    """Rows of all tasks, the names that their positions stand for, and what was left out."""

    rows: Rows
    tasks: tuple[str, ...]
    techniques: tuple[str, ...]
    notes: tuple[str, ...]


def gather(results: Results, complexity: str, asked: Sequence[str] = ()) -> Gathered:
    """The rows of every task that has at least 3 seeds with a pruned network.

    Args:
        results: a study, or one task's results.
        complexity: a measure of the results, or `dense_margin`.
        asked: techniques; empty for all but controls.

    Raises:
        InputError: for an unknown complexity or technique, results without it, or no such task.
    """
    leaves = results.leaves if isinstance(results, xr.DataTree) else [results]
    named = {
        node.path.strip("/") if isinstance(node, xr.DataTree) else "results": as_dataset(node)
        for node in leaves
    }
    techniques = tuple(
        dict.fromkeys(str(m) for node in named.values() for m in node.technique.values)
    )
    for name in asked:
        lookup(dict.fromkeys(techniques), name, "technique")
    named = {
        name: _only(node, asked) if asked else candidates(node) for name, node in named.items()
    }
    parts, tasks, notes, most = [], [], [], 0
    for name, node in named.items():
        rows, left_out = _of_task(node, complexity, len(tasks), techniques)
        finished = node["finished"].transpose("seed", "technique", "level").values
        seeds = int((finished[:, :, :1] & finished[:, :, 1:]).any(axis=(1, 2)).sum())
        most = max(most, seeds)
        if seeds < FEWEST_SEEDS:
            notes.append(f"{name}: {seeds} seeds with a pruned network, left out")
            continue
        parts.append(rows)
        tasks.append(name)
        notes += [f"{name}: {note}" for note in left_out]
    check(most > 0, "no pruned network is finished: there is no change of recall to attribute")
    check(
        bool(parts),
        f"{most} seed(s) with a pruned network: an interval cannot be had from fewer than "
        f"{FEWEST_SEEDS}; run the study with more seeds",
    )
    rows = Rows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    check(len(rows.change) > 0, f"{complexity}: no class of a finished network has a value of it")
    return Gathered(rows, tuple(tasks), techniques, tuple(notes))


def _only(results: xr.Dataset, techniques: Sequence[str]) -> xr.Dataset:
    rows = [row for row, name in enumerate(results["technique"].values) if name in techniques]
    return results.isel(technique=rows)


def mean_of_others(
    values: Float[np.ndarray, "seeds classes"],
) -> Float[np.ndarray, "seeds classes"]:
    """For each seed the mean over all other seeds; NaN, an unfinished seed, counts nowhere."""
    known = np.isfinite(values)
    others = known.sum(axis=0) - known
    total = np.where(known, values, 0).sum(axis=0) - np.where(known, values, 0)
    return np.divide(total, others, out=np.full(values.shape, np.nan), where=others > 0)


def _of_task(
    results: xr.Dataset, complexity: str, task: int, techniques: tuple[str, ...]
) -> tuple[Rows, list[str]]:
    """The rows of one task, and notes on what is not among them."""
    check_dense(results)
    recall = class_recall(results).transpose("technique", "seed", "level", "true").values
    recall = POINTS * recall.astype(float)
    finished = results["finished"].transpose("technique", "seed", "level").values
    recall = np.where(finished[..., None], recall, np.nan)
    dense = recall[0, :, 0]
    density = 1 - results["sparsity"].transpose("technique", "seed", "level").values
    halved = -np.log2(density, out=np.full(density.shape, -np.inf), where=density > 0)
    values = {
        "change": recall - dense[:, None],
        "share": _share(results["train_count"].values)[None, None, None],
        "complexity": _complexity(results, complexity)[None, :, None],
        "dense_recall": _centred(mean_of_others(dense))[None, :, None],
        "compression": halved[..., None],
    }
    positions = np.array([techniques.index(str(name)) for name in results["technique"].values])
    axes = {
        "task": np.full((1, 1, 1, 1), task),
        "technique": positions[:, None, None, None],
        "seed": np.arange(recall.shape[1])[None, :, None, None],
        "level": np.arange(recall.shape[2])[None, None, :, None],
        "label": np.arange(recall.shape[3])[None, None, None],
    }
    columns = {k: np.broadcast_to(v, recall.shape)[:, :, 1:] for k, v in (values | axes).items()}
    known = np.ones(columns["change"].shape, bool)
    for name in values:
        known &= np.isfinite(columns[name])
    rows = Rows(**{name: column[known] for name, column in columns.items()})
    return rows, _left_out(results, columns, known)


def _left_out(
    results: xr.Dataset, columns: Mapping[str, np.ndarray], known: Bool[np.ndarray, "m s l c"]
) -> list[str]:
    """Why there are fewer rows than pruned networks times classes."""
    notes, finished = [], results["finished"].values
    if not finished.all():
        notes.append(f"still running, {finished.mean():.0%} of its networks are finished and used")
    empty = np.isneginf(columns["compression"]).any(axis=-1).sum()
    if empty:
        notes.append(f"{empty} networks without any weight left out")
    used = known.any(axis=(0, 1, 2))
    if known.any() and not used.all():
        names = ", ".join(results["true"].values[~used].astype(str))
        notes.append(f"classes without training or test images left out: {names}")
    lost = count_networks(diverged(results))
    if lost:
        notes.append(f"{lost} diverged networks are counted as failures of every class")
    return notes


def _share(counts: Int[np.ndarray, " classes"]) -> Float[np.ndarray, " classes"]:
    """log2 of a class's images over those of a balanced class; NaN for a class without any."""
    relative = counts * len(counts) / max(1, counts.sum())
    return np.log2(relative, out=np.full(len(counts), np.nan), where=counts > 0)


def _complexity(results: xr.Dataset, name: str) -> Float[np.ndarray, "seeds classes"]:
    """A measure of each class, standardised over classes; 0 where all classes are alike."""
    measures = [str(m) for m in results["measure"].values] if "measure" in results else []
    if name not in (*measures, DENSE_MARGIN):
        check(bool(measures), "this study has no class complexity; run it anew with this version")
        raise unknown("complexity", name, [*measures, DENSE_MARGIN])
    if name == DENSE_MARGIN:
        margin = results["margin"].isel(technique=0, level=0).transpose("seed", "true").values
        values = mean_of_others(margin.astype(float))
    else:
        measured = results["complexity"].values[measures.index(name)]
        values = np.tile(measured, (results.sizes["seed"], 1))
    values = _centred(values)
    deviation = np.nanstd(_class_means(values)) if np.isfinite(values).any() else 0.0
    return values / deviation if deviation > 1e-9 else values * 0


def _centred(values: Float[np.ndarray, "seeds classes"]) -> Float[np.ndarray, "seeds classes"]:
    """Less the mean over the classes' means."""
    if not np.isfinite(values).any():
        return values
    return values - np.nanmean(_class_means(values))


def _class_means(values: Float[np.ndarray, "seeds classes"]) -> Float[np.ndarray, " classes"]:
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=0)
    count = known.sum(axis=0)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
