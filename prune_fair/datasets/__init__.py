"""Sources of images: each gives a `Dataset` of plain arrays."""

import re
from collections.abc import Callable, Sequence

from prune_fair.data import GIVEN, Dataset
from prune_fair.datasets.arrays import from_arrays
from prune_fair.datasets.augmentation import AUGMENTATIONS, augment
from prune_fair.datasets.complexity import COMPLEXITY, class_complexity
from prune_fair.datasets.digits import digits
from prune_fair.datasets.idx import fashion_mnist, idx
from prune_fair.datasets.npz import npz
from prune_fair.datasets.tfds import check_form, tfds, tfds_shape
from prune_fair.datasets.transforms import (
    check_classes,
    check_downsample,
    check_fractions,
    check_imbalance_factor,
    check_label_noise,
    choose_classes,
    downsample,
    keep_fractions,
    label_noise,
    long_tail,
)
from prune_fair.datasets.validation import check_validation, hold_out
from prune_fair.errors import InputError, check, unknown
from prune_fair.values import check_folder_name, shortened

__all__ = [
    "AUGMENTATIONS",
    "COMPLEXITY",
    "DATASETS",
    "GROUPED",
    "KNOWN",
    "PARAMETRIC",
    "SHAPES",
    "augment",
    "check_classes",
    "check_downsample",
    "check_fractions",
    "check_groups",
    "check_imbalance_factor",
    "check_label_noise",
    "check_name",
    "check_validation",
    "choose_classes",
    "class_complexity",
    "downsample",
    "from_arrays",
    "hold_out",
    "keep_fractions",
    "known_shape",
    "label_noise",
    "load",
    "long_tail",
]

DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": digits,
    "fashion_mnist": fashion_mnist,
}
Shape = tuple[tuple[int, int, int], int]  # of an image (h, w, c), and the number of classes
KNOWN: dict[str, Shape] = {  # whether the dataset is on this machine or not
    "digits": ((8, 8, 1), 10),
    "fashion_mnist": ((28, 28, 1), 10),
}
PARAMETRIC: dict[str, Callable[[str], Dataset]] = {
    "idx:DIR": idx,
    "npz:FILE": npz,
    "tfds:NAME": tfds,
}
SHAPES: dict[str, Callable[[str], Shape]] = {  # where it takes less than to load all images
    "tfds:NAME": tfds_shape,
}
GROUPED: dict[str, Callable[[str, str], Dataset]] = {  # what may know groups beside classes
    "npz:FILE": npz,
    "tfds:NAME": tfds,
}


def check_name(name: str) -> None:
    """Raises `InputError` unless `name` is a row of `DATASETS` or fits one of `PARAMETRIC`.

    Or it is `given:NAME`, of images that only an audit is handed.

    Example:
        >>> check_name("npz:cells.npz")  # as it should be: nothing happens
    """
    if name not in DATASETS and not name.startswith(GIVEN):
        _parametric(name)


def check_groups(name: str, groups: str) -> None:
    """Raises `InputError` where groups are asked of a dataset that cannot have any.

    Example:
        >>> check_groups("npz:cells.npz", "scanner")  # as it should be: nothing happens
    """
    check(
        not groups or (name not in DATASETS and _parametric(name)[0] in GROUPED),
        f"groups {groups!r}: dataset {name!r} has none; expected one of {', '.join(GROUPED)}",
    )


def known_shape(name: str, classes: Sequence[str] = (), factor: int = 1) -> Shape | None:
    """Image shape and number of classes as the data is now; None where it cannot be had.

    Args:
        name: of the dataset; a row of `KNOWN` need not be on this machine.
        classes: those that are chosen; empty for all.
        factor: by which images are made smaller; where it does not divide them, None.

    Example:
        >>> known_shape("digits", ("3", "8"), 2)
        ((4, 4, 1), 2)
    """
    try:
        (height, width, channels), all_classes = KNOWN[name] if name in KNOWN else _shape(name)
    except InputError:
        return None
    if height % factor or width % factor:
        return None
    return (height // factor, width // factor, channels), len(classes) or all_classes


def _shape(name: str) -> Shape:
    """What the data itself says; raises `InputError` where it cannot be had."""
    row, argument = _parametric(name)
    if row in SHAPES:
        return SHAPES[row](argument)
    dataset = PARAMETRIC[row](argument)
    return dataset.test_images.shape[1:], len(dataset.class_names)


def load(name: str, groups: str = "") -> Dataset:
    """The dataset of that name: `digits`, `fashion_mnist`, `idx:DIR`, `npz:FILE` or `tfds:NAME`.

    Args:
        name: a row of `DATASETS`, or one of `PARAMETRIC` with its argument.
        groups: what test images are grouped by, beside their class; nothing if empty.

    Raises:
        InputError: for an unknown name, groups it does not have, or where its data cannot be had.

    Example:
        >>> load("digits").class_names[8]
        '8'
    """
    check(
        not name.startswith(GIVEN),
        f"dataset {name!r}: these images were handed over as arrays and are not kept; hand them "
        "over again",
    )
    check_groups(name, groups)
    if name in DATASETS:
        return DATASETS[name]()
    row, argument = _parametric(name)
    return GROUPED[row](argument, groups) if groups else PARAMETRIC[row](argument)


def _parametric(name: str) -> tuple[str, str]:
    """The row of `PARAMETRIC` that a name fits, and its argument."""
    prefix, colon, argument = name.partition(":")
    for row in PARAMETRIC:
        row_prefix, _, placeholder = row.partition(":")
        if colon and prefix == row_prefix:
            check(bool(argument), f"dataset {name!r} lacks its {placeholder}: expected {row}")
            if row == "tfds:NAME":
                for part in re.split("[/:]", argument):
                    check_folder_name(part, f"dataset {shortened(name)} with the part")
                check_form(argument)
            return row, argument
    raise unknown("dataset", name, [*DATASETS, *PARAMETRIC])
