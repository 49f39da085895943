"""Confusion counts: of what networks say of images, and of a network that classifies nothing."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int, Integer


def all_wrong(confusion: Int[Any, "*networks classes classes"]) -> Any:
    """The counts of a network that classifies nothing: each class's images, under the next class.

    What a diverged network gives for `argmax` is an accident; counted so, it is a failure of
    every class, and each class still has its images. Applying it twice changes nothing more.

    Source: ours.

    Example:
        >>> all_wrong(np.array([[3, 1], [0, 4]])).tolist()
        [[0, 4], [4, 0]]
    """
    classes = confusion.shape[-1]
    following = np.roll(np.eye(classes, dtype=np.int32), 1, axis=1)
    return confusion.sum(axis=-1, keepdims=True) * np.broadcast_to(following, confusion.shape)


def weighted_confusions(
    said: Integer[np.ndarray, "networks images"],
    labels: Int[np.ndarray, " images"],
    classes: int,
    weights: Float[np.ndarray, "rows images"],
) -> Float[np.ndarray, "rows networks classes classes"]:
    """Confusions of networks, counted from the classes that they give images.

    Args:
        said: the class that each network gives each image; one that is no class counts nowhere.
        labels: the class of each image.
        classes: how many there are.
        weights: how often each image counts: a row of ones, or of draws with replacement.

    Returns:
        Whole numbers below 2^24 are exact.

    Source: the definition of a confusion matrix.

    Example:
        >>> said, labels = np.array([[0, 1, 1]]), np.array([0, 0, 1])
        >>> weighted_confusions(said, labels, 2, np.array([[1.0, 1, 1]]))[0, 0].tolist()
        [[1.0, 1.0], [0.0, 1.0]]
    """
    counts = np.zeros((len(weights), len(said), classes, classes), np.float32)
    for true in np.unique(labels):
        own = labels == true
        shown = said[:, own, None] == np.arange(classes)
        flat = shown.transpose(1, 0, 2).reshape(np.count_nonzero(own), -1).astype(np.float32)
        drawn = weights[:, own].astype(np.float32) @ flat
        counts[:, :, true] = drawn.reshape(len(weights), len(said), classes)
    return counts


def weighted_group_confusions(
    said: Integer[np.ndarray, "networks images"],
    labels: Int[np.ndarray, " images"],
    classes: int,
    weights: Float[np.ndarray, "rows images"],
    groups: Int[np.ndarray, " images"],
    number: int,
) -> Float[np.ndarray, "rows networks groups classes classes"]:
    """`weighted_confusions` of the images of each group.

    Args:
        said: the class that each network gives each image.
        labels: the class of each image.
        classes: how many there are.
        weights: how often each image counts.
        groups: the group of each image.
        number: of groups.

    Source: as `weighted_confusions`.

    Example:
        >>> said, labels, groups = np.array([[0, 1, 1]]), np.array([0, 0, 1]), np.array([0, 1, 1])
        >>> once = np.ones((1, 3))
        >>> weighted_group_confusions(said, labels, 2, once, groups, 2)[0, 0].tolist()
        [[[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]]
    """
    own = (weights * (groups == group) for group in range(number))
    return np.stack([weighted_confusions(said, labels, classes, each) for each in own], axis=2)
