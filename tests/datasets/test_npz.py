import numpy as np
import pytest

from prune_fair.datasets import load
from prune_fair.errors import InputError

IMAGES = np.arange(3 * 2 * 2, dtype=np.uint8).reshape(3, 2, 2)
WHOLE = {
    "x_train": IMAGES,
    "y_train": np.array([0, 1, 2]),
    "x_test": IMAGES[:2],
    "y_test": np.array([2, 0], np.uint8),
}


@pytest.fixture
def write(tmp_path):
    """Writes the archive with some arrays changed (None leaves one out); gives its name."""

    def archive(**changed) -> str:
        arrays = {**WHOLE, **changed}
        np.savez(tmp_path / "some.npz", **{k: v for k, v in arrays.items() if v is not None})
        return f"npz:{tmp_path / 'some.npz'}"

    return archive


def test_grey_images_get_a_channel_and_labels_are_names(write):
    data = load(write())
    assert data.train_images.shape == (3, 2, 2, 1)
    assert data.train_images[1, :, :, 0].tolist() == [[4, 5], [6, 7]]
    assert data.test_labels.tolist() == [2, 0]
    assert data.test_labels.dtype == np.int32
    assert data.class_names == ("0", "1", "2")
    assert data.test_groups is None
    assert data.group_names == ()


def test_floats_are_scaled_and_rounded(write):
    colours = np.zeros((3, 2, 2, 3), np.float32)
    colours[0, 0, 0] = 0.0, 0.5, 1.0  # 0.5 * 255 is 127.5, which rounds to the even 128
    data = load(write(x_train=colours, x_test=np.ones((2, 2, 2, 3))))
    assert data.train_images[0, 0, 0].tolist() == [0, 128, 255]
    assert data.test_images.dtype == np.uint8
    assert (data.test_images == 255).all()


def test_class_names_may_name_more_than_there_are(write):
    data = load(write(class_names=np.array(["ant", "bee", "cat", "dog"])))
    assert data.class_names == ("ant", "bee", "cat", "dog")
    assert data.train_count().tolist() == [1, 1, 1, 0]


def test_groups(write):
    name = write(g_test=np.array([1, 0]), group_names=np.array(["city", "farm"]))
    data = load(name, "g")
    assert data.test_groups.tolist() == [1, 0]
    assert data.group_names == ("city", "farm")
    assert load(name).test_groups is None
    other = load(write(sex_test=np.array([0, 0]), sex_names=np.array(["f", "m"])), "sex")
    assert other.group_names == ("f", "m")
    assert load(write(g_test=np.array([1, 0])), "g").group_names == ("0", "1")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_test": None}, "no array 'y_test' in it"),
        ({"y_train": np.array([0, 1])}, "2 numbers in y_train but 3 images in x_train"),
        ({"y_train": np.array([0, 1, -1])}, "y_train runs from -1 to 1; expected integers from 0"),
        ({"y_train": np.array([0, 1, 2**40])}, "expected integers from 0"),
        ({"y_train": np.array([0.0, 1.0, 2.0])}, "y_train is float64 of shape .3,.; expected one"),
        ({"y_train": np.array([[0], [1], [2]])}, "y_train is int64 of shape .3, 1."),
        ({"y_train": np.array([0, 1, 5])}, "4 different labels run up to 5|without gaps"),
        ({"y_train": np.zeros(3, int), "y_test": np.zeros(2, int)}, "1 class; expected at least"),
        ({"x_train": IMAGES.astype(int)}, "x_train is int64 of .*convert it to uint8"),
        ({"x_train": IMAGES > 3}, "x_train is bool"),
        ({"x_train": IMAGES.astype(float)}, "floats from 0.0 to 11.0; expected them in .0, 1."),
        ({"x_train": np.full((3, 2, 2), np.nan)}, "floats from nan to nan"),
        ({"x_train": IMAGES.reshape(3, 4)}, "x_train is uint8 of shape .3, 4.; expected images"),
        ({"x_test": IMAGES[:0]}, "x_test is uint8 of shape .0, 2, 2."),
        ({"x_test": np.zeros((2, 2, 3), np.uint8)}, "expected one shape"),
        ({"class_names": np.array(["a", "b"])}, "2 names in class_names but labels up to 2"),
        ({"class_names": np.array(["a", "b", "b"])}, "a list of different strings"),
        ({"class_names": np.array([1, 2, 3])}, "a list of different strings"),
        ({"x_train": np.array([None] * 3)}, "cannot be read .*without pickled objects"),
    ],
)
def test_refusals_in_one_line(write, changed, message):
    with pytest.raises(InputError, match=message) as error:
        load(write(**changed))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "no array 'g_test'"),
        ({"g_test": np.array([0])}, "1 numbers in g_test but 2 images in x_test"),
        ({"g_test": np.array([0, 2]), "group_names": np.array(["a", "b"])}, "2 names in group_nam"),
    ],
)
def test_refusals_of_groups(write, changed, message):
    with pytest.raises(InputError, match=message):
        load(write(**changed), "g")


def test_files_that_are_no_archive(tmp_path, write):
    with pytest.raises(InputError, match="cannot be read .*No such file"):
        load(f"npz:{tmp_path / 'absent.npz'}")
    (tmp_path / "text.npz").write_text("not an archive")
    with pytest.raises(InputError, match="cannot be read"):
        load(f"npz:{tmp_path / 'text.npz'}")
    np.save(tmp_path / "single.npy", IMAGES)
    with pytest.raises(InputError, match="holds a single array"):
        load(f"npz:{tmp_path / 'single.npy'}")
    whole = (tmp_path / write().split("/")[-1]).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        load(f"npz:{tmp_path / 'cut.npz'}")
    (tmp_path / "empty.npz").touch()
    with pytest.raises(InputError, match="cannot be read"):
        load(f"npz:{tmp_path / 'empty.npz'}")
