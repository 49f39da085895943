import numpy as np
import pytest

from prune_fair.datasets import load
from prune_fair.datasets.idx import DEBIAN_FASHION_MNIST, FASHION_CLASSES, fashion_mnist, read_idx
from prune_fair.errors import InputError


@pytest.fixture
def folder(tmp_path, write_idx_folder):
    write_idx_folder(tmp_path, (5, 4), (12, 6), classes=3)
    return tmp_path


def test_folder_with_and_without_gzip(folder):
    data = load(f"idx:{folder}")
    assert data.train_images.shape == (12, 5, 4, 1)
    assert data.test_labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert data.class_names == ("0", "1", "2")


def test_class_names_from_a_file(folder):
    (folder / "labels.txt").write_text("ant\nbee\ncat\n")
    assert load(f"idx:{folder}").class_names == ("ant", "bee", "cat")
    (folder / "labels.txt").write_text("ant\nant\ncat\n")
    with pytest.raises(InputError, match="expected 3 different class names"):
        load(f"idx:{folder}")


def test_values_survive_the_format(tmp_path, rng):
    array = rng.integers(0, 256, (3, 2, 7), dtype=np.uint8)
    (tmp_path / "x").write_bytes(
        bytes((0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 7)) + array.tobytes()
    )
    assert np.array_equal(read_idx(tmp_path / "x", 3), array)


def test_missing_folder():
    with pytest.raises(InputError, match="no such folder"):
        load("idx:nowhere/at/all")


def test_empty_folder(tmp_path):
    with pytest.raises(InputError, match="no file train-images-idx3-ubyte"):
        load(f"idx:{tmp_path}")


@pytest.mark.parametrize("length", [0, 3, 10, 100])
def test_truncated_file(folder, length):
    file = folder / "train-labels-idx1-ubyte"
    whole = file.read_bytes()
    file.write_bytes(whole[: min(length, len(whole) - 1)])
    with pytest.raises(InputError, match="truncated|not an IDX file"):
        load(f"idx:{folder}")


def test_truncated_gzip(folder):
    file = folder / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(InputError, match="cannot be read"):
        load(f"idx:{folder}")


def test_images_and_labels_of_different_datasets(folder):
    (folder / "t10k-labels-idx1-ubyte").write_bytes(bytes((0, 0, 8, 1, 0, 0, 0, 5)) + bytes(5))
    with pytest.raises(InputError, match="6 t10k images but 5 labels"):
        load(f"idx:{folder}")


def test_fashion_mnist_not_installed(tmp_path):
    with pytest.raises(InputError, match="apt-get install dataset-fashion-mnist"):
        fashion_mnist(tmp_path / "absent")


@pytest.mark.skipif(not DEBIAN_FASHION_MNIST.is_dir(), reason="dataset-fashion-mnist not installed")
def test_fashion_mnist_whole():
    data = load("fashion_mnist")
    assert data.train_images.shape == (60000, 28, 28, 1)
    assert data.test_images.shape == (10000, 28, 28, 1)
    assert data.train_count().tolist() == [6000] * 10
    assert data.class_names == FASHION_CLASSES
