"""A network that was trained elsewhere, by any library: a pure function behind `types.Model`."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from prune_fair.errors import InputError, check, lookup
from prune_fair.models.lowering import LOWERINGS
from prune_fair.models.naming import PARAMS, Path, get, named_paths, names_params, put
from prune_fair.models.tracing import kernel_leaves, with_convolution
from prune_fair.types import Images, Logits, Model, PRNGKey, State, Variables, leaves_by_path

Apply: TypeAlias = Callable[[PyTree, Images], Logits]
ApplyTrain: TypeAlias = Callable[[PyTree, Images], tuple[Logits, PyTree]]


class Leaf(NamedTuple):
    """A leaf of the tree that was handed over: its path among ours, and whether it is trained."""

    path: Path
    trained: bool


class Given(NamedTuple):
    """An architecture that was handed over.

    Attributes:
        apply: logits of variables and images, in evaluation.
        apply_train: logits and new variables, in training; None where `apply` does for both.
        like: a tree like that of the variables, of shapes.
        leaves: of that tree, in its order.
        layers: paths of what has a kernel, in forward order.
        classes: how many logits it gives.

    Example:
        >>> line = lambda v, images: images.reshape(len(images), -1) @ v["w"]
        >>> network = given(line, {"w": jnp.zeros((64, 10))}, (8, 8, 1))
        >>> network.classes, network.take({"w": jnp.zeros((64, 10))}).state
        (10, {})
    """

    apply: Apply
    apply_train: ApplyTrain | None
    like: PyTree
    leaves: tuple[Leaf, ...]
    layers: tuple[str, ...]
    classes: int

    def take(self, tree: PyTree) -> Variables:
        """`Variables`, named as ours are, from a tree as it was handed over."""
        params: dict[str, Any] = {}
        state: dict[str, Any] = {}
        for (path, trained), leaf in zip(self.leaves, jax.tree.leaves(tree), strict=True):
            if trained:
                put(params, path, leaf)
            else:
                state["/".join(path)] = leaf
        return Variables(params, state)

    def give(self, variables: Variables) -> PyTree:
        """A tree as it was handed over, from `Variables` or a mask and what stands for a state."""
        rebuilt = [
            get(variables.params, path) if trained else variables.state["/".join(path)]
            for path, trained in self.leaves
        ]
        return jax.tree.unflatten(jax.tree.structure(self.like), rebuilt)

    def model(self, lowering: str = "native") -> Model:
        """As pure functions; its convolutions compute as a row of `LOWERINGS` has it."""
        convolution = lookup(LOWERINGS, lowering, "lowering").convolution
        lowered = partial(with_convolution, convolution=convolution)

        def evaluated(variables: Variables, images: Images) -> Logits:
            return lowered(self.apply)(self.give(variables), images).astype(jnp.float32)

        def in_training(variables: Variables, images: Images) -> tuple[Logits, State]:
            if self.apply_train is None:
                return evaluated(variables, images), variables.state
            logits, updated = lowered(self.apply_train)(self.give(variables), images)
            return logits.astype(jnp.float32), self.take(updated).state

        shapes = self.take(self.like).params
        functions = _no_init, evaluated, in_training, _no_statistics
        return Model(*functions, self.layers, shapes, chain=False)


def given(
    apply: Apply,
    variables: PyTree,
    image_shape: tuple[int, int, int],
    apply_train: ApplyTrain | None = None,
) -> Given:
    """A trained network as an architecture whose kernels can be pruned.

    Parameters are the floating-point leaves under "params" where the tree is a mapping that has
    it, those that are `nnx.Param` in an NNX state, and else all of them. Kernels are those of two
    and more dimensions that a product multiplies; the last one in forward order is the output's.

    Args:
        apply: logits (n, classes) of variables and images (n, h, w, c) in evaluation, pure.
        variables: of the trained network, as `apply` takes them.
        image_shape: height, width and channels.
        apply_train: logits and new variables, in training; without it training runs `apply`, and
            what is no parameter, such as BatchNorm's running statistics, stays as it is.

    Raises:
        InputError: where `apply` does not take these variables or images, gives no logits, or
            multiplies no parameter.

    Example:
        >>> line = lambda v, images: v["scale"] * (images.reshape(len(images), -1) @ v["w"])
        >>> given(line, {"w": jnp.zeros((64, 10)), "scale": 1.0}, (8, 8, 1)).layers
        ('w',)
    """
    like = jax.tree.map(_shape, variables)
    images = jax.ShapeDtypeStruct((2, *image_shape), jnp.float32)
    classes = _classes(apply, like, images)
    trained, shapes = _are_trained(variables), jax.tree.leaves(like)
    products = kernel_leaves(apply, like, images)
    kernels = [at for at in products if trained[at] and len(shapes[at].shape) > 1]
    check(
        bool(kernels),
        "this network multiplies none of its parameters: expected some of two or more dimensions "
        "in a product or a convolution, as an argument of `apply` and no constant of it",
    )
    paths, layers = named_paths(variables, trained, kernels)
    leaves = tuple(map(Leaf, paths, trained))
    return Given(apply, apply_train, like, leaves, layers, classes)


def check_alike(variables: PyTree, first: PyTree, source: str) -> None:
    """Raises `InputError` unless a network's variables have the structure and shapes of another's.

    Args:
        variables: of the network.
        first: of the one that says what to expect.
        source: what the network is called.

    Example:
        >>> check_alike({"w": np.zeros(9)}, {"w": np.ones(9)}, "b.npz")  # alike: nothing happens
    """
    found, expected = (
        {path: jnp.shape(leaf) for path, leaf in leaves_by_path(tree).items()}
        for tree in (variables, first)
    )
    for path in dict.fromkeys([*expected, *found]):
        own, other = (side.get(path, "nothing") for side in (found, expected))
        check(
            own == other,
            f"{source}: at {path or 'its root'} it has {own}, the first network {other}; expected "
            "networks of one architecture",
        )
    check(
        jax.tree.structure(variables) == jax.tree.structure(first),
        f"{source}: its tree is {jax.tree.structure(variables)}, unlike the first network's; "
        "expected networks of one architecture",
    )


def _shape(leaf: Any) -> jax.ShapeDtypeStruct:
    dtype = getattr(leaf, "dtype", None) or np.asarray(leaf).dtype
    check(
        jnp.issubdtype(dtype, np.number) or jnp.issubdtype(dtype, np.bool_),
        f"variables hold a leaf of type {dtype}: expected numbers; leave random keys to `apply`",
    )
    return jax.ShapeDtypeStruct(jnp.shape(leaf), jax.dtypes.canonicalize_dtype(dtype))


def _classes(apply: Apply, like: PyTree, images: jax.ShapeDtypeStruct) -> int:
    """The width of the network's logits."""
    height, width, channels = images.shape[1:]
    asked = f"these variables and images (n, {height}, {width}, {channels})"
    try:
        logits = jax.eval_shape(apply, like, images)
    except Exception as error:  # whatever a user's function raises
        reason = " ".join(str(error).split())
        raise InputError(
            f"`apply` fails for {asked}: {type(error).__name__}: {reason[:300]}; expected the "
            "variables that it was trained with, and images of that shape"
        ) from error
    shape = getattr(logits, "shape", None)
    check(
        shape is not None and len(shape) == 2 and shape[0] == images.shape[0] and shape[1] > 1,
        f"`apply` gives {shape or type(logits).__name__} for {asked} of n = {images.shape[0]}; "
        "expected logits (n, classes) and nothing else",
    )
    return shape[1]  # pyright: ignore[reportOptionalSubscript]


def _are_trained(variables: PyTree) -> list[bool]:
    """Which leaves are parameters."""
    from flax import nnx  # half a second that studies of our own architectures need not wait

    named, flags = names_params(variables), []
    parts = jax.tree_util.tree_leaves_with_path(
        variables, is_leaf=lambda part: isinstance(part, nnx.Variable)
    )
    for path, part in parts:
        inside = not named or path[0] == jax.tree_util.DictKey(PARAMS)
        is_param = inside and (isinstance(part, nnx.Param) or not isinstance(part, nnx.Variable))
        flags += [
            is_param and bool(jnp.issubdtype(_shape(leaf).dtype, jnp.floating))
            for leaf in jax.tree.leaves(part)
        ]
    return flags


def _no_init(key: PRNGKey) -> Variables:
    raise NotImplementedError("a handed-over network has no initialisation")


def _no_statistics(variables: Variables, images: Images) -> State:
    raise NotImplementedError("a handed-over network's running statistics are not taken anew")
