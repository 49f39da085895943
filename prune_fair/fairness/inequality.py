"""Aggregators that tell how uneven rates are: spread, and indices of inequality.

Each gives NaN if one of the rates is NaN: a class is never dropped.
"""

import numpy as np

from prune_fair.fairness.metric import Aggregator
from prune_fair.fairness.rates import PerClass, PerNetwork, fraction

ENTROPY_ALPHA = 2


def std(rates: PerClass) -> PerNetwork:
    """The population standard deviation (over n, not n - 1): these are all the classes there are.

    Source: `numpy.std(ddof=0)`.

    Example:
        >>> float(std(np.array([0.5, 1.0])))
        0.25
    """
    return rates.std(axis=-1)


def cv(rates: PerClass) -> PerNetwork:
    """The coefficient of variation, `std` over mean; NaN where all rates are 0.

    It is the root of twice the generalised entropy of alpha 2.

    Source: `scipy.stats.variation(ddof=0)`.

    Example:
        >>> float(cv(np.array([0.25, 0.75])))
        0.5
    """
    return fraction(rates.std(axis=-1), rates.mean(axis=-1))


def gini(rates: PerClass) -> PerNetwork:
    """The Gini coefficient, sum_ij |x_i - x_j| / (2 n^2 mean); 0 is even, NaN where all are 0.

    Source: Gini 1912.

    Example:
        >>> float(gini(np.array([0.25, 0.75])))
        0.25
    """
    classes = rates.shape[-1]  # the pairs are summed over sorted rates: no n x n table is made
    weights = 2.0 * np.arange(classes) - classes + 1
    return fraction(np.sort(rates, axis=-1) @ weights, classes * rates.sum(axis=-1))


def theil(rates: PerClass) -> PerNetwork:
    """The Theil index, mean of b ln b for b = x / mean, with 0 ln 0 = 0; NaN where all are 0.

    Source: Theil 1967; the generalised entropy of alpha 1.

    Example:
        >>> float(theil(np.array([0.5, 0.5])))
        0.0
    """
    return generalised_entropy(rates, 1)


def entropy(rates: PerClass) -> PerNetwork:
    """The generalised entropy of alpha 2, half of `cv` squared; NaN where all are 0.

    Source: Speicher et al. 2018, arXiv 1807.00787, with the alpha that AIF360 takes by default.

    Example:
        >>> float(entropy(np.array([0.25, 0.75])))
        0.125
    """
    return generalised_entropy(rates, ENTROPY_ALPHA)


def generalised_entropy(rates: PerClass, alpha: int | float) -> PerNetwork:
    """mean(b^alpha - 1) / (alpha (alpha - 1)) for b = x / mean; 0 is even.

    Its limits are the mean log deviation, -mean(ln b), at alpha 0 and the Theil index at alpha 1.
    NaN where all rates are 0, and where one is 0 if alpha is 0 or less: it would be infinite.

    Source: Speicher et al. 2018, arXiv 1807.00787; Shorrocks 1980.

    Example:
        >>> float(generalised_entropy(np.array([0.25, 0.75]), 2))
        0.125
    """
    mean = rates.mean(axis=-1, keepdims=True)
    away = fraction(rates - mean, np.broadcast_to(mean, rates.shape))  # b - 1
    # Each term less its multiple of b - 1, whose mean is 0: so small inequalities do not cancel.
    with np.errstate(divide="ignore", over="ignore"):  # of a rate of 0
        logarithm = np.log1p(away)
        if alpha == 0:
            terms = away - logarithm
        elif alpha == 1:
            terms = (1 + away) * np.where(away == -1, 0.0, logarithm) - away
        else:
            terms = (np.expm1(alpha * logarithm) - alpha * away) / (alpha * (alpha - 1))
    value = terms.mean(axis=-1)
    return np.where(np.isfinite(value), value, np.nan)


INEQUALITY: dict[str, Aggregator] = {
    "std": Aggregator(
        std,
        False,
        "standard deviation of {rate}",
        "population standard deviation of {rate} by {part}",
        unit="points",
        bounds=(0.0, 0.5),
        worst=0.5,
    ),
    "cv": Aggregator(
        cv,
        False,
        "coefficient of variation of {rate}",
        "coefficient of variation of {rate} by {part}",
    ),
    "gini": Aggregator(
        gini,
        False,
        "Gini coefficient of {rate}",
        "Gini coefficient of {rate} by {part}",
        bounds=(0.0, 1.0),
    ),
    "theil": Aggregator(theil, False, "Theil index of {rate}", "Theil index of {rate} by {part}"),
    "entropy": Aggregator(
        entropy,
        False,
        "generalised entropy of {rate}",
        "generalised entropy (alpha 2) of {rate} by {part}",
    ),
}
