"""Judging operating points: which hold a rule, and which of them is best."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from prune_fair.analysis.failing import is_sound
from prune_fair.analysis.per_network import SPARSITY
from prune_fair.analysis.rules import Constraint, Rule, holds
from prune_fair.fairness import METRICS

DIGITS = 9  # utilities and accuracies that differ by less are equal


class Judgement(NamedTuple):
    """What a rule says of operating points.

    Attributes:
        slack: how far each is on the right side of each bound; NaN where it cannot be known.
        qualifies: which hold all constraints and have a utility.
        utility: of each; NaN where the objective is undefined for some networks.
        best: position of the one of most utility among those that qualify; None for none.
    """

    slack: Float[np.ndarray, "constraints points"]
    qualifies: Bool[np.ndarray, " points"]
    utility: Float[np.ndarray, " points"]
    best: int | None


def judge(
    points: xr.Dataset,
    rule: Rule,
    bounds: Mapping[Constraint, Float[np.ndarray, " points"]] | None = None,
) -> Judgement:
    """What a rule says of points, which have its metrics, sparsity and accuracy.

    It says nothing of controls, which prune nothing: none is ever chosen.

    Args:
        points: as `operating_points` gives them.
        rule: what has to hold, and what each metric is worth.
        bounds: of `certify_points`, which have to hold each constraint at a point and at all of
            its technique's levels before; without them the means have to, at the point alone.
    """
    held_by = {c: _sound(points, c.name, "mean") for c in rule.constraints}
    if bounds is not None:
        held_by = {c: np.where(np.isnan(held_by[c]), np.nan, bounds[c]) for c in rule.constraints}
    rows = [c.slack(held_by[c]) for c in rule.constraints]
    asked = np.array(rows).reshape(len(rows), points.sizes["point"]), _utility(points, rule)
    slack, utility = (np.where(points["control"], np.nan, each) for each in asked)
    qualifies = hold_all(slack) & ~np.isnan(utility)
    if bounds is not None:
        qualifies = _in_order(points, hold_all(slack)) & qualifies
    return Judgement(slack, qualifies, utility, _best(points, qualifies, utility))


def _in_order(points: xr.Dataset, held: Bool[np.ndarray, " points"]) -> Bool[np.ndarray, " points"]:
    """Which points hold, as do all of their technique's levels before them."""
    technique, level = points["technique"].values, points["level"].values
    certified = np.zeros_like(held)
    for name in dict.fromkeys(technique.tolist()):
        own = np.flatnonzero((technique == name) | (level == 0))
        own = own[np.argsort(level[own], kind="stable")]
        certified[own] = np.logical_and.accumulate(held[own])
    return certified


def _utility(points: xr.Dataset, rule: Rule) -> Float[np.ndarray, " points"]:
    signs = {n: 1 if n == SPARSITY or METRICS[n].higher_is_better else -1 for n in rule.worth}
    means = {name: _sound(points, name, "mean") for name in rule.worth}
    return np.sum([each * signs[n] * means[n] for n, each in rule.worth.items()], axis=0)


def _sound(points: xr.Dataset, name: str, estimate: str) -> Float[np.ndarray, " points"]:
    """A metric by point, NaN where a network diverged or the metric is undefined for one."""
    return points[name].sel(estimate=estimate).where(is_sound(points, name)).values


def hold_all(slack: Float[np.ndarray, "constraints points"]) -> Bool[np.ndarray, " points"]:
    """Which points are on the right side of every bound."""
    return np.asarray(holds(slack).all(axis=0))


def _best(
    points: xr.Dataset, among: Bool[np.ndarray, " points"], utility: Float[np.ndarray, " points"]
) -> int | None:
    """The point of most utility; of equal ones the most accurate, then the first."""
    rows = np.flatnonzero(among)
    accuracy = points["accuracy"].sel(estimate="mean").values[rows]
    order = np.lexsort([-np.round(each, DIGITS) for each in (accuracy, utility[rows])])
    return int(rows[order[0]]) if len(rows) else None
