"""Fully connected networks: LeNet-300-100 and any other widths."""

from typing import ClassVar

import flax.linen as nn
from jaxtyping import Array, Float

from prune_fair.models.columns import dense, logits


class MLP(nn.Module):
    """Hidden layers of `widths` with ReLU, then the output layer.

    Source: LeCun et al. 1998, LeNet-300-100, with ReLU for tanh as Frankle & Carbin 2019.
    """

    transposed: ClassVar[tuple[str, ...]] = ("dense_0",)

    classes: int
    widths: tuple[int, ...] = (300, 100)

    @nn.compact
    def __call__(self, images: Float[Array, "n h w c"]) -> Float[Array, "n classes"]:
        """Logits of the images."""
        hidden = images.reshape(len(images), -1).T
        for number, width in enumerate(self.widths):
            hidden = nn.relu(dense(hidden, width, f"dense_{number}"))
        return logits(hidden, self.classes)
