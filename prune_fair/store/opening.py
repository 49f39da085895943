"""A study's directory opened for writing: for one study, by a process or several."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prune_fair.data import SCHEMA_VERSION
from prune_fair.errors import InputError, check
from prune_fair.store.directory import ELSEWHERE, LOCK_FILE, StudyStore
from prune_fair.store.studies import STUDY_FILE, read_study


@contextmanager
def writing(path: str | Path, config: Mapping[str, Any], fingerprint: str) -> Iterator[StudyStore]:
    """Opens a study's directory for writing: makes it, or goes on with the same study in it.

    Several processes may: each claims the blocks of seeds that it works at, until the end.

    Args:
        path: the directory; made where it does not exist.
        config: the study's config as JSON types.
        fingerprint: of that config.

    Raises:
        InputError: if the directory holds another study (with the difference) or other files, or
            cannot be written.
    """
    path = Path(os.path.expanduser(path))
    _check_free(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK_FILE).open("a")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); {ELSEWHERE}") from error
    with lock:
        store = StudyStore(path, _same_study(path, config, fingerprint), lock)
        try:
            yield store
        finally:
            store.claims.release_all()


def _check_free(path: Path) -> None:
    """Raises `InputError` for a directory that holds files and no study."""
    try:
        others = sorted(entry.name for entry in path.iterdir() if entry.name != LOCK_FILE)
    except OSError:  # it is not there, or no directory: making it says so
        return
    shown = ", ".join(others[:3])
    check(
        STUDY_FILE in others or not others,
        f"{path}: holds other files and no study ({shown}); {ELSEWHERE}",
    )


def _same_study(path: Path, config: Mapping[str, Any], fingerprint: str) -> dict[str, Any]:
    """The study that is there, if it is the one asked for; a blank one in an empty directory."""
    _check_free(path)
    if not (path / STUDY_FILE).exists():
        blank = {"tasks": {}, "runs": []}
        identity = {"schema_version": SCHEMA_VERSION, "fingerprint": fingerprint}
        return {**identity, **blank, "config": dict(config)}
    there = read_study(path)
    if there["fingerprint"] != fingerprint:
        changes = "; ".join(_differences(there["config"], config))
        raise InputError(
            f"{path}: holds another study ({changes}); use its settings, or {ELSEWHERE}"
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
