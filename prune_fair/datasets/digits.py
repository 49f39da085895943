"""8x8 handwritten digits that come with the package: real images that need no download."""

from pathlib import Path

from prune_fair.data import Dataset
from prune_fair.datasets.npz import npz

FILE = Path(__file__).with_suffix(".npz")


def digits() -> Dataset:
    """The 1,797 8x8 digits, split 70/30 by class with a fixed seed.

    Source: Alpaydin & Kaynak 1998, UCI optical recognition of handwritten digits (test part, CC BY
    4.0), as `sklearn.datasets.load_digits` has them, by scikit-learn's `train_test_split` with
    random_state=0. Grey levels 0..16 became 0..255. They are kept here since scikit-learn takes a
    second to import.

    Example:
        >>> digits().train_images.shape
        (1257, 8, 8, 1)
    """
    return npz(str(FILE))
