"""ResNet-18 for small images."""

from typing import ClassVar

import flax.linen as nn
from jaxtyping import Array, Float

from prune_fair.models.lowering import LOWERINGS, Lowering
from prune_fair.models.scaling import MOMENTUM, BatchNorm, scaled

CHANNELS = (64, 128, 256, 512)
BLOCKS = 2  # of each number of channels


class ResNet18(nn.Module):
    """A 3x3 convolution, eight residual blocks of two (64 to 512 channels), one dense layer.

    Source: He et al. 2016, arXiv 1512.03385: ResNet-18 with the stem of its CIFAR networks (3x3, no
    pooling), as in github.com/kuangliu/pytorch-cifar. Convolutions have BatchNorm and no bias;
    where a block changes shape, its shortcut is a 1x1 convolution with BatchNorm (option B).
    """

    chain: ClassVar[bool] = False

    classes: int
    width: float = 1.0
    momentum: float = MOMENTUM
    lowering: Lowering = LOWERINGS["native"]

    @nn.compact
    def __call__(
        self, images: Float[Array, "n h w c"], train: bool = False
    ) -> Float[Array, "n classes"]:
        """Logits of the images."""
        stem = scaled(CHANNELS[0], self.width)
        hidden = nn.relu(normalised(self, images, "conv_0", stem, train))
        for number in range(BLOCKS * len(CHANNELS)):
            stage, place = divmod(number, BLOCKS)
            block = Block(
                scaled(CHANNELS[stage], self.width),
                stride=2 if stage > 0 and place == 0 else 1,
                momentum=self.momentum,
                lowering=self.lowering,
                name=f"block_{number}",
            )
            hidden = block(hidden, train)
        output = nn.Dense(self.classes, dot_general=self.lowering.dot_general, name="output")
        return output(hidden.mean(axis=(1, 2)))


class Block(nn.Module):
    """Two 3x3 convolutions, and the block's input added before the last ReLU."""

    channels: int
    stride: int
    momentum: float
    lowering: Lowering

    @nn.compact
    def __call__(self, images: Float[Array, "n h w c"], train: bool) -> Float[Array, "n y x o"]:
        """What the next block reads."""
        hidden = normalised(self, images, "conv_0", self.channels, train, stride=self.stride)
        hidden = normalised(self, nn.relu(hidden), "conv_1", self.channels, train)
        if images.shape != hidden.shape:
            images = normalised(
                self, images, "shortcut", self.channels, train, kernel=1, stride=self.stride
            )
        return nn.relu(hidden + images)


def normalised(
    module: ResNet18 | Block,
    images: Array,
    name: str,
    channels: int,
    train: bool,
    *,
    kernel: int = 3,
    stride: int = 1,
) -> Array:
    """A convolution without bias and its BatchNorm, as layers of the module that calls this."""
    convolve = nn.Conv(
        channels,
        (kernel, kernel),
        strides=stride,
        padding=kernel // 2,
        use_bias=False,
        conv_general_dilated=module.lowering.convolution,
        name=name,
    )
    norm = BatchNorm(not train, momentum=module.momentum, name=f"{name}_norm")
    return norm(convolve(images))
