"""Claims that hold: lower bounds for all classes and points, certification, equivalence."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from prune_fair.fairness.class_bounds import bounds_at, rests_on_few
from prune_fair.fairness.two_way import TwoWay


def simultaneous_lower_bounds(
    rows: Float[np.ndarray, "rows *points classes"],
    found: TwoWay,
    image_changes: Float[np.ndarray, "*points images"],
    labels: Int[np.ndarray, " images"],
    confidence: float = 0.95,
) -> Float[np.ndarray, "*points classes"]:
    """What the mean changes of all classes at all points are above, together.

    All cells are tested at one level, which is found from how far the worst of them is off in a
    resample, in standard deviations of its cell: cells that go together cost less than
    Bonferroni's correction. From that level each cell gets a bound with its own t and skewness.
    Rows and their mirror images both count, since skewness is dealt with there.

    Cells whose losses rest on few images (`rests_on_few`) each take an equal share of
    1 - confidence, Bonferroni's; what is left of it is that of the others.

    Args:
        rows: mean changes under resamples that all cells share; row 0 is the sample's.
        found: `two_way` of each cell, (points, classes).
        image_changes: of each image, the mean over seeds of right minus right before.
        labels: the class of each image.
        confidence: one-sided, in (0.5, 1), that every bound holds.

    Source: Romano & Wolf 2005 and Westfall & Young 1993, for the maximum over resamples; Beran
    1988, for one level in place of one critical value, as cells differ in their t.

    Example:
        >>> from prune_fair.fairness import by_class, class_lower_bounds, crossed_means
        >>> values = -(np.random.default_rng(0).uniform(size=(1, 16, 60)) < 0.2).astype(float)
        >>> labels = np.arange(60) % 2
        >>> found, rows = by_class(values, labels, 2), crossed_means(values, labels, 2)
        >>> together = simultaneous_lower_bounds(rows, found, values.mean(axis=1), labels)
        >>> alone = class_lower_bounds(found, values.mean(axis=1), labels)
        >>> bool((together < alone).all())
        True
    """
    spread = rows[1:].std(axis=0)
    share = (1 - confidence) / max(spread.size, 1)
    few = rests_on_few(image_changes, labels, spread.shape[-1])
    told = ~few & (spread > 0) & (found.error > 0)
    level = 1 - share
    if told.any():
        from scipy.special import ndtr

        off = (rows[1:] - rows[0])[:, told] / spread[told]
        worst = np.concatenate([off.max(axis=1), -off.min(axis=1)])
        left = (1 - confidence) - share * few.sum()
        level = min(float(ndtr(np.quantile(worst, 1 - left))), level)
    return bounds_at(found, image_changes, labels, level, 1 - share)


def in_order(
    bounds: Float[np.ndarray, "points classes"], tolerance: float
) -> Bool[np.ndarray, " points"]:
    """Which points are certified to lose at most the tolerance in every class, taken in order.

    Points are looked at in an order that was fixed beforehand, such as from the densest to the
    sparsest, and the first that fails ends it. With bounds of single cells
    (`class_lower_bounds`) at confidence 0.95 any wrong point is certified in at most 5 % of
    studies, without a correction: to pass wrongly, a point's class that loses more has to pass,
    and the first such point in the order has to do so. It is for one technique; of several, each
    takes its share of 1 - confidence. An undefined bound, of a class without images, is left out.

    Args:
        bounds: lower bounds of the changes.
        tolerance: largest loss that is allowed, at least 0.

    Source: Berger 1982, intersection-union tests; Maurer, Hothorn & Lehmacher 1995, tests in a
    fixed order.

    Example:
        >>> bounds = np.array([[-0.01, -0.02], [-0.02, -0.06], [-0.01, -0.03]])
        >>> in_order(bounds, 0.05).tolist()
        [True, False, False]
    """
    known = ~np.isnan(bounds)
    passes = (~known | (bounds >= -tolerance)).all(axis=1) & known.any(axis=1)
    return np.logical_and.accumulate(passes)


class Equivalence(NamedTuple):
    """Tests that a mean change is no more than a margin away from 0.

    Attributes:
        no_harm: p against a loss of the margin or more; small means that less is lost.
        no_gain: p against a gain of the margin or more.
        p: the larger of both; small means that the change is within the margin on both sides.

    Example:
        >>> found = TwoWay(*map(np.array, (-0.01, 0.01, 20.0, 0.0)))
        >>> [round(float(p), 4) for p in equivalence(found, 0.05)]
        [0.0004, 0.0, 0.0004]
    """

    no_harm: Float[np.ndarray, "*shape"]
    no_gain: Float[np.ndarray, "*shape"]
    p: Float[np.ndarray, "*shape"]


def equivalence(found: TwoWay, margin: float) -> Equivalence:
    """Two one-sided t-tests that a mean over seeds and images is within the margin of 0.

    A difference that is not significant is no equivalence: that is what these test. NaN where
    nothing varies; there `class_lower_bounds` has an exact bound.

    Args:
        found: of a change, by `two_way`.
        margin: above 0, in the unit of the change.

    Source: Schuirmann 1987; `statsmodels.stats.weightstats.ttost_paired` for one way.

    Example:
        >>> found = TwoWay(*map(np.array, (-0.045, 0.01, 20.0, 0.0)))
        >>> float(equivalence(found, 0.05).no_harm.round(2))  # no harm is not shown
        0.31
    """
    from scipy.special import stdtr

    error = np.where(found.error > 0, found.error, np.nan)
    no_harm = stdtr(found.freedom, -(found.mean + margin) / error)
    no_gain = stdtr(found.freedom, (found.mean - margin) / error)
    return Equivalence(*map(np.asarray, (no_harm, no_gain, np.maximum(no_harm, no_gain))))
