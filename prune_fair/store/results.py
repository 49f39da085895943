"""A study's results as they are read: whole, labelled arrays."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from prune_fair.errors import InputError, check
from prune_fair.provenance import physical_memory
from prune_fair.store.chunks import Task, read_variable
from prune_fair.store.files import read_file
from prune_fair.store.hierarchy import digest_of
from prune_fair.store.layout import FINISHED, Layout
from prune_fair.store.studies import EXAMPLE, STUDY_FILE, layouts_of, read_study


def open_study(path: str | Path) -> xr.DataTree:
    """A study's results, labelled: one node `/<dataset>/<model>` a task.

    Each node holds, by technique, seed and level: `confusion` (…, true, predicted), `margin` (…,
    true), `sparsity`, `parameter_sparsity`, `layer_sparsity` (…, layer), `diverged`, `collapsed`
    and `finished`; and of the training images `train_count` (true) and `complexity` (measure,
    true), the rows of `COMPLEXITY`. Margin is the mean over the class's test images of the
    probability of the true class less the largest other, NaN for a class without any. A diverged
    network is counted as a failure of every class: each class's images stand under the next class,
    its margins are -1. Where test images have groups, `group_confusion` (…, group, true, predicted)
    is there too, and adds up to `confusion` over them. Where the study keeps predictions,
    `predictions` (…, image) is the position of the class that a network gives each test image, the
    largest of its dtype where none is finished, and `image_label` (image) that of the true class;
    with groups `image_group` (image); and with a validation split `validation_predictions`,
    `validation_label` and `validation_group` (validation_image) too.
    Level 0 is the dense network, the same for every technique of a seed. What a running study has
    not finished has `finished` False, counts of 0, and NaN in what is no count.

    All of it is read, and every chunk's checksum looked at. Without this package
    `xarray.open_datatree(path, engine="zarr")` reads the same arrays.
    Control characters in names are escaped, as `errors.printable` does it.

    Raises:
        InputError: if the path is no study, or something in it is damaged: which piece, and what to
            do.

    Example:
        >>> tree = open_study(EXAMPLE)  # or "studies/quickstart"
        >>> tree["digits/mlp"].sparsity.dims, tree.attrs["complete"]
        (('technique', 'seed', 'level'), True)
    """
    path = Path(os.path.expanduser(path))
    study = read_study(path)
    layouts = layouts_of(study)
    _check_memory(layouts, path)
    for file, digest in study["metadata"].items():
        fault = metadata_fault(path / file, digest)
        check(
            not fault,
            f"{path / file}: is damaged ({fault}); `prune-fair check {path} --repair` writes it "
            "again",
        )
    described = zip(layouts.items(), study["config"]["tasks"], strict=False)
    tree = xr.DataTree.from_dict(
        {
            f"/{name}": _assemble(Task(path, name, layout)).assign_attrs(config=json.dumps(task))
            for (name, layout), task in described
        }
    )
    tree.attrs = {key: study[key] for key in ("fingerprint", "complete", "schema_version")}
    tree.attrs |= {"path": str(path), "config": json.dumps(study["config"])}
    return tree


def open_example() -> xr.DataTree:
    """A small study that comes with the package, as `open_study` gives it: results to play with.

    `experiments/digits.py` with 16 seeds, three techniques and six levels up to sparsity 0.97,
    without a validation split, and with predictions: 16 dense and 288 pruned networks on digits,
    where classes 3 and 8 are rare. `make example` makes it anew.

    Example:
        >>> results = open_example()["digits/mlp"]
        >>> dict(results.confusion.sizes)
        {'technique': 3, 'seed': 16, 'level': 7, 'true': 10, 'predicted': 10}
    """
    return open_study(EXAMPLE)


def metadata_fault(file: Path, digest: str) -> str:
    """What is wrong with a file of Zarr's metadata; empty where it is as it was written."""
    try:
        return "" if digest_of(read_file(file)) == digest else "it is not what was written"
    except OSError as error:
        return error.strerror or str(error)


def _assemble(task: Task) -> xr.Dataset:
    """The pieces of one task as whole arrays."""
    layout, finished = task.layout, task.finished()
    whole = xr.Dataset(coords=layout.coords())
    for name, variable in layout.all_variables.items():
        attributes = {"units": variable.unit, "description": variable.description}
        whole[name] = (variable.dims, read_variable(task, name, finished), attributes)
    _check_commits(task, finished, whole[FINISHED].values)
    return whole


def _check_commits(task: Task, finished: np.ndarray, said: np.ndarray) -> None:
    """Raises `InputError` where a chunk of `finished` does not say what its being there says."""
    by_seed = np.repeat(finished, task.layout.seeds_per_piece, axis=0)[: said.shape[1]]
    if not (said == by_seed).all():
        raise InputError(
            f"{task.path}: finished of {task.name} is not set in pieces that are there; "
            f"`prune-fair check {task.path} --repair` computes them again"
        )


def _check_memory(layouts: Mapping[str, Layout], path: Path) -> None:
    """Raises `InputError` where whole results take more memory than the machine has."""
    needed = sum(
        layout.bytes(each) for layout in layouts.values() for each in layout.all_variables.values()
    )
    check(
        needed < physical_memory(),
        f"{path}: its results take {needed / 2**30:,.0f} GiB of memory, this machine has "
        f"{physical_memory() / 2**30:,.0f}; open it on a larger one, or restore {STUDY_FILE} if it "
        "says more than was asked for",
    )
