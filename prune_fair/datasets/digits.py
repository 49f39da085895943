"""The 8x8 handwritten digits inside scikit-learn: real images that need no download."""

import numpy as np

from prune_fair.types import Dataset

TEST_SHARE = 0.3


def digits() -> Dataset:
    """The 1,797 8x8 digits, split 70/30 by class with a fixed seed.

    Source: Alpaydin & Kaynak 1998, UCI optical recognition of handwritten digits (test part), as
    shipped by `sklearn.datasets.load_digits`. Grey levels 0..16 become 0..255.

    Example:
        >>> digits().train_images.shape
        (1257, 8, 8, 1)
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = np.round(pixels.reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    train, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_SHARE, stratify=labels, random_state=0
    )
    labels = np.asarray(labels, np.int32)
    return Dataset(images[train], labels[train], images[test], labels[test], tuple("0123456789"))
