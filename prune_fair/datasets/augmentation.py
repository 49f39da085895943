"""Training images varied from step to step, inside the compiled program, for one network.

An augmentation takes a key and a batch of images of any dtype and gives the same shape and dtype.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Shaped

from prune_fair.types import PRNGKey

CROP_SHARE = 8  # pixels of a side for each by which `crop` shifts at most: 4 of 32, 3 of 28

Augmentation = Callable[[PRNGKey, Shaped[Array, "n h w c"]], Shaped[Array, "n h w c"]]


def crop(key: PRNGKey, images: Shaped[Array, "n h w c"]) -> Shaped[Array, "n h w c"]:
    """Each image shifted by up to an eighth of each side, drawn uniformly.

    What comes in from outside is the image mirrored at its border pixels, so no colour is made up.
    Images of fewer than 8 pixels stay where they are.

    Source: the padded crops of He et al. 2016, arXiv 1512.03385 (4 pixels of 32), which pad with
    zeros.
    """
    rows_key, columns_key = jax.random.split(key)
    number, height, width, _ = images.shape
    rows = _shifted_positions(rows_key, number, height)[:, :, None]
    columns = _shifted_positions(columns_key, number, width)[:, None, :]
    return images[jnp.arange(number)[:, None, None], rows, columns]


def flip(key: PRNGKey, images: Shaped[Array, "n h w c"]) -> Shaped[Array, "n h w c"]:
    """Each image mirrored left for right with probability 1/2.

    Source: He et al. 2016, arXiv 1512.03385.
    """
    mirrored = jax.random.bernoulli(key, 0.5, (len(images), 1, 1, 1))
    return jnp.where(mirrored, images[:, :, ::-1], images)


AUGMENTATIONS: dict[str, Augmentation] = {"crop": crop, "flip": flip}


def augment(
    names: Sequence[str], key: PRNGKey, images: Shaped[Array, "n h w c"]
) -> Shaped[Array, "n h w c"]:
    """The images varied in each of the named ways, in this order.

    What one way draws does not depend on which others there are.

    Example:
        >>> images = jnp.arange(4).reshape(1, 1, 4, 1)
        >>> augment(("flip",), jax.random.key(0), images).shape
        (1, 1, 4, 1)
    """
    for name in names:
        images = AUGMENTATIONS[name](jax.random.fold_in(key, [*AUGMENTATIONS].index(name)), images)
    return images


def _shifted_positions(key: PRNGKey, number: int, side: int) -> Int[Array, "number side"]:
    """Which pixel along a side each one is taken from, by image."""
    most = side // CROP_SHARE
    shifts = jax.random.randint(key, (number, 1), -most, most + 1)
    inside = jnp.abs(jnp.arange(side)[None] + shifts)  # mirrored at the first pixel
    return side - 1 - jnp.abs(side - 1 - inside)  # and at the last
