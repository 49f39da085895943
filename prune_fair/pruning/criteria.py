"""Criteria: what a weight is worth. Each is a pure function to scores; higher is kept.

To add one, write it here and add its row to `CRITERIA`.
"""

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree

from prune_fair.types import Batch, Network, Params, PRNGKey, Scores

Criterion: TypeAlias = Callable[[Network, Batch, PRNGKey], Scores]


def magnitude(network: Network, batch: Batch, key: PRNGKey) -> Scores:
    """|w|: the size of the weight.

    Source: Han et al. 2015, arXiv 1506.02626; `torch.nn.utils.prune.L1Unstructured`.
    """
    return jax.tree.map(jnp.abs, network.params)


def random(network: Network, batch: Batch, key: PRNGKey) -> Scores:
    """Uniform noise: the control every other criterion has to beat.

    Source: `torch.nn.utils.prune.RandomUnstructured`.
    """
    flat, unravel = ravel_pytree(network.params)
    return unravel(jax.random.uniform(key, flat.shape))


def saliency(network: Network, batch: Batch, key: PRNGKey) -> Scores:
    """|w dL/dw|: the first-order change of the batch's mean loss if the weight were removed.

    Source: Mozer & Smolensky 1989; Molchanov et al. 2017, arXiv 1611.06440.
    """

    def loss(params: Params) -> jax.Array:
        logits = network.apply(params, batch.images)
        return optax.softmax_cross_entropy_with_integer_labels(logits, batch.labels).mean()

    gradients = jax.grad(loss)(network.params)
    return jax.tree.map(lambda w, g: jnp.abs(w * g), network.params, gradients)


CRITERIA: dict[str, Criterion] = {
    "magnitude": magnitude,
    "random": random,
    "saliency": saliency,
}
