import numpy as np
from sklearn.datasets import load_digits

from prune_fair.datasets import load


def test_split_is_whole_stratified_and_fixed():
    data, again = load("digits"), load("digits")
    assert data.train_images.dtype == np.uint8
    assert data.train_images.shape[1:] == (8, 8, 1)
    assert len(data.train_labels) + len(data.test_labels) == 1797
    assert np.ptp(np.bincount(data.test_labels)) <= 3
    assert np.array_equal(data.train_images, again.train_images)


def test_images_are_those_of_scikit_learn():
    data = load("digits")
    ours = np.concatenate([data.train_images, data.test_images]).astype(int).sum(axis=(1, 2, 3))
    theirs = np.round(load_digits().data * 255 / 16).sum(axis=1)
    assert np.array_equal(np.sort(ours), np.sort(theirs))
    assert max(data.train_images.max(), data.test_images.max()) == 255
