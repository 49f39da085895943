import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from prune_fair.datasets import load
from prune_fair.datasets.idx import DEBIAN_FASHION_MNIST
from prune_fair.datasets.tfds import read_split
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
def test_same_images_as_idx_up_to_order(monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(PREPARED))
    images, labels = read_split("fashion_mnist", "test")
    idx = load("fashion_mnist")
    ours, theirs = (
        np.column_stack([pixels.reshape(-1, 784), classes])
        for pixels, classes in ((images, labels), (idx.test_images, idx.test_labels))
    )
    assert sorted(row.tobytes() for row in ours) == sorted(
        row.tobytes() for row in theirs.astype(ours.dtype)
    )


class FakeBuilder:
    """A prepared dataset, as TFDS describes one."""

    def __init__(self, features=("image", "label"), splits=("train", "test")):
        labels = SimpleNamespace(names=["ant", "bee"])
        self.info = SimpleNamespace(features=dict.fromkeys(features, labels), splits=splits)

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
