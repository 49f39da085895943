"""How a layer's arithmetic reaches the machine: XLA's own way, or as matrix products.

An architecture is plain Flax and hands a `Lowering` to its layers through Flax's own hooks,
`nn.Conv(conv_general_dilated=...)` and `nn.Dense(dot_general=...)`.

Under `vmap` over networks a convolution becomes a grouped one, and its kernel gradient a
batch-grouped one. Both are very slow on CPU (jax issues 13800 and 26266), matrix products are not.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from prune_fair.models.pooling import max_pool, window_max
from prune_fair.models.products import kernel_major_dot

Operation: TypeAlias = Callable[..., Array]
Pads: TypeAlias = tuple[tuple[int, int], ...]

MANY_CHANNELS = 16


class Lowering(NamedTuple):
    """What layers compute with; `pooled_convolution` is followed by 2x2 max pooling.

    Example:
        >>> LOWERINGS["native"].convolution.__name__, LOWERINGS["matmul"].convolution.__name__
        ('conv_general_dilated', 'banded_convolution')
    """

    convolution: Operation
    pooled_convolution: Operation
    dot_general: Operation


def banded_convolution(
    images: Float[Array, "n h w c"],
    kernel: Float[Array, "kh kw i o"],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    **options: Any,
) -> Float[Array, "n y x o"]:
    """`lax.conv_general_dilated` as one matrix product, with a banded matrix or of patches.

    Each output row is the product of the `kh` input rows under it, flattened, with a matrix that
    holds the kernel along its band (Toeplitz in the width). It spends w / kw times the arithmetic
    and wins by its form, while channels are few; from `MANY_CHANNELS` on, patches are copied out
    and multiplied with the kernel itself (resnet18: 30 times as fast). Takes the arguments that
    `flax.linen.Conv` gives its `conv_general_dilated`; grouped and dilated convolutions go to
    `lax`.

    Example:
        >>> ones = jnp.ones((1, 3, 3, 1))
        >>> banded_convolution(ones, ones[0, :2, :2, :, None], (1, 1), "VALID").shape
        (1, 2, 2, 1)
    """
    if not _is_plain(options):
        return jax.lax.conv_general_dilated(images, kernel, window_strides, padding, **options)
    if kernel.shape[2] >= MANY_CHANNELS:
        return _patch_product(images, kernel, window_strides, padding)
    return _banded_product(images, kernel, window_strides, padding, lambda band: band)


def banded_pooled_convolution(
    images: Float[Array, "n h w c"],
    kernel: Float[Array, "kh kw i o"],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    **options: Any,
) -> Float[Array, "n y x o"]:
    """`banded_convolution`, then `max_pool`.

    The matrix gives a row's even columns first, then its odd ones, so that the pooled maximum is
    one of long runs of numbers.
    """
    if not _is_plain(options):
        return native_pooled_convolution(images, kernel, window_strides, padding, **options)
    if kernel.shape[2] >= MANY_CHANNELS:
        return max_pool(_patch_product(images, kernel, window_strides, padding))

    def even_and_odd(band: np.ndarray) -> np.ndarray:
        pairs = band.shape[2] // 2
        return band[:, :, : 2 * pairs].reshape(*band.shape[:2], pairs, 2).swapaxes(2, 3)

    product = _banded_product(images, kernel, window_strides, padding, even_and_odd)
    n, height, *columns = product.shape
    windows = product[:, : height // 2 * 2].reshape(n, height // 2, 2, *columns)
    return window_max(windows, (2, 3))


def _patch_product(
    images: Array,
    kernel: Array,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
) -> Float[Array, "n y x o"]:
    """The patch under each output, flattened, with the kernel: no arithmetic that is not needed."""
    images = jnp.pad(images, ((0, 0), *_pads(images, kernel, window_strides, padding), (0, 0)))
    sides = zip(images.shape[1:3], kernel.shape[:2], window_strides, strict=True)
    rows, columns = (
        [slice(tap, tap + (side - taps) // stride * stride + 1, stride) for tap in range(taps)]
        for side, taps, stride in sides
    )
    patches = jnp.concatenate([images[:, y, x] for y in rows for x in columns], axis=3)
    product = patches.reshape(-1, patches.shape[3]) @ kernel.reshape(patches.shape[3], -1)
    return product.reshape(*patches.shape[:3], -1)


def _pads(
    images: Array,
    kernel: Array,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
) -> Sequence[tuple[int, int]]:
    if not isinstance(padding, str):
        return padding
    return jax.lax.padtype_to_pads(images.shape[1:3], kernel.shape[:2], window_strides, padding)


def _banded_product(
    images: Array,
    kernel: Array,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    arrange: Callable[[np.ndarray], np.ndarray],
) -> Float[Array, "n y *x o"]:
    """Row blocks with the banded matrix, its columns `x` arranged by the caller."""
    padding = _pads(images, kernel, window_strides, padding)
    (kernel_height, kernel_width), (stride_y, stride_x) = kernel.shape[:2], window_strides
    images = jnp.pad(images, ((0, 0), padding[0], (0, 0), (0, 0)))
    height = (images.shape[1] - kernel_height) // stride_y + 1
    rows = [images[:, i : i + (height - 1) * stride_y + 1 : stride_y] for i in range(kernel_height)]
    blocks = jnp.stack(rows, axis=2)
    band = arrange(_band(images.shape[2], kernel_width, stride_x, padding[1]))
    banded = jnp.einsum("wj...,ijco->iwc...o", jnp.asarray(band, kernel.dtype), kernel)
    inner = blocks.shape[2] * blocks.shape[3] * blocks.shape[4]
    product = blocks.reshape(-1, inner) @ banded.reshape(inner, -1)
    return product.reshape(len(images), height, *banded.shape[3:])


def _is_plain(options: dict[str, Any]) -> bool:
    dilations = [*(options.get("lhs_dilation") or ()), *(options.get("rhs_dilation") or ())]
    return options.get("feature_group_count", 1) == 1 and all(step == 1 for step in dilations)


def _band(
    width: int, kernel_width: int, stride: int, padding: tuple[int, int]
) -> Float[np.ndarray, "w j x"]:
    """One where output column x sees input column w through kernel column j."""
    outputs = (width + sum(padding) - kernel_width) // stride + 1
    column, tap, output = np.ogrid[:width, :kernel_width, :outputs]
    return (column == output * stride + tap - padding[0]).astype(np.float32)


def native_pooled_convolution(*arguments: Any, **options: Any) -> Float[Array, "n y x o"]:
    """`lax.conv_general_dilated`, then `max_pool`."""
    return max_pool(jax.lax.conv_general_dilated(*arguments, **options))


def mixed_convolution(
    images: Float[Array, "n h w c"],
    kernel: Float[Array, "kh kw i o"],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    **options: Any,
) -> Float[Array, "n y x o"]:
    """`lax.conv_general_dilated` with the gradients of `banded_convolution`.

    Of one network at a time XLA's own forward convolution is the faster on CPU, and its gradients
    within a loop are the slower, each several times.

    Example:
        >>> ones = jnp.ones((1, 3, 3, 1))
        >>> mixed_convolution(ones, ones[0, :2, :2, :, None], (1, 1), "VALID").shape
        (1, 2, 2, 1)
    """
    if not _is_plain(options):
        return jax.lax.conv_general_dilated(images, kernel, window_strides, padding, **options)
    pads = tuple(map(tuple, _pads(images, kernel, window_strides, padding)))
    return _mixed(images, kernel, tuple(window_strides), pads)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _mixed(images: Array, kernel: Array, strides: tuple[int, ...], pads: Pads) -> Array:
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(images, kernel, strides, pads, dimension_numbers=layout)


def _mixed_forward(
    images: Array, kernel: Array, strides: tuple[int, ...], pads: Pads
) -> tuple[Array, tuple[Array, Array]]:
    return _mixed(images, kernel, strides, pads), (images, kernel)


def _mixed_backward(
    strides: tuple[int, ...], pads: Pads, saved: tuple[Array, Array], gradient: Array
) -> tuple[Array, Array]:
    _, gradients = jax.vjp(
        lambda images, kernel: banded_convolution(images, kernel, strides, pads), *saved
    )
    return gradients(gradient)


_mixed.defvjp(_mixed_forward, _mixed_backward)


def mixed_pooled_convolution(*arguments: Any, **options: Any) -> Float[Array, "n y x o"]:
    """`mixed_convolution`, then `max_pool`."""
    return max_pool(mixed_convolution(*arguments, **options))


LOWERINGS: dict[str, Lowering] = {
    "native": Lowering(
        jax.lax.conv_general_dilated, native_pooled_convolution, jax.lax.dot_general
    ),
    "matmul": Lowering(banded_convolution, banded_pooled_convolution, kernel_major_dot),
    "mixed": Lowering(mixed_convolution, mixed_pooled_convolution, kernel_major_dot),
}
