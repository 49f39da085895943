"""Confusion counts, inside the compiled graph."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from prune_fair.types import AnyArray


def confusion_counts(
    true: Int[Array, " n"], predicted: Int[Array, " n"], classes: int
) -> Int[Array, "classes classes"]:
    """Counts of images by true class (rows) and predicted class (columns), as int32.

    Images whose true label is negative (padding of a batch) are not counted. A product of one-hot
    matrices; float32 holds its counts exactly up to 2^24 images a call.

    Source: `sklearn.metrics.confusion_matrix`.

    Example:
        >>> confusion_counts(jnp.array([0, 1, 1, -1]), jnp.array([0, 0, 1, 1]), 2).tolist()
        [[1, 0], [1, 1]]
    """
    rows, columns = (jax.nn.one_hot(labels, classes) for labels in (true, predicted))
    return jnp.einsum("nt,np->tp", rows, columns).astype(jnp.int32)


def all_wrong(confusion: Int[AnyArray, "*networks classes classes"]) -> Any:
    """The counts of a network that classifies nothing: each class's images, under the next class.

    What a diverged network gives for `argmax` is an accident; counted so, it is a failure of
    every class, and each class still has its images. Its own image under this function.

    Source: ours.

    Example:
        >>> all_wrong(jnp.array([[3, 1], [0, 4]])).tolist()
        [[0, 4], [4, 0]]
    """
    classes = confusion.shape[-1]
    following = np.roll(np.eye(classes, dtype=np.int32), 1, axis=1)
    return confusion.sum(axis=-1, keepdims=True) * np.broadcast_to(following, confusion.shape)


def group_confusion_counts(
    true: Int[Array, " n"],
    predicted: Int[Array, " n"],
    group: Int[Array, " n"],
    classes: int,
    groups: int,
) -> Int[Array, "groups classes classes"]:
    """`confusion_counts` of each group's images; over the groups they add up to those of all.

    Example:
        >>> true, predicted, group = jnp.array([[0, 1, 1], [0, 0, 1], [1, 0, 1]])
        >>> group_confusion_counts(true, predicted, group, classes=2, groups=2).tolist()
        [[[0, 0], [1, 0]], [[1, 0], [0, 1]]]
    """
    row = jnp.where(true < 0, -1, group * classes + true)
    rows, columns = jax.nn.one_hot(row, groups * classes), jax.nn.one_hot(predicted, classes)
    counts = jnp.einsum("nr,np->rp", rows, columns).astype(jnp.int32)
    return counts.reshape(groups, classes, classes)
