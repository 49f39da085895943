"""Folders of images: a class by sub-folder, splits, sizes and colours; what is no image."""

import numpy as np
import pytest
from PIL import Image

from prune_fair import DataConfig, InputError
from prune_fair.datasets import load


def write(base, *, sizes=((6, 5),), classes=("cat", "dog"), each=5, colour="L", ending="png"):
    """Images of each class, of one value a class and number, so that they are known again."""
    for c, name in enumerate(classes):
        (base / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            size = sizes[number % len(sizes)]
            value = 10 * number + c if colour == "L" else (10 * number + c, 0, 255)
            Image.new(colour, size, value).save(base / name / f"{number}.{ending}")


def test_splits_are_folders(tmp_path):
    for part, each in (("train", 5), ("test", 3), ("val", 2)):
        write(tmp_path / part, each=each)
    data = load(f"folder:{tmp_path}", validation=None)
    assert data.train_images.shape == (10, 5, 6, 1)
    assert data.class_names == ("cat", "dog")
    assert data.splits == ("validation", "test")
    assert data.test_images[:, 0, 0, 0].tolist() == [0, 10, 20, 1, 11, 21]
    assert data.test_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.validation_labels.tolist() == [0, 0, 1, 1]
    assert load(f"folder:{tmp_path}").splits == ("test",)


def test_without_splits_a_fifth_of_each_class_is_the_test(tmp_path):
    write(tmp_path, each=10)
    data, again = load(f"folder:{tmp_path}"), load(f"folder:{tmp_path}")
    assert np.bincount(data.test_labels).tolist() == [2, 2]
    assert data.train_count().tolist() == [8, 8]
    pixels = np.concatenate([data.train_images, data.test_images])[:, 0, 0, 0]
    assert sorted(pixels.tolist()) == sorted([*range(0, 100, 10), *range(1, 101, 10)])
    assert (data.test_images == again.test_images).all()


def test_sizes_and_colours(tmp_path):
    write(tmp_path, sizes=((6, 5), (8, 8)))
    with pytest.raises(InputError, match="name a size, as in folder:DIR@32"):
        load(f"folder:{tmp_path}")
    assert load(f"folder:{tmp_path}@4").train_images.shape == (8, 4, 4, 1)
    assert load(f"folder:{tmp_path}@4x7").train_images.shape == (8, 4, 7, 1)
    write(tmp_path, classes=("eel",), colour="RGB")
    data = load(f"folder:{tmp_path}@4")
    assert data.train_images.shape == (12, 4, 4, 3)
    eels = data.train_images[data.train_labels == 2]
    assert (eels[..., 2] == 255).all()
    grey = data.train_images[data.train_labels == 0]
    assert (grey[..., 0] == grey[..., 2]).all()


def test_every_kind_of_file_and_no_other(tmp_path):
    write(tmp_path, each=2)
    write(tmp_path, each=2, ending="bmp")
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "cat" / ".hidden.png").write_bytes(b"no image")
    (tmp_path / ".cache").mkdir()
    assert sum(load(f"folder:{tmp_path}").train_count()) == 6


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (b"no image at all", "cannot be read as an image"),
        (b"", "cannot be read as an image"),
        ("cut", "cannot be read as an image"),
    ],
)
def test_what_is_no_image_is_one_line(tmp_path, broken, message):
    write(tmp_path)
    file = tmp_path / "cat" / "0.png"
    if broken == "cut":
        noise = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)
        Image.fromarray(noise).resize((6, 5)).save(file)
        broken = file.read_bytes()[:60]
    file.write_bytes(broken)
    with pytest.raises(InputError, match=message) as refused:
        load(f"folder:{tmp_path}")
    assert "\n" not in str(refused.value)
    assert "0.png" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder:{}/nowhere", "no directory"),
        ("folder:{}", "class(es) found"),
        ("folder:", "lacks its DIR"),
        ("folder:{}@0", "expected pixels"),
        ("folder:{}@99999", "expected pixels"),
    ],
)
def test_wrong_folders(tmp_path, name, message):
    with pytest.raises(InputError) as refused:
        load(name.format(tmp_path))
    assert message in str(refused.value)


def test_16_bits_are_not_cut_off(tmp_path):
    for c, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for number in range(5):
            pixels = np.full((4, 4), 257 * (20 * number + c), np.uint16)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    data = load(f"folder:{tmp_path}")
    pixels = np.concatenate([data.train_images, data.test_images])[:, 0, 0, 0]
    assert sorted(pixels.tolist()) == sorted([20 * n + c for n in range(5) for c in range(2)])
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "cat" / "0.tiff")
    with pytest.raises(InputError, match="pixels of 32 bits"):
        load(f"folder:{tmp_path}")


def test_a_folder_whose_name_has_an_at(tmp_path):
    write(tmp_path / "pets@8", each=2)
    assert load(f"folder:{tmp_path}/pets@8").train_images.shape[1:] == (5, 6, 1)
    assert load(f"folder:{tmp_path}/pets@8@4").train_images.shape[1:] == (4, 4, 1)


def test_a_class_of_one_image(tmp_path):
    write(tmp_path, each=1)
    with pytest.raises(InputError, match="a single image"):
        load(f"folder:{tmp_path}")


def test_it_is_a_source_of_a_task(tmp_path):
    write(tmp_path / "pets", each=10)
    config = DataConfig(f"folder:{tmp_path}/pets@8", validation=0.25)
    assert config.label == "pets@8"
    assert config.load().splits == ("validation", "test")
