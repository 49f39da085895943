"""An engine in NumPy for tests of order, resuming, kills and repairs: what it trains is drawn.

A network is drawn from its seed, its technique, its level and all that the engine gives for its
parent; what is counted of it is drawn from all its numbers. So a study that went on from another
network, or was given its levels in another order, has other results.
"""

import zlib
from contextlib import contextmanager

import jax
import numpy as np
import pytest

from prune_fair.engine import members
from prune_fair.engine.evaluation import Evaluated, class_dtype
from prune_fair.engine.members import Block, Level, Networks
from prune_fair.engine.results import results_of, stacked
from prune_fair.engine.spans import rewound_step, rewound_steps
from prune_fair.study import levels
from prune_fair.types import Variables


def replace_engine(replace=setattr):
    """`study` computes levels with this module from now on."""
    for function in (begin_block, rewound, advance):
        replace(levels, function.__name__, function)


@contextmanager
def stubbed():
    """`study` computes levels with this module within."""
    with pytest.MonkeyPatch.context() as patch:
        replace_engine(patch.setattr)
        yield


def begin_block(engine, seeds):
    """As `members.begin_block`."""
    if engine.given is not None:
        return members.begin_block(engine, seeds)
    return Block(seeds, _each(lambda seed: _fresh(engine, 0, seed), seeds))


def rewound(engine, block, techniques):
    """As `level.rewound`."""
    return {
        step: block.initial if step == 0 else _each(
            lambda seed, one, step=step: _trained(one, _rng("dense", seed, 0, step)),
            block.seeds, block.initial,
        )
        for step in rewound_steps(techniques) | {0}
    }  # fmt: skip


def advance(engine, numbers, block, techniques, parents, weights, done=lambda networks: None):
    """As `level.advance`."""
    found = []
    for number in numbers:
        networks, results = {}, {}
        for technique in techniques:
            back = weights[rewound_step(technique)]
            networks[technique.name] = _each(
                lambda seed, parent, back, number=number, technique=technique: _next(
                    engine, number, seed, technique, parent, back
                ),
                block.seeds, parents[technique.name], back,
            )  # fmt: skip
            counted = _each(
                lambda seed, network: _counted(engine, network),
                block.seeds, networks[technique.name],
            )  # fmt: skip
            results[technique.name] = results_of(
                engine.task, technique, networks[technique.name].mask, counted
            )
            done(len(block.seeds))
        found.append(Level(networks, stacked([*results.values()])))
    return found


def _each(function, seeds, *trees):
    """A function of a seed and its own part of stacked trees, stacked."""
    parts = [
        function(int(seed), *jax.tree.map(lambda leaf, at=at: leaf[at], trees))
        for at, seed in enumerate(seeds)
    ]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *parts)


def _rng(technique, seed, level, step=0):
    return np.random.default_rng((zlib.crc32(technique.encode()), seed, level, step))


def _fresh(engine, level, seed):
    if "drawn" not in engine.programs:
        engine.programs["drawn"] = _drawer(engine.task.model)
    return engine.programs["drawn"](_rng("fresh", seed, level))


def _drawer(model):
    """Draws variables of a model."""
    shapes = jax.eval_shape(model.init, jax.eval_shape(jax.random.key, 0))
    return lambda rng: jax.tree.map(lambda leaf: rng.random(leaf.shape, np.float32), shapes)


def _trained(variables, rng):
    """Something else, of which every number depends on what it was."""
    return jax.tree.map(lambda leaf: leaf / 2 + rng.random(leaf.shape, np.float32), variables)


def _next(engine, number, seed, technique, parent, back):
    """The network of a level, from its parent and what its technique rewinds to."""
    rng, mask = _rng(technique.name, seed, number), parent.mask
    if technique.prunes:
        kept = 1 - engine.schedule.sparsity_by_level()[number]
        mask = jax.tree.map(lambda leaf: leaf & (rng.random(leaf.shape) < kept), mask)
    fresh = _fresh(engine, number, seed)
    variables = technique.retraining.start(back, parent.variables, fresh)
    if technique.retraining.trains:
        variables = _trained(variables, rng)
    params = jax.tree.map(lambda leaf, kept: np.where(kept, leaf, 0), variables.params, mask)
    return Networks(Variables(params, variables.state), mask)


def _counted(engine, network):
    """Every statistic, of predictions that are drawn from all the network's numbers."""
    task, content = engine.task, [np.ascontiguousarray(leaf) for leaf in jax.tree.leaves(network)]
    rng = np.random.default_rng(zlib.crc32(b"".join(leaf.tobytes() for leaf in content)))
    images = engine.data.splits
    splits = {name: images.get(name, images["test"]) for name in task.splits}  # or a shift
    predicted = {name: rng.integers(0, task.classes, len(each.labels), np.int32)
                 for name, each in splits.items()}  # fmt: skip
    by_split = [_statistics(task, splits[name], predicted[name], rng) for name in splits]
    return Evaluated(
        {name: np.stack([each[name] for each in by_split]) for name in by_split[0]},
        np.array(False),
        {name: predicted[name].astype(class_dtype(task.classes)) for name in images}
        if task.predictions else {},
    )  # fmt: skip


def _statistics(task, split, predicted, rng):
    labels, square = np.asarray(split.labels), (task.classes, task.classes)
    groups = np.zeros_like(labels) if split.groups is None else np.asarray(split.groups)
    counts = np.zeros((max(1, task.groups), *square), np.int32)
    np.add.at(counts, (groups, labels, predicted), 1)
    margin = rng.uniform(-1, 1, task.classes).astype(np.float32)
    counted = {"confusion": counts.sum(axis=0, dtype=np.int32), "margin": margin}
    return {**counted, "group_confusion": counts} if task.groups else counted
