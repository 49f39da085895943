"""Test images under distribution shift, made in the compiled program that evaluates networks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import threefry_2x32
from jaxtyping import Array, Float, Int, UInt8

from prune_fair.data import Dataset, shift_of
from prune_fair.datasets.corruptions import CORRUPTIONS, WHITE, Corruption, Pixels
from prune_fair.errors import check, lookup
from prune_fair.types import AnyArray

SEVERITIES = 5
SHIFT_SEED = 2
HALF = 0.5 + 2**-10  # rounds: halves, which come up, go up in any program, whatever it rounds to


class Shift(NamedTuple):
    """A corruption at a severity, as the compiled program takes it.

    Attributes:
        row: position of the corruption in `CORRUPTIONS`.
        amount: of it.

    Example:
        >>> Shift.of("contrast@5", (8, 8, 1))
        Shift(row=array(2, dtype=int32), amount=array(0.05, dtype=float32))
    """

    row: Int[AnyArray, ""]
    amount: Float[AnyArray, ""]

    @classmethod
    def of(cls, name: str, shape: Sequence[int]) -> "Shift":
        """That of a name such as `noise@3`, for images of a shape (h, w, c)."""
        corruption, severity = shift_of(name)
        amount = CORRUPTIONS[corruption].amount(severity, min(shape[:2]))
        return cls(np.array([*CORRUPTIONS].index(corruption), np.int32), np.array(amount, "f4"))


def corrupt(
    images: UInt8[Array, "n h w c"], shift: Shift, positions: Int[Array, " n"]
) -> UInt8[Array, "n h w c"]:
    """Images under a shift, as bytes again: clipped, and rounded.

    Args:
        images: bytes.
        shift: a corruption at a severity.
        positions: of the images in their split. An image's randomness comes from its position and
            the corruption alone, whatever images go with it.

    Example:
        >>> images = jnp.full((2, 8, 8, 1), 100, jnp.uint8)
        >>> brighter = corrupt(images, Shift.of("brightness@1", (8, 8, 1)), jnp.arange(2))
        >>> int(brighter[0, 0, 0, 0])  # 100 + 0.1 * 255, rounded
        126
    """
    pixels, amount = images.astype(jnp.float32), jnp.asarray(shift.amount)

    def branch(stream: int, row: Corruption) -> Callable[[], Pixels]:
        return lambda: row.function(pixels, amount, partial(_uniform, positions, stream))

    branches = [branch(*numbered) for numbered in enumerate(CORRUPTIONS.values())]
    changed = jax.lax.switch(shift.row, branches)
    return jnp.floor(jnp.clip(changed + HALF, 0, WHITE)).astype(jnp.uint8)


def canonical_shifts(names: Sequence[str]) -> tuple[str, ...]:
    """Shifts by name and severity, in one order: that of `CORRUPTIONS`, then severities.

    Args:
        names: such as `noise@3`; a name alone stands for severities 1 to 5.

    Raises:
        InputError: for an unknown corruption, a severity that is none, or a shift named twice.

    Example:
        >>> canonical_shifts(["occlude@2", "noise"])
        ('noise@1', 'noise@2', 'noise@3', 'noise@4', 'noise@5', 'occlude@2')
    """
    asked: list[tuple[int, int]] = []
    for name in names:
        corruption, at, severity = name.partition("@")
        lookup(CORRUPTIONS, corruption, "corruption")
        check(
            not at or severity in [*map(str, range(1, SEVERITIES + 1))],
            f"shift {name!r}: expected a severity 1 to {SEVERITIES}, such as {corruption}@3, or "
            f"{corruption} alone for all",
        )
        row = [*CORRUPTIONS].index(corruption)
        asked += [(row, int(each)) for each in ([severity] if at else range(1, SEVERITIES + 1))]
    check(len({*asked}) == len(asked), f"shift {' '.join(names)}: expected each once")
    return tuple(f"{[*CORRUPTIONS][row]}@{severity}" for row, severity in sorted(asked))


def with_shifts(dataset: Dataset, shifts: Sequence[str]) -> Dataset:
    """The dataset, whose test images are to be judged under these shifts too.

    Args:
        dataset: any dataset of bytes.
        shifts: as `canonical_shifts` gives them.

    Raises:
        InputError: for images that are no bytes, or too small for a corruption.

    Example:
        >>> from prune_fair.datasets import load
        >>> with_shifts(load("digits"), ("noise@3",)).counted
        ('test', 'noise@3')
    """
    images = dataset.test_images
    check(
        not shifts or images.dtype == np.uint8,
        f"shift {' '.join(shifts)}: the test images are {images.dtype}; expected bytes, whose "
        "range is known",
    )
    height, width = images.shape[1:3]
    for name in shifts:
        corruption = shift_of(name)[0]
        least = CORRUPTIONS[corruption].least_side
        check(
            min(height, width) >= least,
            f"shift {name!r}: images of {height}x{width} are too small; {corruption} needs sides "
            f"of at least {least} pixels",
        )
    return dataset._replace(shifts=tuple(shifts))


def _uniform(positions: Int[Array, " n"], stream: int, count: int) -> Float[Array, "n count"]:
    """Numbers in (0, 1) by counter: the same for an image whatever images go with it."""
    shape = len(positions), count
    image = jnp.broadcast_to(positions.astype(jnp.uint32)[:, None], shape)
    number = jnp.broadcast_to(jnp.arange(count, dtype=jnp.uint32)[None], shape)
    key = jnp.array([SHIFT_SEED, stream], jnp.uint32)
    bits = threefry_2x32(key, jnp.stack([image, number]))[0]
    return (bits >> 9).astype(jnp.float32) * 2**-23 + 2**-24
