"""A task of a study, job by job: load, `engine.level.advance`, save.

A piece of work is one level of a block of seeds, all techniques together; a finished piece is never
computed again.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from prune_fair.config import StudyConfig
from prune_fair.engine.level import advance, rewound
from prune_fair.engine.members import Engine, Level, Networks, begin_block, dense_parents
from prune_fair.engine.spans import rewound_steps
from prune_fair.errors import check
from prune_fair.pruning import DENSE, GIVEN_DENSE
from prune_fair.store import ELSEWHERE, StudyStore
from prune_fair.study.background import Submit
from prune_fair.study.jobs import blocks, first_unfinished, jobs
from prune_fair.types import Variables


@runtime_checkable
class Progress(Protocol):
    """Hears of networks as they are finished; `reused` where an earlier run had finished them."""

    def __call__(self, networks: int, *, reused: bool = False) -> None:
        """Called with how many are new."""
        ...


def silent(networks: int, *, reused: bool = False) -> None:
    """Tells nobody."""


class TaskRun(NamedTuple):
    """A task of a study at work: on which engine, from and to which store.

    `together` levels are computed at one go. Levels are saved `behind` the next one.
    """

    name: str
    config: StudyConfig
    engine: Engine
    store: StudyStore
    progress: Progress
    behind: Submit
    together: int = 1


def run_task(run: TaskRun) -> None:
    """Every block of seeds of one task, from the dense networks to the last level.

    Those that another process works at are left to it.
    """
    for seeds in blocks(run.config):
        if run.store.claim(run.name, seeds[0]):
            run_block(run, np.array(seeds, np.int32))


def run_block(run: TaskRun, seeds: np.ndarray) -> None:
    """The levels of some seeds, going on after the last finished one."""
    level = _first_unfinished(run, int(seeds[0]))
    if level:
        finished = 1 + (level - 1) * len(run.config.technique_names)
        run.progress(len(seeds) * finished, reused=True)
    todo = jobs(run.config, level, run.together)
    if not todo:
        return
    techniques, block = run.config.parsed_techniques, begin_block(run.engine, seeds)
    dense = DENSE if run.engine.given is None else GIVEN_DENSE
    weights: dict[int, Variables] = {}  # by step
    networks: dict[int, dict[str, Networks]] = {}  # by level
    for number, job in enumerate(todo):
        if job.parents is None:
            own, parents = (dense,), {dense.name: dense_parents(block)}
        else:
            own, parents = techniques, _parents(run, seeds, job.parents, networks)
        if block.dense is None and any(technique.asks_dense for technique in own):
            trained = (networks.get(0) or _load(run, seeds, 0))[DENSE.name]
            block = block._replace(dense=trained.variables)
        if rewound_steps(own) - weights.keys():
            weights = rewound(run.engine, block, own)
        levels = advance(run.engine, job.levels, block, own, parents, weights, run.progress)
        if job.parents is None:
            _check_finite(run, seeds, levels[0])
        for at, one in zip(job.levels, levels, strict=True):
            run.behind(_save, run, seeds, at, one)
            networks[at] = one.networks
        needed = {later.parents for later in todo[number + 1 :]}
        networks = {at: kept for at, kept in networks.items() if at in needed}


def _first_unfinished(run: TaskRun, first_seed: int) -> int:
    """Where these seeds go on."""
    levels, where = range(len(run.config.schedule.sparsity_by_level())), (run.name, first_seed)
    finished = [run.store.has_piece(*where, level) for level in levels]
    kept = [run.store.has_networks(*where, level) for level in levels]
    return first_unfinished(finished, kept)


def _parents(
    run: TaskRun, seeds: np.ndarray, level: int, networks: dict[int, dict[str, Networks]]
) -> dict[str, Networks]:
    """The networks of a level that each technique prunes, loaded where they are not at hand."""
    if level not in networks:
        networks[level] = _load(run, seeds, level)
    if level == 0:
        return dict.fromkeys(run.config.technique_names, networks[0][DENSE.name])
    return networks[level]


def _check_finite(run: TaskRun, seeds: np.ndarray, dense: Level) -> None:
    """Raises `InputError` for dense networks that nothing can be compared with."""
    lost = seeds[dense.results["diverged"][0]].tolist()
    shown = ", ".join(map(str, lost[:5])) + (", …" if len(lost) > 5 else "")
    rate = run.engine.task.recipe.learning_rate
    mend = (
        "expected networks that are trained to an end"
        if run.engine.given is not None
        else f"lower the learning rate ({rate:g}) and name another directory with --out"
    )
    check(
        not lost,
        f"{run.name}: {len(lost)} of {len(seeds)} dense networks (seeds {shown}) have parameters "
        "or outputs that are not finite, so that no pruned network can be compared with them; "
        f"{mend}",
    )


def _save(run: TaskRun, seeds: np.ndarray, number: int, level: Level) -> None:
    """Networks first, then the results that say they are there, then drops what is superseded."""
    first_seed = int(seeds[0])
    saved = {
        name: {**each.variables._asdict(), "mask": each.mask}
        for name, each in level.networks.items()
    }
    run.store.save_networks(run.name, first_seed, number, saved)
    run.store.write_piece(run.name, number, list(level.networks), seeds.tolist(), level.results)
    if number > 1 and run.engine.given is None:  # of an audit any network may be asked for
        run.store.drop_networks(run.name, first_seed, number - 1)


def _load(run: TaskRun, seeds: np.ndarray, level: int) -> dict[str, Networks]:
    saved = run.store.load_networks(run.name, int(seeds[0]), level)
    names = run.config.technique_names if level else (DENSE.name,)
    check(
        isinstance(saved, dict) and {*names} <= {*saved},
        f"networks of {run.name} at level {level}: those saved are not of this study's techniques; "
        f"restore the study's checkpoints, or {ELSEWHERE}",
    )
    return {
        name: Networks(Variables(saved[name]["params"], saved[name]["state"]), saved[name]["mask"])
        for name in names
    }
