"""One NumPy archive that holds a whole dataset."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from prune_fair.data import Dataset
from prune_fair.datasets.arrays import from_arrays
from prune_fair.errors import InputError

# RuntimeError for an archive under a password, MemoryError where a header asks for terabytes.
READING_FAILS = (
    *(OSError, ValueError, EOFError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


def npz(file: str, groups: str = "", validation: bool = True) -> Dataset:
    """An .npz file with the arrays that `from_arrays` takes.

    Source: `numpy.savez`, and the archives of `keras.datasets`.

    Args:
        file: its path.
        groups: which groups of test images to read, as in `from_arrays`; none if empty.
        validation: whether to read the validation split, where there is one.

    Raises:
        InputError: if the file cannot be read, lacks an array, or one is not as it should be.
    """
    return from_arrays(_read(file), f"npz:{file}", groups, validation=validation)


def _read(file: str) -> dict[str, np.ndarray]:
    try:
        with Path(os.path.expanduser(file)).open("rb") as opened:
            archive = np.load(opened, allow_pickle=False)
            if isinstance(archive, np.lib.npyio.NpzFile):
                return {key: archive[key] for key in archive.files}
    except READING_FAILS as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"npz:{file}: cannot be read ({reason}); expected an archive by numpy.savez, "
            "without pickled objects"
        ) from error
    raise InputError(f"npz:{file}: holds a single array; expected an archive by numpy.savez")
