"""Fashion-MNIST at 14x14 pixels that comes with the package: real images that need no download."""

from pathlib import Path

from prune_fair.data import Dataset
from prune_fair.datasets.npz import npz

FILE = Path(__file__).with_suffix(".npz")
TRAIN, VALIDATION, TEST = 250, 250, 400  # images of a class


def fashion14() -> Dataset:
    """9,000 images of Fashion-MNIST, smaller, with a validation split of their own.

    Of each class the first 250 training images, the next 250 of them for validation, and the first
    400 test images, in the order of the source, each the mean over 2x2 pixels: what
    `downsample(fashion_mnist(), 2)` gives.

    Source: Xiao et al. 2017, arXiv 1708.07747; copyright 2017 Zalando SE, MIT licence.

    Example:
        >>> fashion14().splits, fashion14().test_images.shape
        (('validation', 'test'), (4000, 14, 14, 1))
    """
    return npz(str(FILE))
