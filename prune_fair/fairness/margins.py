"""How surely a network tells each class from the others, in the compiled graph."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


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
