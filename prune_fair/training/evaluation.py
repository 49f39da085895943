"""One network's test images, counted inside the compiled graph."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from prune_fair.fairness.confusion import confusion_counts, group_confusion_counts
from prune_fair.pruning import apply_mask, removed_parameters, removed_weights
from prune_fair.training.images import DeviceData
from prune_fair.training.network import Task
from prune_fair.types import AnyArray, Mask, Variables

EVALUATION_BATCH = 1000


class Evaluated(NamedTuple):
    """What is counted of a network: its test images, also by group, and its removed weights."""

    confusion: Int[AnyArray, "classes classes"]
    removed_weights: Int[AnyArray, " layers"]
    removed_parameters: Int[AnyArray, ""]
    group_confusion: Int[AnyArray, "groups classes classes"] | None = None


def evaluate(task: Task, data: DeviceData, variables: Variables, mask: Mask) -> Evaluated:
    """Confusion counts over the test images, by group where there are some, and what is removed."""
    masked = variables._replace(params=apply_mask(variables.params, mask))
    classes = task.classes

    def count(total: tuple[Array, Array | None], part: tuple[Array, Array, Array | None]):
        images, labels, groups = part
        predicted = jnp.argmax(task.model.apply(masked, task.pixels.normalise(images)), axis=1)
        by_group = None
        if groups is not None:
            by_group = group_confusion_counts(labels, predicted, groups, classes, task.groups)
        counts = confusion_counts(labels, predicted, classes), by_group
        return jax.tree.map(jnp.add, total, counts), None

    nothing = jnp.zeros((classes, classes), jnp.int32), None
    if data.test_groups is not None:
        nothing = nothing[0], jnp.zeros((task.groups, classes, classes), jnp.int32)
    (confusion, by_group), _ = jax.lax.scan(count, nothing, batched_test_images(data))
    weights, parameters = removed_weights(mask, task.model.layers), removed_parameters(mask)
    return Evaluated(confusion, weights, parameters, by_group)


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
