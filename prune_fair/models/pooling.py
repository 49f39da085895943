"""Maximum over windows, whose gradient is no scatter."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def max_pool(images: Float[Array, "n h w c"]) -> Float[Array, "n y x c"]:
    """2x2 max pooling; an odd last row or column is dropped.

    The values and gradients of `flax.linen.max_pool`, whose gradient is a slow select-and-scatter
    on CPU.
    """
    n, h, w, c = images.shape
    whole = images[:, : h // 2 * 2, : w // 2 * 2]
    return window_max(whole.reshape(n, h // 2, 2, w // 2, 2, c), (2, 4))


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def window_max(windows: Array, axes: tuple[int, int]) -> Array:
    """The maximum over two axes; the first of tied ones, in row-major order, has the gradient."""
    return windows.max(axes)


def _window_max_forward(windows: Array, axes: tuple[int, int]) -> tuple[Array, tuple[Array, Array]]:
    maxima = windows.max(axes)
    return maxima, (windows, maxima)


def _window_max_backward(
    axes: tuple[int, int], saved: tuple[Array, Array], gradient: Array
) -> tuple[Array]:
    (windows, maxima), (outer, inner) = saved, axes
    still_free = jnp.ones(maxima.shape, bool)
    rows = []
    for i in range(windows.shape[outer]):
        row = []
        for j in range(windows.shape[inner]):
            is_first = still_free & (windows.take(j, inner).take(i, outer) == maxima)
            still_free &= ~is_first
            row.append(jnp.where(is_first, gradient, 0))
        rows.append(jnp.stack(row, inner - 1))
    return (jnp.stack(rows, outer),)


window_max.defvjp(_window_max_forward, _window_max_backward)
