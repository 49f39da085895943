"""Any image classification dataset prepared by TensorFlow Datasets, read without TensorFlow."""

import importlib.util
import os
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from prune_fair.errors import InputError, check
from prune_fair.types import Dataset

DEFAULT_FOLDER = "~/tensorflow_datasets"


def tfds(name: str) -> Dataset:
    """The splits `train` and `test` of a prepared TFDS dataset.

    The data folder is TFDS's own: `TFDS_DATA_DIR`, else `~/tensorflow_datasets`. Nothing is
    downloaded. ArrayRecord files are read without TensorFlow, TFRecord files where it is installed.

    Source: TensorFlow Datasets, `tfds.data_source`.

    Raises:
        InputError: if it is not prepared, only TensorFlow could read it, or it holds no labelled
            images of one size in both splits; the message says what to run.
    """
    builder = _prepared_builder(name)
    features: Any = builder.info.features
    splits = builder.info.splits
    check(
        {"image", "label"} <= set(features),
        f"tfds:{name}: expected the features 'image' and 'label', found {sorted(features)}",
    )
    check(
        {"train", "test"} <= set(splits),
        f"tfds:{name}: expected the splits 'train' and 'test', found {sorted(splits)}",
    )
    train, test = read_split(name, "train"), read_split(name, "test")
    return Dataset(*train, *test, tuple(features["label"].names))


def read_split(name: str, split: str) -> tuple[UInt8[np.ndarray, "n h w c"], Int[np.ndarray, " n"]]:
    """The images and labels of one split of a prepared dataset.

    Raises:
        InputError: as `tfds`.
    """
    records = _records(_prepared_builder(name), name, split)
    pairs = [(record["image"], record["label"]) for record in records]
    images, labels = zip(*pairs, strict=True)
    shapes = {image.shape for image in images}
    check(
        len(shapes) == 1,
        f"tfds:{name}: {split} images have {len(shapes)} different shapes; expected one shape",
    )
    return np.stack(images), np.array(labels, np.int32)


def _prepared_builder(name: str):
    import tensorflow_datasets
    from absl import logging

    logging.set_verbosity(logging.ERROR)
    folder = os.path.expanduser(os.environ.get("TFDS_DATA_DIR", DEFAULT_FOLDER))
    try:
        builder = tensorflow_datasets.builder(name, data_dir=folder)
    except tensorflow_datasets.core.DatasetNotFoundError as error:
        raise InputError(
            f"tfds:{name}: TFDS knows no dataset {name!r}, and none is prepared under {folder}; "
            "its catalogue lists the names"
        ) from error
    check(
        bool(builder.info.splits),
        f"tfds:{name} is not prepared under {folder}: where TensorFlow is installed, run "
        f"{_prepare(name)}; then set TFDS_DATA_DIR to that data folder",
    )
    return builder


def _prepare(name: str) -> str:
    call = f"t.builder('{name}', file_format='array_record').download_and_prepare()"
    return f'`python -c "import tensorflow_datasets as t; {call}"`'


def _records(builder, name: str, split: str):
    try:
        return builder.as_data_source(split=split)
    except NotImplementedError as error:
        if importlib.util.find_spec("tensorflow") is None:
            raise InputError(
                f"tfds:{name} is stored as TFRecord, which only TensorFlow reads: "
                "`pip install tensorflow importlib_resources`, or prepare it as ArrayRecord in "
                f"another TFDS_DATA_DIR with {_prepare(name)}"
            ) from error
        import tensorflow_datasets

        return tensorflow_datasets.as_numpy(builder.as_dataset(split=split))
