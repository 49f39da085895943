"""Architectures, one Flax Linen module a file, behind the pure functions of `types.Model`."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from prune_fair.errors import check, lookup
from prune_fair.models.alexnet import AlexNet
from prune_fair.models.given import Apply, ApplyTrain, Given, check_alike, given
from prune_fair.models.lenet5 import LeNet5
from prune_fair.models.lowering import LOWERINGS, Lowering, banded_convolution, kernel_major_dot
from prune_fair.models.mlp import MLP
from prune_fair.models.resnet18 import ResNet18
from prune_fair.models.vgg11 import VGG11
from prune_fair.models.vit import ViT
from prune_fair.types import Images, Logits, Model, PRNGKey, State, Variables

__all__ = [
    "LOWERINGS",
    "MODELS",
    "Apply",
    "ApplyTrain",
    "Given",
    "Lowering",
    "banded_convolution",
    "build",
    "check_alike",
    "from_flax",
    "given",
    "is_chain",
    "kernel_major_dot",
]


MODELS: dict[str, type[nn.Module]] = {
    "mlp": MLP,
    "lenet5": LeNet5,
    "alexnet": AlexNet,
    "vgg11": VGG11,
    "resnet18": ResNet18,
    "vit": ViT,
}

STATE = "batch_stats"  # Flax's name of the collection that BatchNorm keeps its statistics in


def build(
    name: str,
    image_shape: tuple[int, int, int],
    classes: int,
    widths: Sequence[int] = (),
    lowering: str = "native",
    dtype: str = "float32",
    width: float = 1.0,
) -> Model:
    """The architecture of that name for images of one shape.

    Args:
        name: a row of `MODELS`.
        image_shape: height, width and channels.
        classes: number of output channels.
        widths: hidden widths, of a module that has them; empty for its own default.
        lowering: a row of `LOWERINGS`.
        dtype: what is computed in; parameters are float32, and logits no narrower.
        width: multiplies the channels of all layers, of a module that has it.

    Raises:
        InputError: for an unknown name, widths where they are fixed, or images too small.

    Example:
        >>> build("lenet5", (28, 28, 1), 10).layers
        ('conv_0', 'conv_1', 'dense_0', 'dense_1', 'output')
    """
    module = lookup(MODELS, name, "model")
    fields = {field.name for field in dataclasses.fields(module)}
    options: dict[str, Any] = {}
    row = lookup(LOWERINGS, lowering, "lowering")
    if "lowering" in fields:
        options["lowering"] = row
    if widths:
        check("widths" in fields, f"widths {tuple(widths)}: those of {name} are fixed; leave out")
        options["widths"] = tuple(widths)
    if width != 1:
        check("width" in fields, f"width {width}: {name} has no width to multiply; leave out")
        options["width"] = width
    return from_flax(module(classes=classes, **options), image_shape, dtype)


def is_chain(module: type[nn.Module]) -> bool:
    """Whether each layer reads the one before it and no other.

    A module says `chain: ClassVar[bool] = False` where that is not so.

    Example:
        >>> is_chain(MODELS["lenet5"]), is_chain(MODELS["resnet18"])
        (True, False)
    """
    return getattr(module, "chain", True)


def from_flax(
    module: nn.Module, image_shape: tuple[int, int, int], dtype: str = "float32"
) -> Model:
    """Any Flax Linen module as pure functions.

    A module with BatchNorm has a field `momentum`, which it hands to its layers, and takes `train`
    beside the images.

    Args:
        module: takes images and gives logits.
        image_shape: height, width and channels.
        dtype: what is computed in; parameters and running statistics are float32, and logits no
            narrower.

    Raises:
        InputError: for a module with BatchNorm and no `momentum`, or images too small.

    Example:
        >>> from_flax(MLP(10, widths=(20,)), (8, 8, 1)).layers
        ('dense_0', 'output')
    """
    layers: list[str] = []

    def init(key: PRNGKey) -> Variables:
        variables = module.init(key, jnp.zeros((1, *image_shape)))
        return Variables(variables["params"], variables.get(STATE, {}))

    def record_forward_order(key: PRNGKey) -> Variables:
        variables = init(key)
        layers.extend(_layers(variables.params))  # jax sorts the tree from here on
        return variables

    # A key outside would start JAX's backend, and the devices can no longer be chosen.
    shapes = jax.eval_shape(lambda: record_forward_order(jax.random.key(0)))
    has_state = bool(shapes.state)
    run = partial(_run, dtype=dtype)

    def apply(variables: Variables, images: Images) -> Logits:
        return run(module, variables, images)[0]

    def apply_train(variables: Variables, images: Images) -> tuple[Logits, State]:
        return run(module, variables, images, train=has_state)

    def statistics(variables: Variables, images: Images) -> State:
        forgetful = module.clone(momentum=0.0) if has_state else module
        return run(forgetful, variables, images, train=has_state)[1]

    check(
        not has_state or hasattr(module, "momentum"),
        f"{type(module).__name__} has BatchNorm and no field momentum; add it, for its layers",
    )
    return Model(
        init,
        apply,
        apply_train,
        statistics,
        tuple(layers),
        shapes.params,
        chain=is_chain(type(module)),
        transposed=getattr(module, "transposed", ()),
    )


def _layers(params: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Paths of what has a kernel, in the order in which Flax met it."""
    for name, inner in params.items():
        if isinstance(inner, Mapping):
            if "kernel" in inner:
                yield path + name
            yield from _layers(inner, f"{path}{name}/")


def _run(
    module: nn.Module, variables: Variables, images: Images, dtype: str, train: bool = False
) -> tuple[Logits, State]:
    """Logits, and the state after them; BatchNorm averages in float32 whatever the dtype."""
    cast = jax.tree.map(lambda leaf: leaf.astype(dtype), (variables.params, images))
    collections = {"params": cast[0], STATE: variables.state}
    if not train:
        logits, state = module.apply(collections, cast[1]), variables.state
    else:
        logits, updated = module.apply(collections, cast[1], train=True, mutable=[STATE])
        state = updated[STATE]
    kept = jnp.promote_types(dtype, jnp.float32)
    return logits.astype(kept), state  # pyright: ignore[reportAttributeAccessIssue]
