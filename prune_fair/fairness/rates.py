"""Rates of confusion counts: of each class against the rest, and of the whole network.

Counts are integers, or floats where they are weighted or pooled. Every function is pure and works
over any leading axes. What is undefined is NaN, never infinite.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float, Int, Real

Values: TypeAlias = Any  # an array, or the scalar that NumPy reduces the axes of one network to
Confusion: TypeAlias = Real[np.ndarray, "*networks classes classes"]  # true, predicted
PerClass: TypeAlias = Float[np.ndarray, "*networks classes"]
PerNetwork: TypeAlias = Float[Values, "*networks"]


class BaseRate(NamedTuple):
    """One number for each class.

    Attributes:
        function: from confusion counts.
        higher_is_better: for every class; None where neither direction is better.
        description: its name in words.
    """

    function: Callable[[Confusion], PerClass]
    higher_is_better: bool | None
    description: str


def fraction(
    part: Real[Values, "*shape"], whole: Real[Values, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """`part / whole`; NaN wherever the whole is 0, also where the part is not.

    Example:
        >>> fraction(np.array([1, 1, 0]), np.array([2, 0, 0])).tolist()
        [0.5, nan, nan]
    """
    quotient = np.full(whole.shape, np.nan, np.result_type(part, whole, np.float32))
    return np.true_divide(part, whole, out=quotient, where=whole != 0)


def one_vs_rest(confusion: Confusion) -> Real[np.ndarray, "*networks classes 2 2"]:
    """Of each class, the 2x2 confusion counts of that class (1) against all others (0).

    Source: `sklearn.metrics.multilabel_confusion_matrix`.

    Example:
        >>> one_vs_rest(np.array([[3, 1], [0, 4]]))[0].tolist()
        [[4, 0], [1, 3]]
    """
    hits, rows = np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1)
    missed, wrong = rows - hits, confusion.sum(axis=-2) - hits
    # Sums of what is not negative: with float counts, too, 0 exactly where there is nothing.
    rest = (rows[..., None] - confusion).sum(axis=-2) - missed
    return np.stack([np.stack([rest, wrong], -1), np.stack([missed, hits], -1)], -2)


def overall(rate: Callable[[Confusion], PerClass], confusion: Confusion) -> PerNetwork:
    """The micro-average of a rate: that of the one-vs-rest counts added up over the classes.

    For recall and precision it is the accuracy, for `fnr` one minus that, for `selection_rate` one
    over the number of classes.

    Source: `sklearn.metrics.recall_score(average="micro")`; it is fairlearn's `MetricFrame.overall`
    of one binary task a class, with the class as sensitive feature.

    Example:
        >>> float(overall(recall, np.array([[3, 1], [0, 4]])))
        0.875
    """
    return rate(one_vs_rest(confusion).sum(axis=-3))[..., 1]


def undefined(rates: PerClass) -> Int[Values, "*networks"]:
    """How many classes of each network have no rate.

    Example:
        >>> int(undefined(recall(np.array([[3, 1], [0, 0]]))))
        1
    """
    return np.isnan(rates).sum(axis=-1)


def recall(confusion: Confusion) -> PerClass:
    """True positive rate of each class; NaN for a class without images.

    Source: `sklearn.metrics.recall_score(average=None)`.

    Example:
        >>> recall(np.array([[3, 1], [0, 4]])).tolist()
        [0.75, 1.0]
    """
    return fraction(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1))


def precision(confusion: Confusion) -> PerClass:
    """Of the images predicted as each class, the fraction that is; NaN for a class never predicted.

    Source: `sklearn.metrics.precision_score(average=None, zero_division=nan)`.

    Example:
        >>> precision(np.array([[3, 1], [0, 3]])).tolist()
        [1.0, 0.75]
    """
    return fraction(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-2))


def fpr(confusion: Confusion) -> PerClass:
    """False positive rate: of the other classes' images, the fraction predicted as this one.

    NaN for a class that all images are of.

    Source: `fairlearn.metrics.false_positive_rate`, one-vs-rest.

    Example:
        >>> fpr(np.array([[3, 1], [0, 4]])).tolist()
        [0.0, 0.25]
    """
    negatives = one_vs_rest(confusion)[..., 0, :]
    return fraction(negatives[..., 1], negatives.sum(axis=-1))


def fnr(confusion: Confusion) -> PerClass:
    """False negative rate, one minus recall: the fraction of each class's images that is missed.

    NaN for a class without images.

    Source: `fairlearn.metrics.false_negative_rate`, one-vs-rest.

    Example:
        >>> fnr(np.array([[3, 1], [0, 4]])).tolist()
        [0.25, 0.0]
    """
    images = confusion.sum(axis=-1)
    return fraction(images - np.diagonal(confusion, axis1=-2, axis2=-1), images)


def selection_rate(confusion: Confusion) -> PerClass:
    """The fraction of all images that is predicted as each class; NaN without images.

    Source: `fairlearn.metrics.selection_rate`, one-vs-rest.

    Example:
        >>> selection_rate(np.array([[3, 1], [0, 4]])).tolist()
        [0.375, 0.625]
    """
    predicted = confusion.sum(axis=-2)
    return fraction(predicted, np.broadcast_to(_images(confusion)[..., None], predicted.shape))


def class_accuracy(confusion: Confusion) -> PerClass:
    """The fraction of all images on which "this class or not" is right; NaN without images.

    Source: `sklearn.metrics.accuracy_score`, one-vs-rest.

    Example:
        >>> class_accuracy(np.array([[2, 2, 0], [0, 2, 0], [0, 0, 2]])).tolist()
        [0.75, 0.75, 1.0]
    """
    return accuracy(one_vs_rest(confusion))


def class_balanced_accuracy(confusion: Confusion) -> PerClass:
    """The mean of true positive and true negative rate of each class; NaN if one of them is.

    Source: `sklearn.metrics.balanced_accuracy_score`, one-vs-rest.

    Example:
        >>> class_balanced_accuracy(np.array([[2, 2, 0], [0, 2, 0], [0, 0, 4]])).tolist()
        [0.75, 0.875, 1.0]
    """
    return balanced_accuracy(one_vs_rest(confusion))


def accuracy(confusion: Confusion) -> PerNetwork:
    """Fraction of images whose class is predicted; NaN without images.

    Source: `sklearn.metrics.accuracy_score`.

    Example:
        >>> float(accuracy(np.array([[3, 1], [0, 4]])))
        0.875
    """
    return fraction(np.trace(confusion, axis1=-2, axis2=-1), _images(confusion))


def balanced_accuracy(confusion: Confusion) -> PerNetwork:
    """The mean of the classes' recall; NaN if a class has no images.

    Source: `sklearn.metrics.balanced_accuracy_score`, which leaves such a class out.

    Example:
        >>> float(balanced_accuracy(np.array([[3, 1], [0, 2]])))
        0.875
    """
    return recall(confusion).mean(axis=-1)


def _images(confusion: Confusion) -> Real[Values, "*networks"]:
    return confusion.sum(axis=(-2, -1))


BASE_RATES: dict[str, BaseRate] = {
    "recall": BaseRate(recall, True, "recall"),
    "precision": BaseRate(precision, True, "precision"),
    "fpr": BaseRate(fpr, False, "false positive rate"),
    "fnr": BaseRate(fnr, False, "false negative rate"),
    "selection_rate": BaseRate(selection_rate, None, "selection rate"),
    "accuracy": BaseRate(class_accuracy, True, "one-vs-rest accuracy"),
    "balanced_accuracy": BaseRate(class_balanced_accuracy, True, "one-vs-rest balanced accuracy"),
}
