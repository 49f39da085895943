"""Criteria: what a weight is worth. Each is a pure function to scores; higher is kept.

A criterion takes a network, score batches (training images, leading axes `batches` and `n`) and a
key. To add one, write it here and add its row to `CRITERIA`.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from prune_fair.pruning.class_criteria import (
    balanced_saliency,
    class_quota,
    class_share,
    fisher_difference,
    worst_class_saliency,
)
from prune_fair.pruning.gradients import mean_gradient, mean_squared_gradient, products
from prune_fair.pruning.masks import apply_mask
from prune_fair.types import Batch, Network, PRNGKey, Scores

Scoring: TypeAlias = Callable[[Network, Batch, PRNGKey], Scores]


class Criterion(NamedTuple):
    """A row of `CRITERIA`.

    Attributes:
        scores: from a network, score batches and a key to scores like its parameters.
        asks_batches: whether it looks at the score batches.
        asks_initial: whether it looks at the network's initialisation.
        asks_way: whether it looks at the way that training has gone from there, so that the network
            must have been trained from its own initialisation.

    Example:
        >>> CRITERIA["movement"].asks_initial, CRITERIA["magnitude"].asks_batches
        (True, False)
    """

    scores: Scoring
    asks_batches: bool = False
    asks_initial: bool = False
    asks_way: bool = False


def magnitude(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """|w|: the size of the weight.

    Source: Han et al. 2015, arXiv 1506.02626; `torch.nn.utils.prune.L1Unstructured`.
    """
    return jax.tree.map(jnp.abs, network.params)


def random(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """Uniform noise: the control every other criterion has to beat.

    Source: `torch.nn.utils.prune.RandomUnstructured`.
    """
    flat, unravel = ravel_pytree(network.params)
    return unravel(jax.random.uniform(key, flat.shape))


def saliency(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """|w dJ/dw|: the first-order change of what was trained, loss and decay, without the weight.

    Source: Mozer & Smolensky 1989; Molchanov et al. 2017, arXiv 1611.06440. With a weight decay d
    the objective J adds d/2 w^2 to the loss.
    """
    gradient = mean_gradient(network, network.params, batches)
    decay = network.weight_decay
    return jax.tree.map(lambda w, g: jnp.abs(w * (g + decay * w)), network.params, gradient)


def undecayed(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """|w dL/dw|: as saliency, of the loss alone; at the minimum of J it grows as w^2 does.

    Source: after Good et al. 2022, arXiv 2206.02976, who take the weight decay out of the loss's
    variation; their exact formula was not at hand. Without weight decay it is saliency.
    """
    return products(network.params, mean_gradient(network, network.params, batches))


def snip(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """|w0 dL/dw0|: connection sensitivity, at the network's initialisation.

    Source: Lee et al. 2019, arXiv 1810.02340; without its division by the sum, which changes no
    order, and with the removed weights at zero where networks were pruned before. With `rewind` it
    prunes as if before training.
    """
    initial = apply_mask(network.initial, network.mask)
    at_start = network._replace(apply=network.apply_initial)
    return products(initial, mean_gradient(at_start, initial, batches))


def fisher(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """w^2 F / 2: the second-order change of the loss, its curvature by the diagonal Fisher matrix.

    Source: LeCun et al. 1989, optimal brain damage, with the empirical Fisher information (mean
    over images of the squared gradient) of Theis et al. 2018, arXiv 1801.05787, as its curvature.
    """
    curvature = mean_squared_gradient(network, network.params, batches)
    return jax.tree.map(lambda w, f: w**2 * f / 2, network.params, curvature)


def movement(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """w^2 - w0^2: how far training has moved the weight away from zero since initialisation.

    Source: Sanh et al. 2020, arXiv 2005.07683, whose sum of -w dL/dw over the steps of gradient
    descent telescopes to this, times 1 / (2 learning rate), as steps get small. Nothing has to be
    added up in the training loop. With momentum, weight decay or a rate that falls the two differ,
    in some 15 to 25 % of what is kept.
    """
    return jax.tree.map(lambda w, w0: w**2 - w0**2, network.params, network.initial)


def lamp(network: Network, batches: Batch, key: PRNGKey) -> Scores:
    """w^2 over the sum of v^2 of the layer's weights that are no smaller: global, but balanced.

    Source: Lee et al. 2021, arXiv 2010.07611. Of equal weights the earlier counts as smaller.
    """

    def scores(leaf: Float[Array, "..."]) -> Float[Array, "..."]:
        squares = leaf.ravel() ** 2
        order = jnp.argsort(squares, stable=True)
        ascending = squares[order]
        no_smaller = jnp.cumsum(ascending[::-1])[::-1]
        share = ascending / jnp.where(no_smaller > 0, no_smaller, 1)
        return jnp.zeros_like(squares).at[order].set(share).reshape(leaf.shape)

    return jax.tree.map(scores, network.params)


CRITERIA: dict[str, Criterion] = {
    "magnitude": Criterion(magnitude),
    "random": Criterion(random),
    "saliency": Criterion(saliency, asks_batches=True),
    "undecayed": Criterion(undecayed, asks_batches=True),
    "snip": Criterion(snip, asks_batches=True, asks_initial=True),
    "fisher": Criterion(fisher, asks_batches=True),
    "movement": Criterion(movement, asks_initial=True, asks_way=True),
    "lamp": Criterion(lamp),
    "balanced_saliency": Criterion(balanced_saliency, asks_batches=True),
    "worst_class_saliency": Criterion(worst_class_saliency, asks_batches=True),
    "class_share": Criterion(class_share, asks_batches=True),
    "class_quota": Criterion(class_quota, asks_batches=True),
    "fisher_difference": Criterion(fisher_difference, asks_batches=True),
}
