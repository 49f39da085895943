"""The crossed bootstrap: seeds and test images resampled independently, means by class.

For what has no formula of its own: the smallest of the classes' means, a difference between
techniques, a hypervolume. Rows of resampled means, row 0 the sample's; whatever is computed of
each row is resampled too.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from prune_fair.fairness.statistics import RESAMPLES, bootstrap_weights
from prune_fair.fairness.two_way import TwoWay, two_way

IMAGES_SEED = 1  # of the images' draws, which those of seeds know nothing of
LIMIT = 0.975


def image_weights(
    labels: Int[np.ndarray, " images"], resamples: int = RESAMPLES, random_seed: int = IMAGES_SEED
) -> Float[np.ndarray, "rows images"]:
    """Weights of each image in the mean of its class, in each resample; row 0 is the sample.

    Images are drawn within their class, as many as it has: sizes of classes were chosen, not
    drawn. The weights of a class add up to 1. Not to be written to.

    Args:
        labels: the class of each image, from 0 on.
        resamples: how many rows after the first.
        random_seed: of the draws.

    Source: Efron & Tibshirani 1993, chapter 8, samples of several populations.

    Example:
        >>> image_weights(np.array([0, 0, 1]), resamples=2)[0].tolist()
        [0.5, 0.5, 1.0]
    """
    return _image_weights(labels.astype(np.int64).tobytes(), resamples, random_seed)


@lru_cache(maxsize=4)
def _image_weights(
    labels_as_bytes: bytes, resamples: int, random_seed: int
) -> Float[np.ndarray, "rows images"]:
    """The same, drawn once for all points of a task."""
    labels = np.frombuffer(labels_as_bytes, np.int64)
    weights = np.zeros((resamples + 1, len(labels)))
    for true in np.unique(labels):
        own = np.flatnonzero(labels == true)
        drawn = np.random.default_rng((random_seed, int(true))).multinomial(
            len(own), np.full(len(own), 1 / len(own)), size=resamples
        )
        weights[:, own] = np.vstack([np.ones(len(own)), drawn]) / len(own)
    weights.flags.writeable = False
    return weights


def by_class(
    values: Float[np.ndarray, "*shape seeds images"],
    labels: Int[np.ndarray, " images"],
    classes: int,
    error_of: Callable[[np.ndarray], TwoWay] = two_way,
) -> TwoWay:
    """`two_way` of the images of each class, (*shape, classes); NaN for a class without images.

    Args:
        values: of S seeds and I images.
        labels: the class of each image.
        classes: how many there are.
        error_of: `two_way`, or `over_images` for the error of images alone.

    Example:
        >>> values = np.array([[1.0, 0, 1], [0, 0, 1], [0, 0, 1]])
        >>> by_class(values, np.array([0, 0, 1]), 2).mean.round(3).tolist()
        [0.167, 1.0]
    """
    present, unknown = np.isin(np.arange(classes), labels), np.full(values.shape[:-2], np.nan)
    found = [
        error_of(values[..., labels == true]) if present[true] else TwoWay(*[unknown] * 4)
        for true in range(classes)
    ]
    return TwoWay(*(np.stack(part, axis=-1) for part in zip(*found, strict=True)))


def crossed_means(
    values: Float[np.ndarray, "*shape seeds images"],
    labels: Int[np.ndarray, " images"],
    classes: int,
    seed_weights: Float[np.ndarray, "rows seeds"] | None = None,
    weights: Float[np.ndarray, "rows images"] | None = None,
) -> Float[np.ndarray, "rows *shape classes"]:
    """Means by class over resampled seeds and, independently, resampled images.

    A resample's mean is the sample's, and how far its seeds and how far its images move it, each
    alone: the bootstrap of both at once, but for the product of the two. The same draws serve all
    points, so that differences between them are paired. Their variance is V(seeds) / S +
    V(images) / I, where `two_way` takes V(rest) / (S I) off: what is left of seed and image counts
    twice, and the seeds' part falls short by (S - 1) / S. `scaled` mends both.

    Args:
        values: of points, each of S networks and I images, such as right minus right before.
        labels: the class of each image.
        classes: how many; one without images has NaN.
        seed_weights: by default `bootstrap_weights`.
        weights: of images, by default `image_weights`.

    Source: Owen 2007, the pigeonhole bootstrap; Owen & Eckles 2012. Ours: without their product,
    which costs a hundred times as much, counts the rest a third time, and covers no better
    (`experiments/benchmarks/coverage.py` of both).

    Example:
        >>> values = np.array([[1.0, 0, 1], [0, 0, 1]])
        >>> crossed_means(values, np.array([0, 0, 1]), 2)[0].tolist()
        [0.25, 1.0]
    """
    if seed_weights is None:
        rows = RESAMPLES if weights is None else len(weights) - 1
        seed_weights = bootstrap_weights(values.shape[-2], rows)
    weights = image_weights(labels, len(seed_weights) - 1) if weights is None else weights
    means = np.full((len(weights), *values.shape[:-2], classes), np.nan)
    for true in np.unique(labels):
        own = labels == true
        by_seed, by_image = (values[..., own].mean(axis=axis) for axis in (-1, -2))
        moved = by_seed @ seed_weights.T + by_image @ weights[:, own].T
        means[..., true] = np.moveaxis(moved - by_image.mean(axis=-1)[..., None], -1, 0)
    return means


def scaled(
    rows: Float[np.ndarray, "rows *shape"], found: TwoWay
) -> Float[np.ndarray, "rows *shape"]:
    """Resampled means, spread around the sample's as the error of `two_way` says.

    Each mean's rows are stretched to the standard deviation error * t / z, of the 97.5 % quantiles
    of t with the error's degrees of freedom and of the normal: percentiles of few seeds would
    stand for those of the normal. What a row is of several means stays together. Means that do not
    vary are left.

    Args:
        rows: of `crossed_means`; row 0 is the sample's.
        found: `two_way` of each of these means.

    Source: ours.

    Example:
        >>> found = TwoWay(*map(np.array, (0.5, 0.1, 1e9, 0.0)))
        >>> float(scaled(np.array([0.5, 0.4, 0.6]), found)[1:].std().round(3))
        0.1
    """
    from scipy.special import ndtri, stdtrit

    wanted = found.error * stdtrit(found.freedom, LIMIT) / ndtri(LIMIT)
    spread = rows[1:].std(axis=0)
    varies = (spread > 1e-12) & np.isfinite(wanted)
    factor = np.where(varies, wanted, 1.0) / np.where(varies, spread, 1.0)
    return rows[0] + (rows - rows[0]) * factor
