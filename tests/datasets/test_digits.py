import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from prune_fair.datasets import load


def test_digits_are_scikit_learns_in_its_stratified_split():
    data, theirs = load("digits"), load_digits()
    images = np.round(theirs.images[..., None] * (255 / 16))
    parts = train_test_split(
        images, theirs.target, test_size=0.3, stratify=theirs.target, random_state=0
    )
    ours = data.train_images, data.test_images, data.train_labels, data.test_labels
    for mine, other in zip(ours, parts, strict=True):
        assert np.array_equal(mine, other)
    assert data.train_images.dtype == np.uint8
    assert data.class_names == tuple("0123456789")
