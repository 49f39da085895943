"""What the rooms that compute hand to each other; `prune_fair.data` has what needs no JAX."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

import jax
import numpy as np
from jax.tree_util import KeyPath
from jaxtyping import Array, Bool, Float, Int, Key, PyTree

AnyArray: TypeAlias = Array | np.ndarray  # on a device or on the host
Params: TypeAlias = PyTree[Float[AnyArray, "..."]]
State: TypeAlias = PyTree[Float[AnyArray, "..."]]
Mask: TypeAlias = PyTree[Bool[AnyArray, "..."]]
Scores: TypeAlias = PyTree[Float[AnyArray, "..."]]
PRNGKey: TypeAlias = Key[Array, ""]
Images: TypeAlias = Float[Array, "n h w c"]
Logits: TypeAlias = Float[Array, "n classes"]
Tree = TypeVar("Tree")


class Batch(NamedTuple):
    """Images as the network sees them (normalised floats) and their labels; or a stack of such.

    Groups are those of the images, -1 where one is not known; None where training images have none.

    Example:
        >>> Batch(jax.numpy.zeros((2, 8, 8, 1)), jax.numpy.array([0, 1])).images.shape
        (2, 8, 8, 1)
    """

    images: Float[Array, "*n h w c"]
    labels: Int[Array, "*n"]
    groups: Int[Array, "*n"] | None = None


class Variables(NamedTuple):
    """All numbers of one network.

    Attributes:
        params: what an optimiser trains and a mask may remove.
        state: running statistics of BatchNorm, which training updates beside; `{}` without.

    Example:
        >>> Variables({"bias": jax.numpy.zeros(2)}, {}).state
        {}
    """

    params: Params
    state: State


class Model(NamedTuple):
    """An architecture as pure functions.

    Attributes:
        init: fresh variables from a key.
        apply: logits in evaluation, by the running statistics.
        apply_train: logits in training, by the statistics of these images, and the state with the
            running statistics moved towards them.
        statistics: the state that these images alone would give.
        layers: paths of the layers that have a kernel ("dense_0", "block_0/conv_0"), in forward
            order. The last one is the output layer, whose output channels are the classes.
        shapes: of the parameters, a tree as `init` gives it.
        chain: whether each layer reads the one before it and no other, so that its channels can
            be removed whole.
        transposed: layers whose kernels are kept transposed while they train, for the sake of speed
            alone: what goes in and comes out of a training is as `init` gives it.

    Example:
        >>> from prune_fair.models import build
        >>> model = build("mlp", (8, 8, 1), 10)
        >>> model.apply(model.init(jax.random.key(0)), jax.numpy.zeros((2, 8, 8, 1))).shape
        (2, 10)
    """

    init: Callable[[PRNGKey], Variables]
    apply: Callable[[Variables, Images], Logits]
    apply_train: Callable[[Variables, Images], tuple[Logits, State]]
    statistics: Callable[[Variables, Images], State]
    layers: tuple[str, ...]
    shapes: PyTree[jax.ShapeDtypeStruct]
    chain: bool = True
    transposed: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """How many numbers a mask may remove; running statistics are not counted."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.shapes))

    def arranged(self, tree: Tree) -> Tree:
        """Any tree of kernels as training keeps them: those of `transposed` transposed.

        Its own inverse.
        """
        kernels = tuple(f"/{layer}/kernel" for layer in self.transposed)

        def arrange(path: KeyPath, leaf: Array) -> Array:
            return leaf.mT if f"/{path_name(path)}".endswith(kernels) else leaf

        return jax.tree.map_with_path(arrange, tree) if kernels else tree

    def in_evaluation(self, state: State) -> Callable[[Params, Images], Logits]:
        """`apply` as a function of the parameters alone, by these running statistics."""
        return lambda params, images: self.apply(Variables(params, state), images)


class Network(NamedTuple):
    """One network as a pruning criterion sees it.

    Attributes:
        apply: logits in evaluation, by the running statistics that training left: gradients for
            scores are taken through these, so that no image's score hangs on its batch.
        params: trained parameters; removed weights are zero.
        mask: what remains before this pruning.
        initial: the parameters of its initialisation, none removed.
        apply_initial: `apply` by the running statistics of the initialisation.
        loss: of each image of a batch, from logits and the batch: what it is trained with.
        weight_decay: of its training.

    Example:
        >>> from prune_fair.pruning import CRITERIA
        >>> params = {"kernel": jax.numpy.array([0.5, -2.0])}
        >>> nothing = lambda *arguments: None
        >>> network = Network(nothing, params, {}, params, nothing, nothing)
        >>> batch = Batch(jax.numpy.zeros((1, 8, 8, 1)), jax.numpy.array([0]))
        >>> CRITERIA["magnitude"].scores(network, batch, jax.random.key(0))["kernel"].tolist()
        [0.5, 2.0]
    """

    apply: Callable[[Params, Images], Logits]
    params: Params
    mask: Mask
    initial: Params
    apply_initial: Callable[[Params, Images], Logits]
    loss: Callable[[Logits, Batch], Float[Array, " n"]]
    weight_decay: float = 0.0


def leaves_by_path(tree: PyTree) -> dict[str, Any]:
    """Leaves by path, "dense_0/kernel" for the kernel of layer "dense_0".

    Example:
        >>> leaves_by_path({"dense_0": {"kernel": 1}, "norms": [2]})
        {'dense_0/kernel': 1, 'norms/0': 2}
    """
    return {path_name(path): leaf for path, leaf in jax.tree.leaves_with_path(tree)}


def path_name(path: KeyPath) -> str:
    """A leaf's path as JAX gives it, in words: "dense_0/kernel".

    Example:
        >>> [(path, _)] = jax.tree.leaves_with_path({"dense_0": {"kernel": 1}})
        >>> path_name(path)
        'dense_0/kernel'
    """
    return jax.tree_util.keystr(path, simple=True, separator="/")
