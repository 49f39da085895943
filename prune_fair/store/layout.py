"""One piece of a study's results, a netCDF file: what it is called, and what is in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.io import netcdf_file

from prune_fair.errors import InputError
from prune_fair.values import shortened

DENSE = "dense"
KINDS = {"b": "bi", "i": "iu", "f": "f"}  # of the results' numbers: those that a file may hold


class PieceFile(NamedTuple):
    """What a file says it holds: all techniques of some seeds at one level."""

    techniques: list[str]
    seeds: list[int]
    level: int
    variables: dict[str, np.ndarray]


def piece_name(first_seed: int, level: int) -> str:
    """What all that is kept of a piece is called.

    Example:
        >>> piece_name(32, 4)
        'seeds-00032.level-004'
    """
    return f"seeds-{first_seed:05d}.level-{level:03d}"


def read_piece(file: Path, whole: xr.Dataset) -> PieceFile:
    """The piece in a file, known to fit the whole results.

    Pieces are read by SciPy itself, since a large study has thousands and xarray takes ten times
    as long for each.

    Raises:
        InputError: if the file cannot be read, or is not the piece of its name of this study.
    """
    try:
        piece = _read(file)
    except Exception as error:  # SciPy reads whatever a damaged file says, and fails anyhow
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{file}: cannot be read as a piece of a study ({shortened(reason)}); restore it, or "
            "move it away and give the study's command again"
        ) from error
    for problem in _problems(piece, file, whole):
        raise InputError(
            f"{file}: is no piece of this study ({problem}); restore it, or move it away and give "
            "the study's command again"
        )
    return piece


def _read(file: Path) -> PieceFile:
    with file.open("rb") as opened, netcdf_file(opened, mmap=False) as content:
        arrays = {name: variable[:] for name, variable in content.variables.items()}
    techniques = [b"".join(name).rstrip(b"\0").decode() for name in arrays["technique"]]
    (level,), seeds = (arrays[name].astype(np.int64, casting="safe") for name in ("level", "seed"))
    return PieceFile(techniques, [seeds[0].item(), *seeds[1:].tolist()], int(level), arrays)


def _problems(piece: PieceFile, file: Path, whole: xr.Dataset) -> Iterator[str]:
    """What makes the content of a file another than that of the piece it is called by."""
    techniques = whole["technique"].values.tolist()
    dense = piece.level == 0
    if sorted(piece.techniques) != ([DENSE] if dense else sorted(techniques)):
        yield f"techniques {shortened(piece.techniques)} at level {piece.level}"
    if not 0 <= piece.level < whole.sizes["level"]:
        yield f"level {piece.level}"
    first, after = piece.seeds[0], piece.seeds[0] + len(piece.seeds)
    if piece.seeds != [*range(first, after)] or not 0 <= first < after <= whole.sizes["seed"]:
        yield f"seeds {first} to {piece.seeds[-1]}"
    if file.stem != piece_name(first, piece.level):
        yield f"it holds {piece_name(first, piece.level)}"
    own = {"technique": len(piece.techniques), "seed": len(piece.seeds), "level": 1}
    for name, values in whole.data_vars.items():
        shape = tuple(own.get(str(dim), size) for dim, size in values.sizes.items())
        part = piece.variables.get(str(name))
        if part is None or part.shape != shape or part.dtype.kind not in KINDS[values.dtype.kind]:
            found = "no" if part is None else f"{part.dtype} of shape {part.shape} as"
            yield f"{found} {name}, where shape {shape} was expected"
