"""Ways in which images are corrupted, by hand-written rows: what each does, and how much.

A corruption takes images as numbers from 0 to 255, of which sums are exact in any order, its amount
and random numbers of each image. All severities of a corruption read the same random numbers, so
that a worse one has the same noise, only more.

Source: Hendrycks & Dietterich 2019, arXiv 1903.12261. Amounts that are a share of brightness or of
the side are those of their ImageNet-C. Lengths in pixels are those of their CIFAR-10-C, or
ImageNet-C's scaled from 224 pixels to the shorter side where that is more.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

IMAGENET_SIDE = 224
ALL = jax.lax.Precision.HIGHEST  # of products: else a GPU rounds them to ten bits

WHITE = 255

Pixels = Float[Array, "n h w c"]  # from 0 to 255
Draw = Callable[[int], Float[Array, "n count"]]  # so many numbers in (0, 1) for each image


def noise(images: Pixels, amount: Float[Array, ""], draw: Draw) -> Pixels:
    """Gaussian noise, drawn for each pixel and channel.

    Source: Hendrycks & Dietterich 2019, arXiv 1903.12261, `gaussian_noise` of ImageNet-C.
    """
    normal = jax.scipy.special.ndtri(draw(int(np.prod(images.shape[1:]))))
    return images + WHITE * amount * normal.reshape(images.shape)


def blur(images: Pixels, amount: Float[Array, ""], draw: Draw) -> Pixels:
    """Gaussian blur; beyond the border stands the nearest pixel.

    Source: Hendrycks & Dietterich 2019, arXiv 1903.12261, `gaussian_blur`, one of their four
    additional corruptions.
    """
    del draw
    return _by_side(images, partial(_blurring, amount))


def contrast(images: Pixels, amount: Float[Array, ""], draw: Draw) -> Pixels:
    """What each pixel differs by from its image's mean, by channel, multiplied by the amount.

    Source: Hendrycks & Dietterich 2019, arXiv 1903.12261, `contrast` of ImageNet-C.
    """
    del draw
    mean = images.mean(axis=(1, 2), keepdims=True)
    return (images - mean) * amount + mean


def brightness(images: Pixels, amount: Float[Array, ""], draw: Draw) -> Pixels:
    """The largest channel of each pixel raised by the amount, hue and saturation kept.

    Source: Hendrycks & Dietterich 2019, arXiv 1903.12261, `brightness` of ImageNet-C, which adds
    to the value of HSV; of one channel that is a sum.
    """
    del draw
    value = images.max(axis=3, keepdims=True)
    raised = jnp.minimum(value + WHITE * amount, WHITE)
    scaled = images * (raised / jnp.where(value > 0, value, 1))
    return jnp.where(value > 0, scaled, raised)


def pixelate(images: Pixels, amount: Float[Array, ""], draw: Draw) -> Pixels:
    """The image read off a grid of cells, each the mean of what it covers; a cell is 1 / amount.

    Source: Hendrycks & Dietterich 2019, arXiv 1903.12261, `pixelate` of ImageNet-C, which rounds
    the number of cells down: on 8 pixels that would make two severities one. Here the cells have
    their exact width, and a pixel shows the cell that its middle lies in.
    """
    del draw
    return _by_side(images, partial(_pixelating, amount))


def occlude(images: Pixels, amount: Float[Array, ""], draw: Draw) -> Pixels:
    """A rectangle of that share of both sides, rounded, in the colour of the image's mean.

    It lies wholly inside, anywhere with equal probability.

    Source: Zeiler & Fergus 2014, arXiv 1311.2901, who occlude with grey; the random place is that
    of DeVries & Taylor 2017, arXiv 1708.04552, whose square may reach out of the image.
    """
    mean, places = images.mean(axis=(1, 2), keepdims=True), draw(2)
    rows, columns = (
        _covered(side, amount, places[:, [axis]]) for axis, side in enumerate(images.shape[1:3])
    )
    return jnp.where((rows[:, :, None] & columns[:, None, :])[..., None], mean, images)


class Corruption(NamedTuple):
    """A row of `CORRUPTIONS`.

    Attributes:
        function: takes images from 0 to 255, the amount, and what draws random numbers.
        amounts: of severities 1 to 5.
        unit: of the amounts, in words.
        least_side: pixels that both sides of an image need at least, so that severities differ.
        of_imagenet: amounts in pixels of an image with a side of 224, which are scaled and taken
            where they are more; empty for amounts that are no lengths.

    Example:
        >>> CORRUPTIONS["contrast"].amounts[2], CORRUPTIONS["contrast"].amount(3, 28)
        (0.2, 0.2)
        >>> CORRUPTIONS["blur"].amount(5, 28), CORRUPTIONS["blur"].amount(5, 224)
        (1.0, 6.0)
    """

    function: Callable[[Pixels, Float[Array, ""], Draw], Pixels]
    amounts: tuple[float, ...]
    unit: str
    least_side: int = 1
    of_imagenet: tuple[float, ...] = ()

    def amount(self, severity: int, side: int) -> float:
        """The amount of a severity for images whose shorter side has so many pixels."""
        own = self.amounts[severity - 1]
        if not self.of_imagenet:
            return own
        return max(own, self.of_imagenet[severity - 1] * side / IMAGENET_SIDE)


CORRUPTIONS: dict[str, Corruption] = {
    "noise": Corruption(noise, (0.08, 0.12, 0.18, 0.26, 0.38), "standard deviation, of 0 to 1"),
    "blur": Corruption(
        blur, (0.4, 0.6, 0.7, 0.8, 1.0), "standard deviation in pixels", 4, (1, 2, 3, 4, 6)
    ),
    "contrast": Corruption(contrast, (0.4, 0.3, 0.2, 0.1, 0.05), "share that is left"),
    "brightness": Corruption(brightness, (0.1, 0.2, 0.3, 0.4, 0.5), "what is added, of 0 to 1"),
    "pixelate": Corruption(pixelate, (0.6, 0.5, 0.4, 0.3, 0.25), "cells a pixel of the side", 5),
    "occlude": Corruption(occlude, (0.125, 0.25, 0.375, 0.5, 0.625), "share of each side", 8),
}


def _by_side(images: Pixels, matrix_of: Callable[[int], Float[Array, "side side"]]) -> Pixels:
    """Rows and columns multiplied by matrices, whose rows are weights of pixels."""
    rows, columns = map(matrix_of, images.shape[1:3])
    return jnp.einsum("ir,js,nrsc->nijc", rows, columns, images, precision=ALL)


def _blurring(deviation: Float[Array, ""], side: int) -> Float[Array, "side side"]:
    """Weights by distance, what falls outside added to the border pixels."""
    places = jnp.arange(-side, 2 * side)
    distance = jnp.arange(side)[:, None] - places[None]
    weights = jnp.exp(-((distance / deviation) ** 2) / 2)
    weights = weights / weights.sum(axis=1, keepdims=True)
    nearest = jax.nn.one_hot(jnp.clip(places, 0, side - 1), side, dtype=weights.dtype)
    return jnp.matmul(weights, nearest, precision=ALL)


def _pixelating(amount: Float[Array, ""], side: int) -> Float[Array, "side side"]:
    """The mean over the cell that each pixel's middle lies in."""
    cell, pixel = jnp.arange(side)[:, None] / amount, jnp.arange(side)
    covered = jnp.minimum(pixel[None] + 1, cell + 1 / amount) - jnp.maximum(pixel[None], cell)
    covered = jnp.maximum(covered, 0)
    size = covered.sum(axis=1, keepdims=True)
    means = covered / jnp.where(size > 0, size, 1)
    return means[jnp.floor((pixel + 0.5) * amount).astype(jnp.int32)]


def _covered(
    side: int, share: Float[Array, ""], place: Float[Array, "n 1"]
) -> Bool[Array, "n side"]:
    """Which pixels along a side are covered, by image."""
    size = jnp.round(share * side)
    start = jnp.floor(place * (side - size + 1))
    pixel = jnp.arange(side)[None]
    return (pixel >= start) & (pixel < start + size)
