"""One network before and after pruning: intervals, bounds and tests of paired proportions.

A class's images are of four kinds: right in both networks, lost (right before alone), won (right
after alone), wrong in both. None of this degenerates where no image changed.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from prune_fair.fairness.rates import fraction
from prune_fair.fairness.statistics import Interval


class Paired(NamedTuple):
    """How many of a class's images are right before and after pruning.

    Attributes:
        both: right in both.
        lost: right before, wrong after.
        won: wrong before, right after.
        neither: wrong in both.

    Example:
        >>> paired(np.array([True, True, False]), np.array([True, False, False]))._asdict()
        {'both': array(1), 'lost': array(1), 'won': array(0), 'neither': array(1)}
    """

    both: Int[np.ndarray, "*shape"]
    lost: Int[np.ndarray, "*shape"]
    won: Int[np.ndarray, "*shape"]
    neither: Int[np.ndarray, "*shape"]

    @property
    def images(self) -> Int[np.ndarray, "*shape"]:
        """How many there are."""
        return np.asarray(self.both + self.lost + self.won + self.neither)


def paired(dense: np.ndarray, pruned: np.ndarray) -> Paired:
    """The four counts, from which images (last axis) each of two networks has right.

    Example:
        >>> int(paired(np.array([[True, True]]), np.array([[False, True]])).lost[0])
        1
    """
    kinds = (dense & pruned, dense & ~pruned, ~dense & pruned, ~dense & ~pruned)
    return Paired(*(np.asarray(kind.sum(axis=-1)) for kind in kinds))


def paired_interval(counts: Paired, confidence: float = 0.95) -> Interval:
    """The change of recall, (won - lost) / images, with its score interval; NaN without images.

    Wilson's intervals of both recalls are combined by their correlation over images, which is
    estimated with a continuity correction, and is 0 where one recall is 0 or 1.

    Source: Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10; Wilson 1927.

    Example:
        >>> counts = Paired(*map(np.array, (36, 2, 12, 0)))  # a pair of the paper, mirrored
        >>> [round(float(bound), 4) for bound in paired_interval(counts)]
        [0.2, 0.0569, 0.3404]
    """
    both, lost, won, neither = (np.asarray(part, dtype=float) for part in counts)
    images = np.asarray(both + lost + won + neither)
    after, before = np.asarray(both + won), np.asarray(both + lost)
    p, low, high = wilson(after, images, confidence)
    q, other_low, other_high = wilson(before, images, confidence)
    cross = both * neither - lost * won
    cross = np.where(cross > 0, np.maximum(cross - images / 2, 0), cross)
    scale = np.sqrt(after * (images - after)) * np.sqrt(before * (images - before))
    phi = np.where(scale > 0, cross / np.where(scale > 0, scale, 1), 0.0)
    below = _combined(p - low, other_high - q, phi)
    above = _combined(high - p, q - other_low, phi)
    return Interval(*(np.asarray(p - q + shift) for shift in (0.0, -below, above)))


def mcnemar(lost: Int[np.ndarray, "*shape"], won: Int[np.ndarray, "*shape"]) -> np.ndarray:
    """Exact two-sided p that an image is as often lost as won; 1 where none changed.

    Only images that changed tell anything of it: of them, lost is binomial with one half.

    Source: McNemar 1947; `statsmodels.stats.contingency_tables.mcnemar(exact=True)`.

    Example:
        >>> float(mcnemar(np.array(6), np.array(0)))
        0.03125
    """
    from scipy.special import bdtr

    fewer, changed = np.minimum(lost, won).astype(float), lost + won
    return np.asarray(np.minimum(2 * bdtr(fewer, changed, 0.5), 1.0))


def sidak(confidence: float, tests: int) -> float:
    """The confidence of each of several independent bounds that together have this one.

    For classes of one network: their images are disjoint, so that their bounds are independent and
    this is exact, where Bonferroni's is a little wider. Not for points of a study, which share
    images: any dependence is allowed by Bonferroni's 1 - (1 - confidence) / tests alone.

    Source: Sidak 1967.

    Example:
        >>> round(sidak(0.95, 10), 5)
        0.99488
    """
    return confidence ** (1 / tests)


def loss_bound(
    lost: Float[np.ndarray, "*shape"] | Int[np.ndarray, "*shape"],
    images: Int[np.ndarray, "*#shape"] | int,
    confidence: float = 0.95,
) -> Float[np.ndarray, "*shape"]:
    """The largest share of a class that may be lost, where so many of its images were: one-sided.

    Exact for whole images that are lost or not. Over several seeds an image may be lost in part:
    the sum of the images' losses then, which spreads less than that of whole images.

    Args:
        lost: how many images, or the sum of the images' mean losses; in [0, images].
        images: of the class; NaN where there are none.
        confidence: one-sided, in (0, 1).

    Source: Clopper & Pearson 1934; of 0 lost it is 1 - (1 - confidence)^(1 / images). Fractions of
    images are ours.

    Example:
        >>> loss_bound(np.array([0, 1]), 52, confidence=0.975).round(3).tolist()
        [0.068, 0.103]
    """
    from scipy.special import betaincinv

    lost, images = np.broadcast_arrays(np.asarray(lost, dtype=float), np.asarray(images))
    left = np.maximum(images - lost, 0)
    bound = betaincinv(lost + 1, np.where(left > 0, left, 1), confidence)
    return np.where(images == 0, np.nan, np.where(left > 0, bound, 1.0))


def paired_lower_bound(
    counts: Paired, confidence: float = 0.95, classes: int = 1
) -> Float[np.ndarray, "*shape"]:
    """What the change of recall of one network is above, in so many classes at once.

    The lower end of `paired_interval`, one-sided; and where that is above what the class's images
    could tell if none were lost (`loss_bound`), that: Wilson's bound of 0 images is too near to 0.

    Args:
        counts: of the four kinds of images.
        confidence: one-sided, in (0, 1), that all bounds hold (`sidak`).
        classes: how many bounds; 1 for a rule "every class within t points", see `in_order`.

    Source: as `paired_interval` and `loss_bound`.

    Example:
        >>> none_lost = Paired(*map(np.array, (50, 0, 0, 2)))
        >>> float(paired_lower_bound(none_lost).round(3))
        -0.056
    """
    each = sidak(confidence, classes)
    low = paired_interval(counts, 2 * each - 1).low
    none = loss_bound(np.zeros(np.shape(low)), counts.images, each)
    return np.asarray(np.minimum(low, -none))


def images_needed(tolerance: float, confidence: float = 0.95, classes: int = 1) -> int:
    """The fewest images of a class of which 0 lost certify that it loses less than the tolerance.

    A class with fewer blocks certification: whatever happens in it, no bound is good enough.

    Args:
        tolerance: largest loss of recall that is allowed, a fraction in (0, 1).
        confidence: one-sided, in (0, 1): 0.975 is the lower end of a two-sided 95 % interval.
        classes: how many such bounds have to hold at once (`sidak`); 1 for a rule that every
            class has to pass, which is wrong only if one class that loses more passes.

    Source: the smallest n with (1 - tolerance)^n <= 1 - confidence: Clopper & Pearson 1934; its
    approximation 3 / tolerance is the rule of three (Hanley & Lippman-Hand 1983).

    Example:
        >>> [images_needed(0.05, confidence) for confidence in (0.95, 0.975)]
        [59, 72]
        >>> images_needed(0.05, classes=10)
        103
    """
    missed = np.log1p(-sidak(confidence, classes)) / np.log1p(-tolerance)
    return int(np.ceil(missed - 1e-9))


def wilson(
    right: Int[np.ndarray, "*shape"] | Float[np.ndarray, "*shape"],
    images: Int[np.ndarray, "*shape"] | Float[np.ndarray, "*shape"],
    confidence: float = 0.95,
) -> Interval:
    """A proportion with its score interval; NaN without images.

    Args:
        right: how many of the images.
        images: how many there are.
        confidence: in (0, 1), of both bounds together.

    Source: Wilson 1927; `statsmodels.stats.proportion.proportion_confint(method="wilson")`.

    Example:
        >>> [round(float(bound), 3) for bound in wilson(np.array(45), np.array(50))]
        [0.9, 0.786, 0.957]
    """
    from scipy.special import ndtri

    z = ndtri(1 - (1 - confidence) / 2)
    p = fraction(right, images)
    half = z * np.sqrt(z * z + 4 * images * p * (1 - p))
    middle, scale = 2 * images * p + z * z, 2 * (images + z * z)
    low, high = np.minimum((middle - half) / scale, p), np.maximum((middle + half) / scale, p)
    return Interval(p, np.asarray(low), np.asarray(high))


def _combined(first: Any, second: Any, phi: Any) -> Any:
    """The distance of a bound from the difference, from those of both proportions."""
    return np.sqrt(np.maximum(first**2 - 2 * phi * first * second + second**2, 0))
