"""One network's test images, counted inside the compiled graph."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from prune_fair.engine.images import DeviceData
from prune_fair.engine.network import Task
from prune_fair.engine.statistics import confusion_counts, group_confusion_counts, margin_sums
from prune_fair.fairness import all_wrong
from prune_fair.pruning import apply_mask, removed_parameters, removed_weights
from prune_fair.types import AnyArray, Logits, Mask, Variables

EVALUATION_BATCH = 1000


class Evaluated(NamedTuple):
    """What is counted of a network: its test images, also by group, and its removed weights.

    `diverged` says that a number of the network, or an output for a test image, is not finite. In a
    task with votes `predicted` is the class of each test image, and never leaves the device.
    """

    confusion: Int[AnyArray, "classes classes"]
    removed_weights: Int[AnyArray, " layers"]
    removed_parameters: Int[AnyArray, ""]
    margin: Float[AnyArray, " classes"]  # mean of the class's test images; NaN without any
    diverged: Bool[AnyArray, ""]
    group_confusion: Int[AnyArray, "groups classes classes"] | None = None
    predicted: Int[AnyArray, " images"] | None = None


def evaluate(task: Task, data: DeviceData, variables: Variables, mask: Mask) -> Evaluated:
    """Confusion counts and margins over the test images, counts by group too, what is removed.

    A diverged network is a failure of every class: `all_wrong`, with the smallest margin, -1.
    """
    masked = variables._replace(params=apply_mask(variables.params, mask))
    classes = task.classes

    def count(total: tuple[Array | None, ...], part: tuple[Array, Array, Array | None]):
        images, labels, groups = part
        logits = task.model.apply(masked, task.pixels.normalise(images))
        predicted = jnp.argmax(logits, axis=1)
        by_group = None
        if groups is not None:
            by_group = group_confusion_counts(labels, predicted, groups, classes, task.groups)
        undecided = (~_decided(logits) & (labels >= 0)).sum(dtype=jnp.int32)
        counts = (
            confusion_counts(labels, predicted, classes),
            margin_sums(labels, logits),
            undecided,
            by_group,
        )
        return jax.tree.map(jnp.add, total, counts), predicted if task.votes else None

    nothing = (
        jnp.zeros((classes, classes), jnp.int32),
        jnp.zeros(classes, jnp.float32),
        jnp.int32(0),
        None,
    )
    if data.test_groups is not None:
        nothing = *nothing[:3], jnp.zeros((task.groups, classes, classes), jnp.int32)
    counts, predicted = jax.lax.scan(count, nothing, batched_test_images(data))
    confusion, margins, undecided, by_group = counts
    diverged = (undecided > 0) | ~_finite(masked)
    confusion = jnp.where(diverged, all_wrong(confusion), confusion)
    images = confusion.sum(axis=1)
    margin = jnp.where(diverged & (images > 0), -1.0, margins / images)
    if by_group is not None:
        by_group = jnp.where(diverged, all_wrong(by_group), by_group)
    if predicted is not None:
        predicted = predicted.ravel()[: len(data.test_labels)]
        predicted = jnp.where(diverged, (data.test_labels + 1) % classes, predicted)
    weights, parameters = removed_weights(mask, task.model.layers), removed_parameters(mask)
    return Evaluated(confusion, weights, parameters, margin, diverged, by_group, predicted)


def _decided(logits: Logits) -> Bool[Array, " n"]:
    """For which images one output is the largest: -inf may be among the others, NaN may not."""
    return jnp.isfinite(logits.max(axis=1)) & ~jnp.isnan(logits).any(axis=1)


def _finite(variables: Variables) -> Bool[Array, ""]:
    """Whether all numbers of a network are finite."""
    leaves = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(variables)]
    return jnp.stack(leaves).all()


def batched_test_images(data: DeviceData) -> tuple[Array, Array, Array | None]:
    """Test images, labels and groups cut into batches, filled up with images of label -1."""
    size = len(data.test_labels)
    batch = min(EVALUATION_BATCH, size)
    padding = -size % batch
    images = jnp.pad(data.test_images, ((0, padding), *[(0, 0)] * 3))
    labels = jnp.pad(data.test_labels, (0, padding), constant_values=-1)
    groups = None
    if data.test_groups is not None:
        groups = jnp.pad(data.test_groups, (0, padding)).reshape(-1, batch)
    return images.reshape(-1, batch, *images.shape[1:]), labels.reshape(-1, batch), groups
