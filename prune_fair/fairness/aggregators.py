"""Aggregators: from one rate for each class, or for each group, to one number for a network.

Each gives NaN if one of the rates is NaN: a class is never dropped.
"""

from collections.abc import Callable
from math import nan
from typing import NamedTuple

import jax.numpy as jnp
from jax.scipy.special import xlog1py

from prune_fair.fairness.rates import PerClass, PerNetwork, fraction

ENTROPY_ALPHA = 2


class Aggregator(NamedTuple):
    """One number of many rates.

    Attributes:
        function: from the rates; and from the overall rate, if it is measured against that.
        higher_is_better: its direction; None where it is that of the rate.
        description: in words, with places for the rate's and for what there is a rate of.
        against_overall: whether it is measured against the overall rate.
        worst: its worst value, whatever the number of rates, of rates in [0, 1]; None where that is
            the worst rate, NaN where it has none.
    """

    function: Callable[..., PerNetwork]
    higher_is_better: bool | None
    description: str
    against_overall: bool = False
    worst: float | None = nan


def group_min(rates: PerClass) -> PerNetwork:
    """The smallest rate.

    Source: fairlearn, `MetricFrame.group_min`.
    """
    return _or_nan(rates, rates.min(axis=-1))


def group_max(rates: PerClass) -> PerNetwork:
    """The largest rate.

    Source: fairlearn, `MetricFrame.group_max`.
    """
    return _or_nan(rates, rates.max(axis=-1))


def _or_nan(rates: PerClass, reduced: PerNetwork) -> PerNetwork:
    """NaN where a rate is: XLA's minima and maxima of large arrays pass over it on CPU."""
    return jnp.where(jnp.isnan(rates).any(axis=-1), jnp.nan, reduced)


def known_min(rates: PerClass) -> PerNetwork:
    """The smallest rate of the classes that have one; NaN where none has.

    For rates that only a class without images lacks: the test set's doing, not the network's.

    Source: ours.

    Example:
        >>> float(known_min(jnp.array([0.5, jnp.nan, 0.75])))
        0.5
    """
    smallest = jnp.where(jnp.isnan(rates), jnp.inf, rates).min(axis=-1)
    return jnp.where(jnp.isnan(rates).all(axis=-1), jnp.nan, smallest)


def difference(rates: PerClass) -> PerNetwork:
    """The largest rate minus the smallest; 0 is even.

    Source: fairlearn, `MetricFrame.difference(method="between_groups")`.

    Example:
        >>> float(difference(jnp.array([0.5, 1.0, 0.75])))
        0.5
    """
    return group_max(rates) - group_min(rates)


def ratio(rates: PerClass) -> PerNetwork:
    """The smallest rate over the largest; 1 is even, NaN where all are 0.

    Source: fairlearn, `MetricFrame.ratio(method="between_groups")`.

    Example:
        >>> float(ratio(jnp.array([0.5, 1.0, 0.75])))
        0.5
    """
    return fraction(group_min(rates), group_max(rates))


def difference_to_overall(rates: PerClass, overall: PerNetwork) -> PerNetwork:
    """The largest distance of a rate from the overall one; 0 is even.

    Source: fairlearn, `MetricFrame.difference(method="to_overall")`.

    Example:
        >>> float(difference_to_overall(jnp.array([0.5, 1.0, 0.75]), jnp.array(0.875)))
        0.375
    """
    return group_max(jnp.abs(rates - overall[..., None]))


def ratio_to_overall(rates: PerClass, overall: PerNetwork) -> PerNetwork:
    """The smallest, over classes, of rate over overall or overall over rate; 1 is even.

    Always the smaller over the larger of the two; NaN where both are 0.

    Source: fairlearn, `MetricFrame.ratio(method="to_overall")`.

    Example:
        >>> float(ratio_to_overall(jnp.array([0.5, 1.0]), jnp.array(0.8)))
        0.625
    """
    against = jnp.broadcast_to(overall[..., None], rates.shape)
    return group_min(fraction(jnp.minimum(rates, against), jnp.maximum(rates, against)))


def std(rates: PerClass) -> PerNetwork:
    """The population standard deviation (over n, not n - 1): these are all the classes there are.

    Source: `numpy.std(ddof=0)`.

    Example:
        >>> float(std(jnp.array([0.5, 1.0])))
        0.25
    """
    return rates.std(axis=-1)


def cv(rates: PerClass) -> PerNetwork:
    """The coefficient of variation, `std` over mean; NaN where all rates are 0.

    It is the root of twice the generalised entropy of alpha 2.

    Source: `scipy.stats.variation(ddof=0)`.

    Example:
        >>> float(cv(jnp.array([0.25, 0.75])))
        0.5
    """
    return fraction(rates.std(axis=-1), rates.mean(axis=-1))


def gini(rates: PerClass) -> PerNetwork:
    """The Gini coefficient, sum_ij |x_i - x_j| / (2 n^2 mean); 0 is even, NaN where all are 0.

    Source: Gini 1912.

    Example:
        >>> float(gini(jnp.array([0.25, 0.75])))
        0.25
    """
    classes = rates.shape[-1]  # the pairs are summed over sorted rates: no n x n table is made
    weights = 2.0 * jnp.arange(classes) - classes + 1
    return fraction(
        jnp.dot(jnp.sort(rates, axis=-1), weights, precision="highest"),
        classes * rates.sum(axis=-1),
    )


def theil(rates: PerClass) -> PerNetwork:
    """The Theil index, mean of b ln b for b = x / mean, with 0 ln 0 = 0; NaN where all are 0.

    Source: Theil 1967; the generalised entropy of alpha 1.

    Example:
        >>> float(theil(jnp.array([0.5, 0.5])))
        0.0
    """
    return generalised_entropy(rates, 1)


def entropy(rates: PerClass) -> PerNetwork:
    """The generalised entropy of alpha 2, half of `cv` squared; NaN where all are 0.

    Source: Speicher et al. 2018, arXiv 1807.00787, with the alpha that AIF360 takes by default.

    Example:
        >>> float(entropy(jnp.array([0.25, 0.75])))
        0.125
    """
    return generalised_entropy(rates, ENTROPY_ALPHA)


def generalised_entropy(rates: PerClass, alpha: int | float) -> PerNetwork:
    """mean(b^alpha - 1) / (alpha (alpha - 1)) for b = x / mean; 0 is even.

    Its limits are the mean log deviation, -mean(ln b), at alpha 0 and the Theil index at alpha 1.
    NaN where all rates are 0, and where one is 0 if alpha is 0 or less: it would be infinite.

    Source: Speicher et al. 2018, arXiv 1807.00787; Shorrocks 1980.

    Example:
        >>> float(generalised_entropy(jnp.array([0.25, 0.75]), 2))
        0.125
    """
    mean = rates.mean(axis=-1, keepdims=True)
    away = fraction(rates - mean, jnp.broadcast_to(mean, rates.shape))  # b - 1
    # Each term less its multiple of b - 1, whose mean is 0: so small inequalities do not cancel.
    if alpha == 0:
        terms = away - jnp.log1p(away)
    elif alpha == 1:
        terms = xlog1py(1 + away, away) - away
    else:
        terms = (jnp.expm1(alpha * jnp.log1p(away)) - alpha * away) / (alpha * (alpha - 1))
    value = terms.mean(axis=-1)
    return jnp.where(jnp.isfinite(value), value, jnp.nan)


AGGREGATORS: dict[str, Aggregator] = {
    "group_min": Aggregator(group_min, None, "smallest {rate} of a {part}", worst=None),
    "group_max": Aggregator(group_max, None, "largest {rate} of a {part}", worst=None),
    "difference": Aggregator(
        difference, False, "largest minus smallest {rate} of a {part}", worst=1.0
    ),
    "ratio": Aggregator(ratio, True, "smallest {rate} of a {part} over the largest", worst=0.0),
    "difference_to_overall": Aggregator(
        difference_to_overall,
        False,
        "largest distance of a {part}'s {rate} from the overall",
        against_overall=True,
        worst=1.0,
    ),
    "ratio_to_overall": Aggregator(
        ratio_to_overall,
        True,
        "smallest ratio between a {part}'s {rate} and the overall",
        against_overall=True,
        worst=0.0,
    ),
    "std": Aggregator(std, False, "population standard deviation of {rate} by {part}", worst=0.5),
    "cv": Aggregator(cv, False, "coefficient of variation of {rate} by {part}"),
    "gini": Aggregator(gini, False, "Gini coefficient of {rate} by {part}"),
    "theil": Aggregator(theil, False, "Theil index of {rate} by {part}"),
    "entropy": Aggregator(entropy, False, "generalised entropy (alpha 2) of {rate} by {part}"),
}
