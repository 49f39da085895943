"""How hard the classes of a dataset look, measured on the training images alone.

Each measure is a function from a `Dataset` to one number a class, higher for the more complex, NaN
for a class without training images. Images and labels are those that are trained on, after every
transform. Large sets are sampled by a fixed draw, so a dataset always gives the same numbers.
"""

import zlib
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int, UInt8

from prune_fair.data import Dataset

IMAGES_A_CLASS = 500
NEIGHBOUR_IMAGES = 5000
BALANCED_DRAWS = 20
ZLIB_LEVEL = 6
BLOCK = 500  # images whose distances to all others are held at a time


def mean_image_entropy(dataset: Dataset) -> Float[np.ndarray, " classes"]:
    """Shannon entropy in bits (0 to 8) of an image's pixel values, mean over the class.

    The histogram has 256 bins, and takes the channels of an image together. Of a class with more
    than `IMAGES_A_CLASS` images, that many are drawn.

    Source: Shannon 1948; as a complexity of image data, Rahane and Subramanian 2020, arXiv
    2008.04431.
    """
    return _class_mean_of_images(dataset, _entropy)


def compressed_size(dataset: Dataset) -> Float[np.ndarray, " classes"]:
    """Bytes of an image compressed by zlib, as a fraction of its raw bytes, mean over the class.

    Images of a few dozen bytes carry zlib's header of some 8 bytes: above 1 is possible. Of a class
    with more than `IMAGES_A_CLASS` images, that many are drawn.

    Source: Yu and Winkler 2013, Image complexity and spatial information (compression ratio).
    """
    return _class_mean_of_images(dataset, _compressed)


def neighbour_disagreement(dataset: Dataset) -> Float[np.ndarray, " classes"]:
    """Share of the class's images whose nearest other image has another label.

    Nearest by L2 on pixels, the first image where several are equally near. Of more than
    `NEIGHBOUR_IMAGES` images, about that many are drawn, each class by its share (rounded up). A
    rare class has fewer of its own near by: this measure is not free of imbalance.

    Source: Ho and Basu 2002 (N3, leave-one-out error of 1-NN), for each class.
    """
    counts = dataset.train_count()
    share = min(1.0, NEIGHBOUR_IMAGES / max(1, counts.sum()))
    return _disagreement(dataset, np.ceil(counts * share).astype(int))


def balanced_neighbour_disagreement(dataset: Dataset) -> Float[np.ndarray, " classes"]:
    """`neighbour_disagreement` among as many images of each class, so free of imbalance.

    Drawn anew up to `BALANCED_DRAWS` times, and averaged: as many images of each class as the
    rarest has (2 to `IMAGES_A_CLASS`; all of a class with fewer), until `NEIGHBOUR_IMAGES` in all.
    Figures of datasets with another rarest class are not on one scale.

    Source: N3 as above; the balanced draws are ours.
    """
    counts = dataset.train_count()
    each = np.clip(counts[counts > 0].min(initial=IMAGES_A_CLASS), 2, IMAGES_A_CLASS)
    wanted = np.minimum(counts, each)
    draws = int(np.clip(NEIGHBOUR_IMAGES // max(1, wanted.sum()), 1, BALANCED_DRAWS))
    return np.mean([_disagreement(dataset, wanted, seed) for seed in range(draws)], axis=0)


COMPLEXITY: dict[str, Callable[[Dataset], Float[np.ndarray, " classes"]]] = {
    "mean_image_entropy": mean_image_entropy,
    "compressed_size": compressed_size,
    "neighbour_disagreement": neighbour_disagreement,
    "balanced_neighbour_disagreement": balanced_neighbour_disagreement,
}


def class_complexity(dataset: Dataset) -> dict[str, Float[np.ndarray, " classes"]]:
    """Every row of `COMPLEXITY` for each class.

    Images of floats are measured as bytes, from the smallest of all their pixels to the largest.

    Example:
        >>> from prune_fair.datasets import load
        >>> bool(class_complexity(load("digits"))["neighbour_disagreement"][0] == 0)
        True
    """
    pixels = dataset.train_images
    if pixels.dtype != np.uint8:
        low = pixels.min()
        scaled = (pixels - low) * (255 / max(pixels.max() - low, np.finfo(np.float32).tiny))
        dataset = dataset._replace(train_images=np.rint(scaled).astype(np.uint8))
    return {name: measure(dataset) for name, measure in COMPLEXITY.items()}


def _class_mean_of_images(
    dataset: Dataset, of_image: Callable[[UInt8[np.ndarray, "h w c"]], float]
) -> Float[np.ndarray, " classes"]:
    counts = dataset.train_count()
    rows = _drawn(dataset.train_labels, np.minimum(counts, IMAGES_A_CLASS))
    values = np.array([of_image(image) for image in dataset.train_images[rows]], float)
    return _class_mean(values, dataset.train_labels[rows], len(counts))


def _disagreement(
    dataset: Dataset, counts: Int[np.ndarray, " classes"], seed: int = 0
) -> Float[np.ndarray, " classes"]:
    """Share of drawn images whose nearest other drawn image has another label, by class."""
    rows = _drawn(dataset.train_labels, counts, seed)
    labels = dataset.train_labels[rows]
    neighbours = labels[_nearest(dataset.train_images[rows])]
    return _class_mean(neighbours != labels, labels, len(counts))


def _class_mean(
    values: np.ndarray, labels: Int[np.ndarray, " n"], classes: int
) -> Float[np.ndarray, " classes"]:
    """Mean by class; NaN for a class without values."""
    counts = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, values, minlength=classes)
    return np.divide(sums, counts, out=np.full(classes, np.nan), where=counts > 0)


def _entropy(image: UInt8[np.ndarray, "h w c"]) -> float:
    counts = np.bincount(image.ravel())
    share = counts[counts > 0] / image.size
    return float(-(share * np.log2(share)).sum()) + 0.0  # -0.0 of a constant image is 0.0


def _compressed(image: UInt8[np.ndarray, "h w c"]) -> float:
    return len(zlib.compress(image.tobytes(), ZLIB_LEVEL)) / image.nbytes


def _drawn(
    labels: Int[np.ndarray, " n"], counts: Int[np.ndarray, " classes"], seed: int = 0
) -> Int[np.ndarray, " drawn"]:
    """Rows of so many images of each class, in their order; all of a class that has no more.

    Each class has a draw by its own images, so what another is called or has changes nothing.
    """
    rows = [
        np.random.default_rng(seed).permutation(np.flatnonzero(labels == label))[:count]
        for label, count in enumerate(counts)
    ]
    return np.sort(np.concatenate(rows))


def _nearest(images: UInt8[np.ndarray, "n h w c"]) -> Int[np.ndarray, " n"]:
    """The row of each image's nearest other, by L2. Squares of integers are exact in float64."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    squares = (flat**2).sum(axis=1)
    nearest = np.empty(len(images), int)
    for first in range(0, len(flat), BLOCK):
        block = np.arange(first, min(first + BLOCK, len(flat)))
        distances = squares - 2 * flat[block] @ flat.T  # less the own square, the same in a row
        distances[np.arange(len(block)), block] = np.inf
        nearest[block] = distances.argmin(axis=1)
    return nearest
