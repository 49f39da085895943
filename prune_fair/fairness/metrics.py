"""Fairness metrics: pure functions of confusion counts, over any leading axes.

A base rate gives a number for each class, an aggregator turns those into one number for a network;
`METRICS` is every base rate times every aggregator, and the special ones. To add one, write it
here and add its row.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Confusion: TypeAlias = Int[Array, "*networks true predicted"]
PerClass: TypeAlias = Float[Array, "*networks classes"]
PerNetwork: TypeAlias = Float[Array, "*networks"]


class Metric(NamedTuple):
    """One number for each network.

    Attributes:
        function: from the network's confusion counts and those of its dense reference.
        higher_is_better: its direction as an objective.
        description: one line for people, with the source.
    """

    function: Callable[[Confusion, Confusion], PerNetwork]
    higher_is_better: bool
    description: str


def recall(confusion: Confusion) -> PerClass:
    """True positive rate of each class; NaN for a class without images.

    Source: `sklearn.metrics.recall_score(average=None)`.

    Example:
        >>> recall(jnp.array([[3, 1], [0, 4]])).tolist()
        [0.75, 1.0]
    """
    return jnp.diagonal(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=-1)


def accuracy(confusion: Confusion) -> PerNetwork:
    """Fraction of images whose class is predicted; NaN without images.

    Source: `sklearn.metrics.accuracy_score`.

    Example:
        >>> float(accuracy(jnp.array([[3, 1], [0, 4]])))
        0.875
    """
    return jnp.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1))


def group_min(rates: PerClass) -> PerNetwork:
    """The worst class's rate; NaN where a class has none.

    Source: fairlearn, `MetricFrame.group_min`.
    """
    return rates.min(axis=-1)


def difference(rates: PerClass) -> PerNetwork:
    """The best class's rate minus the worst class's; 0 is even.

    Source: fairlearn, `MetricFrame.difference(method="between_groups")`.
    """
    return rates.max(axis=-1) - rates.min(axis=-1)


def ratio(rates: PerClass) -> PerNetwork:
    """The worst class's rate over the best class's; 1 is even, NaN where both are 0.

    Source: fairlearn, `MetricFrame.ratio(method="between_groups")`.
    """
    return rates.min(axis=-1) / rates.max(axis=-1)


BASE_RATES: dict[str, Callable[[Confusion], PerClass]] = {
    "recall": recall,
}
AGGREGATORS: dict[str, tuple[Callable[[PerClass], PerNetwork], bool, str]] = {
    "group_min": (group_min, True, "worst class's {} (fairlearn)"),
    "difference": (difference, False, "best class's {} minus the worst class's (fairlearn)"),
    "ratio": (ratio, True, "worst class's {} over the best class's (fairlearn)"),
}


def _aggregate(
    base_rate: Callable[[Confusion], PerClass],
    aggregator: Callable[[PerClass], PerNetwork],
    confusion: Confusion,
    dense: Confusion,
) -> PerNetwork:
    return aggregator(base_rate(confusion))


def _accuracy(confusion: Confusion, dense: Confusion) -> PerNetwork:
    return accuracy(confusion)


METRICS: dict[str, Metric] = {
    "accuracy": Metric(_accuracy, True, "fraction of images classified as labelled (scikit-learn)"),
    **{
        f"{rate}_{name}": Metric(
            partial(_aggregate, base_rate, aggregator), higher, text.format(rate)
        )
        for rate, base_rate in BASE_RATES.items()
        for name, (aggregator, higher, text) in AGGREGATORS.items()
    },
}
