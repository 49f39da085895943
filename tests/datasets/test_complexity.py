"""Class complexity by hand, and that neither names nor the order of classes matter."""

import zlib

import numpy as np
import pytest

from prune_fair.data import Dataset
from prune_fair.datasets import COMPLEXITY, class_complexity, load
from prune_fair.datasets.complexity import (
    IMAGES_A_CLASS,
    balanced_neighbour_disagreement,
    compressed_size,
    mean_image_entropy,
    neighbour_disagreement,
)


def of_images(images, labels, classes):
    images, labels = np.asarray(images, np.uint8), np.asarray(labels)
    return Dataset(images, labels, images[:1], labels[:1], tuple("abcdefgh"[:classes]))


def points(values, labels, classes):
    """Images of a single pixel."""
    return of_images(np.reshape(values, (-1, 1, 1, 1)), labels, classes)


def test_entropy_of_constant_two_and_four_valued_images():
    constant = np.full((1, 4, 4, 1), 7)
    halves = np.repeat([0, 255], 8).reshape(1, 4, 4, 1)
    quarters = np.repeat([0, 9, 99, 255], 4).reshape(1, 4, 4, 1)
    data = of_images(np.concatenate([constant, halves, halves, quarters]), [0, 1, 2, 2], 4)
    assert mean_image_entropy(data)[:3].tolist() == [0.0, 1.0, 1.5]
    assert np.isnan(mean_image_entropy(data)[3])


def test_compressed_size_is_that_of_zlib(rng):
    noise = rng.integers(0, 256, (2, 20, 20, 3), dtype=np.uint8)
    data = of_images(np.concatenate([np.zeros((1, 20, 20, 3)), noise]), [0, 1, 1], 2)
    expected = [len(zlib.compress(bytes(1200), 6)) / 1200, 1.0]
    assert compressed_size(data) == pytest.approx(expected, abs=0.02)
    assert compressed_size(data)[0] == expected[0]


def test_neighbour_disagreement_of_four_points():
    """0 and 1 are each other's nearest; 10's is 12, which is of another class, as 12's is 10."""
    data = points([0, 1, 10, 12], [0, 0, 0, 1], 3)
    values = neighbour_disagreement(data)
    assert values[:2].tolist() == [1 / 3, 1.0]
    assert np.isnan(values[2])


def test_balanced_neighbour_disagreement_does_not_see_rarity(rng):
    """Two classes of one distribution: only the plain measure calls the rare one harder."""
    images = rng.integers(0, 256, (600, 1, 1, 2), dtype=np.uint8)
    data = of_images(images, (np.arange(600) % 10 == 0).astype(int), 2)
    plain, balanced = neighbour_disagreement(data), balanced_neighbour_disagreement(data)
    assert plain[1] - plain[0] > 0.6
    assert balanced == pytest.approx([0.5, 0.5], abs=0.15)


@pytest.mark.parametrize("name", COMPLEXITY)
def test_no_measure_depends_on_the_order_of_classes(name):
    data = load("digits")
    order = np.random.default_rng(1).permutation(10)
    renamed = data._replace(train_labels=np.argsort(order)[data.train_labels])
    assert np.array_equal(COMPLEXITY[name](renamed), COMPLEXITY[name](data)[order])


def test_large_sets_are_sampled_the_same_way_each_time(rng):
    images = rng.integers(0, 256, (4 * IMAGES_A_CLASS, 2, 2, 1), dtype=np.uint8)
    data = of_images(images, np.arange(len(images)) % 2, 2)
    first, second = class_complexity(data), class_complexity(data)
    assert all(np.array_equal(first[name], second[name]) for name in COMPLEXITY)


def test_a_class_of_one_image_has_no_neighbour_of_its_own():
    values = class_complexity(points([0, 1, 2], [0, 0, 1], 2))
    assert values["neighbour_disagreement"][1] == 1
    assert values["balanced_neighbour_disagreement"][1] == 1
