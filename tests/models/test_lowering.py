from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prune_fair.models import LOWERINGS, kernel_major_dot
from prune_fair.models.pooling import max_pool


@pytest.fixture(autouse=True, scope="module")
def in_float64():
    """Ways to compute the same are compared where sums of thousands of products round by 1e-13."""
    with jax.enable_x64(True):
        yield


def close(ours, native) -> bool:
    near = jax.tree.map(
        lambda a, b: a.shape == b.shape and jnp.allclose(a, b, rtol=0, atol=1e-9), ours, native
    )
    return jax.tree.all(near)


DIMENSIONS = ("NHWC", "HWIO", "NHWC")
sizes = st.integers(1, 9)


@settings(max_examples=6, deadline=None)
@given(
    image=st.tuples(sizes, sizes),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.one_of(
        st.sampled_from(["SAME", "VALID"]),
        st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2),
    ),
    channels=st.tuples(st.sampled_from([1, 2, 3, 16]), st.integers(1, 3)),
)
@pytest.mark.parametrize(
    ("lowering", "operation"),
    [("matmul", "convolution"), ("matmul", "pooled_convolution"), ("mixed", "convolution")],
)
def test_products_equal_native(lowering, operation, image, kernel, strides, padding, channels):
    """In values and gradients."""
    padded = (0, 0) if isinstance(padding, str) else tuple(map(sum, padding))
    assume(
        padding == "SAME" or all(i + p >= k for i, p, k in zip(image, padded, kernel, strict=True))
    )
    keys = jax.random.split(jax.random.key(0))
    images = jax.random.normal(keys[0], (2, *image, channels[0]))
    weights = jax.random.normal(keys[1], (*kernel, *channels))

    def total(convolution, images, weights):
        out = convolution(images, weights, strides, padding, dimension_numbers=DIMENSIONS)
        return (out * jnp.cos(jnp.arange(out.size, dtype=out.dtype)).reshape(out.shape)).sum(), out

    ours, native = (
        jax.jit(jax.value_and_grad(partial(total, c), argnums=(0, 1), has_aux=True))(
            images, weights
        )
        for c in (getattr(LOWERINGS[name], operation) for name in (lowering, "native"))
    )
    assert close(ours, native)


@pytest.mark.parametrize("lowering", ["matmul", "mixed"])
@pytest.mark.parametrize("options", [{"feature_group_count": 2}, {"rhs_dilation": (2, 1)}])
def test_grouped_and_dilated_go_to_lax(lowering, options):
    images = jax.random.normal(jax.random.key(0), (2, 6, 6, 4))
    weights = jax.random.normal(
        jax.random.key(1), (3, 3, 4 // options.get("feature_group_count", 1), 2)
    )
    arguments = (images, weights, (1, 1), "SAME")
    for operation in ("convolution", "pooled_convolution"):
        ours, native = (
            getattr(LOWERINGS[name], operation)(*arguments, dimension_numbers=DIMENSIONS, **options)
            for name in (lowering, "native")
        )
        assert close(ours, native)


@pytest.mark.parametrize("shape", [(2, 6, 8, 3), (1, 7, 5, 2)])
@pytest.mark.parametrize("values", [2, 1000])  # of two values, most maxima are tied
def test_max_pool_equals_flax_in_values_and_gradients(shape, values):
    images = jax.random.randint(jax.random.key(0), shape, 0, values).astype(jnp.float32)

    def total(pool, images):
        out = pool(images)
        return (out * jnp.arange(1.0, 1 + out.size).reshape(out.shape)).sum(), out

    flax = partial(nn.max_pool, window_shape=(2, 2), strides=(2, 2))
    ours, theirs = (
        jax.value_and_grad(partial(total, pool), has_aux=True)(images) for pool in (max_pool, flax)
    )
    assert jax.tree.all(jax.tree.map(jnp.array_equal, ours, theirs))


@pytest.mark.parametrize("shapes", [((5, 3), (3, 4)), ((2, 5, 3), (3, 4)), ((5, 3), (3, 4, 2))])
def test_kernel_major_dot_equals_lax_in_values_and_gradients(shapes):
    inputs, kernel = (jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate(shapes))
    dimensions = (((inputs.ndim - 1,), (0,)), ((), ()))

    def total(dot, inputs, kernel):
        out = dot(inputs, kernel, dimensions)
        return (out * jnp.cos(jnp.arange(out.size, dtype=out.dtype)).reshape(out.shape)).sum(), out

    ours, native = (
        jax.value_and_grad(partial(total, dot), argnums=(0, 1), has_aux=True)(inputs, kernel)
        for dot in (kernel_major_dot, jax.lax.dot_general)
    )
    assert close(ours, native)
