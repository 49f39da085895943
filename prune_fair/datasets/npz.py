"""One NumPy archive that holds a whole dataset."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from prune_fair.errors import InputError, check
from prune_fair.types import Dataset

IMAGES = "images (n, h, w) or (n, h, w, c), uint8 or floats in [0, 1]"


def npz(file: str, groups: str = "") -> Dataset:
    """An .npz file with x_train, y_train, x_test and y_test, as in Keras's mnist.npz.

    Images are uint8 (n, h, w) or (n, h, w, c); floats in [0, 1] are scaled by 255 and rounded.
    Labels are integers from 0; an array `class_names` names them, without it they are numbers.

    Source: `numpy.savez`, and the archives of `keras.datasets`.

    Args:
        file: its path.
        groups: which groups of test images to read, none if empty. "g" reads `g_test`, integers
            from 0, and their names from `group_names`; any other word reads `<word>_test` and
            `<word>_names`. Names may be absent. Training images need no groups; none are read.

    Raises:
        InputError: if the file cannot be read, lacks an array, or one is not as said above.
    """
    names_key = "group_names" if groups == "g" else f"{groups}_names"
    groups_key = f"{groups}_test"
    asked = [groups_key, names_key] if groups else []
    arrays = _read(file, ["x_train", "y_train", "x_test", "y_test", "class_names", *asked])
    train, test = (_images(file, arrays, key) for key in ("x_train", "x_test"))
    check(
        train.shape[1:] == test.shape[1:],
        f"npz:{file}: x_train has images of {train.shape[1:]}, x_test of {test.shape[1:]}; "
        "expected one shape (h, w, c)",
    )
    labels = [
        _codes(file, arrays, f"y_{part}", f"x_{part}", len(images))
        for part, images in (("train", train), ("test", test))
    ]
    names = _names(file, arrays, "class_names", np.concatenate(labels))
    check(len(names) >= 2, f"npz:{file}: {len(names)} class; expected at least two")
    dataset = Dataset(train, labels[0], test, labels[1], names)
    if not groups:
        return dataset
    codes = _codes(file, arrays, groups_key, "x_test", len(test))
    return dataset._replace(test_groups=codes, group_names=_names(file, arrays, names_key, codes))


def _read(file: str, keys: list[str]) -> dict[str, np.ndarray]:
    """Those of the arrays that the archive has."""
    try:
        with Path(file).expanduser().open("rb") as opened:
            archive = np.load(opened, allow_pickle=False)
            if isinstance(archive, np.lib.npyio.NpzFile):
                return {key: archive[key] for key in keys if key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"npz:{file}: cannot be read ({reason}); expected an archive by numpy.savez, "
            "without pickled objects"
        ) from error
    raise InputError(f"npz:{file}: holds a single array; expected an archive by numpy.savez")


def _array(file: str, arrays: Mapping[str, np.ndarray], key: str) -> np.ndarray:
    check(key in arrays, f"npz:{file}: no array {key!r} in it; add it with numpy.savez")
    return arrays[key]


def _images(file: str, arrays: Mapping[str, np.ndarray], key: str) -> UInt8[np.ndarray, "n h w c"]:
    images = _array(file, arrays, key)
    found = f"npz:{file}: {key} is {images.dtype} of shape {images.shape}"
    check(images.ndim in (3, 4) and images.size > 0, f"{found}; expected {IMAGES}")
    check(
        images.dtype == np.uint8 or np.issubdtype(images.dtype, np.floating),
        f"{found}; expected {IMAGES}; convert it to uint8",
    )
    if images.dtype != np.uint8:
        low, high = images.min(), images.max()
        check(
            bool(low >= 0 and high <= 1),
            f"npz:{file}: {key} has floats from {low} to {high}; expected them in [0, 1], or uint8",
        )
        images = np.rint(images * 255).astype(np.uint8)
    return images if images.ndim == 4 else images[..., None]


def _codes(
    file: str, arrays: Mapping[str, np.ndarray], key: str, images_key: str, images: int
) -> Int[np.ndarray, " n"]:
    """Classes or groups of images, as integers from 0."""
    codes = _array(file, arrays, key)
    check(
        codes.ndim == 1 and np.issubdtype(codes.dtype, np.integer),
        f"npz:{file}: {key} is {codes.dtype} of shape {codes.shape}; expected one integer an "
        "image, shape (n,)",
    )
    check(
        len(codes) == images,
        f"npz:{file}: {len(codes)} numbers in {key} but {images} images in {images_key}; "
        "expected as many",
    )
    low, high = int(codes.min()), int(codes.max())
    check(
        low >= 0 and high < 2**31 - 1,
        f"npz:{file}: {key} runs from {low} to {high}; expected integers from 0",
    )
    return codes.astype(np.int32)


def _names(
    file: str, arrays: Mapping[str, np.ndarray], key: str, codes: Int[np.ndarray, " n"]
) -> tuple[str, ...]:
    """The names under that key, or else numbers."""
    if key not in arrays:
        used = np.unique(codes)
        check(
            len(used) == int(used[-1]) + 1,
            f"npz:{file}: {len(used)} different labels run up to {used[-1]}; expected 0, 1, 2, … "
            f"without gaps, or an array {key!r}",
        )
        return tuple(map(str, used))
    names = arrays[key]
    check(
        names.ndim == 1 and names.dtype.kind == "U" and len({*names.tolist()}) == len(names),
        f"npz:{file}: {key} is {names.dtype} of shape {names.shape}; expected a list of different "
        "strings",
    )
    check(
        int(codes.max()) < len(names),
        f"npz:{file}: {len(names)} names in {key} but labels up to {codes.max()}; name them all",
    )
    return tuple(names.tolist())
