"""Multiplicity: networks that are about equally good, and say different things of single images.

Pure functions of predictions: a row a network, a column an image. Networks are those of one set,
such as all seeds' of one technique and level. A label from `classes` on is that of a network that
failed: it is wrong, and agrees with none, not even with another such label.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int, UInt

from prune_fair.fairness.exemplars import count_votes
from prune_fair.fairness.statistics import FEWEST_SEEDS

Said: TypeAlias = Int[np.ndarray, "networks images"] | UInt[np.ndarray, "networks images"]
MOST_VOTES = 1 << 22  # images by classes whose votes are counted at a time: 16 MiB


class Flips(NamedTuple):
    """Which images a network gives another class than its reference does.

    Attributes:
        all: right or wrong, before and after.
        lost: right in the reference, wrong now.
        won: wrong in the reference, right now.

    Example:
        >>> found = flips(np.array([[0, 1, 1]]), np.array([[0, 0, 2]]), np.array([0, 0, 1]), 3)
        >>> [part[0].tolist() for part in found]
        [[False, True, True], [False, True, False], [False, False, True]]
    """

    all: Bool[np.ndarray, "networks images"]
    lost: Bool[np.ndarray, "networks images"]
    won: Bool[np.ndarray, "networks images"]


def flips(said: Said, reference: Said, labels: Int[np.ndarray, " images"], classes: int) -> Flips:
    """Where each network differs from its reference: the mean is the churn between the two.

    Source: Milani Fard et al. 2016, "Launch and iterate: reducing prediction churn"; lost and
    won are their losses and wins.

    Example:
        >>> found = flips(np.array([[0, 1]]), np.array([[0, 0]]), np.array([0, 0]), 2)
        >>> float(found.all.mean())
        0.5
    """
    changed = (said != reference) | (said >= classes)
    return Flips(changed, changed & (reference == labels), changed & (said == labels))


def disagreement(said: Said, classes: int) -> Float[np.ndarray, "networks images"]:
    """Of each network and image, the share of the other networks that say another class.

    Its mean is the churn between two networks of the set, averaged over all pairs. NaN for a single
    network.

    Source: Milani Fard et al. 2016, of one pair; the mean over pairs is ours.

    Example:
        >>> disagreement(np.array([[0, 1], [0, 1], [0, 2]]), 3).tolist()
        [[0.0, 0.5], [0.0, 0.5], [0.0, 1.0]]
    """
    networks, images = said.shape
    if networks < 2:
        return np.full(said.shape, np.nan)
    same, step = np.ones(said.shape), max(1, MOST_VOTES // classes)
    for first in range(0, images, step):
        part = said[:, first : first + step]
        votes = count_votes(part, classes).T
        own = np.take_along_axis(votes, np.minimum(part, classes - 1).astype(np.intp), axis=0)
        same[:, first : first + step] = np.where(part < classes, own, 1)
    return 1 - (same - 1) / (networks - 1)


def influence(
    shares: Float[np.ndarray, "networks images"],
) -> Float[np.ndarray, "networks images"]:
    """Values by network and image whose means by network vary as the mean over pairs does.

    A network has a part in as many pairs as there are other networks, so that the means of
    `disagreement` by network vary half as much as they should. These are the jackknife's
    pseudo-values of the mean over pairs, image by image; their mean is the same. They are what
    `two_way` takes. Below 3 networks, which have no interval, they are the shares.

    Args:
        shares: as `disagreement` gives them.

    Source: Arvesen 1969, "Jackknifing U-statistics"; Efron & Tibshirani 1993, chapter 11.

    Example:
        >>> shares = disagreement(np.array([[0], [0], [1]]), 2)
        >>> influence(shares).ravel().round(3).tolist(), float(shares.mean().round(3))
        ([0.0, 0.0, 2.0], 0.667)
    """
    networks = len(shares)
    if networks < FEWEST_SEEDS:
        return shares
    return (2 * (networks - 1) * shares - networks * shares.mean(axis=0)) / (networks - 2)


def ambiguous(said: Said, classes: int) -> Bool[np.ndarray, " images"]:
    """The images on which not all networks say the same.

    The share of these is the set's ambiguity against any one of its networks: where one differs
    from that, not all agree, and the other way round. It grows with the number of networks. No
    image is ambiguous for a single one.

    Source: Marx, Calmon & Ustun 2020, "Predictive multiplicity in classification", ambiguity, of
    the given networks in place of all that are good enough.

    Example:
        >>> ambiguous(np.array([[0, 1], [0, 1], [0, 2]]), 3).tolist()
        [False, True]
    """
    failed = (said >= classes).any(axis=0) & (len(said) > 1)
    return failed | (said != said[:1]).any(axis=0)


def discrepancy(
    said: Said, parts: Int[np.ndarray, " images"], count: int, classes: int
) -> Float[np.ndarray, " count"]:
    """Of each part of the images, the largest share on which two of the networks differ.

    The pair may be another one in another part. It grows with the number of networks. NaN for a
    single network and for a part without images. Time grows with the square of the networks.

    Args:
        said: what networks say.
        parts: of which part each image is, from 0 on; below 0 it is of none.
        count: how many parts there are.
        classes: how many classes there are.

    Source: Marx, Calmon & Ustun 2020, discrepancy, of the given networks. Theirs is against one
    reference network; this is the largest over all references.

    Example:
        >>> said = np.array([[0, 1, 1], [0, 1, 0], [0, 0, 0]])
        >>> discrepancy(said, np.array([0, 1, 1]), count=2, classes=2).tolist()
        [0.0, 1.0]
    """
    images = np.bincount(parts[parts >= 0], minlength=count)
    known = images > 0
    if len(said) < 2 or not known.any():
        return np.full(count, np.nan)
    ordered = said[:, np.argsort(parts, kind="stable")[np.count_nonzero(parts < 0) :]]
    starts = (np.cumsum(images) - images)[known]
    most = np.zeros(count)
    for place, row in enumerate(ordered[:-1]):
        differ = (ordered[place + 1 :] != row) | (row >= classes)
        counted = np.add.reduceat(differ, starts, axis=1, dtype=np.int64)
        most[known] = np.maximum(most[known], counted.max(axis=0))
    return np.divide(most, images, out=np.full(count, np.nan), where=known)
