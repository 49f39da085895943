"""Fully connected networks: LeNet-300-100 and any other widths."""

from functools import partial

import flax.linen as nn
from jaxtyping import Array, Float

from prune_fair.models.lowering import LOWERINGS, Lowering


class MLP(nn.Module):
    """Hidden layers of `widths` with ReLU, then the output layer.

    Source: LeCun et al. 1998, LeNet-300-100, with ReLU for tanh as Frankle & Carbin 2019.
    """

    classes: int
    widths: tuple[int, ...] = (300, 100)
    lowering: Lowering = LOWERINGS["native"]

    @nn.compact
    def __call__(self, images: Float[Array, "n h w c"]) -> Float[Array, "n classes"]:
        """Logits of the images."""
        dense = partial(nn.Dense, dot_general=self.lowering.dot_general)
        hidden = images.reshape(len(images), -1)
        for number, width in enumerate(self.widths):
            hidden = nn.relu(dense(width, name=f"dense_{number}")(hidden))
        return dense(self.classes, name="output")(hidden)
