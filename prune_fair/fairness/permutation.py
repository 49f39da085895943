"""A permutation test whose units are classes: which class has which value is what is shuffled."""

import itertools
import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

MOST_PERMUTATIONS = 10_000
AT_ONCE = 1 << 24  # numbers of permuted covariates in memory
SEED = 0
SAME = 1e-9


class Permuted(NamedTuple):
    """A two-sided p, of how many permutations, and whether those are all that there are.

    Example:
        >>> Permuted(p=0.02, permutations=5040, exact=True).exact
        True
    """

    p: float
    permutations: int
    exact: bool


def permute_units(
    outcome: Float[np.ndarray, "tasks units"],
    covariate: Float[np.ndarray, "tasks units"],
    nuisance: Float[np.ndarray, "tasks units columns"],
    blocks: Int[np.ndarray, " units"],
    most: int = MOST_PERMUTATIONS,
) -> Permuted:
    """Whether a covariate goes with an outcome, where units (classes) and not rows are drawn.

    What is permuted is which unit has which values of the covariate, its whole row over tasks. So
    what was done to a class in which task stays together, and nothing is taken for independent but
    units. Two rare classes of ten can be chosen in 45 ways, so p is hardly below 1/45 there.
    Two-sided, of the t of the covariate beside the nuisance, its standard error clustered by unit.
    With it the test holds its level for a mean effect of 0 too where effects differ from unit to
    unit, if the covariate varies within units.

    Args:
        outcome: NaN where a task lacks a unit.
        covariate: of the same shape.
        nuisance: columns of a regression that the test allows for, an intercept among them.
        blocks: of each unit; units change places within their block alone.
        most: permutations. If there are no more (5,040 of 7 units) all are taken, else so many
            with a fixed seed.

    Returns:
        The p, which counts the data as they are among the permutations, so that it is never 0. NaN
        where the nuisance leaves nothing of the covariate.

    Source: Draper & Stoneman 1966, the covariate permuted beside others; DiCiccio & Romano 2017 for
    the studentised statistic; Phipson & Smyth 2010 for counting the data.

    Example:
        >>> outcome, rare = np.array([[-9.0, 1.1, 0.9, 1.3]]), np.array([[1.0, 0.0, 0.0, 0.0]])
        >>> permute_units(outcome, rare, np.ones((1, 4, 1)), np.zeros(4, int))
        Permuted(p=0.25, permutations=24, exact=True)
    """
    there = np.isfinite(outcome)
    columns = np.where(there[..., None], nuisance, 0).reshape(there.size, -1)
    left, size, _ = np.linalg.svd(columns, full_matrices=False)
    basis = left[:, size > SAME * size.max(initial=0)]
    outcome, covariate = (np.where(there, each, 0) for each in (outcome, covariate))
    residual = _without(basis, outcome[None])[0]
    sizes = np.bincount(blocks)
    exact = math.prod(math.factorial(min(size, 20)) for size in sizes) <= most
    orders = _all(blocks) if exact else _drawn(blocks, most)
    if np.abs(_without(basis, covariate[None])).max() <= SAME * np.ptp(covariate):
        return Permuted(math.nan, len(orders), exact)
    step = max(1, AT_ONCE // there.size)
    found = np.concatenate(
        [
            _statistic(residual, _moved(covariate, there, orders[start : start + step]), basis)
            for start in range(0, len(orders), step)
        ]
    )
    return Permuted(float(np.mean(found >= found[0] * (1 - SAME))), len(orders), exact)


def _moved(
    covariate: Float[np.ndarray, "tasks units"],
    there: Bool[np.ndarray, "tasks units"],
    orders: Int[np.ndarray, "orders units"],
) -> Float[np.ndarray, "orders tasks units"]:
    return np.where(there, np.moveaxis(covariate[:, orders], 0, 1), 0)


def _without(
    basis: Float[np.ndarray, "rows columns"], values: Float[np.ndarray, "orders tasks units"]
) -> Float[np.ndarray, "orders tasks units"]:
    """What an orthonormal basis leaves of the values."""
    flat = values.reshape(len(values), -1)
    return (flat - (flat @ basis) @ basis.T).reshape(values.shape)


def _statistic(
    residual: Float[np.ndarray, "tasks units"],
    moved: Float[np.ndarray, "orders tasks units"],
    basis: Float[np.ndarray, "rows columns"],
) -> Float[np.ndarray, " orders"]:
    """|t| of each covariate, its error clustered by unit; infinite where nothing is left over."""
    own = _without(basis, moved)
    total, size = (own * residual).sum(axis=(1, 2)), (own**2).sum(axis=(1, 2))
    slope = np.divide(total, size, out=np.zeros(len(size)), where=size > 0)
    rest = residual - slope[:, None, None] * own
    error = np.sqrt(((rest * own).sum(axis=1) ** 2).sum(axis=1))
    known = error > SAME * np.abs(total)
    return np.divide(np.abs(total), error, out=np.full(len(total), np.inf), where=known)


def _all(blocks: Int[np.ndarray, " units"]) -> Int[np.ndarray, "orders units"]:
    """Every order within blocks, that of the data first."""
    within = [itertools.permutations(own) for own in _members(blocks)]
    return _placed(blocks, np.array([np.concatenate(e) for e in itertools.product(*within)]))


def _drawn(blocks: Int[np.ndarray, " units"], count: int) -> Int[np.ndarray, "orders units"]:
    """Orders within blocks, drawn, that of the data first."""
    rng = np.random.default_rng(SEED)
    rows = [np.tile(own, (count, 1)) for own in _members(blocks)]
    shuffled = np.concatenate([rng.permuted(each, axis=1) for each in rows], axis=1)
    orders = _placed(blocks, shuffled)
    orders[0] = np.arange(len(blocks))
    return orders


def _members(blocks: Int[np.ndarray, " units"]) -> list[Int[np.ndarray, " own"]]:
    return [np.flatnonzero(blocks == block) for block in np.unique(blocks)]


def _placed(
    blocks: Int[np.ndarray, " units"], orders: Int[np.ndarray, "orders units"]
) -> Int[np.ndarray, "orders units"]:
    """Orders of units sorted by block, as orders of the units."""
    placed = np.empty_like(orders)
    placed[:, np.concatenate(_members(blocks))] = orders
    return placed
