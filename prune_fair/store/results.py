"""A study's results as they are read: pieces laid into whole, labelled arrays."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from scipy.io import netcdf_file

from prune_fair.errors import InputError, check, printable
from prune_fair.fairness.confusion import all_wrong
from prune_fair.types import SCHEMA_VERSION

STUDY_FILE = "study.json"
EXAMPLE = Path(__file__).parent / "example"
DENSE = "dense"
MEMBERS = ("method", "seed", "level")
HALVES = ("even", "odd")
BALLOTS = ("method", "level", "half", "image", "predicted")
VARIABLES = {  # name: units, dtype, value where unfinished, axes
    "confusion": ("images", np.int32, 0, (*MEMBERS, "true", "predicted")),
    "margin": ("probability", np.float32, np.nan, (*MEMBERS, "true")),
    "sparsity": ("fraction of prunable weights removed", np.float64, np.nan, MEMBERS),
    "parameter_sparsity": ("fraction of all parameters removed", np.float64, np.nan, MEMBERS),
    "layer_sparsity": (
        "fraction of the layer's weights removed", np.float64, np.nan, (*MEMBERS, "layer"),
    ),
    "diverged": ("true where a parameter or output is not finite", np.bool_, False, MEMBERS),
    "collapsed": ("true where a layer has no weight left", np.bool_, False, MEMBERS),
    "group_confusion": ("images", np.int32, 0, (*MEMBERS, "group", "true", "predicted")),
    "votes": ("networks", np.int32, 0, BALLOTS),
    "image_label": ("position of the true class", np.int32, -1, ("image",)),
}  # fmt: skip


def read_study(path: str | Path) -> dict[str, Any]:
    """The content of a study's study.json.

    Raises:
        InputError: if the path is no study, or one of another schema version.

    Example:
        >>> read_study(EXAMPLE)["tasks"]["digits/mlp"]["layers"]
        ['dense_0', 'dense_1', 'output']
    """
    file = Path(path).expanduser() / STUDY_FILE
    try:
        study = json.loads(file.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path}: no study (no readable {STUDY_FILE} in it); expected a directory that an "
            "experiment wrote with --out"
        ) from error
    version = study.get("schema_version")
    check(
        version == SCHEMA_VERSION,
        f"{path}: results of schema version {version}, this prune_fair reads {SCHEMA_VERSION}; "
        "open it with the version that wrote it",
    )
    return study


def open_study(path: str | Path) -> xr.DataTree:
    """A study's results, labelled: one node `/<dataset>/<model>` a task.

    Each node holds, by method, seed and level: `confusion` (…, true, predicted), `margin` (…,
    true), `sparsity`, `parameter_sparsity`, `layer_sparsity` (…, layer), `diverged`, `collapsed`
    and `finished`; and of the training images `train_count` (true) and `complexity` (measure,
    true), the rows of `COMPLEXITY`. Margin is the mean over the class's test images of the
    probability of the true class less the largest other, NaN for a class without any. A diverged
    network is counted as a failure of every class: each class's images stand under the next class,
    its margins are -1. Where test images have groups, `group_confusion` (…, group, true, predicted)
    is there too, and adds up to `confusion` over them. Where the study counts votes, `votes`
    (method, level, half, image, predicted) is how many networks of even and of odd seeds predict
    each class for each test image, and `image_label` (image) the position of its true class (-1
    where no network is finished).
    Level 0 is the dense network, the same for every method of a seed. What a running study has not
    finished has `finished` False, counts of 0, and NaN in what is no count.

    Control characters in names are escaped, as `errors.printable` does it.

    Raises:
        InputError: if the path is no study, or one that has not begun.

    Example:
        >>> tree = open_study(EXAMPLE)  # or "studies/quickstart"
        >>> tree["digits/mlp"].sparsity.dims, tree.attrs["complete"]
        (('method', 'seed', 'level'), True)
    """
    path = Path(path).expanduser()
    study = read_study(path)
    check(bool(study["tasks"]), f"{path}: this study has no results yet; run it first")
    config = study["config"]
    described = zip(study["tasks"].items(), config["tasks"], strict=False)
    tree = xr.DataTree.from_dict(
        {
            f"/{name}": _assemble(path / "results" / name, axes, config["seeds"]).assign_attrs(
                config=json.dumps(task)
            )
            for (name, axes), task in described
        }
    )
    tree.attrs = {key: study[key] for key in ("fingerprint", "complete", "schema_version")}
    tree.attrs |= {"path": str(path), "config": json.dumps(config)}
    return tree


def open_example() -> xr.DataTree:
    """A small study that comes with the package, as `open_study` gives it: results to play with.

    The quickstart with 16 seeds, three methods and six levels up to sparsity 0.97, with votes: 16
    dense and 288 pruned networks on digits, where classes 3 and 8 are rare. `make example` makes it
    anew.

    Example:
        >>> results = open_example()["digits/mlp"]
        >>> dict(results.confusion.sizes)
        {'method': 3, 'seed': 16, 'level': 7, 'true': 10, 'predicted': 10}
    """
    return open_study(EXAMPLE)


def _assemble(folder: Path, axes: Mapping[str, Any], seeds: int) -> xr.Dataset:
    """The pieces of one task laid into whole arrays."""
    names = {
        axis: [printable(name) for name in axes.get(axis, ())]
        for axis in ("methods", "classes", "layers", "groups")
    }
    coords = {
        "method": names["methods"],
        "seed": np.arange(seeds),
        "level": np.arange(axes["levels"]),
        "true": names["classes"],
        "predicted": names["classes"],
        "layer": names["layers"],
    }
    if "groups" in axes:
        coords["group"] = names["groups"]
    if "images" in axes:
        coords |= {"half": list(HALVES), "image": np.arange(axes["images"])}
    whole = xr.Dataset(coords=coords)
    for name, (units, dtype, missing, dims) in VARIABLES.items():
        if {*dims} <= {*coords}:
            shape = [len(coords[dim]) for dim in dims]
            whole[name] = (dims, np.full(shape, missing, dtype), {"units": units})
    for file in sorted(folder.glob("seeds-*.nc")):
        _lay(whole, file)
    _fail_diverged(whole)
    whole["finished"] = whole.sparsity.notnull()
    whole["train_count"] = ("true", np.array(axes["train_count"], np.int32), {"units": "images"})
    if "complexity" in axes:
        whole = whole.assign_coords(measure=list(axes["complexity"]))
        values = np.array(list(axes["complexity"].values()), float)
        whole["complexity"] = (("measure", "true"), values, {"units": "as each measure's"})
    return whole


def _fail_diverged(whole: xr.Dataset) -> None:
    """Counts diverged networks as `all_wrong`, also in studies that were written before that."""
    flags = whole["diverged"].values
    for name in {"confusion", "group_confusion"} & {*whole.data_vars}:
        counts = whole[name].values
        counts[flags] = all_wrong(counts[flags])


def _lay(whole: xr.Dataset, file: Path) -> None:
    """Writes a piece into its place; the dense one into the place of every method.

    What has no seeds of its own is summed over them: there a piece adds to what others laid.
    Pieces are read by SciPy itself, since a large study has thousands and xarray takes ten times
    as long for each.
    """
    with netcdf_file(file, mmap=False) as piece:
        names = [b"".join(name).rstrip(b"\0").decode() for name in piece.variables["method"][:]]
        methods = whole.method.values.tolist()
        rows = slice(None) if names == [DENSE] else [methods.index(name) for name in names]
        seed, level = piece.variables["seed"][:], int(piece.variables["level"][0])
        place = {"method": rows, "seed": slice(seed[0], seed[0] + len(seed)), "level": level}
        for name, values in whole.data_vars.items():
            dims, part = values.dims, piece.variables[name][:]
            if "level" in dims:
                part = part.take(0, axis=dims.index("level"))
            where = tuple(place.get(str(dim), slice(None)) for dim in dims)
            if "level" in dims and "seed" not in dims:
                part = values.values[where] + part
            values.values[where] = part


def with_level(dims: tuple[str, ...], values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """A piece's array with an axis for its one level, where its axes have one."""
    return dims, np.expand_dims(values, dims.index("level")) if "level" in dims else values
