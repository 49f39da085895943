"""VGG-11 with BatchNorm."""

import flax.linen as nn
from jaxtyping import Array, Float

from prune_fair.models.lowering import LOWERINGS, Lowering
from prune_fair.models.pooling import max_pool
from prune_fair.models.scaling import MOMENTUM, BatchNorm, is_poolable, scaled

CHANNELS = (64, 128, 256, 256, 512, 512, 512, 512)
POOLED = (0, 1, 3, 5, 7)


class VGG11(nn.Module):
    """Eight 3x3 convolutions (64 to 512 channels) with bias and BatchNorm, one dense layer.

    Source: Simonyan & Zisserman 2015, arXiv 1409.1556, configuration A; BatchNorm and one dense
    layer in place of three as in github.com/kuangliu/pytorch-cifar. Images are pooled after
    convolutions 0, 1, 3, 5 and 7 while they can be; what is left is averaged over its places.
    """

    classes: int
    width: float = 1.0
    momentum: float = MOMENTUM
    lowering: Lowering = LOWERINGS["native"]

    @nn.compact
    def __call__(
        self, images: Float[Array, "n h w c"], train: bool = False
    ) -> Float[Array, "n classes"]:
        """Logits of the images."""
        hidden = images
        for number, channels in enumerate(CHANNELS):
            name = f"conv_{number}"
            hidden = nn.Conv(
                scaled(channels, self.width),
                (3, 3),
                padding=1,
                conv_general_dilated=self.lowering.convolution,
                name=name,
            )(hidden)
            norm = BatchNorm(not train, momentum=self.momentum, name=f"{name}_norm")
            hidden = nn.relu(norm(hidden))
            if number in POOLED and is_poolable(*hidden.shape[1:3]):
                hidden = max_pool(hidden)
        output = nn.Dense(self.classes, dot_general=self.lowering.dot_general, name="output")
        return output(hidden.mean(axis=(1, 2)))
