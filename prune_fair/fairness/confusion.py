"""Confusion counts, inside the compiled graph."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int


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
