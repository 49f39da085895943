"""Aggregators: from one rate for each class, or for each group, to one number for a network.

Each gives NaN if one of the rates is NaN: a class is never dropped.
"""

import numpy as np

from prune_fair.fairness.inequality import INEQUALITY
from prune_fair.fairness.metric import Aggregator
from prune_fair.fairness.rates import PerClass, PerNetwork, fraction


def group_min(rates: PerClass) -> PerNetwork:
    """The smallest rate.

    Source: fairlearn, `MetricFrame.group_min`.
    """
    return rates.min(axis=-1)


def group_max(rates: PerClass) -> PerNetwork:
    """The largest rate.

    Source: fairlearn, `MetricFrame.group_max`.
    """
    return rates.max(axis=-1)


def known_min(rates: PerClass) -> PerNetwork:
    """The smallest rate of the classes that have one; NaN where none has.

    For rates that only a class without images lacks: the test set's doing, not the network's.

    Source: ours.

    Example:
        >>> float(known_min(np.array([0.5, np.nan, 0.75])))
        0.5
    """
    return np.fmin.reduce(rates, axis=-1)


def difference(rates: PerClass) -> PerNetwork:
    """The largest rate minus the smallest; 0 is even.

    Source: fairlearn, `MetricFrame.difference(method="between_groups")`.

    Example:
        >>> float(difference(np.array([0.5, 1.0, 0.75])))
        0.5
    """
    return group_max(rates) - group_min(rates)


def ratio(rates: PerClass) -> PerNetwork:
    """The smallest rate over the largest; 1 is even, NaN where all are 0.

    Source: fairlearn, `MetricFrame.ratio(method="between_groups")`.

    Example:
        >>> float(ratio(np.array([0.5, 1.0, 0.75])))
        0.5
    """
    return fraction(group_min(rates), group_max(rates))


def difference_to_overall(rates: PerClass, overall: PerNetwork) -> PerNetwork:
    """The largest distance of a rate from the overall one; 0 is even.

    Source: fairlearn, `MetricFrame.difference(method="to_overall")`.

    Example:
        >>> float(difference_to_overall(np.array([0.5, 1.0, 0.75]), np.array(0.875)))
        0.375
    """
    return group_max(np.abs(rates - overall[..., None]))


def ratio_to_overall(rates: PerClass, overall: PerNetwork) -> PerNetwork:
    """The smallest, over classes, of rate over overall or overall over rate; 1 is even.

    Always the smaller over the larger of the two; NaN where both are 0.

    Source: fairlearn, `MetricFrame.ratio(method="to_overall")`.

    Example:
        >>> float(ratio_to_overall(np.array([0.5, 1.0]), np.array(0.8)))
        0.625
    """
    against = np.broadcast_to(overall[..., None], rates.shape)
    return group_min(fraction(np.minimum(rates, against), np.maximum(rates, against)))


AGGREGATORS: dict[str, Aggregator] = {
    "group_min": Aggregator(
        group_min,
        None,
        "{lowest} {part}'s {rate}",
        "smallest {rate} of a {part}",
        unit="fraction",
        bounds=(0.0, 1.0),
        extreme=True,
        worst=None,
    ),
    "group_max": Aggregator(
        group_max,
        None,
        "{highest} {part}'s {rate}",
        "largest {rate} of a {part}",
        unit="fraction",
        bounds=(0.0, 1.0),
        extreme=True,
        worst=None,
    ),
    "difference": Aggregator(
        difference,
        False,
        "{highest} minus {lowest} {rate}",
        "largest minus smallest {rate} of a {part}",
        unit="points",
        bounds=(0.0, 1.0),
        worst=1.0,
    ),
    "ratio": Aggregator(
        ratio,
        True,
        "{lowest} over {highest} {rate}",
        "smallest {rate} of a {part} over the largest",
        bounds=(0.0, 1.0),
        worst=0.0,
    ),
    "difference_to_overall": Aggregator(
        difference_to_overall,
        False,
        "largest distance from the overall {rate}",
        "largest distance of a {part}'s {rate} from the overall",
        unit="points",
        bounds=(0.0, 1.0),
        against_overall=True,
        worst=1.0,
    ),
    "ratio_to_overall": Aggregator(
        ratio_to_overall,
        True,
        "smallest ratio to the overall {rate}",
        "smallest ratio between a {part}'s {rate} and the overall",
        bounds=(0.0, 1.0),
        against_overall=True,
        worst=0.0,
    ),
    **INEQUALITY,
}
