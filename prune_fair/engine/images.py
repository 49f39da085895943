"""Images as training has them: in device memory, standardised, and shuffled."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int, UInt8, UInt32

from prune_fair.data import Dataset
from prune_fair.types import AnyArray, Images, PRNGKey


class Split(NamedTuple):
    """Images that networks are judged on, their labels, and their groups where they have some."""

    images: UInt8[AnyArray, "n h w c"] | Float32[AnyArray, "n h w c"]
    labels: Int[AnyArray, " n"]
    groups: Int[AnyArray, " n"] | None = None


class DeviceData(NamedTuple):
    """A dataset's images, labels and groups in device memory, shared by all networks.

    Attributes:
        train_images: what networks are trained on.
        train_labels: of these.
        splits: what they are judged on, by name.
        train_groups: of the training images, -1 for one that is not known; None without groups.
    """

    train_images: UInt8[AnyArray, "train h w c"] | Float32[AnyArray, "train h w c"]
    train_labels: Int[AnyArray, " train"]
    splits: dict[str, Split]
    train_groups: Int[AnyArray, " train"] | None = None

    @classmethod
    def of(cls, dataset: Dataset) -> "DeviceData":
        """A dataset's, on the host."""
        splits = {name: Split(*dataset.part(name)) for name in dataset.splits}
        return cls(dataset.train_images, dataset.train_labels, splits, dataset.train_groups)


class Pixels(NamedTuple):
    """How pixels reach a network: mean and deviation to standardise them by, on a scale of 0 to 1.

    Where these are 0 and 1 they stay on that scale; floats stay what they are.
    """

    mean: Float[np.ndarray, "1 1 1 c"]
    deviation: Float[np.ndarray, "1 1 1 c"]

    @classmethod
    def of(cls, dataset: Dataset) -> "Pixels":
        """Those of a dataset's training images; a constant channel gets deviation 1."""
        pixels = dataset.train_images
        mean = pixels.mean(axis=(0, 1, 2), keepdims=True) / 255
        deviation = pixels.std(axis=(0, 1, 2), keepdims=True) / 255
        deviation[deviation == 0] = 1
        return cls(mean.astype(np.float32), deviation.astype(np.float32))

    @classmethod
    def as_they_are(cls, channels: int) -> "Pixels":
        """Nothing is taken off: bytes from 0 to 1."""
        shape = 1, 1, 1, channels
        return cls(np.zeros(shape, np.float32), np.ones(shape, np.float32))

    def normalise(self, images: UInt8[Array, "n h w c"] | Float32[Array, "n h w c"]) -> Images:
        """Images as the network takes them: bytes standardised, floats as they are."""
        if images.dtype != jnp.uint8:
            return images
        return (images.astype(self.mean.dtype) / 255 - self.mean) / self.deviation


def random_order(key: PRNGKey, size: int) -> Int[Array, " size"]:
    """The numbers below `size`, shuffled.

    `jax.random.permutation` sorts pairs of key and value, five times slower on CPU than a sort of
    single integers. So random bits and the value share one integer; where they leave so few random
    bits that ties are to be expected (then the smaller value comes first), sorts follow each other
    as in a radix sort.
    """
    value_bits = max(1, (size - 1).bit_length())
    sorts = max(1, math.ceil(2 * math.log2(size) / (32 - value_bits)))
    values = jnp.arange(size, dtype=jnp.uint32)
    first, *others = jax.random.bits(key, (sorts, size), jnp.uint32)

    def sort_by(bits: UInt32[Array, " size"]) -> Int[Array, " size"]:
        keyed = jax.lax.sort(bits >> value_bits << value_bits | values, is_stable=False)
        return (keyed & (2**value_bits - 1)).astype(jnp.int32)

    order = sort_by(first)
    for bits in others:
        order = order[sort_by(bits)]
    return order
