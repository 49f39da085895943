"""Metrics between groups of images that are not the classes, each group with confusion counts.

All functions take the counts of a network by group; those against the dense reference take its
counts by group next.
"""

from typing import TypeAlias

import jax.numpy as jnp
from jaxtyping import Array, Float, Real

from prune_fair.fairness.aggregators import difference, group_max
from prune_fair.fairness.rates import PerNetwork, accuracy, fpr, recall

GroupConfusion: TypeAlias = Real[Array, "*networks groups classes classes"]
PerGroup: TypeAlias = Float[Array, "*networks groups"]


def recall_difference_max(group_confusion: GroupConfusion) -> PerNetwork:
    """The largest, over classes, of the difference between groups of the class's recall.

    NaN if a group has no images of a class.

    Source: Hardt et al. 2016, arXiv 1610.02413, equal opportunity, of each class against the rest;
    fairlearn, `equal_opportunity_difference`.

    Example:
        >>> counts = jnp.array([[[3, 1], [0, 4]], [[2, 2], [2, 2]]])
        >>> float(recall_difference_max(counts))
        0.5
    """
    return group_max(_between_groups(recall(group_confusion)))


def equalised_odds_difference(group_confusion: GroupConfusion) -> PerNetwork:
    """The largest, over classes, of the differences between groups of recall and of `fpr`.

    NaN if a group has no images of a class, or of one class only.

    Source: Hardt et al. 2016, arXiv 1610.02413, equalised odds, of each class against the rest;
    fairlearn, `equalized_odds_difference`.

    Example:
        >>> counts = jnp.array([[[4, 0], [0, 4]], [[4, 0], [1, 3]]])
        >>> float(equalised_odds_difference(counts))
        0.25
    """
    both = (_between_groups(rate(group_confusion)) for rate in (recall, fpr))
    return group_max(jnp.maximum(*both))


def group_accuracy_change(group_confusion: GroupConfusion, dense: GroupConfusion) -> PerGroup:
    """Accuracy within each group minus that of the dense reference; below 0 it has fallen.

    Source: Tran et al. 2022, arXiv 2205.13574: minus the excessive loss R(g) of a group, with the
    0/1 error as loss.

    Example:
        >>> dense, pruned = jnp.array([[[4, 0], [0, 4]]] * 2), jnp.array([[[4, 0], [2, 2]]] * 2)
        >>> group_accuracy_change(pruned, dense).tolist()
        [-0.25, -0.25]
    """
    return accuracy(group_confusion) - accuracy(dense)


def _between_groups(
    rates: Float[Array, "*networks groups classes"],
) -> Float[Array, "*networks classes"]:
    return difference(jnp.swapaxes(rates, -1, -2))
