"""What each class of one task lost at a sparsity, and what is known of it."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int

from prune_fair.analysis.comparison import interpolate
from prune_fair.analysis.per_network import (
    SPARSITY,
    check_dense,
    class_recall,
    count_networks,
    diverged,
)
from prune_fair.errors import check, unknown
from prune_fair.fairness import FEWEST_SEEDS

DENSE_MARGIN = "dense_margin"
POINTS = 100.0


class ClassChanges(NamedTuple):
    """Means over networks, by class; NaN for a class without training or test images.

    Attributes:
        values: `change`, `share`, `complexity` and `dense_recall`, as `Cells` has them, but for
            `complexity`, which is that of the task and not standardised.
        seeds: whose changes were averaged.
        techniques: whose changes were averaged.
        notes: lines on what was left out.
    """

    values: dict[str, Float[np.ndarray, " classes"]]
    seeds: int
    techniques: list[str]
    notes: list[str]


def class_changes(
    results: xr.Dataset, complexity: str, sparsity: float, apart: bool
) -> ClassChanges:
    """Means over complete seeds: those whose every technique has a network at the sparsity.

    Args:
        results: one task's results, of one split.
        complexity: a measure of the results, or `dense_margin`.
        sparsity: between levels, recalls are interpolated as `at_sparsity` does it.
        apart: whether what is known of dense networks comes from every second seed, and changes
            from the others.

    Raises:
        InputError: for an unknown complexity, or fewer than 3 complete seeds.
    """
    check_dense(results)
    recall = class_recall(results).transpose("technique", "seed", "level", "true").values
    finished = results["finished"].transpose("technique", "seed", "level").values
    recall = np.where(finished[..., None], POINTS * recall.astype(float), np.nan)
    sparsities = results[SPARSITY].transpose("technique", "seed", "level").values
    at = np.stack([interpolate(sparsities, each, sparsity) for each in np.moveaxis(recall, -1, 0)])
    change = at - recall[0, :, 0].T[:, None]  # (class, technique, seed)
    images = (results["train_count"].values > 0) & ~np.isnan(recall).all(axis=(0, 1, 2))
    there = np.asarray(np.isfinite(change[images]).all(axis=0))
    reach: Bool[np.ndarray, " techniques"] = np.logical_or.reduce(there, axis=1)
    seeds = np.flatnonzero(there[reach].all(axis=0)) if reach.any() else np.array([], int)
    check(
        len(seeds) >= FEWEST_SEEDS,
        f"{len(seeds)} seed(s) with networks at sparsity {sparsity:.4g}: expected at least "
        f"{FEWEST_SEEDS}; ask for another sparsity, or run the study on",
    )
    outcome, known = (seeds[::2], seeds[1::2]) if apart else (seeds, seeds)
    values = {
        "change": change[:, reach][:, :, outcome].mean(axis=(1, 2)),
        "share": _share(results["train_count"].values),
        "complexity": _complexity(results, complexity, known),
        "dense_recall": recall[0, known, 0].mean(axis=0),
    }
    values = {name: np.where(images, each, np.nan) for name, each in values.items()}
    names = results["technique"].values.astype(str)
    notes = _left_out(results, images, len(seeds))
    if not reach.all():
        told = ", ".join(names[~reach])
        notes.append(f"no network at sparsity {sparsity:.4g}, left out: {told}")
    return ClassChanges(values, len(outcome), names[reach].tolist(), notes)


def _left_out(results: xr.Dataset, used: Bool[np.ndarray, " classes"], seeds: int) -> list[str]:
    """Which seeds and classes are not among the cells, and which networks failed."""
    notes, finished = [], results["finished"].values
    if not finished.all():
        done = f"{finished.mean():.0%} of its networks are finished"
        notes.append(f"still running, {done}; {seeds} complete seeds are used")
    elif seeds < results.sizes["seed"]:
        notes.append(f"{results.sizes['seed'] - seeds} seeds without a network there left out")
    if not used.all():
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


def _complexity(
    results: xr.Dataset, name: str, seeds: Int[np.ndarray, " seeds"]
) -> Float[np.ndarray, " classes"]:
    """A measure of each class; of `dense_margin`, the mean over the dense networks of seeds."""
    measures = [str(m) for m in results["measure"].values] if "measure" in results else []
    if name not in (*measures, DENSE_MARGIN):
        check(bool(measures), "this study has no class complexity; run it anew with this version")
        raise unknown("complexity", name, [*measures, DENSE_MARGIN])
    if name == DENSE_MARGIN:
        margin = results["margin"].isel(technique=0, level=0).transpose("seed", "true").values
        return margin[seeds].astype(float).mean(axis=0)
    return results["complexity"].values[measures.index(name)].astype(float)
