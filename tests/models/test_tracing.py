"""Kernels found and convolutions rewritten in functions that nobody told us about."""

import jax
import jax.numpy as jnp
import pytest

from prune_fair.models import MODELS, build, given
from prune_fair.models.lowering import banded_convolution
from prune_fair.models.tracing import kernel_leaves, with_convolution
from prune_fair.types import Variables

KEY = jax.random.key(0)
IMAGES = jnp.ones((2, 4))
SQUARE = jnp.ones((4, 4))


@pytest.mark.parametrize("name", MODELS)
def test_layers_are_those_that_flax_names(name):
    """Of our own architectures, handed over as if they were somebody else's."""
    width = 1.0 if name in ("mlp", "lenet5") else 1 / 8
    model = build(name, (28, 28, 1), 7, width=width)
    variables = jax.eval_shape(model.init, KEY)
    found = given(
        lambda tree, images: model.apply(Variables(tree["params"], tree["state"]), images),
        variables._asdict(),
        (28, 28, 1),
    )
    assert found.layers == model.layers
    found, classes = found.model(), found.classes
    assert classes == 7
    assert jax.tree.structure(found.shapes) == jax.tree.structure(model.shapes)
    assert found.parameters == model.parameters


@pytest.mark.parametrize(
    ("function", "positions"),
    [
        (lambda v, x: x @ v[1] @ v[0], [1, 0]),
        (lambda v, x: x @ v[0].T + v[1][0][None], [0]),
        (lambda v, x: x @ (v[0] - v[0].mean()) @ v[0], [0]),
        (lambda v, x: x @ (v[0] @ v[1]), [0, 1]),
        (lambda v, x: x * v[0][:1] @ (v[0] * v[1]), []),
        (lambda v, x: jax.jit(lambda a, b: b @ a)(v[1], x), [1]),
        (lambda v, x: jax.checkpoint(lambda a, b: b @ a)(v[1], x), [1]),
        (lambda v, x: jax.lax.cond(x.sum() > 0, lambda a: x @ a, lambda a: x, v[1]), [1]),
        (lambda v, x: jax.lax.fori_loop(0, 2, lambda _, y: y @ v[1], x), [1]),
        (lambda v, x: jax.lax.scan(lambda y, a: (y @ a, None), x, v[0][None])[0], [0]),
        (lambda v, x: jax.nn.relu(x @ v[0].astype(jnp.bfloat16).astype(jnp.float32)), [0]),
    ],
)
def test_kernels_are_what_products_multiply(function, positions):
    assert kernel_leaves(function, [SQUARE, SQUARE], IMAGES) == positions


@pytest.mark.usefixtures("wide")
def test_convolutions_are_rewritten_and_nothing_else_changes():
    def function(kernels, images):
        layout = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
        plain = jax.lax.conv_general_dilated(images, kernels[0], (2, 1), "SAME", **layout)
        hidden = jax.jit(jax.nn.relu)(plain)
        grouped = jax.lax.conv_general_dilated(
            hidden, kernels[1], (1, 1), "VALID", feature_group_count=3, **layout
        )
        return {"grouped": grouped, "mean": hidden.mean()}

    keys = jax.random.split(KEY, 3)
    kernels = jax.random.normal(keys[0], (3, 3, 2, 3)), jax.random.normal(keys[1], (2, 2, 1, 3))
    images = jax.random.normal(keys[2], (2, 8, 6, 2))
    rewritten = with_convolution(function, banded_convolution)
    traces = [str(jax.make_jaxpr(each)(kernels, images)) for each in (function, rewritten)]
    assert [trace.count("conv_general_dilated[") for trace in traces] == [2, 1]

    def loss(function):
        return lambda kernels: sum(map(jnp.sum, function(kernels, images).values()))

    for both in (
        [each(kernels, images) for each in (function, rewritten)],
        [jax.grad(loss(each))(kernels) for each in (function, rewritten)],
    ):
        close = jax.tree.map(lambda a, b: jnp.allclose(a, b, rtol=0, atol=1e-10), *both)
        assert jax.tree.all(close)
