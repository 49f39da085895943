"""Statistics: what is counted of a network's images, inside the compiled graph.

A statistic is a pure function of one batch of images and the network's outputs for them; its values
are added up over the batches of a split. To add one, write it here and add its row to `STATISTICS`.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from prune_fair.engine.calibration import CALIBRATION
from prune_fair.engine.statistic import Outputs, Statistic, wrong


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


def margin_sums(
    labels: Int[Array, " n"], logits: Float[Array, "n classes"]
) -> Float[Array, " classes"]:
    """Sum over each class's images of its probability less that of the likeliest other class.

    An image's margin is in [-1, 1], above 0 where it is classified right. Labels outside of the
    classes are counted nowhere. Added up in float32, no product of matrices: those may round.

    Example:
        >>> logits = jnp.log(jnp.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]]))
        >>> margin_sums(jnp.array([0, 2]), logits).round(3).tolist()
        [0.5, 0.0, -0.6000000238418579]
    """
    probabilities = jax.nn.softmax(logits.astype(jnp.float32))
    own = jax.nn.one_hot(labels, logits.shape[1], dtype=bool)
    of_own = jnp.where(own, probabilities, 0).sum(axis=1)
    margins = of_own - jnp.where(own, 0, probabilities).max(axis=1)
    return jnp.where(own, margins[:, None], 0).sum(axis=0)


def _confusion(batch: Outputs) -> Int[Array, "classes classes"]:
    return confusion_counts(batch.labels, batch.predicted, batch.logits.shape[1])


def _group_confusion(batch: Outputs) -> Int[Array, "groups classes classes"]:
    assert batch.groups is not None  # the row needs them
    classes = batch.logits.shape[1]
    return group_confusion_counts(
        batch.labels, batch.predicted, batch.groups, classes, batch.group_count
    )


def _margin(batch: Outputs) -> Float[Array, " classes"]:
    return margin_sums(batch.labels, batch.logits)


def _mean(total: Float[Array, " classes"], images: Int[Array, " classes"]) -> Array:
    return total / images


def _least(total: Float[Array, " classes"], images: Int[Array, " classes"]) -> Array:
    return jnp.where(images > 0, -1.0, jnp.nan)


STATISTICS: dict[str, Statistic] = {
    "confusion": Statistic(
        _confusion,
        ("true", "predicted"),
        "images",
        "images of each class by the class that is predicted",
        failed=wrong,
    ),
    "margin": Statistic(
        _margin,
        ("true",),
        "probability",
        "mean over the class's images of the true class's probability less the largest other",
        dtype="float32",
        missing=np.nan,
        finish=_mean,
        failed=_least,
    ),
    "group_confusion": Statistic(
        _group_confusion,
        ("group", "true", "predicted"),
        "images",
        "as confusion, of each group's images; over the groups they add up to it",
        failed=wrong,
        needs=("groups",),
    ),
    **CALIBRATION,
}
