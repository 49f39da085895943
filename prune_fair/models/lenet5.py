"""LeNet-5 for small images."""

from typing import ClassVar

import flax.linen as nn
from jaxtyping import Array, Float

from prune_fair.errors import check
from prune_fair.models.columns import dense, logits
from prune_fair.models.lowering import LOWERINGS, Lowering

SMALLEST_IMAGE = 12


class LeNet5(nn.Module):
    """Two 5x5 convolutions (6 and 16 channels) with pooling, then 120, 84 and the classes.

    Source: LeCun et al. 1998; ReLU and max pooling in place of tanh and subsampling, and the first
    convolution padded, so that 28x28 images give the original's sizes.
    """

    transposed: ClassVar[tuple[str, ...]] = ("dense_0",)

    classes: int
    lowering: Lowering = LOWERINGS["native"]

    @nn.compact
    def __call__(self, images: Float[Array, "n h w c"]) -> Float[Array, "n classes"]:
        """Logits of the images."""
        height, width = images.shape[1:3]
        check(
            min(height, width) >= SMALLEST_IMAGE,
            f"images of {height}x{width} are too small for lenet5: expected at least "
            f"{SMALLEST_IMAGE}x{SMALLEST_IMAGE}; use --model.name mlp",
        )
        hidden = self._convolve(images, 6, "SAME", "conv_0")
        hidden = self._convolve(hidden, 16, "VALID", "conv_1")
        hidden = hidden.reshape(len(hidden), -1).T
        for number, width in enumerate((120, 84)):
            hidden = nn.relu(dense(hidden, width, f"dense_{number}"))
        return logits(hidden, self.classes)

    def _convolve(self, images: Array, channels: int, padding: str, name: str) -> Array:
        """Convolution, pooling, bias, ReLU: the last two keep order, and so may come last."""
        convolve = nn.Conv(
            channels,
            (5, 5),
            padding=padding,
            conv_general_dilated=self.lowering.pooled_convolution,
            name=name,
        )
        return nn.relu(convolve(images))
