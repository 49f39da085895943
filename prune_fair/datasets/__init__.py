"""Sources of images: each gives a `Dataset` of plain arrays."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from prune_fair.data import GIVEN, Dataset
from prune_fair.datasets.arrays import from_arrays
from prune_fair.datasets.augmentation import AUGMENTATIONS, augment
from prune_fair.datasets.complexity import COMPLEXITY, class_complexity
from prune_fair.datasets.corruptions import CORRUPTIONS, Corruption
from prune_fair.datasets.digits import digits
from prune_fair.datasets.fashion14 import fashion14
from prune_fair.datasets.folder import folder
from prune_fair.datasets.grouping import AND, check_fewest, intersected, merge_small_groups
from prune_fair.datasets.idx import fashion_mnist, idx
from prune_fair.datasets.npz import npz
from prune_fair.datasets.shifts import Shift, canonical_shifts, corrupt, with_shifts
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
from prune_fair.datasets.validation import check_validation, hold_out, with_validation
from prune_fair.errors import InputError, check, unknown
from prune_fair.values import check_folder_name, shortened

__all__ = [
    "AUGMENTATIONS",
    "COMPLEXITY",
    "CORRUPTIONS",
    "SOURCES",
    "Corruption",
    "Shift",
    "Source",
    "augment",
    "canonical_shifts",
    "check_classes",
    "check_downsample",
    "check_fewest",
    "check_fractions",
    "check_groups",
    "check_imbalance_factor",
    "check_label_noise",
    "check_name",
    "check_validation",
    "choose_classes",
    "class_complexity",
    "corrupt",
    "downsample",
    "from_arrays",
    "held_out_by_default",
    "hold_out",
    "keep_fractions",
    "known_shape",
    "label_noise",
    "load",
    "long_tail",
    "merge_small_groups",
    "with_shifts",
    "with_validation",
]

Shape = tuple[tuple[int, int, int], int]  # of an image (h, w, c), and the number of classes


class Source(NamedTuple):
    """A row of `SOURCES`.

    Attributes:
        load: gives the dataset; of its argument where its name has one, and where it may know
            groups of that which is asked for, empty for none.
        shape: finds out the shape without loading the images, of the argument where there is one;
            None where the images have to be loaded.
        groups: whether it may know groups of images beside their class.
        validation: fraction of the training images that is held out unless a task says otherwise,
            where the source has no validation split of its own.
        own_validation: whether it may have one of its own; `load` then takes `validation` by name,
            whether to read it.

    Example:
        >>> SOURCES["digits"].shape()
        ((8, 8, 1), 10)
    """

    load: Callable[..., Dataset]
    shape: Callable[..., Shape] | None = None
    groups: bool = False
    validation: float = 0.0
    own_validation: bool = False


SOURCES: dict[str, Source] = {
    "digits": Source(digits, lambda: ((8, 8, 1), 10), validation=0.15),
    "fashion14": Source(fashion14, lambda: ((14, 14, 1), 10)),
    "fashion_mnist": Source(fashion_mnist, lambda: ((28, 28, 1), 10), validation=0.15),
    "folder:DIR": Source(folder, own_validation=True),
    "idx:DIR": Source(idx),
    "npz:FILE": Source(npz, groups=True, own_validation=True),
    "tfds:NAME": Source(tfds, tfds_shape, groups=True, own_validation=True),
}


def check_name(name: str) -> None:
    """Raises `InputError` unless `name` is that of a row of `SOURCES`, with its argument.

    Or it is `given:NAME`, of images that only an audit is handed.

    Example:
        >>> check_name("npz:cells.npz")  # as it should be: nothing happens
    """
    if not name.startswith(GIVEN):
        _row(name)


def check_groups(name: str, groups: str) -> None:
    """Raises `InputError` where groups are asked of a dataset that cannot have any.

    Example:
        >>> check_groups("npz:cells.npz", "scanner")  # as it should be: nothing happens
    """
    parts = groups.split(AND)
    check(
        not groups or (all(parts) and len({*parts}) == len(parts)),
        f"groups {groups!r}: expected names joined by {AND!r}, each once and none empty",
    )
    check(
        not groups or (not name.startswith(GIVEN) and _row(name)[0].groups),
        f"groups {groups!r}: dataset {name!r} has none; expected one of "
        f"{', '.join(row for row, source in SOURCES.items() if source.groups)}",
    )


def known_shape(name: str, classes: Sequence[str] = (), factor: int = 1) -> Shape | None:
    """Image shape and number of classes as the data is now; None where it cannot be had.

    Args:
        name: of the dataset; one whose shape is known need not be on this machine.
        classes: those that are chosen; empty for all.
        factor: by which images are made smaller; where it does not divide them, None.

    Example:
        >>> known_shape("digits", ("3", "8"), 2)
        ((4, 4, 1), 2)
    """
    try:
        source, argument = _row(name)
        if source.shape:
            (height, width, channels), all_classes = source.shape(*argument)
        else:
            dataset = source.load(*argument)
            height, width, channels = dataset.test_images.shape[1:]
            all_classes = len(dataset.class_names)
    except InputError:
        return None
    if height % factor or width % factor:
        return None
    return (height // factor, width // factor, channels), len(classes) or all_classes


def held_out_by_default(name: str) -> float:
    """The fraction of training images that are held out where a task does not say it.

    Example:
        >>> held_out_by_default("digits"), held_out_by_default("npz:cells.npz")
        (0.15, 0.0)
    """
    return _row(name)[0].validation


def load(name: str, groups: str = "", validation: float | None = 0.0) -> Dataset:
    """The dataset of that name: that of a row of `SOURCES`, such as `digits` or `npz:FILE`.

    Args:
        name: of a row of `SOURCES`, with its argument.
        groups: what images are grouped by, beside their class; nothing if empty, several joined by
            "+" for their intersections.
        validation: fraction of the training images that is held out as validation split, whatever
            split the source has; None for the source's own, or else its default.

    Raises:
        InputError: for an unknown name, groups it does not have, a validation split that cannot be
            had, or where its data cannot be had.

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
    source, argument = _row(name)
    read = {"validation": validation is None} if source.own_validation else {}
    asked = [[each] for each in groups.split(AND)] if groups else [[]]
    first, *others = (source.load(*argument, *each, **read) for each in asked)
    dataset = intersected([first, *others]) if others else first
    return with_validation(dataset, validation, source.validation)


def _row(name: str) -> tuple[Source, list[str]]:
    """The row of `SOURCES` that a name fits, and its argument where it has one."""
    prefix, colon, argument = name.partition(":")
    for row, source in SOURCES.items():
        row_prefix, row_colon, placeholder = row.partition(":")
        if prefix == row_prefix and colon == row_colon:
            if not colon:
                return source, []
            check(bool(argument), f"dataset {name!r} lacks its {placeholder}: expected {row}")
            if row == "tfds:NAME":
                for part in re.split("[/:]", argument):
                    check_folder_name(part, f"dataset {shortened(name)} with the part")
                check_form(argument)
            return source, [argument]
    raise unknown("dataset", name, list(SOURCES))
