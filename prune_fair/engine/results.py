"""What a level's networks give: the results by name, and what each is, for whoever stores them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from prune_fair.data import BY_IMAGE, MEMBERS, Variable
from prune_fair.engine.evaluation import Evaluated, class_dtype, statistics_of
from prune_fair.engine.task import Task
from prune_fair.pruning import Technique
from prune_fair.types import Mask, leaves_by_path


class Removed(NamedTuple):
    """What masks remove, of networks that one technique pruned.

    Attributes:
        weights: of each layer's kernel, by network: how many are removed.
        sizes: weights of each layer's kernel.
        prunable: layers that the technique prunes.
        parameters: of all parameters, biases included, by network: how many are removed.
        total: parameters of a network.
    """

    weights: Int[np.ndarray, "networks layers"]
    sizes: Int[np.ndarray, " layers"]
    prunable: Bool[np.ndarray, " layers"]
    parameters: Int[np.ndarray, " networks"]
    total: int


def removed_by(task: Task, technique: Technique, mask: Mask) -> Removed:
    """What the masks of networks remove, which one technique pruned; stacked, on the host."""
    layers, leaves = task.model.layers, leaves_by_path(mask)
    prunable = technique.prunable(layers)
    removed = {
        path: np.array([one.size - np.count_nonzero(one) for one in leaf])
        for path, leaf in leaves.items()
    }
    return Removed(
        np.stack([removed[f"{layer}/kernel"] for layer in layers], axis=1),
        np.array([leaves[f"{layer}/kernel"][0].size for layer in layers]),
        np.array([layer in prunable for layer in layers]),
        np.sum([*removed.values()], axis=0),
        task.model.parameters,
    )


def sparsity(removed: Removed) -> Float[np.ndarray, " networks"]:
    """Of the weights that the technique may prune."""
    there = (removed.sizes * removed.prunable).sum()
    return (removed.weights * removed.prunable).sum(axis=1) / there


MEASURES: dict[str, tuple[Callable[[Removed], np.ndarray], Variable]] = {
    "sparsity": (
        sparsity,
        Variable(MEMBERS, "float64", np.nan, "fraction", "prunable weights that are removed"),
    ),
    "parameter_sparsity": (
        lambda removed: removed.parameters / removed.total,
        Variable(MEMBERS, "float64", np.nan, "fraction", "parameters that are removed, of all"),
    ),
    "layer_sparsity": (
        lambda removed: removed.weights / removed.sizes,
        Variable((*MEMBERS, "layer"), "float64", np.nan, "fraction", "the layer's weights removed"),
    ),
    "collapsed": (
        lambda removed: (removed.weights == removed.sizes).any(axis=1),
        Variable(MEMBERS, "bool", False, "", "whether a layer has no weight left"),
    ),
}
DIVERGED = Variable(MEMBERS, "bool", False, "", "whether a parameter or output is not finite")


def schema(task: Task) -> dict[str, Variable]:
    """Every array of a task's results; with an axis of splits where there are several."""
    split = ("split",) if len(task.splits) > 1 else ()
    counted = {
        name: Variable(
            (*MEMBERS, *split, *row.axes), row.dtype, row.missing, row.unit, row.description
        )
        for name, row in statistics_of(task).items()
    }
    measured = {name: result for name, (_, result) in MEASURES.items()}
    dtype, said = class_dtype(task.classes), "the class that each {} image is given"
    unit, missing = "position of the class", np.iinfo(dtype).max
    predictions = {
        each.predictions: Variable(
            (*MEMBERS, each.image), dtype.name, missing, unit, said.format(split)
        )
        for split, each in BY_IMAGE.items()
        if task.predictions and split in task.splits
    }
    return {**counted, **measured, "diverged": DIVERGED, **predictions}


def results_of(
    task: Task, technique: Technique, mask: Mask, evaluated: Evaluated
) -> dict[str, np.ndarray]:
    """The arrays of networks that one technique pruned, by network first."""
    removed = removed_by(task, technique, mask)
    measured = {name: of(removed) for name, (of, _) in MEASURES.items()}
    splits = slice(None) if len(task.splits) > 1 else 0
    counted = {name: np.asarray(value)[:, splits] for name, value in evaluated.counted.items()}
    predictions = {
        BY_IMAGE[split].predictions: np.asarray(classes)
        for split, classes in evaluated.predicted.items()
    }
    return {**counted, **measured, "diverged": np.asarray(evaluated.diverged), **predictions}


def stacked(
    by_technique: Sequence[dict[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    """The arrays of several techniques, by technique first."""
    return {name: np.stack([each[name] for each in by_technique]) for name in by_technique[0]}
