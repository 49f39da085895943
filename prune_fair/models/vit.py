"""A small vision transformer."""

from functools import partial
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from prune_fair.models.lowering import LOWERINGS, Lowering
from prune_fair.models.scaling import scaled

LARGEST_PATCH = 4
WIDTH, HEADS, DEPTH, EXPANSION = 192, 3, 6, 4


class ViT(nn.Module):
    """Six transformer blocks of width 192 with three heads on 4x4 patches, one dense layer.

    Source: Dosovitskiy et al. 2021, arXiv 2010.11929, with the width and heads of DeiT-Ti (Touvron
    et al. 2021, arXiv 2012.12877); half its depth, no dropout, and the mean of all tokens in place
    of a class token (Beyer et al. 2022, arXiv 2205.01580). Positions are learned. Where 4 does not
    divide an image's sides, patches are of the largest size below that does.
    """

    chain: ClassVar[bool] = False

    classes: int
    width: float = 1.0
    lowering: Lowering = LOWERINGS["native"]

    @nn.compact
    def __call__(self, images: Float[Array, "n h w c"]) -> Float[Array, "n classes"]:
        """Logits of the images."""
        dense = partial(nn.Dense, dot_general=self.lowering.dot_general)
        tokens = dense(scaled(WIDTH, self.width, HEADS), name="patches")(cut_patches(images))
        shape = tokens.shape[1:]
        positions = self.param("positions", nn.initializers.normal(0.02), shape)
        tokens = tokens + positions[None]
        for number in range(DEPTH):
            tokens = Block(self.lowering, name=f"block_{number}")(tokens)
        tokens = nn.LayerNorm(name="norm")(tokens)
        return dense(self.classes, name="output")(tokens.mean(axis=1))


class Block(nn.Module):
    """Attention, then two dense layers with GELU; each reads normalised tokens and adds to them."""

    lowering: Lowering

    @nn.compact
    def __call__(self, tokens: Float[Array, "n t d"]) -> Float[Array, "n t d"]:
        """What the next block reads."""
        dense = partial(nn.Dense, dot_general=self.lowering.dot_general)
        width = tokens.shape[-1]
        normal = nn.LayerNorm(name="norm_0")(tokens)
        queries, keys, values = (
            dense(width, name=name)(normal) for name in ("query", "key", "value")
        )
        tokens = tokens + dense(width, name="attended")(attend(queries, keys, values))
        normal = nn.LayerNorm(name="norm_1")(tokens)
        hidden = nn.gelu(dense(EXPANSION * width, name="dense_0")(normal))
        return tokens + dense(width, name="dense_1")(hidden)


def cut_patches(images: Float[Array, "n h w c"]) -> Float[Array, "n t p"]:
    """The images as square patches, row by row, each a vector of its pixels."""
    n, height, width, channels = images.shape
    sizes = range(1, LARGEST_PATCH + 1)
    size = max(s for s in sizes if height % s == 0 and width % s == 0)
    cut = images.reshape(n, height // size, size, width // size, size, channels)
    return cut.swapaxes(2, 3).reshape(n, -1, size * size * channels)


def attend(
    queries: Float[Array, "n t d"], keys: Float[Array, "n t d"], values: Float[Array, "n t d"]
) -> Float[Array, "n t d"]:
    """The mean of the values, by head, weighted by how queries and keys agree."""
    heads = (*queries.shape[:2], HEADS, queries.shape[2] // HEADS)
    queries, keys, values = (part.reshape(heads) for part in (queries, keys, values))
    agreement = jnp.einsum("nqhd,nkhd->nhqk", queries, keys) * heads[-1] ** -0.5
    mixed = jnp.einsum("nhqk,nkhd->nqhd", nn.softmax(agreement), values)
    return mixed.reshape(*heads[:2], -1)
