"""Calibration: whether probabilities are as high as how often they are right.

Pure functions of sums by bin, as a study counts them, of any networks and classes at once. What is
undefined, such as of a class without images, is NaN.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

BINS = 15
TEMPERATURES = 2.0 ** np.linspace(-2, 3, 11)  # from 1/4 to 8, half an octave apart
TEMPERATURES.flags.writeable = False
WORST = {"ece": 1.0, "gap": 1.0, "brier": 2.0}  # of a network that is certain and always wrong
STEP = 0.5  # octaves between two
NEAREST = 4  # points of a cubic


class Reliability(NamedTuple):
    """Sums by bin of a probability, the bins along the last axis.

    Attributes:
        images: how many probabilities lie in the bin.
        hits: how many of these came true: top predictions that are right, images of the class.
        probability: the sum of these.

    Example:
        >>> found = reliability(np.array([0.95, 0.99, 0.6]), np.array([True, False, True]))
        >>> found.images[[8, 14]].tolist(), found.hits[[8, 14]].tolist()
        ([1.0, 2.0], [1.0, 1.0])
    """

    images: Float[np.ndarray, "*shape bins"]
    hits: Float[np.ndarray, "*shape bins"]
    probability: Float[np.ndarray, "*shape bins"]


def reliability(
    probability: Float[np.ndarray, " n"], hit: Bool[np.ndarray, " n"], bins: int = BINS
) -> Reliability:
    """Sums of single probabilities by equal-width bins (b/bins, (b+1)/bins], 0 in the first.

    Args:
        probability: of each image: its top one, or that of one class.
        hit: whether that came true.
        bins: how many there are.

    Source: Guo et al. 2017, "On calibration of modern neural networks", section 2.

    Example:
        >>> found = reliability(np.array([0.25, 0.75]), np.array([False, True]), bins=2)
        >>> found.probability.tolist()
        [0.25, 0.75]
    """
    place = np.clip(np.ceil(probability * bins).astype(int) - 1, 0, bins - 1)
    weights = np.ones(len(probability)), hit.astype(float), probability
    return Reliability(*(np.bincount(place, each, minlength=bins) for each in weights))


def calibration_error(sums: Reliability) -> Float[np.ndarray, "*shape"]:
    """The expected calibration error (ECE), in [0, 1]: how far hits are from what was promised.

    The mean over images of the distance, within a bin, between the share of hits and the mean
    probability. Of the top probability it is the ECE of Guo et al.; of one class's probability
    that class's part of the class-wise ECE of Kull et al., whose mean over classes that is. Too few
    images raise it: chance alone leaves hits and promises apart.

    Source: Naeini et al. 2015; Guo et al. 2017, equation 3; Kull et al. 2019, arXiv 1910.12656.

    Example:
        >>> found = reliability(np.array([0.95, 0.99, 0.6]), np.array([True, False, True]))
        >>> round(float(calibration_error(found)), 3)  # (|1 - 1.94| + |1 - 0.6|) / 3
        0.447
    """
    return _by_image(np.abs(sums.hits - sums.probability), sums.images)


def confidence_gap(sums: Reliability) -> Float[np.ndarray, "*shape"]:
    """Mean confidence minus accuracy, in [-1, 1]: above 0 a network is overconfident.

    Source: Guo et al. 2017, section 2, over all bins together and with its sign.

    Example:
        >>> found = reliability(np.array([0.95, 0.99, 0.6]), np.array([True, False, True]))
        >>> round(float(confidence_gap(found)), 3)
        0.18
    """
    return _by_image(sums.probability - sums.hits, sums.images)


def mean_score(
    total: Float[np.ndarray, "*shape"], images: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """A sum over images by their number; NaN where there are none.

    Of Brier scores it is the Brier score, in [0, 2], the squared distance between the probabilities
    and the true class, as the sum over all classes; of negative log-likelihoods the NLL, in nats.

    Source: Brier 1950; Guo et al. 2017, equation 6, of the NLL.

    Example:
        >>> mean_score(np.array([3.0, 0.0]), np.array([6.0, 0.0])).tolist()
        [0.5, nan]
    """
    total, images = np.broadcast_arrays(np.asarray(total, float), images)
    return np.divide(total, images, out=np.full(total.shape, np.nan), where=images > 0)


def best_temperature(losses: Float[np.ndarray, "*shape temperatures"]) -> np.ndarray:
    """The temperature that logits are best divided by, of the losses at each of `TEMPERATURES`.

    The least of the parabola in log T through the least loss and its two neighbours: within 4 % of
    the temperature that a search without a grid finds, and within 0.1 % of its loss, in simulated
    networks. At an end of the grid, 1/4 or 8, it is that end: the best one may lie beyond. NaN
    where a loss is not finite.

    Args:
        losses: sums or means over validation images of the negative log-likelihood.

    Source: Guo et al. 2017, section 4.2, who search without a grid.

    Example:
        >>> losses = (np.log2(TEMPERATURES) - 0.3) ** 2
        >>> round(float(best_temperature(losses)), 3), round(2**0.3, 3)
        (1.231, 1.231)
    """
    known = np.asarray(np.isfinite(losses).all(axis=-1))
    losses = np.where(known[..., None], losses, 0.0)
    least, last = losses.argmin(axis=-1), len(TEMPERATURES) - 1
    middle = np.clip(least, 1, last - 1)[..., None]
    before, at, after = (
        np.take_along_axis(losses, middle + step, axis=-1)[..., 0] for step in (-1, 0, 1)
    )
    bend, slope = before - 2 * at + after, (before - after) / 2
    step = np.divide(slope, bend, out=np.zeros_like(bend), where=bend > 0)
    inner = (least > 0) & (least < last)
    place = least + np.where(inner, np.clip(step, -1, 1), 0)
    return np.where(known, TEMPERATURES[0] * 2 ** (place * STEP), np.nan)


def at_temperature(
    losses: Float[np.ndarray, "*shape temperatures"], temperature: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """The loss at a temperature, by the cubic in log T through the four nearest of the grid.

    Args:
        losses: at each of `TEMPERATURES`.
        temperature: from 1/4 to 8; NaN gives NaN.

    Example:
        >>> losses = np.square(np.log2(TEMPERATURES) - 0.3)
        >>> round(float(at_temperature(losses, np.array(2**1.3))), 3)
        1.0
    """
    place = np.asarray(np.log2(np.nan_to_num(temperature, nan=1.0) / TEMPERATURES[0]) / STEP)
    first = np.clip(np.floor(place).astype(int) - 1, 0, len(TEMPERATURES) - NEAREST)
    value, losses = np.zeros(place.shape), np.where(np.isfinite(losses), losses, np.nan)
    for one in range(NEAREST):
        weight = np.ones(place.shape)
        for other in range(NEAREST):
            if other != one:
                weight = weight * (place - first - other) / (one - other)
        value = value + weight * np.take_along_axis(losses, (first + one)[..., None], -1)[..., 0]
    return np.where(np.isnan(temperature), np.nan, value)


def _by_image(by_bin: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Sums over bins by the number of images."""
    total, count = (np.asarray(each.sum(axis=-1)) for each in (by_bin, images))
    return mean_score(total, count)
