"""What each class of each task lost at a sparsity, and what was known of the class before."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from prune_fair.analysis.class_changes import class_changes
from prune_fair.analysis.comparison import common_sparsity
from prune_fair.analysis.controls import candidates
from prune_fair.analysis.per_network import SPARSITY
from prune_fair.analysis.rarity import Rarity, dataset_of, rarity_of
from prune_fair.analysis.resampling import Results, as_dataset
from prune_fair.errors import check, lookup
from prune_fair.fairness import FEWEST_SEEDS

DEFAULT_SPARSITY = 0.95


class Cells(NamedTuple):
    """A row a task and class: means over the networks of all seeds and techniques.

    Attributes:
        change: recall at the sparsity less that of the dense networks, in points.
        share: log2 of the class's training images over those of a balanced class.
        complexity: of the class, the mean over tasks of its dataset, standardised over classes.
        dense_recall: in points.
        task: position of the task.
        unit: position of the class among those of all datasets: one and the same in all tasks of
            a dataset.
    """

    change: Float[np.ndarray, " rows"]
    share: Float[np.ndarray, " rows"]
    complexity: Float[np.ndarray, " rows"]
    dense_recall: Float[np.ndarray, " rows"]
    task: Int[np.ndarray, " rows"]
    unit: Int[np.ndarray, " rows"]


class Gathered(NamedTuple):
    """Cells of all tasks, what their positions stand for, and what was left out.

    Attributes:
        cells: the rows.
        sparsity: at which changes are.
        tasks: names.
        units: dataset and class of each unit.
        seeds: by task, those whose changes were averaged.
        techniques: those whose changes were averaged.
        rarity: what was varied.
        notes: lines on what was left out.
    """

    cells: Cells
    sparsity: float
    tasks: tuple[str, ...]
    units: tuple[tuple[str, str], ...]
    seeds: tuple[int, ...]
    techniques: tuple[str, ...]
    rarity: Rarity
    notes: tuple[str, ...]

    @property
    def datasets(self) -> tuple[str, ...]:
        """The dataset of each unit."""
        return tuple(dataset for dataset, _ in self.units)

    @property
    def class_names(self) -> list[str]:
        """The class of each unit, with its dataset where there are several."""
        several = len({*self.datasets}) > 1
        return [f"{dataset} {name}" if several else name for dataset, name in self.units]


def gather(
    results: Results,
    complexity: str,
    asked: Sequence[str] = (),
    sparsity: float | None = None,
    apart: bool = False,
) -> Gathered:
    """The cells of every task that has at least 3 seeds with a pruned network.

    Args:
        results: a study, or one task's results.
        complexity: a measure of the results, or `dense_margin`.
        asked: techniques; empty for all but controls.
        sparsity: of the changes; None for the sparsest level's up to 0.95 that all reach.
        apart: whether what is known of dense networks comes from every second seed, and changes
            from the others.

    Raises:
        InputError: for an unknown complexity or technique, results without it, a sparsity out of
            reach, or no such task.
    """
    named, notes = _enough(_tasks(results, asked))
    at = _reference([*named.values()], sparsity)
    units: dict[tuple[str, str], int] = {}
    parts: dict[str, list[np.ndarray]] = {name: [] for name in Cells._fields}
    found = []
    for position, (name, node) in enumerate(named.items()):
        own = class_changes(node, complexity, at, apart)
        notes += [f"{name}: {note}" for note in own.notes]
        dataset = dataset_of(node) or name
        rows = np.flatnonzero(np.isfinite(np.stack([*own.values.values()])).all(axis=0))
        for column, values in own.values.items():
            parts[column].append(values[rows])
        labels = [(dataset, str(node["true"].values[row])) for row in rows]
        parts["unit"].append(np.array([units.setdefault(each, len(units)) for each in labels], int))
        parts["task"].append(np.full(len(rows), position))
        found.append(own)
    cells = Cells(**{name: np.concatenate(own) for name, own in parts.items()})
    check(len(cells.change) > 0, f"{complexity}: no class of a finished network has a value of it")
    blocks = np.unique([dataset for dataset, _ in units], return_inverse=True)[1]
    return Gathered(
        cells._replace(complexity=_by_class(cells.complexity, cells.unit, blocks)),
        at,
        tuple(named),
        tuple(units),
        tuple(own.seeds for own in found),
        tuple(dict.fromkeys(name for own in found for name in own.techniques)),
        rarity_of([*named.values()]),
        tuple(notes),
    )


def _tasks(results: Results, asked: Sequence[str]) -> dict[str, xr.Dataset]:
    """Tasks by name, with the techniques that are asked for."""
    leaves = results.leaves if isinstance(results, xr.DataTree) else [results]
    named = {
        node.path.strip("/") if isinstance(node, xr.DataTree) else "results": as_dataset(node)
        for node in leaves
    }
    known = dict.fromkeys(str(m) for node in named.values() for m in node["technique"].values)
    for name in asked:
        lookup(known, name, "technique")
    if not asked:
        return {name: candidates(node) for name, node in named.items()}
    return {
        name: node.isel(technique=[str(m) in asked for m in node["technique"].values])
        for name, node in named.items()
    }


def _enough(named: Mapping[str, xr.Dataset]) -> tuple[dict[str, xr.Dataset], list[str]]:
    """The tasks with seeds enough, and notes on the others."""
    kept, notes, most = {}, [], 0
    for name, node in named.items():
        finished = node["finished"].transpose("seed", "technique", "level").values
        seeds = int((finished[:, :, :1] & finished[:, :, 1:]).any(axis=(1, 2)).sum())
        most = max(most, seeds)
        if seeds < FEWEST_SEEDS:
            notes.append(f"{name}: {seeds} seeds with a pruned network, left out")
        else:
            kept[name] = node
    check(most > 0, "no pruned network is finished: there is no change of recall to attribute")
    check(
        bool(kept),
        f"{most} seed(s) with a pruned network: expected at least {FEWEST_SEEDS}; run the study "
        "with more seeds",
    )
    return kept, notes


def _reference(tasks: Sequence[xr.Dataset], asked: float | None) -> float:
    """The sparsity of the changes: as asked, or the sparsest level's up to 0.95 that all reach."""
    least, most, common = 1.0, 0.0, 1.0
    found = []
    for node in tasks:
        values = node[SPARSITY].transpose("level", "technique", "seed").values[1:]
        levels = [float(np.nanmedian(each)) for each in values if np.isfinite(each).any()]
        found += levels
        common = min(common, common_sparsity(node))
        least, most = min(least, *levels), max(most, float(np.nanmax(values)))
    if asked is None:
        return min(max((s for s in found if s <= DEFAULT_SPARSITY), default=min(found)), common)
    check(
        bool(least - 1e-6 <= asked <= most + 1e-6),
        f"sparsity {asked}: expected one between those of the study, {least:.4g} and {most:.4g}",
    )
    return asked


def _by_class(
    values: Float[np.ndarray, " rows"],
    unit: Int[np.ndarray, " rows"],
    blocks: Int[np.ndarray, " units"],
) -> Float[np.ndarray, " rows"]:
    """One value a class, standardised within its dataset; 0 where all are alike."""
    means = np.bincount(unit, values) / np.bincount(unit)
    for block in np.unique(blocks):
        own = blocks == block
        centred, deviation = means[own] - means[own].mean(), means[own].std()
        means[own] = centred / deviation if deviation > 1e-9 else centred * 0
    return means[unit]
