"""Folders of IDX files: MNIST, Fashion-MNIST, KMNIST, QMNIST, EMNIST and their kin."""

import gzip
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from prune_fair.data import Dataset
from prune_fair.errors import InputError, check

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
UNSIGNED_BYTE = 0x08


def fashion_mnist(folder: Path = DEBIAN_FASHION_MNIST) -> Dataset:
    """Fashion-MNIST from the folder where Debian's package puts it.

    Source: Xiao et al. 2017, arXiv 1708.07747; package `dataset-fashion-mnist`.

    Raises:
        InputError: if the package is not installed.
    """
    check(
        folder.is_dir(),
        f"dataset 'fashion_mnist' is not on this machine ({folder} is missing): install it with "
        "`apt-get install dataset-fashion-mnist`, or name a copy as idx:DIR or tfds:fashion_mnist",
    )
    return idx(str(folder))._replace(class_names=FASHION_CLASSES)


def idx(folder: str) -> Dataset:
    """A folder with the four IDX files of the MNIST family, gzipped or not.

    A file `labels.txt` beside them, one name a line, gives the class names; without it they are
    the labels' numbers.

    Source: the IDX format, LeCun's MNIST page.

    Raises:
        InputError: if the folder lacks a file, or a file is truncated or not IDX.
    """
    root = Path(os.path.expanduser(folder))
    check(root.is_dir(), f"idx:{folder}: no such folder; expected one with MNIST-style IDX files")
    train_images, train_labels = _part(root, "train")
    test_images, test_labels = _part(root, "t10k", "test")
    classes = int(max(train_labels.max(), test_labels.max())) + 1
    return Dataset(
        train_images, train_labels, test_images, test_labels, _class_names(root, classes)
    )


def read_idx(path: Path, dimensions: int) -> UInt8[np.ndarray, "..."]:
    """The unsigned bytes of one IDX file, gzipped or not.

    Raises:
        InputError: if it is not an IDX file of bytes with so many dimensions, or is truncated.
    """
    raw = _bytes(path)
    header = 4 + 4 * dimensions
    expected = f"an IDX file of unsigned bytes with {dimensions} dimension(s)"
    check(
        len(raw) >= header and raw[:4] == bytes((0, 0, UNSIGNED_BYTE, dimensions)),
        f"{path}: not {expected}; download it again",
    )
    shape = struct.unpack(f">{dimensions}I", raw[4:header])
    size = int(np.prod(shape, dtype=np.int64))
    check(
        len(raw) - header == size and size > 0,
        f"{path}: truncated or empty: {len(raw) - header} bytes of data where its header promises "
        f"{size}; download it again",
    )
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)


def _bytes(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read()
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}); download it again") from error


def _part(root: Path, *names: str) -> tuple[np.ndarray, np.ndarray]:
    images = read_idx(_find(root, names, "images-idx3-ubyte"), 3)[..., None]
    labels = read_idx(_find(root, names, "labels-idx1-ubyte"), 1).astype(np.int32)
    check(
        len(images) == len(labels),
        f"idx:{root}: {len(images)} {names[0]} images but {len(labels)} labels; "
        "the files are not of one dataset",
    )
    return images, labels


def _find(root: Path, parts: tuple[str, ...], kind: str) -> Path:
    found = [p for part in parts for p in sorted(root.glob(f"*{part}-{kind}*")) if p.is_file()]
    check(
        bool(found),
        f"idx:{root}: no file {parts[0]}-{kind} or {parts[0]}-{kind}.gz; "
        "expected the four files of an MNIST-style dataset",
    )
    return found[0]


def _class_names(root: Path, classes: int) -> tuple[str, ...]:
    file = root / "labels.txt"
    if not file.is_file():
        return tuple(str(label) for label in range(classes))
    try:
        names = tuple(file.read_text(encoding="utf-8").split("\n")[:classes])
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file}: cannot be read ({error}); expected class names in UTF-8, one a line"
        ) from error
    check(
        len(set(names)) == classes and all(names),
        f"{file}: expected {classes} different class names, one a line",
    )
    return names
