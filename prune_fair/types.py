"""What the rooms hand to each other."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key, PyTree, UInt8

SCHEMA_VERSION = 2

AnyArray: TypeAlias = Array | np.ndarray  # on a device or on the host
Params: TypeAlias = PyTree[Float[AnyArray, "..."]]
Mask: TypeAlias = PyTree[Bool[AnyArray, "..."]]
Scores: TypeAlias = PyTree[Float[AnyArray, "..."]]
PRNGKey: TypeAlias = Key[Array, ""]
Images: TypeAlias = Float[Array, "n h w c"]
Logits: TypeAlias = Float[Array, "n classes"]


class Dataset(NamedTuple):
    """A classification task as host arrays. Labels are positions in `class_names`.

    Test images may belong to groups beside their class; then `test_groups` are positions in
    `group_names`.
    """

    train_images: UInt8[np.ndarray, "train h w c"]
    train_labels: Int[np.ndarray, " train"]
    test_images: UInt8[np.ndarray, "test h w c"]
    test_labels: Int[np.ndarray, " test"]
    class_names: tuple[str, ...]
    test_groups: Int[np.ndarray, " test"] | None = None
    group_names: tuple[str, ...] = ()

    def train_count(self) -> Int[np.ndarray, " classes"]:
        """How many training images each class has."""
        return np.bincount(self.train_labels, minlength=len(self.class_names))


class Batch(NamedTuple):
    """Images as the network sees them (normalised floats) and their labels; or a stack of such."""

    images: Float[Array, "*n h w c"]
    labels: Int[Array, "*n"]


class Model(NamedTuple):
    """An architecture as pure functions.

    Attributes:
        init: fresh parameters from a key.
        apply: logits from parameters and images.
        layers: paths of the layers that have a kernel ("dense_0"), in forward order. The last one
            is the output layer, whose output channels are the classes.
        shapes: of the parameters, a tree as `init` gives it.
    """

    init: Callable[[PRNGKey], Params]
    apply: Callable[[Params, Images], Logits]
    layers: tuple[str, ...]
    shapes: PyTree[jax.ShapeDtypeStruct]

    @property
    def parameters(self) -> int:
        """How many numbers `init` gives."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.shapes))


class Network(NamedTuple):
    """One network as a pruning criterion sees it.

    Attributes:
        apply: logits from parameters and images.
        params: trained parameters; removed weights are zero.
        mask: what remains before this pruning.
        initial: the parameters of its initialisation, none removed.
        weight_decay: of its training.
    """

    apply: Callable[[Params, Images], Logits]
    params: Params
    mask: Mask
    initial: Params
    weight_decay: float = 0.0
