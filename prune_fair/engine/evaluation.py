"""One network's images, counted inside the compiled graph: each split, each statistic.

A shift of the test images is a split whose images are made here, a batch at a time.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt

from prune_fair.data import TEST
from prune_fair.datasets import Shift, corrupt
from prune_fair.engine.images import DeviceData, Split
from prune_fair.engine.statistics import STATISTICS, Outputs, Statistic
from prune_fair.engine.task import Task
from prune_fair.pruning import apply_mask
from prune_fair.types import AnyArray, Logits, Mask, Variables

EVALUATION_BATCH = 1000
Counted: TypeAlias = dict[str, AnyArray]  # by statistic: (split, *axes)


class Evaluated(NamedTuple):
    """What is counted of a network's images, by split.

    `diverged` says that a number of the network, or an output for an image, is not finite. In a
    task with predictions `predicted` is the class of each image, by split that has images of its
    own; else there are none.
    """

    counted: Mapping[str, AnyArray]
    diverged: Bool[AnyArray, ""]
    predicted: Mapping[str, UInt[AnyArray, " images"]]


def class_dtype(classes: int) -> np.dtype:
    """The smallest of unsigned numbers that has every class and one more, for none.

    Example:
        >>> class_dtype(255), class_dtype(256)
        (dtype('uint8'), dtype('uint16'))
    """
    return np.min_scalar_type(classes)


def statistics_of(task: Task) -> dict[str, Statistic]:
    """The rows that are counted of a task's networks."""
    has = {"groups": task.groups > 0, "calibration": task.calibration}
    return {name: row for name, row in STATISTICS.items() if all(has[need] for need in row.needs)}


def evaluate(task: Task, data: DeviceData, variables: Variables, mask: Mask) -> Evaluated:
    """Every statistic over every split.

    A diverged network is a failure of every class: what stands for it is the row's `failed`.
    """
    masked = variables._replace(params=apply_mask(variables.params, mask))
    parts = {
        name: _over(task, masked, data.splits[name]) for name in task.splits if name in data.splits
    }
    shifts = [name for name in task.splits if name not in data.splits]
    if shifts:
        shifted = _over_shifts(task, masked, data.splits[TEST], shifts)
        for place, name in enumerate(shifts):
            parts[name] = jax.tree.map(lambda leaf, place=place: leaf[place], shifted)
    diverged = (sum(part.undecided for part in parts.values()) > 0) | ~_finite(masked)
    rows = statistics_of(task)

    def value(name: str, split: str) -> Array:
        judged = data.splits.get(split, data.splits[TEST])
        images = jnp.bincount(judged.labels, length=task.classes)
        finished = rows[name].finish(parts[split].totals[name], images)
        return jnp.where(diverged, rows[name].failed(finished, images), finished)

    counted = {name: jnp.stack([value(name, split) for split in parts]) for name in rows}
    predicted = {}
    for split, part in parts.items():
        if part.predicted is not None:
            failed = (data.splits[split].labels + 1) % task.classes
            classes = jnp.where(diverged, failed, part.predicted)
            predicted[split] = classes.astype(class_dtype(task.classes))
    return Evaluated(counted, diverged, predicted)


class Part(NamedTuple):
    """What a split gives: totals by statistic, how many outputs say nothing, and in a task with
    predictions the class of each image, unless they are under a shift.
    """

    totals: Counted
    undecided: Int[Array, ""]
    predicted: Int[Array, " images"] | None


def _over_shifts(task: Task, masked: Variables, test: Split, names: Sequence[str]) -> Part:
    """The parts of several shifts, stacked: one program for all, whatever their number."""
    each = [Shift.of(name, test.images.shape[1:]) for name in names]
    shifts = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)

    def one(nothing: None, shift: Shift) -> tuple[None, Part]:
        return nothing, _over(task, masked, test, shift)

    return jax.lax.scan(one, None, shifts)[1]


def _over(task: Task, masked: Variables, split: Split, shift: Shift | None = None) -> Part:
    rows, kept = statistics_of(task), task.predictions and shift is None

    def count(
        images: Array, labels: Array, groups: Array | None, positions: Array | None = None
    ) -> Part:
        if shift is not None and positions is not None:
            # Else XLA fuses this into what reads the images, and computes it once a reading.
            images = jax.lax.optimization_barrier(corrupt(images, shift, positions))
        logits = task.model.apply(masked, task.pixels.normalise(images))
        predicted = jnp.argmax(logits, axis=1)
        batch = Outputs(labels, logits, predicted, groups, task.groups)
        return Part(
            {name: row.of_batch(batch) for name, row in rows.items()},
            (~_decided(logits) & (labels >= 0)).sum(dtype=jnp.int32),
            predicted if kept else None,
        )

    def add(total: Part, batch: tuple[Any, ...]) -> tuple[Part, Array | None]:
        part = count(*batch)
        added = jax.tree.map(jnp.add, total, part._replace(predicted=None))
        return added, part.predicted

    batches = batched(split)
    if shift is not None:
        positions = jnp.arange(batches[1].size).reshape(batches[1].shape)
        batches = (*batches, positions)
    like = jax.eval_shape(count, *jax.tree.map(lambda leaf: leaf[0], batches))
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), like)
    total, predicted = jax.lax.scan(add, nothing._replace(predicted=None), batches)
    if predicted is not None:
        predicted = predicted.ravel()[: len(split.labels)]
    return total._replace(predicted=predicted)


def _decided(logits: Logits) -> Bool[Array, " n"]:
    """For which images one output is the largest: -inf may be among the others, NaN may not."""
    return jnp.isfinite(logits.max(axis=1)) & ~jnp.isnan(logits).any(axis=1)


def _finite(variables: Variables) -> Bool[Array, ""]:
    """Whether all numbers of a network are finite."""
    leaves = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(variables)]
    return jnp.stack(leaves).all()


def batched(split: Split) -> tuple[Array, Array, Array | None]:
    """Images, labels and groups cut into batches, filled up with images of label -1."""
    size = len(split.labels)
    batch = min(EVALUATION_BATCH, size)
    padding = -size % batch
    images = jnp.pad(split.images, ((0, padding), *[(0, 0)] * 3))
    labels = jnp.pad(split.labels, (0, padding), constant_values=-1)
    groups = None
    if split.groups is not None:
        groups = jnp.pad(split.groups, (0, padding)).reshape(-1, batch)
    return images.reshape(-1, batch, *images.shape[1:]), labels.reshape(-1, batch), groups
