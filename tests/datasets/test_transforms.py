import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prune_fair.config import DataConfig
from prune_fair.data import Dataset
from prune_fair.datasets import (
    check_name,
    choose_classes,
    downsample,
    keep_fractions,
    label_noise,
    load,
    long_tail,
)
from prune_fair.errors import InputError


def balanced(each: int, classes: int) -> Dataset:
    labels = np.tile(np.arange(classes, dtype=np.int32), each)
    images = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Dataset(images, labels, images, labels, tuple("abcdefghij"[:classes]))


def test_keep_takes_the_first_images_of_the_named_classes_and_leaves_the_test_set():
    data = balanced(10, 3)
    kept = keep_fractions(data, {"b": 0.3})
    assert kept.train_count().tolist() == [10, 3, 10]
    assert kept.train_images[kept.train_labels == 1].ravel().tolist() == [1, 4, 7]
    assert np.array_equal(kept.test_labels, data.test_labels)


def test_keep_refuses_a_class_that_is_not_there():
    with pytest.raises(InputError, match="unknown class 'z': did you mean"):
        keep_fractions(balanced(4, 3), {"z": 0.5})


@pytest.mark.parametrize("fraction", [0.0, -1.0, 1.5])
def test_keep_refuses_fractions_outside(fraction):
    with pytest.raises(InputError, match="expected \\(0, 1\\]"):
        keep_fractions(balanced(4, 3), {"a": fraction})


def test_long_tail_by_hand():
    # n = 100, factor 100, three classes: 100, 100 / 10, 100 / 100
    assert long_tail(balanced(100, 3), 100.0).train_count().tolist() == [100, 10, 1]


@given(st.integers(2, 10), st.integers(20, 60), st.floats(1, 20))
def test_long_tail_falls_from_the_stated_size_to_the_stated_factor(classes, each, factor):
    counts = long_tail(balanced(each, classes), factor).train_count()
    assert counts[0] == each
    assert abs(counts[-1] - max(1, each / factor)) <= 0.5 + 1e-6
    assert (np.diff(counts) <= 0).all()


def test_long_tail_refuses_a_factor_below_one():
    with pytest.raises(InputError, match="imbalance_factor 0.5"):
        long_tail(balanced(4, 3), 0.5)


def test_classes_are_chosen_and_numbered_in_the_order_asked():
    data = balanced(2, 3)._replace(
        test_groups=np.array([0, 1, 0, 1, 1, 1], np.int32), group_names=("x", "y")
    )
    chosen = choose_classes(data, ("c", "a"))
    assert chosen.class_names == ("c", "a")
    assert chosen.train_labels.tolist() == [1, 0, 1, 0]  # a, c, a, c
    assert chosen.train_images.ravel().tolist() == [0, 2, 3, 5]
    assert chosen.test_labels.tolist() == [1, 0, 1, 0]
    assert chosen.test_groups.tolist() == [0, 0, 1, 1]
    assert choose_classes(data, ()) is data


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("a",), "classes a: expected at least two names"),
        (("a", "a", "b"), "classes a, a, b: expected .* each once"),
        (("a", "z"), "unknown class 'z'"),
    ],
)
def test_choices_of_classes_that_are_refused(classes, message):
    with pytest.raises(InputError, match=message):
        choose_classes(balanced(2, 3), classes)


def test_downsample_by_hand():
    image = np.array([[0, 1, 10, 20], [2, 4, 30, 40], [255] * 4, [255, 254, 0, 0]], np.uint8)
    data = balanced(1, 2)
    images = np.stack([image, 255 - image])[..., None]
    small = downsample(data._replace(train_images=images, test_images=images[:1]), 2)
    # means 1.75, 25, 254.75, 127.5 round to 2, 25, 255, 128
    assert small.train_images[0, :, :, 0].tolist() == [[2, 25], [255, 128]]
    assert small.train_images.dtype == np.uint8
    assert small.train_images.shape == (2, 2, 2, 1)
    assert small.test_images.shape == (1, 2, 2, 1)


def test_downsample_refuses_what_does_not_divide():
    with pytest.raises(InputError, match="downsample 3: images of 8x8 are not divided"):
        downsample(load("digits"), 3)


@given(st.integers(2, 10), st.integers(2, 50), st.floats(0, 0.99))
def test_label_noise_makes_exactly_the_fraction_wrong(classes, each, fraction):
    data = balanced(each, classes)
    noisy = label_noise(data, fraction)
    assert (noisy.train_labels != data.train_labels).sum() == round(fraction * each * classes)
    assert noisy.train_labels.min() >= 0
    assert noisy.train_labels.max() < classes
    assert noisy.train_labels.dtype == data.train_labels.dtype
    assert np.array_equal(noisy.test_labels, data.test_labels)
    assert data.train_labels.tolist() == balanced(each, classes).train_labels.tolist()


def test_label_noise_is_uniform_over_the_other_classes_fixed_and_nested():
    data = balanced(3000, 4)
    half, more = label_noise(data, 0.5), label_noise(data, 0.6)
    table = np.zeros((4, 4), int)
    np.add.at(table, (data.train_labels, half.train_labels), 1)
    expected = np.full((4, 4), 500) + np.eye(4, dtype=int) * 1000
    assert abs(table - expected).max() < 5 * np.sqrt(500)
    assert np.array_equal(half.train_labels, label_noise(data, 0.5).train_labels)
    wrong = half.train_labels != data.train_labels
    assert np.array_equal(more.train_labels[wrong], half.train_labels[wrong])


def test_order_of_the_transforms():
    """Fractions are of true classes; noise comes last, and moves what is counted."""
    settings = {"classes": ("8", "3", "1"), "imbalance_factor": 4.0, "keep": {"3": 0.5}}
    clean = DataConfig("digits", downsample=2, **settings).load()
    each = min(load("digits", validation=None).train_count()[[8, 3, 1]])
    assert clean.class_names == ("8", "3", "1")
    assert clean.train_count().tolist() == [each, round(round(each / 2) * 0.5), round(each / 4)]
    assert clean.train_images.shape[1:] == (4, 4, 1)
    noisy = DataConfig("digits", downsample=2, label_noise=0.3, **settings).load()
    assert np.array_equal(noisy.train_images, clean.train_images)
    assert noisy.train_count().sum() == clean.train_count().sum()
    assert noisy.train_count().tolist() == np.bincount(noisy.train_labels).tolist()
    assert noisy.train_count().tolist() != clean.train_count().tolist()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit", "did you mean 'digits'"),
        ("idx", "did you mean 'idx:DIR'"),
        ("idx:", "lacks its DIR"),
        ("tfds:", "lacks its NAME"),
        ("npz:", "lacks its FILE"),
        ("zip:x", "unknown dataset"),
    ],
)
def test_unknown_names(name, message):
    for function in (check_name, load):
        with pytest.raises(InputError, match=message):
            function(name)
