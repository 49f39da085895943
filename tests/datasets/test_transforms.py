import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prune_fair.datasets import check_name, keep_fractions, load, long_tail
from prune_fair.errors import InputError
from prune_fair.types import Dataset


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


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit", "did you mean 'digits'"),
        ("idx", "did you mean 'idx:DIR'"),
        ("idx:", "lacks its DIR"),
        ("tfds:", "lacks its NAME"),
        ("zip:x", "unknown dataset"),
    ],
)
def test_unknown_names(name, message):
    for function in (check_name, load):
        with pytest.raises(InputError, match=message):
            function(name)
