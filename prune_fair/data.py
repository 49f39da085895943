"""What rooms hand to each other that holds no JAX array, so that reading results imports no JAX."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int, UInt8

SCHEMA_VERSION = 5
SPLITS = VALIDATION, TEST = "validation", "test"  # what is chosen on, what is reported
GIVEN = "given:"  # begins the name of what an audit was handed and nobody can load again


class Dataset(NamedTuple):
    """A classification task as host arrays. Labels are positions in `class_names`.

    Images are bytes, but for floats that an audit is handed for its network, which get them as they
    are. Test images may belong to groups beside their class; then `test_groups` are positions in
    `group_names`. Some have a validation split, which is neither trained on nor reported.

    Example:
        >>> images, labels = np.zeros((3, 8, 8, 1), np.uint8), np.array([0, 1, 1])
        >>> Dataset(images, labels, images, labels, ("cat", "dog")).train_count()
        array([1, 2])
    """

    train_images: UInt8[np.ndarray, "train h w c"] | Float32[np.ndarray, "train h w c"]
    train_labels: Int[np.ndarray, " train"]
    test_images: UInt8[np.ndarray, "test h w c"] | Float32[np.ndarray, "test h w c"]
    test_labels: Int[np.ndarray, " test"]
    class_names: tuple[str, ...]
    test_groups: Int[np.ndarray, " test"] | None = None
    group_names: tuple[str, ...] = ()
    validation_images: UInt8[np.ndarray, "n h w c"] | Float32[np.ndarray, "n h w c"] | None = None
    validation_labels: Int[np.ndarray, " n"] | None = None

    def train_count(self) -> Int[np.ndarray, " classes"]:
        """How many training images each class has."""
        return np.bincount(self.train_labels, minlength=len(self.class_names))
