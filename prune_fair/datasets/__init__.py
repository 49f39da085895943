"""Sources of images: each gives a `Dataset` of plain arrays."""

from collections.abc import Callable

from prune_fair.datasets.digits import digits
from prune_fair.datasets.idx import fashion_mnist, idx
from prune_fair.datasets.tfds import tfds
from prune_fair.datasets.transforms import (
    check_fractions,
    check_imbalance_factor,
    keep_fractions,
    long_tail,
)
from prune_fair.errors import check, unknown
from prune_fair.types import Dataset

__all__ = [
    "DATASETS",
    "PARAMETRIC",
    "check_fractions",
    "check_imbalance_factor",
    "check_name",
    "keep_fractions",
    "load",
    "long_tail",
]

DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": digits,
    "fashion_mnist": fashion_mnist,
}
PARAMETRIC: dict[str, Callable[[str], Dataset]] = {
    "idx:DIR": idx,
    "tfds:NAME": tfds,
}


def check_name(name: str) -> None:
    """Raises `InputError` unless `name` is a row of `DATASETS` or fits one of `PARAMETRIC`."""
    if name not in DATASETS:
        _parametric(name)


def load(name: str) -> Dataset:
    """The dataset of that name: `digits`, `fashion_mnist`, `idx:DIR` or `tfds:NAME`.

    Raises:
        InputError: for an unknown name, or where its data cannot be had.

    Example:
        >>> load("digits").class_names[8]
        '8'
    """
    if name in DATASETS:
        return DATASETS[name]()
    source, argument = _parametric(name)
    return source(argument)


def _parametric(name: str) -> tuple[Callable[[str], Dataset], str]:
    prefix, colon, argument = name.partition(":")
    for row, source in PARAMETRIC.items():
        row_prefix, _, placeholder = row.partition(":")
        if colon and prefix == row_prefix:
            check(bool(argument), f"dataset {name!r} lacks its {placeholder}: expected {row}")
            return source, argument
    raise unknown("dataset", name, [*DATASETS, *PARAMETRIC])
