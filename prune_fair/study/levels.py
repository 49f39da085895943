"""The lifecycle of a study: train, then level by level score, prune, treat, retrain, evaluate.

The only place that knows this order. A piece of work is one level of a block of seeds, all
techniques together; a finished piece is never computed again.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, runtime_checkable

import jax
import numpy as np

from prune_fair.config import StudyConfig
from prune_fair.engine import network
from prune_fair.engine.counts import counts
from prune_fair.engine.programs import Programs, Seeds
from prune_fair.engine.retraining import (
    Networks,
    Piece,
    Retrained,
    prune,
    prune_untrained,
    retrain,
    train_to_rewind_step,
)
from prune_fair.errors import check
from prune_fair.pruning import TREATMENTS, Technique, Treatment
from prune_fair.store import DENSE, ELSEWHERE, StudyStore
from prune_fair.study.background import Submit
from prune_fair.types import Mask, Variables


@runtime_checkable
class Progress(Protocol):
    """Hears of networks as they are finished; `reused` where an earlier run had finished them."""

    def __call__(self, networks: int, *, reused: bool = False) -> None:
        """Called with how many are new."""
        ...


def silent(networks: int, *, reused: bool = False) -> None:
    """Tells nobody."""


class TaskRun(NamedTuple):
    """What all levels and seeds of one task share.

    Its dense networks may be `given`; `levels_together` of networks that are not trained are pruned
    at a time, 0 where each level waits for the one before. Levels are saved `behind` the next one.
    """

    name: str
    config: StudyConfig
    task: network.Task
    data: network.DeviceData
    programs: Programs
    store: StudyStore
    progress: Progress
    behind: Submit
    given: bool = False
    levels_together: int = 0


def run_task(run: TaskRun) -> None:
    """Every block of seeds of one task, from the dense networks to the last level.

    Those that another process works at are left to it.
    """
    block = run.config.seeds_per_piece
    for first in range(0, run.config.seeds, block):
        if run.store.claim(run.name, first):
            run_block(run, np.arange(first, min(first + block, run.config.seeds), dtype=np.int32))


def run_block(run: TaskRun, seeds: Seeds) -> None:
    """The levels of some seeds, going on after the last finished one."""
    sparsities = run.config.schedule.sparsity_by_level()
    next_level = _first_unfinished_level(run, seeds)
    if next_level == len(sparsities):
        return
    initial = run.programs.initialise((np.int32(0),), seeds)
    piece = _piece(run, seeds, 0, initial)
    if next_level == 0:
        nothing_removed = jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), initial.params)
        networks = _retrain(run, piece, {DENSE: Networks(initial, nothing_removed)})
    else:
        networks = _load(run, seeds, next_level - 1)
    dense = networks[DENSE] if DENSE in networks else _load(run, seeds, 0)[DENSE]
    levels = range(max(1, next_level), len(sparsities))
    if run.levels_together:
        run_untrained(run, piece, levels, dense)
        return
    rewound = initial
    if any(treatment_of(name).rewinds for name in run.config.techniques):
        rewound = train_to_rewind_step(piece)
    for level in levels:
        piece = piece._replace(level=level)
        parents = dict.fromkeys(run.config.techniques, dense) if piece.from_dense else networks
        pruned = _prune(piece, parents, sparsities[level])
        starts = _treat(piece, rewound, parents, pruned)
        networks = _retrain(run, piece, starts)


def run_untrained(run: TaskRun, piece: Piece, levels: range, dense: Networks) -> None:
    """The levels of some seeds whose networks are not trained, many at a time."""
    for first in levels[:: run.levels_together]:
        some = range(first, min(first + run.levels_together, levels.stop))
        pieces = [piece._replace(level=level) for level in some]
        together = prune_untrained(pieces, run.config.techniques, dense)
        for each, pruned in zip(pieces, together, strict=True):
            run.behind(_save, run, each, pruned)
            run.progress(len(each.seeds) * len(pruned))


def _first_unfinished_level(run: TaskRun, seeds: Seeds) -> int:
    """Where these seeds go on; tells the progress of what is finished.

    Where a piece is missing in the middle, the networks before it were dropped: they go on from the
    dense ones, and the same results come about once more.
    """
    levels = len(run.config.schedule.sparsity_by_level())
    done = [run.store.has_piece(run.name, int(seeds[0]), level) for level in range(levels)]
    level = done.index(False) if False in done else levels
    if 1 < level < levels:
        first = int(seeds[0])
        there = [run.store.has_networks(run.name, first, before) for before in (level - 1, 0)]
        level = 1 if there == [False, True] else level
    if level:
        run.progress(len(seeds) * (1 + (level - 1) * len(run.config.techniques)), reused=True)
    return level


def _piece(run: TaskRun, seeds: Seeds, level: int, initial: Variables) -> Piece:
    shared = run.programs, run.task, run.data, run.config.schedule
    return Piece(*shared, level, seeds, initial)


def _prune(piece: Piece, parents: Mapping[str, Networks], sparsity: float) -> dict[str, Mask]:
    """The next mask of every technique's networks; that of before, where pruning is gradual."""
    return {
        name: parent.mask if treatment_of(name).gradual else prune(piece, name, parent, sparsity)
        for name, parent in parents.items()
    }


def _treat(
    piece: Piece,
    rewound: Variables,
    parents: Mapping[str, Networks],
    masks: Mapping[str, Mask],
) -> dict[str, Networks]:
    """The variables that every technique's survivors train from."""
    fresh = rewound  # nobody asks for it
    if any(treatment_of(name).begins_anew for name in masks):
        fresh = piece.programs.initialise((np.int32(piece.level),), piece.seeds)
    return {
        name: Networks(treatment_of(name).start(rewound, parents[name].variables, fresh), mask)
        for name, mask in masks.items()
    }


def _retrain(run: TaskRun, piece: Piece, starts: Mapping[str, Networks]) -> dict[str, Networks]:
    """Trains and evaluates the networks of all techniques, and saves them."""
    treatments = {name: treatment_of(name) for name in starts}
    if DENSE in starts and run.given:
        treatments = {DENSE: TREATMENTS["none"]}
    retrained = retrain(piece, starts, treatments, run.progress)
    if DENSE in retrained:
        _check_finite(run, piece.seeds, retrained[DENSE])
    run.behind(_save, run, piece, retrained)
    return {name: each.networks for name, each in retrained.items()}


def _check_finite(run: TaskRun, seeds: Seeds, dense: Retrained) -> None:
    """Raises `InputError` for dense networks that nothing can be compared with."""
    lost = seeds[np.asarray(dense.evaluated.diverged)].tolist()
    shown = ", ".join(map(str, lost[:5])) + (", …" if len(lost) > 5 else "")
    rate = run.task.recipe.learning_rate
    mend = (
        "expected networks that are trained to an end"
        if run.given
        else f"lower the learning rate ({rate:g}) and name another directory with --out"
    )
    check(
        not lost,
        f"{run.name}: {len(lost)} of {len(seeds)} dense networks (seeds {shown}) have parameters "
        "or outputs that are not finite, so that no pruned network can be compared with them; "
        f"{mend}",
    )


def treatment_of(name: str) -> Treatment:
    """Dense networks train as reinitialised ones do: all steps, at the whole rate."""
    return TREATMENTS["reinit" if name == DENSE else Technique.parse(name).treatment]


def _save(run: TaskRun, piece: Piece, retrained: Mapping[str, Retrained]) -> None:
    """Networks first, then the results that say they are there, then drops what is superseded."""
    first_seed, level = int(piece.seeds[0]), piece.level
    saved = {
        name: {**each.networks.variables._asdict(), "mask": each.networks.mask}
        for name, each in retrained.items()
    }
    run.store.save_networks(run.name, first_seed, level, saved)
    counted = counts(run.task, retrained)
    run.store.write_piece(run.name, level, list(retrained), piece.seeds.tolist(), counted)
    if level > 1 and not run.given:  # of an audit any network may be asked for
        run.store.drop_networks(run.name, first_seed, level - 1)


def _load(run: TaskRun, seeds: Seeds, level: int) -> dict[str, Networks]:
    saved = run.store.load_networks(run.name, int(seeds[0]), level)
    names = run.config.techniques if level else (DENSE,)
    check(
        isinstance(saved, dict) and {*names} <= {*saved},
        f"networks of {run.name} at level {level}: those saved are not of this study's techniques; "
        f"restore the study's checkpoints, or {ELSEWHERE}",
    )
    return {
        name: Networks(Variables(saved[name]["params"], saved[name]["state"]), saved[name]["mask"])
        for name in names
    }
