"""Fashion-MNIST at 14x14: the images of the whole data set, where that is on this machine."""

from pathlib import Path

import numpy as np
import pytest

from prune_fair.datasets import downsample, fashion14, fashion_mnist, load
from prune_fair.datasets.fashion14 import FILE, TEST, TRAIN, VALIDATION
from prune_fair.datasets.idx import DEBIAN_FASHION_MNIST, FASHION_CLASSES

MOST_BYTES = 2_000_000


@pytest.fixture(scope="module")
def whole():
    if not DEBIAN_FASHION_MNIST.is_dir():
        pytest.skip(f"needs {DEBIAN_FASHION_MNIST}, of the package dataset-fashion-mnist")
    return fashion_mnist()


def first_of_each(labels, start, count):
    """Positions of a class's images from one on, in the order of the source."""
    own = [np.flatnonzero(labels == true)[start : start + count] for true in range(10)]
    return np.sort(np.concatenate(own))


def test_sizes():
    data = load("fashion14", validation=None)
    assert data.class_names == FASHION_CLASSES
    assert data.splits == ("validation", "test")
    for name, count in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST)):
        images, labels = (getattr(data, f"{name}_{kind}") for kind in ("images", "labels"))
        assert images.shape == (10 * count, 14, 14, 1)
        assert images.dtype == np.uint8
        assert np.bincount(labels).tolist() == [count] * 10
    assert np.array_equal(data.test_images, fashion14().test_images)


def test_no_image_is_in_two_splits():
    """Of the source some are doubles: a handful, of 9,000."""
    data = fashion14()
    parts = [data.train_images, data.validation_images, data.test_images]
    unique = [{image.tobytes() for image in part} for part in parts]
    shared = [len(unique[a] & unique[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert max(shared) <= 2


@pytest.mark.parametrize(
    ("split", "source", "start", "count"),
    [
        ("train", "train", 0, TRAIN),
        ("validation", "train", TRAIN, VALIDATION),
        ("test", "test", 0, TEST),
    ],
)
def test_images_are_the_first_of_the_source_made_smaller(whole, split, source, start, count):
    data, labels = fashion14(), getattr(whole, f"{source}_labels")
    rows = first_of_each(labels, start, count)
    smaller = downsample(whole, 2)
    assert np.array_equal(getattr(data, f"{split}_labels"), labels[rows])
    assert np.array_equal(
        getattr(data, f"{split}_images"), getattr(smaller, f"{source}_images")[rows]
    )


def test_it_is_small_and_its_licence_comes_with_it():
    assert FILE.stat().st_size < MOST_BYTES
    licence = Path(FILE).with_suffix(".LICENSE").read_text()
    assert "MIT" in licence
    assert "2017 Zalando SE" in licence
