"""What is counted of a network's images, inside the compiled graph."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


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


def add_votes(
    votes: Int[Array, "rows images classes"],
    weight: Int[Array, ""],
    row: Int[Array, ""],
    predicted: Int[Array, " images"],
) -> Int[Array, "rows images classes"]:
    """Votes with those of one more network in a row; a weight of 0 leaves them as they are.

    Example:
        >>> nobody, one = jnp.zeros((1, 2, 3), jnp.int32), jnp.int32(1)
        >>> add_votes(nobody, one, jnp.int32(0), jnp.array([2, 0])).tolist()
        [[[0, 0, 1], [1, 0, 0]]]
    """
    return votes.at[row, jnp.arange(len(predicted)), predicted].add(weight)
