"""What architectures of any width and for images of any size have in common."""

from functools import partial

import flax.linen as nn

MOMENTUM = 0.9  # of running statistics at a step, PyTorch's 0.1 the other way round

BatchNorm = partial(nn.BatchNorm, epsilon=1e-5)


def scaled(channels: int, width: float, multiple: int = 1) -> int:
    """Channels times a width multiplier, rounded to a multiple, never to none.

    Example:
        >>> scaled(64, 0.125), scaled(64, 0.001), scaled(192, 0.125, multiple=3)
        (8, 1, 24)
    """
    return multiple * max(1, round(channels * width / multiple))


def is_poolable(height: int, width: int) -> bool:
    """Whether something is left of an image after 2x2 pooling.

    Example:
        >>> is_poolable(3, 2), is_poolable(3, 1)
        (True, False)
    """
    return min(height, width) >= 2
