"""The pruned networks of an audit, as checkpoints that their owner can load."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from prune_fair.errors import check, unknown
from prune_fair.models import Apply, Given, check_alike, given
from prune_fair.outputs import check_folder, new_folder
from prune_fair.store import DENSE, checkpoint_folder, load_networks, read_study, save_tree
from prune_fair.types import Variables

FLAG = "--export"
ANOTHER = f"name another with {FLAG}"
STUDY = "the study's directory"


def export(
    path: str | Path,
    technique: str,
    level: int,
    folder: str | Path,
    apply: Apply,
    variables: PyTree,
    *,
    force: bool = False,
) -> list[Path]:
    """Writes the pruned networks of an audit's technique and level as Orbax checkpoints.

    Each holds `variables`, a tree as it was handed over with the removed weights at zero, and
    `mask`, one like it that is True where a number remains. The folder is written beside its place
    and moved there whole.

    Args:
        path: the audit's directory.
        technique: one of its techniques, or `dense`.
        level: of its schedule.
        folder: for a single network's checkpoint; of several it holds one each, by seed. It may not
            be there yet, unless it is empty.
        apply: the audited function.
        variables: of one of the audited networks.
        force: whether an earlier export of these networks that is there is replaced.

    Returns:
        The checkpoints.

    Raises:
        InputError: for a technique or level that is not there, a directory that is no audit,
            variables that are not those of an audited network's architecture, or a folder that
            holds anything else.
    """
    study = read_study(path)
    check("networks_sha256" in study["config"], f"{path}: no audit; expected one of `audit`")
    ((task, layout),) = study["tasks"].items()
    techniques, last = layout["labels"]["technique"], layout["sizes"]["level"] - 1
    if technique not in (*techniques, DENSE):
        raise unknown("technique", technique, [*techniques, DENSE])
    check(0 <= level <= last, f"level {level}: expected 0 to {last}")
    check((level == 0) == (technique == DENSE), f"level {level} of {technique}: level 0 is {DENSE}")
    saved = load_networks(checkpoint_folder(path, task, 0, level))[technique]
    architecture = given(apply, variables, tuple(layout["facts"]["image_shape"]))
    audited = jax.tree.map(lambda leaf: leaf[0], saved["params"])
    check_alike(architecture.take(variables).params, audited, "variables")
    folder, seeds = Path(os.path.expanduser(folder)), range(study["config"]["seeds"])
    parts = [str(seed) for seed in seeds] if len(seeds) > 1 else [""]
    check_export(folder, digest := study["config"]["networks_sha256"], force, {Path(path): STUDY})
    identity = _identity(digest)
    with new_folder(folder, identity, force, FLAG) as draft:
        for seed, part in zip(seeds, parts, strict=True):
            own = jax.tree.map(lambda leaf, seed=seed: leaf[seed], saved)
            save_tree(draft / part, _as_handed_over(architecture, own))
    return [folder / part for part in parts]


def check_export(
    folder: str | Path, networks_sha256: str, force: bool, apart_from: Mapping[Path, str] = {}
) -> None:
    """Raises `InputError` where `export` would refuse to write a folder.

    Args:
        folder: of the export.
        networks_sha256: of the audited networks, as `digest_of` gives it.
        force: whether an earlier export of these networks that is there may be replaced.
        apart_from: folders that it may not be in nor hold, and what each is.

    Example:
        >>> check_export(".", "", force=True)
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: .: is the working directory, or holds it; expected a new ...
    """
    place = Path(os.path.realpath(os.path.expanduser(folder)))
    for each, name in apart_from.items():
        other = Path(os.path.realpath(os.path.expanduser(each)))
        where = "is" if place == other else "is in" if place.is_relative_to(other) else "holds"
        apart = where == "holds" and not other.is_relative_to(place)
        check(apart, f"{folder}: {where} {name} {each}; expected a place apart; {ANOTHER}")
    check_folder(Path(os.path.expanduser(folder)), _identity(networks_sha256), force, FLAG)


def _identity(networks_sha256: str) -> dict[str, str]:
    """By what an export is known again as one of the same networks."""
    return {"networks_sha256": networks_sha256}


def _as_handed_over(architecture: Given, saved: Mapping[str, Any]) -> dict[str, PyTree]:
    """A network's variables and mask as trees like those that `apply` takes."""
    state, mask = saved.get("state") or {}, saved["mask"]
    kept = jax.tree.map(lambda leaf: np.ones(np.shape(leaf), bool), state)
    params = jax.tree.map(lambda leaf, kept: np.where(kept, leaf, 0), saved["params"], mask)
    give = architecture.give
    return {"variables": give(Variables(params, state)), "mask": give(Variables(mask, kept))}
