"""A level: from parents and techniques to networks and statistics, all techniques together.

Pruned, treated, trained on, counted; and the sparsity that was measured. Members live on the host,
stacked by technique, level and seed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import jax
import numpy as np
from jaxtyping import Int

from prune_fair.engine import network
from prune_fair.engine.dynamic import train_dynamically
from prune_fair.engine.evaluation import evaluate
from prune_fair.engine.members import (
    Block,
    Engine,
    Level,
    Networks,
    dense_parents,
    initialise,
)
from prune_fair.engine.results import results_of, stacked
from prune_fair.engine.spans import (
    drop_shares,
    learning_rate_share,
    loss_of,
    pruning_steps,
    rewound_step,
    rewound_steps,
    update_steps,
)
from prune_fair.engine.task import Task, total_steps
from prune_fair.losses import called
from prune_fair.pruning import Technique, quota, ramp, without_pruning, without_retraining
from prune_fair.types import Mask, Variables

Done: TypeAlias = Callable[[int], None]
Stacked = TypeVar("Stacked")


def rewound(engine: Engine, block: Block, techniques: Sequence[Technique]) -> dict[int, Variables]:
    """The dense networks at each step that some technique rewinds to; 0 is the initialisation."""
    parents, full_rate = dense_parents(block), np.ones(len(block.seeds), np.float32)
    train = engine.lifted(network.train, engine.task.recipe.loss)
    weights = {0: block.initial}
    for step in sorted(rewound_steps(techniques) - {0}):
        shared = engine.data, np.int32(0), np.array((0, step), np.int32)
        weights[step] = train(shared, *parents, block.seeds, full_rate)
    return weights


def advance(
    engine: Engine,
    numbers: Sequence[int],
    block: Block,
    techniques: Sequence[Technique],
    parents: Mapping[str, Networks],
    weights: Mapping[int, Variables],
    done: Done = lambda networks: None,
) -> list[Level]:
    """The networks of a level, or of several that no training parts, with what is counted of them.

    Args:
        engine: the task.
        numbers: the level; several only where no technique trains and all prune the dense networks.
        block: the seeds.
        techniques: of its networks, `DENSE` alone at level 0.
        parents: the networks that each technique prunes, by name.
        weights: what techniques rewind to, as `rewound` gives it.
        done: hears of networks as they are finished.

    Returns:
        By level, what it gives.
    """
    starts, fresh = {}, block.initial
    if any(technique.retraining.begins_anew for technique in techniques):
        fresh = initialise(engine, numbers[0], block.seeds)
    for technique in techniques:
        parent = _repeated(parents[technique.name], len(numbers))
        mask = parent.mask
        if technique.prunes and not technique.retraining.gradual:
            mask = _prune(engine, numbers, block, technique, parent)
        back = weights[rewound_step(technique)]
        start = technique.retraining.start(back, parent.variables, fresh)
        starts[technique] = Networks(start, mask)
    networks: dict[tuple[int, str], Networks] = {}
    results: dict[tuple[int, str], dict[str, np.ndarray]] = {}
    for group in _groups(techniques, engine.task):
        trained = _retrain(engine, numbers[0], block, {each: starts[each] for each in group}, done)
        # Probabilities by bin are counted twice as fast by a program that is compiled with care.
        evaluated = engine.lifted(evaluate, brief=not engine.task.calibration)(
            (engine.data,), *trained
        )
        if not group[0].retraining.trains:
            done(len(group) * len(numbers) * len(block.seeds))
        keys = [(number, technique) for technique in group for number in numbers]
        for at, (number, technique) in enumerate(keys):
            own = slice(at * len(block.seeds), (at + 1) * len(block.seeds))
            mine, counted = jax.tree.map(lambda leaf, own=own: leaf[own], (trained, evaluated))
            key = number, technique.name
            networks[key] = mine
            results[key] = results_of(engine.task, technique, mine.mask, counted)
    names = [technique.name for technique in techniques]
    return [
        Level(
            {name: networks[number, name] for name in names},
            stacked([results[number, name] for name in names]),
        )
        for number in numbers
    ]


def _groups(techniques: Sequence[Technique], task: Task) -> list[list[Technique]]:
    """Techniques whose networks are trained by the same calls; each gradual one is alone.

    Those whose mask changes otherwise are together where their starts alone differ.
    """
    groups: dict[Any, list[Technique]] = {}
    for technique in techniques:
        treatment = technique.retraining
        kind = treatment.trains, technique.rewind_step, loss_of(technique, task.recipe)
        if treatment.gradual:
            kind = technique
        elif treatment.mask_update is not None:
            kind = without_pruning(technique)
        groups.setdefault(kind, []).append(technique)
    return list(groups.values())


def _prune(
    engine: Engine,
    numbers: Sequence[int],
    block: Block,
    technique: Technique,
    parent: Networks,
) -> Mask:
    """The next mask of a technique's networks, stacked by level and seed."""
    sparsities = engine.schedule.sparsity_by_level()
    seeds, levels = len(block.seeds), len(numbers)
    quotas = [_quotas(engine, technique, sparsities[number]) for number in numbers]
    initial, again = _repeated((block.initial, block.seeds), levels)
    level = np.repeat(np.array(numbers, np.int32), seeds)
    prune = engine.lifted(network.prune, without_retraining(technique), brief=True)
    return prune((engine.data,), level, *parent, initial, again, np.repeat(quotas, seeds, axis=0))


def _quotas(engine: Engine, technique: Technique, sparsity: float) -> Int[np.ndarray, " quotas"]:
    """How many weights a technique leaves at a sparsity."""
    last = engine.schedule.sparsity_by_level()[-1]
    return quota(technique.scope, sparsity, technique.shapes(engine.task.model), last)


def _retrain(
    engine: Engine,
    level: int,
    block: Block,
    starts: Mapping[Technique, Networks],
    done: Done,
) -> Networks:
    """The networks of a group of techniques after their training, stacked by technique."""
    first, *_ = group = list(starts)
    networks = jax.tree.map(lambda *leaves: np.concatenate(leaves), *starts.values())
    if not first.retraining.trains:
        (params, state), mask = networks
        params = jax.tree.map(lambda leaf, kept: np.where(kept, leaf, 0), params, mask)
        return Networks(Variables(params, state), mask)
    steps, loss = total_steps(engine.task), loss_of(first, engine.task.recipe)
    shared = engine.data, np.int32(level), np.array((first.rewind_step, steps), np.int32)
    shares = [learning_rate_share(technique) for technique in group]
    seeds, shares = np.tile(block.seeds, len(group)), np.repeat(shares, len(block.seeds))
    shares = shares.astype(np.float32)
    dense = (_repeated(block.dense, len(group)),) if called(loss).asks_dense else ()
    if first.retraining.gradual:
        prunings = _prunings(engine, level, first, steps)
        train = engine.lifted(network.train_gradually, first)
        members = *networks, block.initial, seeds, shares, *dense
        return Networks(*train((*shared, prunings), *members, done=done))
    if first.retraining.mask_update is not None:
        shares_dropped = np.array(drop_shares(first, steps), np.float32)
        updates = np.array(update_steps(first, steps), np.int32), shares_dropped
        train = engine.lifted(train_dynamically, without_pruning(first))
        return Networks(*train((*shared, updates), *networks, seeds, shares, *dense, done=done))
    train = engine.lifted(network.train, loss)
    trained = train(shared, *networks, seeds, shares, *dense, done=done)
    return networks._replace(variables=trained)


def _prunings(
    engine: Engine, level: int, technique: Technique, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Before which steps a gradual technique prunes, and the quotas: from the sparsity of the
    networks that the level prunes to its own.
    """
    by_level = engine.schedule.sparsity_by_level()
    before = by_level[engine.schedule.parents(level)]
    sparsities = ramp(before, by_level[level], technique.gradual_prunings)
    quotas = [_quotas(engine, technique, sparsity) for sparsity in sparsities]
    return np.array(pruning_steps(technique, steps), np.int32), np.stack(quotas)


def _repeated(tree: Stacked, times: int) -> Stacked:
    """Stacked arrays several times after each other; once, they are not copied."""
    if times == 1:
        return tree
    return jax.tree.map(lambda leaf: np.concatenate([leaf] * times), tree)
