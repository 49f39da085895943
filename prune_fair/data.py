"""What rooms hand to each other that holds no JAX array, so that reading results imports no JAX."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int, UInt8

SCHEMA_VERSION = 6
SPLITS = VALIDATION, TEST = "validation", "test"  # what is chosen on, what is reported
MEMBERS = ("technique", "seed", "level")  # axes that identify a network
GIVEN = "given:"  # begins the name of what an audit was handed and nobody can load again


class ByImage(NamedTuple):
    """Names of what is known of a split's single images: three arrays, and their axis.

    Groups are known where images have some.

    Example:
        >>> BY_IMAGE["test"].predictions, BY_IMAGE["validation"].label
        ('predictions', 'validation_label')
    """

    predictions: str
    label: str
    image: str
    group: str


BY_IMAGE = {
    VALIDATION: ByImage(
        "validation_predictions", "validation_label", "validation_image", "validation_group"
    ),
    TEST: ByImage("predictions", "image_label", "image", "image_group"),
}


class Dataset(NamedTuple):
    """A classification task as host arrays. Labels are positions in `class_names`.

    Images are bytes, but for floats that an audit is handed for its network, which get them as they
    are. Some have a validation split, which is neither trained on nor reported. Images may belong
    to groups beside their class, positions in `group_names`: then those that are tested or
    validated have one each, and training images one each, none, or -1 for one that is unknown.
    `shifts` name corruptions of the test images, such as `noise@3`, that networks are judged on
    too; those images are made where networks are evaluated.

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
    validation_groups: Int[np.ndarray, " n"] | None = None
    train_groups: Int[np.ndarray, " train"] | None = None
    shifts: tuple[str, ...] = ()

    def part(self, name: str) -> tuple[Any, Any, Any]:
        """Images, labels and groups of `train`, or of one of `SPLITS`; None for what is not there.

        Example:
            >>> from prune_fair.datasets import load
            >>> images, labels, groups = load("digits").part("test")
            >>> images.shape, labels.shape, groups
            ((540, 8, 8, 1), (540,), None)
        """
        return tuple(getattr(self, f"{name}_{kind}") for kind in ("images", "labels", "groups"))

    def with_part(self, name: str, images: Any, labels: Any, groups: Any = None) -> "Dataset":
        """The dataset with these in place of what `part` gives."""
        kinds = {"images": images, "labels": labels, "groups": groups}
        return self._replace(**{f"{name}_{kind}": each for kind, each in kinds.items()})

    @property
    def splits(self) -> tuple[str, ...]:
        """Images that networks are judged on, of `SPLITS`: test, and validation if there."""
        return SPLITS if self.validation_images is not None else (TEST,)

    @property
    def counted(self) -> tuple[str, ...]:
        """All that networks are counted on, in the results' order: `splits`, then `shifts`."""
        return (*self.splits, *self.shifts)

    def train_count(self) -> Int[np.ndarray, " classes"]:
        """How many training images each class has."""
        return np.bincount(self.train_labels, minlength=len(self.class_names))

    def train_group_count(self) -> tuple[int, ...]:
        """How many training images each group has; empty where their groups are not known."""
        if self.train_groups is None:
            return ()
        known = self.train_groups[self.train_groups >= 0]
        return tuple(np.bincount(known, minlength=len(self.group_names)).tolist())


def shift_of(split: str) -> tuple[str, int]:
    """Corruption and severity of a split such as `noise@3`; the split itself and 0 for others.

    Example:
        >>> shift_of("noise@3"), shift_of("test")
        (('noise', 3), ('test', 0))
    """
    corruption, _, severity = split.partition("@")
    return corruption, int(severity or 0)


class Variable(NamedTuple):
    """An array of the results.

    Attributes:
        dims: its axes. With `seed`, then also `technique` and `level`, it is written piece by
            piece; without, once for the study.
        dtype: of its numbers, as NumPy names it.
        missing: what stands where nothing is finished.
        unit: of its numbers, in words.
        description: what it is, in a line.

    Example:
        >>> Variable(("true",), "int32", 0, "images", "of each class").by_piece
        False
    """

    dims: tuple[str, ...]
    dtype: str
    missing: float
    unit: str
    description: str

    @property
    def by_piece(self) -> bool:
        """Whether it is written piece by piece."""
        return "seed" in self.dims
