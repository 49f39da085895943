"""Any image classification dataset prepared by TensorFlow Datasets, read without TensorFlow."""

import importlib.util
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from prune_fair.data import TEST, VALIDATION, Dataset
from prune_fair.errors import InputError, check
from prune_fair.values import shortened

DEFAULT_FOLDER = "~/tensorflow_datasets"
# As TFDS parses names, without arguments and without the namespaces that are downloaded from.
FORM = re.compile(r"[a-zA-Z]\w*(/[\w+.-]+)?(:(\d+|\*)(\.(\d+|\*)){2})?", re.ASCII)


def check_form(name: str) -> None:
    """Raises `InputError` unless TFDS could have a dataset of that name; does not import it.

    Example:
        >>> check_form("emnist/letters:3.1.0")  # as it should be: nothing happens
    """
    check(
        FORM.fullmatch(name) is not None,
        f"dataset {shortened(f'tfds:{name}')}: expected tfds:NAME or tfds:NAME/CONFIG of letters, "
        "digits and underscores, and perhaps a version such as :1.0.0 behind it",
    )


def tfds(name: str, groups: str = "", validation: bool = True) -> Dataset:
    """The splits `train` and `test` of a prepared TFDS dataset, and `validation` where it has one.

    The data folder is TFDS's own: `TFDS_DATA_DIR`, else `~/tensorflow_datasets`. Nothing is
    downloaded. ArrayRecord files are read without TensorFlow, TFRecord files where it is installed.

    Source: TensorFlow Datasets, `tfds.data_source`.

    Args:
        name: of the dataset, as in TFDS's catalogue.
        groups: a feature that groups the images beside their label, none if empty. The names of a
            ClassLabel name the groups; of another feature every different value is one.
        validation: whether to read the validation split, where there is one.

    Raises:
        InputError: if it is not prepared, only TensorFlow could read it, or it holds no labelled
            images of one size in every split, or no such groups; the message says what to run.
    """
    info: Any = _labelled_builder(name).info
    features = info.features
    check(
        not groups or groups in features,
        f"tfds:{name}: no feature {groups!r} to group by; found {sorted(features)}",
    )
    own = validation and VALIDATION in info.splits
    parts = ("train", TEST, *([VALIDATION] if own else []))
    read = {part: read_split(name, part, [groups] if groups else []) for part in parts}
    shapes = {images.shape[1:] for images, *_ in read.values()}
    check(
        len(shapes) == 1,
        f"tfds:{name}: images of {' and '.join(map(str, sorted(shapes)))} in its splits; expected "
        "one shape",
    )
    train, test = read["train"], read[TEST]
    dataset = Dataset(train[0], train[1], test[0], test[1], tuple(features["label"].names))
    if VALIDATION in read:
        dataset = dataset.with_part(VALIDATION, *read[VALIDATION][:2])
    if not groups:
        return dataset
    values = {part: rest[0] for part, (_, _, *rest) in read.items()}
    judged = np.concatenate([values[part] for part in dataset.splits])
    names, code_of = _groups(name, groups, features[groups], judged)
    fields = {f"{part}_groups": code_of(each) for part, each in values.items()}
    return dataset._replace(group_names=names, **fields)


def tfds_shape(name: str) -> tuple[tuple[int, int, int], int]:
    """The shape of a dataset's first test image, and its number of classes.

    Raises:
        InputError: if it is not prepared, only TensorFlow could read it, or it holds no labelled
            test images.
    """
    builder = _labelled_builder(name)
    features: Any = builder.info.features
    for record in _records(builder, name, "test"):
        return record["image"].shape, len(features["label"].names)
    raise InputError(f"tfds:{name}: expected test images, found none")


def read_split(name: str, split: str, others: Sequence[str] = ()) -> tuple[np.ndarray, ...]:
    """The images, the labels and other features of one split of a prepared dataset.

    Raises:
        InputError: as `tfds`.
    """
    records = _records(_prepared_builder(name), name, split)
    features = ("image", "label", *others)
    rows = [[record[feature] for feature in features] for record in records]
    images, labels, *rest = zip(*rows, strict=True)
    shapes = {image.shape for image in images}
    check(
        len(shapes) == 1,
        f"tfds:{name}: {split} images have {len(shapes)} different shapes; expected one shape",
    )
    return np.stack(images), np.array(labels, np.int32), *map(np.array, rest)


def _groups(
    name: str, groups: str, feature: Any, judged: np.ndarray
) -> tuple[tuple[str, ...], Callable[[np.ndarray], Int[np.ndarray, " n"]]]:
    """The groups of the images that networks are judged on: names, and from values to positions.

    A value that none of these images has is -1: no training image alone makes a group.
    """
    check(
        judged.ndim == 1 and judged.dtype.kind in "biuSU",
        f"tfds:{name}: feature {groups!r} is {judged.dtype} of shape {judged.shape[1:]}; expected "
        "one whole number or word an image",
    )
    if hasattr(feature, "names"):
        known = bool((judged >= 0).all())
        check(known, f"tfds:{name}: test images without {groups!r}; expected it in every one")
        return tuple(feature.names), lambda values: values.astype(np.int32)
    different = np.unique(judged)
    names = [v.decode() if isinstance(v, bytes) else str(v) for v in different.tolist()]

    def code_of(values: np.ndarray) -> Int[np.ndarray, " n"]:
        place = np.searchsorted(different, values).clip(max=len(different) - 1)
        return np.where(different[place] == values, place, -1).astype(np.int32)

    return tuple(names), code_of


def _labelled_builder(name: str):
    """The builder of a prepared dataset of labelled images, split into train and test."""
    builder = _prepared_builder(name)
    info: Any = builder.info
    features, splits = set(info.features), set(info.splits)
    check(
        {"image", "label"} <= features,
        f"tfds:{name}: expected the features 'image' and 'label', found {sorted(features)}",
    )
    check(
        {"train", "test"} <= splits,
        f"tfds:{name}: expected the splits 'train' and 'test', found {sorted(splits)}",
    )
    return builder


def _prepared_builder(name: str):
    import tensorflow_datasets
    from absl import logging

    logging.set_verbosity(logging.ERROR)
    folder = os.path.expanduser(os.environ.get("TFDS_DATA_DIR", DEFAULT_FOLDER))
    try:
        builder = tensorflow_datasets.builder(name, data_dir=folder)
        prepared = bool(builder.info.splits)
    except tensorflow_datasets.core.DatasetNotFoundError as error:
        raise InputError(
            f"tfds:{name}: TFDS knows no dataset {name!r}, and none is prepared under {folder}; "
            "its catalogue lists the names"
        ) from error
    except Exception as error:  # of any kind: a version, a configuration, a file that is damaged
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"tfds:{name}: TFDS cannot open it under {folder} ({reason[:300]}); its catalogue "
            "lists the names, configurations and versions"
        ) from error
    check(
        prepared,
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
