"""A dataset from plain arrays, as an archive or a Python session holds them."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32, Int, UInt8

from prune_fair.data import TEST, VALIDATION, Dataset
from prune_fair.errors import check

IMAGES = "images (n, h, w) or (n, h, w, c), n at least 1, uint8 or floats in [0, 1]"


def from_arrays(
    arrays: Mapping[str, np.ndarray],
    source: str = "arrays",
    groups: str = "",
    classes: int | None = None,
    as_they_are: bool = False,
    validation: bool = True,
) -> Dataset:
    """The dataset of arrays x_train, y_train, x_test and y_test, as in Keras's mnist.npz.

    Images are uint8 (n, h, w) or (n, h, w, c); floats in [0, 1] are scaled by 255 and rounded.
    Labels are integers from 0; an array `class_names` names them, without it they are numbers.
    Where x_validation and y_validation are there too, they are the validation split.

    Args:
        arrays: by name; what is not known is not read.
        source: where they come from, for messages.
        groups: which groups of images to read, none if empty. "g" reads `g_test`, integers from 0,
            and their names from `group_names`; any other word reads `<word>_test` and
            `<word>_names`. Names may be absent. A validation split needs `<word>_validation` too;
            `<word>_train` is read where it is there.
        classes: how many there are; None for what names or labels say.
        as_they_are: whether floats stay what they are, of any range, as float32.
        validation: whether to read the validation split, where there is one.

    Raises:
        InputError: where an array is missing or not as said above.

    Example:
        >>> images, labels = np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1])
        >>> halves = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
        >>> from_arrays(halves).train_images.shape
        (4, 8, 8, 1)
    """
    own = validation and {"x_validation", "y_validation"} & {*arrays}
    parts = ("train", TEST, *([VALIDATION] if own else []))
    images = {part: _images(source, arrays, f"x_{part}", as_they_are) for part in parts}
    train = images["train"]
    for part in parts[1:]:
        other = images[part]
        check(
            train.shape[1:] == other.shape[1:] and train.dtype == other.dtype,
            f"{source}: x_train has {train.dtype} images of {train.shape[1:]}, x_{part} "
            f"{other.dtype} of {other.shape[1:]}; expected one shape (h, w, c) and one type",
        )

    def codes(word: str, part: str) -> Int[np.ndarray, " n"]:
        return _codes(source, arrays, f"{word}_{part}", f"x_{part}", len(images[part]))

    labels = {part: codes("y", part) for part in parts}
    names = _names(source, arrays, "class_names", np.concatenate([*labels.values()]), classes)
    check(len(names) >= 2, f"{source}: {len(names)} class; expected at least two")
    dataset = Dataset(train, labels["train"], images[TEST], labels[TEST], names)
    if own:
        dataset = dataset.with_part(VALIDATION, images[VALIDATION], labels[VALIDATION])
    if not groups:
        return dataset
    grouped = [part for part in parts if part != "train" or f"{groups}_train" in arrays]
    belongs = {part: codes(groups, part) for part in grouped}
    names_key = "group_names" if groups == "g" else f"{groups}_names"
    group_names = _names(source, arrays, names_key, np.concatenate([*belongs.values()]))
    fields = {f"{part}_groups": each for part, each in belongs.items()}
    return dataset._replace(group_names=group_names, **fields)


def _array(source: str, arrays: Mapping[str, np.ndarray], key: str) -> np.ndarray:
    check(key in arrays, f"{source}: no array {key!r} in it; add it")
    return arrays[key]


def _images(
    source: str, arrays: Mapping[str, np.ndarray], key: str, as_they_are: bool
) -> UInt8[np.ndarray, "n h w c"] | Float32[np.ndarray, "n h w c"]:
    images = np.asarray(_array(source, arrays, key))
    found = f"{source}: {key} is {images.dtype} of shape {images.shape}"
    check(images.ndim in (3, 4) and images.size > 0, f"{found}; expected {IMAGES}")
    check(
        images.dtype == np.uint8 or np.issubdtype(images.dtype, np.floating),
        f"{found}; expected {IMAGES}; convert it to uint8",
    )
    if images.dtype != np.uint8 and as_they_are:
        images = images.astype(np.float32)
        check(bool(np.isfinite(images).all()), f"{found}, not all finite; expected numbers")
    elif images.dtype != np.uint8:
        low, high = images.min(), images.max()
        check(
            bool(low >= 0 and high <= 1),
            f"{source}: {key} has floats from {low} to {high}; expected them in [0, 1], or uint8",
        )
        images = np.rint(images * 255).astype(np.uint8)
    return images if images.ndim == 4 else images[..., None]


def _codes(
    source: str, arrays: Mapping[str, np.ndarray], key: str, images_key: str, images: int
) -> Int[np.ndarray, " n"]:
    """Classes or groups of images, as integers from 0."""
    codes = np.asarray(_array(source, arrays, key))
    check(
        codes.ndim == 1 and np.issubdtype(codes.dtype, np.integer),
        f"{source}: {key} is {codes.dtype} of shape {codes.shape}; expected one integer an "
        "image, shape (n,)",
    )
    check(
        len(codes) == images,
        f"{source}: {len(codes)} numbers in {key} but {images} images in {images_key}; "
        "expected as many",
    )
    low, high = int(codes.min()), int(codes.max())
    check(
        low >= 0 and high < 2**31 - 1,
        f"{source}: {key} runs from {low} to {high}; expected integers from 0",
    )
    return codes.astype(np.int32)


def _names(
    source: str,
    arrays: Mapping[str, np.ndarray],
    key: str,
    codes: Int[np.ndarray, " n"],
    number: int | None = None,
) -> tuple[str, ...]:
    """The names under that key, or else numbers: as many as asked for, or as codes need."""
    last = int(codes.max())
    if number is not None:
        check(
            last < number,
            f"{source}: labels run up to {last}; expected 0 to {number - 1}, one for each of the "
            "network's outputs",
        )
    if key not in arrays and number is not None:
        return tuple(map(str, range(number)))
    if key not in arrays:
        used = np.unique(codes)
        check(
            len(used) == int(used[-1]) + 1,
            f"{source}: {len(used)} different labels run up to {used[-1]}; expected 0, 1, 2, … "
            f"without gaps, or an array {key!r}",
        )
        return tuple(map(str, used))
    names = np.asarray(arrays[key])
    check(
        names.ndim == 1 and names.dtype.kind == "U" and len({*names.tolist()}) == len(names),
        f"{source}: {key} is {names.dtype} of shape {names.shape}; expected a list of different "
        "strings",
    )
    check(
        last < len(names) and number in (None, len(names)),
        f"{source}: {len(names)} names in {key} but "
        + (f"labels up to {last}" if last >= len(names) else f"{number} outputs of the network")
        + "; name them all",
    )
    return tuple(names.tolist())
