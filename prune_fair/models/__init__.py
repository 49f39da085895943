"""Architectures, one Flax Linen module a file, behind the pure functions of `types.Model`."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from prune_fair.errors import check, lookup
from prune_fair.models.lenet5 import LeNet5
from prune_fair.models.lowering import LOWERINGS, Lowering, banded_convolution, kernel_major_dot
from prune_fair.models.mlp import MLP
from prune_fair.types import Images, Logits, Model, Params, PRNGKey

__all__ = [
    "LOWERINGS",
    "MODELS",
    "Lowering",
    "banded_convolution",
    "build",
    "from_flax",
    "kernel_major_dot",
]


MODELS: dict[str, type[nn.Module]] = {
    "mlp": MLP,
    "lenet5": LeNet5,
}


def build(
    name: str,
    image_shape: tuple[int, int, int],
    classes: int,
    widths: Sequence[int] = (),
    lowering: str = "native",
    dtype: str = "float32",
) -> Model:
    """The architecture of that name for images of one shape.

    Args:
        name: a row of `MODELS`.
        image_shape: height, width and channels.
        classes: number of output channels.
        widths: hidden widths, of a module that has them; empty for its own default.
        lowering: a row of `LOWERINGS`.
        dtype: what is computed in; parameters and logits are float32.

    Raises:
        InputError: for an unknown name, widths where they are fixed, or images too small.

    Example:
        >>> build("lenet5", (28, 28, 1), 10).layers
        ('conv_0', 'conv_1', 'dense_0', 'dense_1', 'output')
    """
    module = lookup(MODELS, name, "model")
    fields = {field.name for field in dataclasses.fields(module)}
    options: dict[str, Any] = {"lowering": lookup(LOWERINGS, lowering, "lowering")}
    if widths:
        check("widths" in fields, f"widths {tuple(widths)}: those of {name} are fixed; leave out")
        options["widths"] = tuple(widths)
    return from_flax(module(classes=classes, **options), image_shape, dtype)


def from_flax(
    module: nn.Module, image_shape: tuple[int, int, int], dtype: str = "float32"
) -> Model:
    """Any Flax Linen module whose layers are called in a chain, as pure functions.

    Args:
        module: takes images and gives logits.
        image_shape: height, width and channels.
        dtype: what is computed in; parameters and logits are float32.

    Example:
        >>> from_flax(MLP(10, widths=(20,)), (8, 8, 1)).layers
        ('dense_0', 'output')
    """
    images = jnp.zeros((1, *image_shape))
    layers: list[str] = []

    def init(key: PRNGKey) -> Params:
        return module.init(key, images)["params"]

    def record_forward_order(key: PRNGKey) -> Params:
        params = init(key)
        layers.extend(params)  # as Flax met them; jax sorts the tree from here on
        return params

    def apply(params: Params, images: Images) -> Logits:
        cast = jax.tree.map(lambda leaf: leaf.astype(dtype), (params, images))
        logits = module.apply({"params": cast[0]}, cast[1])
        return logits.astype(jnp.float32)  # pyright: ignore[reportAttributeAccessIssue]

    shapes = jax.eval_shape(record_forward_order, jax.random.key(0))
    return Model(init, apply, tuple(layers), shapes)
