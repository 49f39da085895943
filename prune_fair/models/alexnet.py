"""AlexNet for small images."""

from functools import partial

import flax.linen as nn
from jaxtyping import Array, Float

from prune_fair.models.lowering import LOWERINGS, Lowering
from prune_fair.models.scaling import is_poolable, scaled

CHANNELS = (64, 192, 384, 256, 256)
POOLED = (0, 1, 4)


class AlexNet(nn.Module):
    """Five convolutions (11x11 with stride 4, 5x5, three 3x3), three 2x2 poolings, one dense layer.

    Source: Krizhevsky 2014, arXiv 1404.5997, in the form for 32x32 images of github.com/bearpaw/
    pytorch-classification: one dense layer in place of three, no dropout. What is left of larger
    images is averaged over its places.
    """

    classes: int
    width: float = 1.0
    lowering: Lowering = LOWERINGS["native"]

    @nn.compact
    def __call__(self, images: Float[Array, "n h w c"]) -> Float[Array, "n classes"]:
        """Logits of the images."""
        hidden = nn.relu(self._convolve(images, 0, kernel=11, stride=4, padding=5))
        hidden = nn.relu(self._convolve(hidden, 1, kernel=5, padding=2))
        for number in (2, 3, 4):
            hidden = nn.relu(self._convolve(hidden, number, kernel=3, padding=1))
        dense = partial(nn.Dense, dot_general=self.lowering.dot_general)
        return dense(self.classes, name="output")(hidden.mean(axis=(1, 2)))

    def _convolve(
        self, images: Array, number: int, kernel: int, padding: int, stride: int = 1
    ) -> Array:
        """Convolution, pooling while it can be, bias: ReLU keeps order, and so may come last."""
        height, width = (-(-side // stride) for side in images.shape[1:3])
        pooled = number in POOLED and is_poolable(height, width)
        convolve = nn.Conv(
            scaled(CHANNELS[number], self.width),
            (kernel, kernel),
            strides=stride,
            padding=padding,
            conv_general_dilated=(
                self.lowering.pooled_convolution if pooled else self.lowering.convolution
            ),
            name=f"conv_{number}",
        )
        return convolve(images)
