"""A study's directory: what was asked, what is finished, and how results are opened.

    study.json                                     config, fingerprint, tasks, runs
    results/DATASET/MODEL/seeds-00000.level-000.nc one finished piece: all methods of some seeds
    checkpoints/DATASET/MODEL/                     the networks of level 0 and of the last level
    figures/

A piece is written beside its place and moved there whole, so it is there or it is not.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from prune_fair.errors import InputError, check
from prune_fair.provenance import digest, environment
from prune_fair.types import SCHEMA_VERSION, Dataset

STUDY_FILE = "study.json"
LOCK_FILE = ".lock"
DENSE = "dense"
MEMBERS = ("method", "seed", "level")
VARIABLES = {  # name: units, dtype, value where unfinished, axes after MEMBERS
    "confusion": ("images", np.int32, 0, ("true", "predicted")),
    "sparsity": ("fraction of prunable weights removed", np.float64, np.nan, ()),
    "parameter_sparsity": ("fraction of all parameters removed", np.float64, np.nan, ()),
    "layer_sparsity": ("fraction of the layer's weights removed", np.float64, np.nan, ("layer",)),
    "diverged": ("true where a parameter is not finite", np.bool_, False, ()),
}


class StudyStore:
    """The directory of one study, open for writing by one process."""

    def __init__(self, path: Path, study: dict[str, Any]) -> None:
        self.path = path
        self.study = study

    def describe_task(
        self,
        task: str,
        methods: Sequence[str],
        levels: int,
        layers: Sequence[str],
        dataset: Dataset,
    ) -> None:
        """Records the axes of a task's results.

        Raises:
            InputError: if the study began with other images than these.
        """
        axes = {
            "methods": list(methods),
            "levels": levels,
            "layers": list(layers),
            "classes": list(dataset.class_names),
            "train_count": dataset.train_count().tolist(),
            "data_sha256": digest(dataset),
        }
        known = self.study["tasks"].setdefault(task, axes)
        check(
            known["data_sha256"] == axes["data_sha256"],
            f"{self.path}: the images of {task} are not those the study began with; restore them, "
            "or name another directory with --out",
        )
        self.write_study()

    def begin_run(self, plan: Mapping[str, Any]) -> None:
        """Records that this process goes on with the study from now."""
        run = {"started": time.time(), "seconds": 0.0, "plan": dict(plan), **environment()}
        self.study["runs"].append(run)
        self.write_study()

    def finish(self) -> None:
        """Records that every piece is there."""
        self.study["complete"] = True
        self.write_study()

    def write_study(self) -> None:
        """Writes study.json."""
        text = json.dumps(self.study, indent=1) + "\n"
        _write_whole(self.path / STUDY_FILE, lambda file: file.write_text(text))

    def has_piece(self, task: str, first_seed: int, level: int) -> bool:
        """Whether that piece is finished."""
        return self._piece(task, first_seed, level).is_file()

    def write_piece(
        self,
        task: str,
        level: int,
        methods: Sequence[str],
        seeds: Sequence[int],
        variables: Mapping[str, np.ndarray],
    ) -> None:
        """Adds a finished piece: arrays by method, seed and the inner axes of `VARIABLES`."""
        data = {
            name: ((*MEMBERS, *VARIABLES[name][3]), array[:, :, None])
            for name, array in variables.items()
        }
        coords = {"method": list(methods), "seed": list(seeds), "level": [level]}
        file = self._piece(task, int(seeds[0]), level)
        file.parent.mkdir(parents=True, exist_ok=True)
        piece = xr.Dataset(data, coords)
        _write_whole(file, lambda path: piece.to_netcdf(path, engine="scipy"))
        run = self.study["runs"][-1]
        run["seconds"] = time.time() - run["started"]
        self.write_study()

    def save_networks(self, task: str, first_seed: int, level: int, networks: Any) -> None:
        """Saves a tree of host arrays by Orbax, in place of one that a kill left behind."""
        with _checkpointer() as checkpointer:
            checkpointer.save(self._checkpoint(task, first_seed, level), networks, force=True)

    def load_networks(self, task: str, first_seed: int, level: int) -> Any:
        """The tree of host arrays that `save_networks` saved.

        Raises:
            InputError: if it is not there.
        """
        folder = self._checkpoint(task, first_seed, level)
        check(
            folder.is_dir(),
            f"{folder}: the networks that the study would go on from are missing; restore them, "
            "or name another directory with --out",
        )
        with _checkpointer() as checkpointer:
            return checkpointer.restore(folder)

    def drop_networks(self, task: str, first_seed: int, level: int) -> None:
        """Deletes networks that no later level needs."""
        shutil.rmtree(self._checkpoint(task, first_seed, level), ignore_errors=True)

    def _piece(self, task: str, first_seed: int, level: int) -> Path:
        return self.path / "results" / task / f"{_piece_name(first_seed, level)}.nc"

    def _checkpoint(self, task: str, first_seed: int, level: int) -> Path:
        return (self.path / "checkpoints" / task / _piece_name(first_seed, level)).absolute()


@contextmanager
def writing(path: str | Path, config: Mapping[str, Any], fingerprint: str) -> Iterator[StudyStore]:
    """Opens a study's directory for writing: makes it, or goes on with the same study in it.

    Args:
        path: the directory; made where it does not exist.
        config: the study's config as JSON types.
        fingerprint: of that config.

    Raises:
        InputError: if the directory holds another study (with the difference) or other files, is
            used by another process, or cannot be written.
    """
    path = Path(path).expanduser()
    elsewhere = "name another directory with --out"
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK_FILE).open("a")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); {elsewhere}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{path}: another process is running this study; wait for it, or {elsewhere}"
            ) from error
        yield StudyStore(path, _same_study(path, config, fingerprint))


def _same_study(path: Path, config: Mapping[str, Any], fingerprint: str) -> dict[str, Any]:
    """The study that is there, if it is the one asked for; a blank one in an empty directory."""
    elsewhere = "name another directory with --out"
    if not (path / STUDY_FILE).exists():
        others = sorted(entry.name for entry in path.iterdir() if entry.name != LOCK_FILE)
        shown = ", ".join(others[:3])
        check(not others, f"{path}: holds other files and no study ({shown}); {elsewhere}")
        blank = {"complete": False, "tasks": {}, "runs": []}
        identity = {"schema_version": SCHEMA_VERSION, "fingerprint": fingerprint}
        return {**identity, **blank, "config": dict(config)}
    there = read_study(path)
    if there["fingerprint"] != fingerprint:
        changes = "; ".join(_differences(there["config"], config))
        raise InputError(
            f"{path}: holds another study ({changes}); use its settings, or {elsewhere}"
        )
    return there


def _differences(there: Any, asked: Any, name: str = "") -> list[str]:
    """Where two trees of JSON types differ, as readable lines."""
    if isinstance(there, dict) and isinstance(asked, dict):
        keys = [*there, *(key for key in asked if key not in there)]
        pairs = [(there.get(k), asked.get(k), f"{name}.{k}".lstrip(".")) for k in keys]
    elif isinstance(there, list) and isinstance(asked, list) and len(there) == len(asked):
        pairs = [(*pair, f"{name}.{i}") for i, pair in enumerate(zip(there, asked, strict=True))]
    else:
        return [] if there == asked else [f"{name} is {there} there, {asked} here"]
    return [line for pair in pairs for line in _differences(*pair)]


def read_study(path: str | Path) -> dict[str, Any]:
    """The content of a study's study.json.

    Raises:
        InputError: if the path is no study, or one of another schema version.
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

    Each node holds, by method, seed and level: `confusion` (…, true, predicted), `sparsity`,
    `parameter_sparsity`, `layer_sparsity` (…, layer), `diverged`, and `finished`; and
    `train_count` (true). Level 0 is the dense network, the same for every method of a seed. What a
    running study has not finished has `finished` False, counts of 0 and sparsities of NaN.

    Raises:
        InputError: if the path is no study, or one that has not begun.
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


def _assemble(folder: Path, axes: Mapping[str, Any], seeds: int) -> xr.Dataset:
    """The pieces of one task laid into whole arrays."""
    coords = {
        "method": axes["methods"],
        "seed": np.arange(seeds),
        "level": np.arange(axes["levels"]),
        "true": axes["classes"],
        "predicted": axes["classes"],
        "layer": axes["layers"],
    }
    whole = xr.Dataset(coords=coords)
    for name, (units, dtype, missing, inner) in VARIABLES.items():
        dims = (*MEMBERS, *inner)
        shape = [len(coords[dim]) for dim in dims]
        whole[name] = (dims, np.full(shape, missing, dtype), {"units": units})
    for file in sorted(folder.glob("seeds-*.nc")):
        _lay(whole, xr.load_dataset(file, engine="scipy"))
    whole["finished"] = whole.sparsity.notnull()
    whole["train_count"] = ("true", np.array(axes["train_count"], np.int32), {"units": "images"})
    return whole


def _lay(whole: xr.Dataset, piece: xr.Dataset) -> None:
    """Writes a piece into its place; the dense one into the place of every method."""
    methods, names = whole.method.values.tolist(), piece.method.values.tolist()
    rows = slice(None) if names == [DENSE] else [methods.index(name) for name in names]
    first = int(piece.seed[0])
    seeds, level = slice(first, first + piece.sizes["seed"]), int(piece.level[0])
    for name in VARIABLES:
        whole[name].values[rows, seeds, level] = piece[name].values[:, :, 0]


def _piece_name(first_seed: int, level: int) -> str:
    return f"seeds-{first_seed:05d}.level-{level:03d}"


def _write_whole(file: Path, write: Callable[[Path], Any]) -> None:
    """Writes a file beside its place, makes it durable, and moves it there."""
    draft = file.with_name(f".{file.name}.draft")
    write(draft)
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(file)


def _checkpointer():
    import orbax.checkpoint

    return orbax.checkpoint.StandardCheckpointer()
