"""The networks of one level: pruned, treated, trained on and counted, many techniques together."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import jax
import numpy as np
from jaxtyping import Float, Int

from prune_fair.engine import network
from prune_fair.engine.evaluation import Evaluated
from prune_fair.engine.optimizer import Moments, no_moments
from prune_fair.engine.programs import Programs, Seeds
from prune_fair.engine.spans import first_step, pruning_steps
from prune_fair.pruning import Schedule, Technique, Treatment, quota, ramp
from prune_fair.types import Mask, Variables

MOST_NUMBERS = 1 << 28  # of networks that are pruned and not trained together: 1 GiB
Name = TypeVar("Name")
Stacked = TypeVar("Stacked")
Done: TypeAlias = Callable[[int], None]


class Networks(NamedTuple):
    """Networks of one technique on the host, stacked by seed."""

    variables: Variables
    mask: Mask


class Retrained(NamedTuple):
    """Networks after their training, what is counted of them, and their votes."""

    networks: Networks
    evaluated: Evaluated
    votes: Int[np.ndarray, "half images classes"] | None


class Piece(NamedTuple):
    """What all networks of one level of a block of seeds share.

    Attributes:
        programs: of the task.
        task: theirs.
        data: its images, on the devices.
        schedule: of all levels.
        level: this one.
        seeds: of each technique's networks.
        initial: their initialisations.
    """

    programs: Programs
    task: network.Task
    data: network.DeviceData
    schedule: Schedule
    level: int
    seeds: Seeds
    initial: Variables

    @property
    def shared(self) -> tuple[network.DeviceData, Any]:
        """The first arguments of what trains and prunes."""
        return self.data, np.int32(self.level)

    @property
    def from_dense(self) -> bool:
        """Whether this level prunes the dense networks, and not those of the level before."""
        return self.level == 1 or not self.schedule.iterative


def prune(
    piece: Piece, name: str, networks: Networks, sparsity: float, number: int | None = None
) -> Mask:
    """The next mask of a technique's networks.

    Args:
        piece: theirs.
        name: of the technique.
        networks: to prune.
        sparsity: fraction of the prunable weights that are to be removed in all.
        number: of the pruning, where the level has several.
    """
    seeds = piece.seeds
    stacked = *networks, piece.initial, seeds, _quotas(piece, name, sparsity)
    if number is not None:
        stacked = *stacked, np.full(len(seeds), number, np.int32)
    return piece.programs.prune[name](piece.shared, *stacked)


def _quotas(piece: Piece, name: str, sparsity: float) -> Int[np.ndarray, "seeds quotas"]:
    """How many weights a technique leaves at a sparsity, the same for every seed."""
    technique, last = Technique.parse(name), piece.schedule.sparsity_by_level()[-1]
    kept = quota(technique.scope, sparsity, technique.shapes(piece.task.model), last)
    return np.tile(kept, (len(piece.seeds), 1))


def prune_untrained(
    pieces: Sequence[Piece], names: Sequence[str], dense: Networks
) -> list[dict[str, Retrained]]:
    """Networks of several levels that are pruned from the dense ones and not trained, evaluated.

    None of them waits for another, so all are members of the same calls.

    Args:
        pieces: the levels.
        names: of the techniques.
        dense: the networks of level 0.

    Returns:
        What `retrain` gives, of each level.
    """
    first, levels = pieces[0], len(pieces)
    variables, initial, seeds = _repeated((dense.variables, first.initial, first.seeds), levels)
    whole, numbers = _repeated(dense.mask, levels), [piece.level for piece in pieces]
    level = np.repeat(np.array(numbers, np.int32), len(first.seeds))
    sparsities = first.schedule.sparsity_by_level()
    parts = []
    for name in names:
        quotas = np.concatenate([_quotas(each, name, sparsities[each.level]) for each in pieces])
        stacked = level, variables, whole, initial, seeds, quotas
        mask = first.programs.prune[name]((first.data,), *stacked)
        parts.append((_as_they_are(Networks(variables, mask)), mask))
    trained, mask = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    keys = [(name, number) for name in names for number in numbers]
    evaluated = _evaluate(first, keys, trained, mask)
    return [{name: evaluated[name, number] for name in names} for number in numbers]


def levels_together(networks: int, task: network.Task, levels: int) -> int:
    """How many levels of so many networks each the host's memory may hold, 1 to all of them."""
    return min(levels, max(1, MOST_NUMBERS // (networks * task.model.parameters)))


def _repeated(stacked: Stacked, times: int) -> Stacked:
    return jax.tree.map(lambda leaf: np.concatenate([leaf] * times), stacked)


def train_to_rewind_step(piece: Piece) -> Variables:
    """The dense networks at the recipe's `rewind_step`; their initialisation if that is 0."""
    step, initial = piece.task.recipe.rewind_step, piece.initial
    if step == 0:
        return initial
    mask = jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), initial.params)
    full_rate = np.ones(len(piece.seeds), np.float32)
    return _train(piece, Networks(initial, mask), piece.seeds, full_rate, (0, step)).variables


def retrain(
    piece: Piece, starts: Mapping[str, Networks], treatments: Mapping[str, Treatment], done: Done
) -> dict[str, Retrained]:
    """Trains the networks of all techniques, as their treatments have it, and evaluates them.

    Networks that train the same steps do so together.

    Args:
        piece: theirs.
        starts: what each technique's networks start from.
        treatments: of each technique.
        done: hears of networks as they are finished.
    """
    groups: dict[tuple[bool, int], list[str]] = {}
    retrained: dict[str, Retrained] = {}
    for name, row in treatments.items():
        if row.gradual:
            retrained |= _train_gradually(piece, name, starts[name], row, done)
        else:
            group = row.trains, first_step(piece.task.recipe, row)
            groups.setdefault(group, []).append(name)
    for (trains, step), names in groups.items():
        parts = [starts[name] for name in names]
        networks = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
        seeds = np.tile(piece.seeds, len(names))
        if trains:
            shares = np.concatenate([_shares(piece, treatments[name]) for name in names])
            span = step, network.total_steps(piece.task)
            trained = _train(piece, networks, seeds, shares, span, done=done)
        else:
            trained = _as_they_are(networks)
            done(len(seeds))
        retrained |= _evaluate(piece, names, trained, networks.mask)
    return {name: retrained[name] for name in starts}


def _train_gradually(
    piece: Piece, name: str, networks: Networks, treatment: Treatment, done: Done
) -> dict[str, Retrained]:
    """One training of a technique's networks, which are pruned between spans of its steps.

    From the sparsity of the networks that the level prunes to that of the level; the optimiser's
    moments go on from span to span.
    """
    recipe, steps = piece.task.recipe, network.total_steps(piece.task)
    by_level, shares = piece.schedule.sparsity_by_level(), _shares(piece, treatment)
    before = 0.0 if piece.from_dense else by_level[piece.level - 1]
    sparsities = ramp(before, by_level[piece.level], recipe.gradual_prunings)
    begin, moments = 0, None
    for number, step in enumerate(pruning_steps(recipe, steps)):
        trained = _train(piece, networks, piece.seeds, shares, (begin, step), moments)
        networks = Networks(trained.variables, networks.mask)
        mask = prune(piece, name, networks, sparsities[number], number)
        networks, moments, begin = Networks(trained.variables, mask), trained.moments, step
    trained = _train(piece, networks, piece.seeds, shares, (begin, steps), moments, done)
    return _evaluate(piece, [name], trained, networks.mask)


def _train(
    piece: Piece,
    networks: Networks,
    seeds: Seeds,
    shares: Float[np.ndarray, " members"],
    span: tuple[int, int],
    moments: Moments | None = None,
    done: Done = lambda members: None,
) -> network.Trained:
    """Trains a span of steps, which is all of them in a task without spans; None: no moments."""
    train, members = piece.programs.train, (*networks, seeds, shares)
    if not piece.programs.spanned:
        return train(piece.shared, *members, done=done)
    if moments is None:
        moments = no_moments(piece.task.recipe, piece.task.model.shapes, len(seeds))
    return train((*piece.shared, np.array(span, np.int32)), *members, moments, done=done)


def _shares(piece: Piece, treatment: Treatment) -> Float[np.ndarray, " seeds"]:
    """Of the recipe's learning rate that a technique's networks train with."""
    share = 1.0 if treatment.full_learning_rate else piece.task.recipe.finetune_learning_rate
    return np.full(len(piece.seeds), share, np.float32)


def _as_they_are(networks: Networks) -> network.Trained:
    """Not trained: removed weights at zero."""
    (params, state), mask = networks
    params = jax.tree.map(lambda leaf, kept: np.where(kept, leaf, 0), params, mask)
    return network.Trained(Variables(params, state))


def _evaluate(
    piece: Piece, names: Sequence[Name], trained: network.Trained, mask: Mask
) -> dict[Name, Retrained]:
    """Counts of stacked networks, cut into those of each technique, or whatever has a name."""
    counted = piece.data, piece.seeds, trained.variables, mask
    evaluated, votes = piece.programs.evaluate(*counted)
    stacked = Networks(trained.variables, mask), evaluated
    seeds = len(piece.seeds)
    return {
        name: Retrained(
            *jax.tree.map(lambda leaf, at=at: leaf[at * seeds : (at + 1) * seeds], stacked),
            votes=None if votes is None else votes[at],
        )
        for at, name in enumerate(names)
    }
