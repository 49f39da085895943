"""Images in folders, a sub-folder a class: what most people have."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from prune_fair.data import TEST, VALIDATION, Dataset
from prune_fair.errors import InputError, check

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
TEST_SHARE, SPLIT_SEED = 0.2, 0
COLOURS = {"L": 1, "RGB": 3}
MOST_PIXELS = 1 << 24  # of one image; Pillow warns of such that are made to fill a memory
EXPECTED = "expected DIR/train/CLASS/* and DIR/test/CLASS/*, or DIR/CLASS/*"


def folder(path: str, validation: bool = True) -> Dataset:
    """Images of a directory, by Pillow: a sub-folder for each class, in their alphabetical order.

    `DIR/train/CLASS` and `DIR/test/CLASS`, and `DIR/validation/CLASS` (or `val`) where there are
    validation images; or `DIR/CLASS` alone, of which a fifth of each class's images, drawn by a
    fixed seed, are the test images. The argument `DIR@32` resizes images to 32 x 32 pixels, by
    Lanczos resampling of the whole image, whatever its proportions; `DIR@32x48` to 32 rows of 48.
    Without it all images must have one size. They are grey where all of them are, else colours of
    three channels; transparency is dropped, of animations the first picture is taken, of 16 bits a
    pixel the upper 8. Hidden files and folders are left out.

    Args:
        path: of the directory, and perhaps the size.
        validation: whether to read the validation split, where there is one.

    Raises:
        InputError: for a directory that is not as said, a file that is no image, or images of
            several sizes where none is asked for.

    Source: the layout of `torchvision.datasets.ImageFolder` and `keras.utils`.
    """
    root, size = _read_argument(path)
    parts = _parts(root, validation)
    found = {part: _files(base) for part, base in parts.items()}
    names = sorted({name for files in found.values() for name in files})
    check(len(names) >= 2, f"folder:{path}: {len(names)} class(es) found; {EXPECTED}")
    for part, files in found.items():
        check(bool(files), f"folder:{path}: no image in {parts[part]}; {EXPECTED}")
    listed = {
        part: [(file, names.index(name)) for name in files for file in files[name]]
        for part, files in found.items()
    }
    every = [file for files in listed.values() for file, _ in files]
    mode = "RGB" if any(not _is_grey(file) for file in every) else "L"
    read = {
        part: (_images([file for file, _ in files], mode, size), np.array([c for _, c in files]))
        for part, files in listed.items()
    }
    shapes = {images.shape[1:3] for images, _ in read.values()}
    check(
        len(shapes) == 1,
        f"folder:{path}: images of {' and '.join(map(str, sorted(shapes)))} pixels in its splits; "
        "name a size, as in folder:DIR@32",
    )
    if TEST not in read:
        images, labels = read["train"]
        held = _held_out(labels, path)
        read = {"train": (images[~held], labels[~held]), TEST: (images[held], labels[held])}
    train, test = read["train"], read[TEST]
    dataset = Dataset(*train, *test, tuple(names))
    return dataset.with_part(VALIDATION, *read[VALIDATION]) if VALIDATION in read else dataset


def _read_argument(path: str) -> tuple[Path, tuple[int, int] | None]:
    """The directory, and the (rows, columns) of pixels that are asked for."""
    if Path(os.path.expanduser(path)).is_dir():  # its name may have an "@"
        return Path(os.path.expanduser(path)), None
    place, at, size = path.rpartition("@")
    rows, _, columns = size.partition("x")
    if not at or not (rows.isdecimal() and (columns or rows).isdecimal()):
        place, rows = path, ""
    root = Path(os.path.expanduser(place))
    check(root.is_dir(), f"folder:{path}: no directory {place}; {EXPECTED}")
    if not rows:
        return root, None
    asked = int(rows), int(columns or rows)
    check(
        min(asked) > 0 and asked[0] * asked[1] <= MOST_PIXELS,
        f"folder:{path}: size {size}: expected pixels such as @32 or @32x48",
    )
    return root, asked


def _parts(root: Path, validation: bool) -> dict[str, Path]:
    """The folder of each split; `train` alone where a folder has classes and no splits."""
    if not (root / "train").is_dir():
        return {"train": root}
    parts = {"train": root / "train"}
    if (root / TEST).is_dir():
        parts[TEST] = root / TEST
    own = next((root / name for name in (VALIDATION, "val") if (root / name).is_dir()), None)
    if validation and own is not None:
        parts[VALIDATION] = own
    return parts


def _files(base: Path) -> dict[str, list[Path]]:
    """The images of each class, in the order of their names."""
    classes = sorted(each for each in base.iterdir() if each.is_dir() and each.name[0] != ".")
    found = {
        each.name: sorted(
            file
            for file in each.iterdir()
            if file.suffix.lower() in ENDINGS and file.name[0] != "." and file.is_file()
        )
        for each in classes
    }
    return {name: files for name, files in found.items() if files}


def _is_grey(file: Path) -> bool:
    with _opened(file) as image:
        return image.mode in ("1", "L", "LA") or image.mode.startswith("I;16")


def _images(files: list[Path], mode: str, size: tuple[int, int] | None) -> UInt8[np.ndarray, "..."]:
    from PIL import Image

    images: list[np.ndarray] = []
    for file in files:
        with _opened(file) as opened:
            try:
                image = _of_8_bits(opened, file).convert(mode)
            except (OSError, ValueError, SyntaxError) as error:
                raise _unreadable(file, error) from error
        if size is not None:
            image = image.resize((size[1], size[0]), Image.Resampling.LANCZOS)
        pixels = np.asarray(image, np.uint8).reshape(image.height, image.width, COLOURS[mode])
        check(
            not images or pixels.shape == images[0].shape,
            f"{file} has {image.height} x {image.width} pixels, {files[0]} "
            f"{images[0].shape[0] if images else 0} x {images[0].shape[1] if images else 0}; name "
            "a size, as in folder:DIR@32",
        )
        images.append(pixels)
    return np.stack(images)


def _of_8_bits(image: Any, file: Path) -> Any:
    """Grey of 16 bits a pixel as the upper 8 of them; others as they are."""
    from PIL import Image

    check(
        image.mode not in ("I", "F"),
        f"{file}: pixels of 32 bits, whose range nobody knows; expected 8 or 16 bits a channel",
    )
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray((np.asarray(image, np.uint16) >> 8).astype(np.uint8))


def _opened(file: Path) -> Any:
    from PIL import Image

    try:
        image = Image.open(file)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(file, error) from error
    check(
        image.width * image.height <= MOST_PIXELS,
        f"{file}: {image.width} x {image.height} pixels; expected at most {MOST_PIXELS:,} in all",
    )
    return image


def _unreadable(file: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split())
    return InputError(f"{file}: cannot be read as an image ({reason}); remove or replace it")


def _held_out(labels: np.ndarray, path: str) -> np.ndarray:
    """A fifth of each class's images, at least one, by a fixed seed."""
    rng, held = np.random.default_rng(SPLIT_SEED), np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        check(
            len(own) > 1,
            f"folder:{path}: class {label + 1} in alphabetical order has a single image, which "
            "cannot be trained on and tested too; expected at least 2",
        )
        held[rng.permutation(own)[: max(1, round(TEST_SHARE * len(own)))]] = True
    return held
