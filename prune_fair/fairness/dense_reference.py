"""A pruned network against its dense reference, the network of the same seed at level 0.

All functions take the confusion counts of the one, then those of the other. To add a metric, write
its function and add its row to `AGAINST_DENSE`.
"""

from functools import partial
from math import inf, nan

import numpy as np

from prune_fair.fairness.aggregators import difference, group_max, group_min, known_min
from prune_fair.fairness.metric import Metric, metric
from prune_fair.fairness.rates import (
    Confusion,
    PerClass,
    PerNetwork,
    accuracy,
    fnr,
    fpr,
    fraction,
    recall,
)


def accuracy_change(confusion: Confusion, dense: Confusion) -> PerNetwork:
    """Accuracy minus that of the dense reference; below 0 it has fallen.

    Source: ours, as in Paganini 2020, arXiv 2009.09936.

    Example:
        >>> float(accuracy_change(np.array([[2, 2], [0, 4]]), np.array([[4, 0], [0, 4]])))
        -0.25
    """
    return accuracy(confusion) - accuracy(dense)


def recall_change(confusion: Confusion, dense: Confusion) -> PerClass:
    """Recall of each class minus that of the dense reference; below 0 it has fallen.

    Source: ours, for the per-class view of Paganini 2020, arXiv 2009.09936.

    Example:
        >>> recall_change(np.array([[2, 2], [0, 4]]), np.array([[4, 0], [0, 4]])).tolist()
        [-0.5, 0.0]
    """
    return recall(confusion) - recall(dense)


def normalised_recall_difference(confusion: Confusion, dense: Confusion) -> PerClass:
    """(r_c - a) minus the same of the dense reference, for recall r_c and accuracy a.

    How much more, or less, than the whole network each class has lost; below 0 it has lost more.
    Of one network: the mean over seeds is the paper's figure, which takes means first.

    Source: Hooker et al. 2019, arXiv 1911.05248.

    Example:
        >>> pruned, dense = np.array([[2, 2], [0, 4]]), np.array([[4, 0], [0, 4]])
        >>> normalised_recall_difference(pruned, dense).tolist()
        [-0.25, 0.25]
    """
    return recall_change(confusion, dense) - accuracy_change(confusion, dense)[..., None]


def cev(confusion: Confusion, dense: Confusion) -> PerNetwork:
    """Combined error variance: how unevenly pruning changes the classes' error rates, in percent^2.

    The mean over classes of the squared distance between the point (change of `fpr`, change of
    `fnr`), each in percent of the dense rate, and the mean point. NaN where a dense class has
    no false positives or no false negatives.

    Of one network, where the paper averages the rates over models first; not halved, as the paper's
    code does by averaging over the two coordinates too.

    Source: Blakeney et al. 2021, arXiv 2106.07849.

    Example:
        >>> dense = np.array([[6, 2], [2, 6]])
        >>> float(cev(np.array([[4, 4], [2, 6]]), dense))
        5000.0
    """
    of_fpr, of_fnr = _error_changes(confusion, dense)
    return of_fpr.var(axis=-1) + of_fnr.var(axis=-1)


def sde(confusion: Confusion, dense: Confusion) -> PerNetwork:
    """Symmetric distance error: how far pruning trades one kind of error for the other, in percent.

    The mean over classes of |change of `fpr` - change of `fnr`| / sqrt(2), each in percent of the
    dense rate: the distance from the line of equal changes. Of one network, and NaN, as `cev`.

    Source: Blakeney et al. 2021, arXiv 2106.07849.

    Example:
        >>> dense = np.array([[6, 2], [2, 6]])
        >>> round(float(sde(np.array([[4, 4], [2, 6]]), dense)), 3)
        70.711
    """
    of_fpr, of_fnr = _error_changes(confusion, dense)
    return np.abs(of_fpr - of_fnr).mean(axis=-1) / np.sqrt(2.0)


def intensification(confusion: Confusion, dense: Confusion) -> PerNetwork:
    """The slope of pruned (r_c - a) on dense (r_c - a) over classes, for recall r_c and accuracy a.

    Above 1, classes below the accuracy have fallen further behind; below 1 they have come nearer.
    Least squares with an intercept, so that the accuracies, the same for all classes, have no part
    in it. NaN where all dense recalls are equal.

    Source: ours, of the recall distortion of Good et al. 2022, arXiv 2206.02976.

    Example:
        >>> dense = np.array([[4, 0], [1, 3]])
        >>> float(intensification(np.array([[4, 0], [2, 2]]), dense))
        2.0
    """
    after, before = recall(confusion), recall(dense)
    rise, run = (rates - rates.mean(axis=-1, keepdims=True) for rates in (after, before))
    slope = fraction((rise * run).sum(axis=-1), (run * run).sum(axis=-1))
    # Equal recalls may have a mean that is a rounding away from them.
    return np.where(difference(before) == 0, np.nan, slope)


def excessive_error(confusion: Confusion, dense: Confusion) -> PerClass:
    """R(c): each class's error (its `fnr`) minus that of the dense reference; above 0 it has risen.

    Source: Tran et al. 2022, arXiv 2205.13574, the excessive loss R(g) with the 0/1 error as loss.

    Example:
        >>> excessive_error(np.array([[2, 2], [0, 4]]), np.array([[4, 0], [0, 4]])).tolist()
        [0.5, 0.0]
    """
    return fnr(confusion) - fnr(dense)


def _error_changes(confusion: Confusion, dense: Confusion) -> tuple[PerClass, PerClass]:
    """The changes of false positive and false negative rate, in percent of the dense ones."""
    of_fpr, of_fnr = (
        100 * fraction(rate(confusion) - rate(dense), rate(dense)) for rate in (fpr, fnr)
    )
    return of_fpr, of_fnr


_metric = partial(metric, against_dense=True, unit="points")
EVERY_CLASS = "mean_recall_change_min"
AGAINST_DENSE: dict[str, Metric] = {
    "accuracy_change": _metric(
        accuracy_change,
        higher_is_better=True,
        label="change of accuracy",
        description="change of accuracy since dense",
        bounds=(-1.0, 1.0),
        of_right=True,
    ),
    "recall_change_min": _metric(
        recall_change,
        group_min,
        higher_is_better=True,
        label="change of recall, worst class of each network",
        description="change of recall since dense, worst class",
        bounds=(-1.0, 1.0),
        extreme=True,
    ),
    "recall_change_max": _metric(
        recall_change,
        group_max,
        higher_is_better=True,
        label="change of recall, best class of each network",
        description="change of recall since dense, best class",
        bounds=(-1.0, 1.0),
        extreme=True,
    ),
    "normalised_recall_difference_min": _metric(
        normalised_recall_difference,
        group_min,
        higher_is_better=True,
        label="worst class's change of recall less that of accuracy",
        description="change of recall minus change of accuracy since dense, worst class",
        bounds=(-2.0, 2.0),
        extreme=True,
        worst=nan,
    ),
    "cev": _metric(
        cev,
        higher_is_better=False,
        label="combined error variance",
        description="spread of relative changes of fpr and fnr, percent^2",
        unit="percent^2",
        bounds=(0.0, inf),
        worst=nan,
    ),
    "sde": _metric(
        sde,
        higher_is_better=False,
        label="symmetric distance error",
        description="relative change of fpr against that of fnr, percent",
        unit="percent",
        bounds=(0.0, inf),
        worst=nan,
    ),
    "intensification": _metric(
        intensification,
        higher_is_better=False,
        label="slope of recalls on the dense ones",
        description="slope of recalls on the dense ones; above 1 the weak fall further behind",
        unit="number",
        bounds=(-inf, inf),
        worst=nan,
    ),
    "excessive_error_max": _metric(
        excessive_error,
        group_max,
        higher_is_better=False,
        label="worst class's rise of error",
        description="rise of error since dense, worst class",
        bounds=(-1.0, 1.0),
        extreme=True,
    ),
    "excessive_error_difference": _metric(
        excessive_error,
        difference,
        higher_is_better=False,
        label="worst minus best rise of error",
        description="rise of error since dense, worst class minus best",
        bounds=(0.0, 2.0),
        worst=nan,
    ),
    EVERY_CLASS: _metric(
        recall_change,
        known_min,
        higher_is_better=True,
        label="mean change of recall, worst class",
        description="smallest of the classes' mean changes of recall since dense",
        bounds=(-1.0, 1.0),
        averaged=(recall_change, known_min),
        of_right=True,
    ),
}
