import json
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from prune_fair.datasets import load
from prune_fair.datasets.idx import DEBIAN_FASHION_MNIST
from prune_fair.errors import InputError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "tensorflow_datasets"
PREPARED = Path(os.environ.get("TFDS_DATA_DIR", SHARED))
needs_data = pytest.mark.skipif(
    not (PREPARED / "fashion_mnist").is_dir(), reason="no prepared tfds:fashion_mnist"
)


@pytest.mark.parametrize("name", ["fashion_mnist", "mnist"])
def test_not_prepared(tmp_path, monkeypatch, name):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match=f"tfds:{name} is not prepared") as error:
        load(f"tfds:{name}")
    assert "download_and_prepare" in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_unknown_to_tfds(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match="TFDS knows no dataset 'no_such_dataset'"):
        load("tfds:no_such_dataset")


@pytest.mark.parametrize("name", ["mnist/nonsense", "mnist:0.0.9", "no_such/config:9.*.*"])
def test_a_configuration_or_version_that_tfds_does_not_have(tmp_path, monkeypatch, name):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match=f"^tfds:{re.escape(name)}: TFDS ") as error:
        load(f"tfds:{name}")
    assert str(error.value).isprintable()


@pytest.mark.parametrize("error", [ValueError("a\n\nb"), AttributeError("a b"), KeyError()])
def test_whatever_tfds_raises_is_a_line(monkeypatch, error):
    def raises(*names, **options):
        raise error

    monkeypatch.setattr("tensorflow_datasets.builder", raises)
    with pytest.raises(InputError, match=r"TFDS cannot open it under .* \((a b|KeyError)\); its"):
        load("tfds:any")


@needs_data
def test_stored_as_tfrecord_without_tensorflow(tmp_path, monkeypatch):
    folder = tmp_path / "fashion_mnist" / "3.0.1"
    folder.mkdir(parents=True)
    for file in ("dataset_info.json", "features.json", "label.labels.txt"):
        shutil.copy(PREPARED / "fashion_mnist" / "3.0.1" / file, folder / file)
    info = json.loads((folder / "dataset_info.json").read_text()) | {"fileFormat": "tfrecord"}
    (folder / "dataset_info.json").chmod(0o644)
    (folder / "dataset_info.json").write_text(json.dumps(info))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match="stored as TFRecord") as error:
        load("tfds:fashion_mnist")
    assert "pip install tensorflow" in str(error.value)


@needs_data
@pytest.mark.skipif(not DEBIAN_FASHION_MNIST.is_dir(), reason="dataset-fashion-mnist not installed")
def test_the_whole_fashion_mnist_is_that_of_idx_up_to_order(monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(PREPARED))
    ours, theirs = load("tfds:fashion_mnist"), load(f"idx:{DEBIAN_FASHION_MNIST}")
    for part, size in (("train", 60_000), ("test", 10_000)):
        rows = [
            sorted(
                label.tobytes() + image.tobytes()
                for image, label in zip(
                    getattr(data, f"{part}_images"), getattr(data, f"{part}_labels"), strict=True
                )
            )
            for data in (ours, theirs)
        ]
        assert len(rows[0]) == size
        assert rows[0] == rows[1]


class FakeBuilder:
    """A prepared dataset, as TFDS describes one."""

    def __init__(self, features=("image", "label"), splits=("train", "test"), **plain):
        labels = SimpleNamespace(names=["ant", "bee"])
        features = {**dict.fromkeys(features, labels), **plain}
        self.info = SimpleNamespace(features=features, splits=splits)

    def as_data_source(self, split):
        sizes = {"train": [(4, 4, 1)] * 3, "test": [(4, 4, 1), (5, 4, 1)]}[split]
        return [{"image": np.zeros(size, np.uint8), "label": 1} for size in sizes]


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        (FakeBuilder(features=["audio"]), "expected the features 'image' and 'label'"),
        (FakeBuilder(splits=["all"]), "expected the splits 'train' and 'test'"),
        (FakeBuilder(), "test images have 2 different shapes"),
    ],
)
def test_datasets_of_another_kind(monkeypatch, builder, message):
    monkeypatch.setattr("tensorflow_datasets.builder", lambda *_, **__: builder)
    with pytest.raises(InputError, match=message):
        load("tfds:any")


def test_prepared_dataset(monkeypatch):
    builder = FakeBuilder()
    monkeypatch.setattr(
        builder, "as_data_source", lambda split: FakeBuilder().as_data_source("train")
    )
    monkeypatch.setattr("tensorflow_datasets.builder", lambda *_, **__: builder)
    data = load("tfds:any")
    assert data.train_images.shape == (3, 4, 4, 1)
    assert data.test_labels.tolist() == [1, 1, 1]
    assert data.class_names == ("ant", "bee")


class GroupedBuilder(FakeBuilder):
    """Four test images, grouped in two ways, and in one that is no grouping."""

    def __init__(self):
        super().__init__(("image", "label", "kind"), place=object(), box=object())

    def as_data_source(self, split):
        kinds, places = [1, 0, 0, 1], [b"town", b"farm", b"sea", b"farm"]
        return [
            {
                "image": np.zeros((4, 4, 1), np.uint8),
                "label": 1,
                "kind": kind,
                "place": place,
                "box": [0, 1],
            }
            for kind, place in zip(kinds, places, strict=True)
        ]


@pytest.mark.parametrize(
    ("groups", "codes", "names"),
    [
        ("kind", [1, 0, 0, 1], ("ant", "bee")),
        ("place", [2, 0, 1, 0], ("farm", "sea", "town")),
    ],
)
def test_groups_of_a_feature(monkeypatch, groups, codes, names):
    monkeypatch.setattr("tensorflow_datasets.builder", lambda *_, **__: GroupedBuilder())
    data = load("tfds:any", groups)
    assert data.test_groups.tolist() == codes
    assert data.test_groups.dtype == np.int32
    assert data.group_names == names


def test_the_validation_split_of_a_dataset(monkeypatch):
    builder = FakeBuilder(splits=["train", "test", "validation"])
    monkeypatch.setattr(
        builder, "as_data_source", lambda split: FakeBuilder().as_data_source("train")
    )
    monkeypatch.setattr("tensorflow_datasets.builder", lambda *_, **__: builder)
    assert load("tfds:any", validation=None).splits == ("validation", "test")
    assert load("tfds:any").splits == ("test",)


def test_a_group_of_training_images_alone_is_none(monkeypatch):
    class Builder(GroupedBuilder):
        def as_data_source(self, split):
            rows = super().as_data_source(split)
            return rows if split == "test" else [*rows, {**rows[0], "place": b"moon"}]

    monkeypatch.setattr("tensorflow_datasets.builder", lambda *_, **__: Builder())
    data = load("tfds:any", "place")
    assert data.group_names == ("farm", "sea", "town")
    assert data.train_groups.tolist() == [2, 0, 1, 0, -1]


@pytest.mark.parametrize(
    ("groups", "message"),
    [("sex", "no feature 'sex' to group by; found"), ("box", "is int64 of shape .2,.; expected")],
)
def test_groups_that_are_refused(monkeypatch, groups, message):
    monkeypatch.setattr("tensorflow_datasets.builder", lambda *_, **__: GroupedBuilder())
    with pytest.raises(InputError, match=message):
        load("tfds:any", groups)
