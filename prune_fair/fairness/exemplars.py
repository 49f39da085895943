"""Exemplars: images on which a population of pruned networks and one of dense ones disagree.

Pure functions of votes: how many networks of a population predict each class for each image.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Int32, UInt

from prune_fair.fairness.rates import fraction


def count_votes(
    predictions: Int[np.ndarray, "networks images"] | UInt[np.ndarray, "networks images"],
    classes: int,
) -> Int32[np.ndarray, "images classes"]:
    """How many networks predict each class for each image; what is no class is counted nowhere.

    Example:
        >>> count_votes(np.array([[0, 1], [0, 0], [0, 255]], np.uint8), 2).tolist()
        [[3, 0], [1, 1]]
    """
    images, columns = predictions.shape[1], classes + 1  # the last one for what is no class
    votes = np.zeros(images * columns, np.int32)
    first = np.arange(images) * columns
    for row in predictions:
        votes[first + np.minimum(row, classes)] += 1  # an image a place: none twice
    return votes.reshape(images, columns)[:, :classes]


def modal_label(votes: Int[np.ndarray, "*rows images classes"]) -> Int[np.ndarray, "*rows images"]:
    """The label that most networks predict; of several the smallest, and 0 without votes.

    Example:
        >>> modal_label(np.array([[1, 3, 0], [0, 2, 2]])).tolist()
        [1, 1]
    """
    return np.argmax(votes, axis=-1)


def modal_exemplars(
    votes: Int[np.ndarray, "*#rows images classes"],
    dense_votes: Int[np.ndarray, "*#rows images classes"],
) -> Bool[np.ndarray, "... images"]:
    """Pruning-identified exemplars: images whose modal labels differ between two populations.

    Labels that tie are all modal, and an image on which the populations share a modal label is no
    exemplar: no tie decides, and no label is preferred. So each of these is an exemplar under any
    rule that breaks ties. (Hooker's script takes the largest label.) Where a population has no
    votes nothing is an exemplar.

    Source: Hooker et al. 2019, arXiv 1911.05248 (PIE); 2020, arXiv 2010.03058 (modal CIE).

    Example:
        >>> dense, pruned = np.array([[4, 0], [2, 2]]), np.array([[1, 3], [0, 4]])
        >>> modal_exemplars(pruned, dense).tolist()
        [True, False]
    """
    first, second = map(_modal_labels, (votes, dense_votes))
    return np.logical_not((first & second).any(axis=-1))


def _modal_labels(votes: Int[np.ndarray, "*rows classes"]) -> Bool[np.ndarray, "*rows classes"]:
    """All labels that most networks predict; without votes every label."""
    return votes == votes.max(axis=-1, keepdims=True)


def taxicab(
    votes: Int[np.ndarray, "*#rows images classes"],
    dense_votes: Int[np.ndarray, "*#rows images classes"],
) -> Float[np.ndarray, "... images"]:
    """Distance in [0, 2] between two populations' shares of votes; NaN where one has none.

    Half of it is the share of votes that would have to change for the populations to agree.
    Populations have fewer than 30,000 networks, else whole numbers overflow.

    Source: Hooker et al. 2020, arXiv 2010.03058, taxicab CIE.

    Example:
        >>> taxicab(np.array([[1, 3]]), np.array([[4, 0]])).tolist()
        [1.5]
    """
    # Whole numbers up to the one division, so that equal distances are equal, and none is above 2.
    members, dense_members = (
        each.sum(axis=-1, keepdims=True, dtype=each.dtype) for each in (votes, dense_votes)
    )
    moved = np.abs(votes * dense_members - dense_votes * members).sum(axis=-1)
    return fraction(moved, (members * dense_members)[..., 0])


def count_by_class(
    exemplars: Bool[np.ndarray, "*rows images"], labels: Int[np.ndarray, " images"], classes: int
) -> Int[np.ndarray, "*rows classes"]:
    """How many exemplars are truly of each class.

    Example:
        >>> count_by_class(np.array([True, False, True]), np.array([1, 1, 1]), 2).tolist()
        [0, 2]
    """
    one_hot = labels[:, None] == np.arange(classes)
    return exemplars.astype(np.int64) @ one_hot.astype(np.int64)


class OverIndex(NamedTuple):
    """A class's share of the exemplars over its share of the test images, and its interval.

    Example:
        >>> over_index(np.array([3, 1]), np.array([10, 10])).estimate.tolist()
        [1.5, 0.5]
    """

    estimate: Float[np.ndarray, "*rows classes"]
    low: Float[np.ndarray, "*rows classes"]
    high: Float[np.ndarray, "*rows classes"]


def over_index(
    counts: Int[np.ndarray, "*rows classes"],
    images: Int[np.ndarray, " classes"],
    confidence: float = 0.95,
) -> OverIndex:
    """How much more often than its images a class is among the exemplars: 1 is as often.

    The interval is exact for the share of a class among exemplars that are drawn independently,
    and holds for all classes at once (Bonferroni), since one looks for the largest. It knows
    nothing of what other seeds would have changed. NaN without exemplars, or images of the class.

    Args:
        counts: exemplars of each class.
        images: test images of each class.
        confidence: in (0, 1), for all classes together.

    Source: Clopper & Pearson 1934; over-indexing as in Hooker et al. 2019, arXiv 1911.05248.

    Example:
        >>> over_index(np.array([3, 1]), np.array([50, 50])).estimate.tolist()
        [1.5, 0.5]
    """
    from scipy.special import betaincinv  # takes a quarter of a second to import

    total = counts.sum(axis=-1, keepdims=True)
    tail = (1 - confidence) / 2 / counts.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = np.where(images > 0, images / images.sum(), np.nan)
        share = counts / np.where(total > 0, total, np.nan)
    low = np.where(counts == 0, 0.0, betaincinv(np.maximum(counts, 1), total - counts + 1, tail))
    high = np.where(
        counts == total, 1.0, betaincinv(counts + 1, np.maximum(total - counts, 1), 1 - tail)
    )
    known = np.where(total > 0, whole, np.nan)
    return OverIndex(share / known, low / known, high / known)
