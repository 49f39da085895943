"""Metrics between groups of images that are not the classes, each group with confusion counts.

All functions take the counts of a network by group; those against the dense reference take its
counts by group next. To add a metric, write its function and add its row to `BETWEEN_GROUPS`.
"""

from math import nan
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Real

from prune_fair.fairness.aggregators import AGGREGATORS, difference, group_max, group_min
from prune_fair.fairness.metric import Metric, Reduction, metric
from prune_fair.fairness.rates import PerNetwork, accuracy, balanced_accuracy, fpr, recall

GroupConfusion: TypeAlias = Real[np.ndarray, "*networks groups classes classes"]
PerGroup: TypeAlias = Float[np.ndarray, "*networks groups"]


def recall_difference_max(group_confusion: GroupConfusion) -> PerNetwork:
    """The largest, over classes, of the difference between groups of the class's recall.

    NaN if a group has no images of a class.

    Source: Hardt et al. 2016, arXiv 1610.02413, equal opportunity, of each class against the rest;
    fairlearn, `equal_opportunity_difference`.

    Example:
        >>> counts = np.array([[[3, 1], [0, 4]], [[2, 2], [2, 2]]])
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
        >>> counts = np.array([[[4, 0], [0, 4]], [[4, 0], [1, 3]]])
        >>> float(equalised_odds_difference(counts))
        0.25
    """
    both = (_between_groups(rate(group_confusion)) for rate in (recall, fpr))
    return group_max(np.maximum(*both))


def group_accuracy_change(group_confusion: GroupConfusion, dense: GroupConfusion) -> PerGroup:
    """Accuracy within each group minus that of the dense reference; below 0 it has fallen.

    Source: Tran et al. 2022, arXiv 2205.13574: minus the excessive loss R(g) of a group, with the
    0/1 error as loss.

    Example:
        >>> dense, pruned = np.array([[[4, 0], [0, 4]]] * 2), np.array([[[4, 0], [2, 2]]] * 2)
        >>> group_accuracy_change(pruned, dense).tolist()
        [-0.25, -0.25]
    """
    return accuracy(group_confusion) - accuracy(dense)


def _between_groups(
    rates: Float[np.ndarray, "*networks groups classes"],
) -> Float[np.ndarray, "*networks classes"]:
    return difference(np.swapaxes(rates, -1, -2))


def _within(name: str, rate: Reduction, text: str) -> dict[str, Metric]:
    """The rows of a whole network's rate, taken within each group."""
    rows = {suffix: AGGREGATORS[suffix] for suffix in ("group_min", "difference", "ratio")}
    words = {"rate": text, "part": "group", "lowest": "worst", "highest": "best"}
    return {
        f"by_group_{name}_{suffix}": metric(
            rate,
            row.function,
            higher_is_better=row.higher_is_better is not False,
            label=f"{row.label.format(**words)}{'' if row.extreme else ', by group'}",
            description=row.description.format(**words),
            unit=row.unit,
            bounds=row.bounds,
            over="group",
            extreme=row.extreme,
            worst=1.0 if row.higher_is_better is False else 0.0,
        )
        for suffix, row in rows.items()
    }


BETWEEN_GROUPS: dict[str, Metric] = {
    **_within("accuracy", accuracy, "accuracy"),
    **_within("balanced_accuracy", balanced_accuracy, "balanced accuracy"),
    "by_group_recall_difference_max": metric(
        recall_difference_max,
        higher_is_better=False,
        label="worst class's difference of recall, by group",
        description="difference of recall between groups, worst class",
        unit="points",
        over="group",
        extreme=True,
        worst=1.0,
    ),
    "by_group_equalised_odds_difference": metric(
        equalised_odds_difference,
        higher_is_better=False,
        label="equalised odds difference, by group",
        description="difference of recall or fpr between groups, worst class",
        unit="points",
        over="group",
        worst=1.0,
    ),
    "by_group_accuracy_change_min": metric(
        group_accuracy_change,
        group_min,
        higher_is_better=True,
        label="worst group's change of accuracy",
        description="change of accuracy since dense, worst group",
        bounds=(-1.0, 1.0),
        unit="points",
        over="group",
        against_dense=True,
        extreme=True,
    ),
    "by_group_accuracy_change_difference": metric(
        group_accuracy_change,
        difference,
        higher_is_better=False,
        label="best minus worst change of accuracy, by group",
        description="change of accuracy since dense, best group minus worst",
        bounds=(0.0, 2.0),
        unit="points",
        over="group",
        against_dense=True,
        worst=nan,
    ),
}
