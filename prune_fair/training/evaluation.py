"""One network's test images, counted inside the compiled graph."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from prune_fair.fairness.confusion import confusion_counts, group_confusion_counts
from prune_fair.fairness.margins import margin_sums
from prune_fair.pruning import apply_mask, removed_parameters, removed_weights
from prune_fair.training.images import DeviceData
from prune_fair.training.network import Task
from prune_fair.types import AnyArray, Mask, Variables

EVALUATION_BATCH = 1000


class Evaluated(NamedTuple):
    """What is counted of a network: its test images, also by group, and its removed weights.

    In a task with votes `predicted` is the class of each test image, and never leaves the device.
    """

    confusion: Int[AnyArray, "classes classes"]
    removed_weights: Int[AnyArray, " layers"]
    removed_parameters: Int[AnyArray, ""]
    margin: Float[AnyArray, " classes"]  # mean of the class's test images; NaN without any
    group_confusion: Int[AnyArray, "groups classes classes"] | None = None
    predicted: Int[AnyArray, " images"] | None = None


def evaluate(task: Task, data: DeviceData, variables: Variables, mask: Mask) -> Evaluated:
    """Confusion counts and margins over the test images, counts by group too, what is removed.

    A diverged network predicts what `argmax` gives: the first class whose output is NaN.
    """
    masked = variables._replace(params=apply_mask(variables.params, mask))
    classes = task.classes

    def count(total: tuple[Array, Array, Array | None], part: tuple[Array, Array, Array | None]):
        images, labels, groups = part
        logits = task.model.apply(masked, task.pixels.normalise(images))
        predicted = jnp.argmax(logits, axis=1)
        by_group = None
        if groups is not None:
            by_group = group_confusion_counts(labels, predicted, groups, classes, task.groups)
        counts = confusion_counts(labels, predicted, classes), margin_sums(labels, logits), by_group
        return jax.tree.map(jnp.add, total, counts), predicted if task.votes else None

    nothing = jnp.zeros((classes, classes), jnp.int32), jnp.zeros(classes), None
    if data.test_groups is not None:
        nothing = *nothing[:2], jnp.zeros((task.groups, classes, classes), jnp.int32)
    counts, predicted = jax.lax.scan(count, nothing, batched_test_images(data))
    confusion, margins, by_group = counts
    weights, parameters = removed_weights(mask, task.model.layers), removed_parameters(mask)
    if predicted is not None:
        predicted = predicted.ravel()[: len(data.test_labels)]
    margin = margins / confusion.sum(axis=1)
    return Evaluated(confusion, weights, parameters, margin, by_group, predicted)


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
