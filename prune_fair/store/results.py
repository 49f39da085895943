"""A study's results as they are read: pieces laid into whole, labelled arrays."""

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from prune_fair.errors import InputError, check, printable
from prune_fair.fairness.confusion import all_wrong
from prune_fair.provenance import physical_memory
from prune_fair.store.content import check_study
from prune_fair.store.pieces import DENSE, read_piece

STUDY_FILE = "study.json"
EXAMPLE = Path(__file__).parent / "example"
MEMBERS = ("technique", "seed", "level")
HALVES = ("even", "odd")
BALLOTS = ("technique", "level", "half", "image", "predicted")
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
    file = Path(os.path.expanduser(path)) / STUDY_FILE
    try:
        study = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or f"it is no JSON: {error}"
        raise InputError(
            f"{path}: no study (no readable {STUDY_FILE} in it: {reason}); expected a directory "
            "that an experiment wrote with --out"
        ) from error
    check_study(study, str(path))
    return study


def open_study(path: str | Path) -> xr.DataTree:
    """A study's results, labelled: one node `/<dataset>/<model>` a task.

    Each node holds, by technique, seed and level: `confusion` (…, true, predicted), `margin` (…,
    true), `sparsity`, `parameter_sparsity`, `layer_sparsity` (…, layer), `diverged`, `collapsed`
    and `finished`; and of the training images `train_count` (true) and `complexity` (measure,
    true), the rows of `COMPLEXITY`. Margin is the mean over the class's test images of the
    probability of the true class less the largest other, NaN for a class without any. A diverged
    network is counted as a failure of every class: each class's images stand under the next class,
    its margins are -1. Where test images have groups, `group_confusion` (…, group, true, predicted)
    is there too, and adds up to `confusion` over them. Where the study counts votes, `votes`
    (technique, level, half, image, predicted) is how many networks of even and of odd seeds predict
    each class for each test image, and `image_label` (image) the position of its true class (-1
    where no network is finished).
    Level 0 is the dense network, the same for every technique of a seed. What a running study has
    not finished has `finished` False, counts of 0, and NaN in what is no count.

    Control characters in names are escaped, as `errors.printable` does it.

    Raises:
        InputError: if the path is no study, or one that has not begun.

    Example:
        >>> tree = open_study(EXAMPLE)  # or "studies/quickstart"
        >>> tree["digits/mlp"].sparsity.dims, tree.attrs["complete"]
        (('technique', 'seed', 'level'), True)
    """
    path = Path(os.path.expanduser(path))
    study = read_study(path)
    check(bool(study["tasks"]), f"{path}: this study has no results yet; run it first")
    config = study["config"]
    coords = {name: _coords(axes, config["seeds"]) for name, axes in study["tasks"].items()}
    _check_memory(({dim: len(c) for dim, c in each.items()} for each in coords.values()), path)
    described = zip(study["tasks"].items(), config["tasks"], strict=False)
    tree = xr.DataTree.from_dict(
        {
            f"/{name}": _assemble(path / "results" / name, axes, coords[name]).assign_attrs(
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

    The quickstart with 16 seeds, three techniques and six levels up to sparsity 0.97, with votes:
    16 dense and 288 pruned networks on digits, where classes 3 and 8 are rare. `make example` makes
    it anew.

    Example:
        >>> results = open_example()["digits/mlp"]
        >>> dict(results.confusion.sizes)
        {'technique': 3, 'seed': 16, 'level': 7, 'true': 10, 'predicted': 10}
    """
    return open_study(EXAMPLE)


def _coords(axes: Mapping[str, Any], seeds: int) -> dict[str, Sequence[Any]]:
    """The axes of one task's results."""
    names = {
        axis: [printable(name) for name in axes.get(axis, ())]
        for axis in ("techniques", "classes", "layers", "groups")
    }
    coords = {
        "technique": names["techniques"],
        "seed": range(seeds),
        "level": range(axes["levels"]),
        "true": names["classes"],
        "predicted": names["classes"],
        "layer": names["layers"],
    }
    if "groups" in axes:
        coords["group"] = names["groups"]
    if "images" in axes:
        coords |= {"half": HALVES, "image": range(axes["images"])}
    return coords


def _assemble(
    folder: Path, axes: Mapping[str, Any], coords: Mapping[str, Sequence[Any]]
) -> xr.Dataset:
    """The pieces of one task laid into whole arrays."""
    whole = xr.Dataset(coords={name: np.array(labels) for name, labels in coords.items()})
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
    """Writes a piece into its place; the dense one into the place of every technique.

    What has no seeds of its own is summed over them: there a piece adds to what others laid.
    """
    piece = read_piece(file, whole)
    techniques, seeds = whole["technique"].values.tolist(), piece.seeds
    rows = [techniques.index(name) for name in piece.techniques if name != DENSE] or slice(None)
    place = {"technique": rows, "seed": slice(seeds[0], seeds[-1] + 1), "level": piece.level}
    for name, values in whole.data_vars.items():
        dims, part = values.dims, piece.variables[str(name)]
        if "level" in dims:
            part = part.take(0, axis=dims.index("level"))
        where = tuple(place.get(str(dim), slice(None)) for dim in dims)
        if "level" in dims and "seed" not in dims:
            part = values.values[where] + part
        values.values[where] = part


def _check_memory(sizes: Iterable[Mapping[str, int]], path: Path) -> None:
    """Raises `InputError` where whole results take more memory than the machine has."""
    needed = sum(
        math.prod(axes[dim] for dim in dims) * np.dtype(dtype).itemsize
        for axes in sizes
        for _, dtype, _, dims in VARIABLES.values()
        if {*dims} <= {*axes}
    )
    check(
        needed < physical_memory(),
        f"{path}: its results take {needed / 2**30:,.0f} GiB of memory, this machine has "
        f"{physical_memory() / 2**30:,.0f}; open it on a larger one, or restore {STUDY_FILE} if it "
        "says more than was asked for",
    )


def with_level(dims: tuple[str, ...], values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """A piece's array with an axis for its one level, where its axes have one."""
    return dims, np.expand_dims(values, dims.index("level")) if "level" in dims else values
