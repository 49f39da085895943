"""The operating point that stated values choose, and what accuracy alone would have chosen."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from prune_fair.analysis.per_network import SPARSITY, check_names, class_recall
from prune_fair.analysis.resampling import Results, with_resamples
from prune_fair.analysis.rules import Constraint, Rule, holds
from prune_fair.analysis.tables import CONFIDENCE, is_sound, operating_points, over_seeds
from prune_fair.errors import check
from prune_fair.fairness import EVERY_CLASS, FEWEST_SEEDS, METRICS
from prune_fair.store import DENSE

DEFAULT_REQUIRE = (f"{EVERY_CLASS}>=-0.05",)
DIGITS = 9  # utilities that differ by less are equal


class Nearest(NamedTuple):
    """The point that comes nearest to holding a constraint.

    Attributes:
        constraint: that is looked at.
        binds: whether points hold all the others: then it alone excludes them.
        point: position of the nearest of those, or of all points where none holds the others.
        slack: its distance to the bound in the metric's unit, below 0 on the wrong side; -inf where
            no point can be judged.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> nearest = select(results, ["recall_group_min>=0.99"]).nearest[0]
        >>> str(nearest.constraint), nearest.binds, round(nearest.slack, 3)
        ('recall_group_min>=0.99', True, -0.188)
    """

    constraint: Constraint
    binds: bool
    point: int
    slack: float

    @property
    def held(self) -> bool:
        """Whether the point holds it."""
        return holds(self.slack)


class Choice(NamedTuple):
    """A choice among operating points, and what it is worth.

    Attributes:
        points: all operating points; by point also `qualifies` and `utility`, which is NaN where
            the objective is undefined for some networks.
        rule: that was asked.
        accuracy_rule: what is left of it without fairness.
        confidence: of the intervals whose bad ends hold the constraints; None for the means.
        chosen: position of the point of most utility among those that qualify; None for none.
        accuracy_alone: position of what `accuracy_rule` chooses; None for none.
        nearest: of each constraint, those that bind first; empty where a point qualifies.
        price: by class (true, estimate), changes of mean recall against the dense network of the
            seed: `chosen`, `accuracy_alone`, and `spared`, the first minus the second; None where
            one of the two chooses nothing.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> choice = select(results, ["mean_recall_change_min>=-0.05"])
        >>> spared = choice.price.spared.sel(true="8", estimate="mean")  # a fraction
        >>> round(spared.item(), 3)
        0.006
    """

    points: xr.Dataset
    rule: Rule
    accuracy_rule: Rule
    confidence: float | None
    chosen: int | None
    accuracy_alone: int | None
    nearest: tuple[Nearest, ...]
    price: xr.Dataset | None


def select(
    results: Results,
    require: Sequence[str | Constraint] = DEFAULT_REQUIRE,
    maximise: str = SPARSITY,
    weights: Mapping[str, float] | None = None,
    confidence: float | None = None,
    pooled: bool = False,
) -> Choice:
    """The operating point that holds all constraints and is best by the objective.

    Of equal points the most accurate is chosen. A point qualifies only where no network diverged
    and what is asked is defined for every network. The point is chosen by looking at all of them:
    that is not in its intervals.

    Args:
        results: one task's results.
        require: constraints, such as "recall_group_min>=0.8".
        maximise: the metric to be best in, in its own better direction, or `sparsity`.
        weights: in place of `maximise`, what a unit of each metric is worth, above 0; a point's
            utility is the weighted sum of its means, those of which less is better counted
            negatively.
        confidence: constraints hold for the bad end of this interval; None for the mean.
        pooled: as in `metrics`.

    Raises:
        InputError: for a constraint that does not parse, an unknown metric, a weight that is not
            above 0, a confidence outside (0, 1), or one that is asked with fewer than 3 seeds.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> choice = select(results, ["mean_recall_change_min>=-0.05"])
        >>> chosen = choice.points.isel(point=choice.chosen)
        >>> chosen.technique.item(), chosen.sparsity.sel(estimate="mean").round(3).item()
        ('magnitude-global-rewind', 0.909)
    """
    results = with_resamples(results)
    worth = {maximise: 1.0} if weights is None else dict(weights)
    stated = (Constraint.parse(each) if isinstance(each, str) else each for each in require)
    rule = Rule(tuple(stated), worth)
    _check_rule(results, rule, maximise, confidence)
    accuracy_rule = rule.without_fairness()
    names = rule.names() | accuracy_rule.names() | {SPARSITY, "accuracy"}
    points = operating_points(results, sorted(names), confidence or CONFIDENCE, pooled, False)
    slack, utility = _slack(points, rule, confidence), _utility(points, rule)
    qualifies = _hold_all(slack) & ~np.isnan(utility)
    points = points.assign(qualifies=("point", qualifies), utility=("point", utility))
    chosen = _best(points, qualifies, utility)
    accurate = _hold_all(_slack(points, accuracy_rule, confidence))
    accuracy_alone = _best(points, accurate, _utility(points, accuracy_rule))
    price = None
    if chosen is not None and accuracy_alone is not None:
        price = _price(results, points, chosen, accuracy_alone, confidence or CONFIDENCE)
    nearest = _nearest(rule, slack) if chosen is None else ()
    return Choice(points, rule, accuracy_rule, confidence, chosen, accuracy_alone, nearest, price)


def _check_rule(results: xr.Dataset, rule: Rule, maximise: str, confidence: float | None) -> None:
    check_names(results, "metric", [constraint.name for constraint in rule.constraints])
    check_names(results, "objective", [maximise, *rule.worth])
    check(bool(rule.worth), "no weights: expected at least one, such as sparsity=1")
    for name, each in rule.worth.items():
        check(0 < each < np.inf, f"weight {name}={each:g}: expected a finite number above 0")
    seeds = results.sizes["seed"]
    check(
        confidence is None or seeds >= FEWEST_SEEDS,
        f"confidence {confidence}: the interval cannot be had from {seeds} seed(s); expected at "
        f"least {FEWEST_SEEDS}, or leave it out to choose by the mean",
    )


def _utility(points: xr.Dataset, rule: Rule) -> Float[np.ndarray, " points"]:
    signs = {n: 1 if n == SPARSITY or METRICS[n].higher_is_better else -1 for n in rule.worth}
    means = {name: _sound(points, name, "mean") for name in rule.worth}
    return np.sum([each * signs[n] * means[n] for n, each in rule.worth.items()], axis=0)


def _slack(
    points: xr.Dataset, rule: Rule, confidence: float | None
) -> Float[np.ndarray, "constraints points"]:
    """How far each point is on the right side of each bound; NaN where it cannot be known."""
    rows = [
        c.slack(_sound(points, c.name, "mean" if confidence is None else c.bad_end()))
        for c in rule.constraints
    ]
    return np.array(rows).reshape(len(rows), points.sizes["point"])


def _sound(points: xr.Dataset, name: str, estimate: str) -> Float[np.ndarray, " points"]:
    """A metric by point, NaN where a network diverged or the metric is undefined for one."""
    return points[name].sel(estimate=estimate).where(is_sound(points, name)).values


def _hold_all(slack: Float[np.ndarray, "constraints points"]) -> Bool[np.ndarray, " points"]:
    return np.asarray(holds(slack).all(axis=0))


def _best(
    points: xr.Dataset, among: Bool[np.ndarray, " points"], utility: Float[np.ndarray, " points"]
) -> int | None:
    """The point of most utility; of equal ones the most accurate, then the first."""
    rows = np.flatnonzero(among & ~np.isnan(utility))
    accuracy = points["accuracy"].sel(estimate="mean").values[rows]
    order = np.lexsort((-accuracy, -np.round(utility[rows], DIGITS)))
    return int(rows[order[0]]) if len(rows) else None


def _nearest(rule: Rule, slack: Float[np.ndarray, "constraints points"]) -> tuple[Nearest, ...]:
    slack, found = np.where(np.isnan(slack), -np.inf, slack), []
    for row, constraint in enumerate(rule.constraints):
        others = _hold_all(np.delete(slack, row, axis=0))
        among = others if others.any() else np.full_like(others, True)
        point = int(np.argmax(np.where(among, slack[row], -np.inf)))
        found.append(Nearest(constraint, bool(others.any()), point, float(slack[row, point])))
    return tuple(sorted(found, key=lambda nearest: not nearest.binds))


def _price(
    results: xr.Dataset, points: xr.Dataset, chosen: int, accuracy_alone: int, confidence: float
) -> xr.Dataset:
    """Changes of recall by class at both points, and what the first spares against the second."""
    recall = class_recall(results)

    def change(point: int) -> xr.DataArray:
        technique, level = points["technique"].values[point], int(points["level"].values[point])
        row = recall.isel(technique=0) if technique == DENSE else recall.sel(technique=technique)
        return row.sel(level=level, drop=True).drop_vars("technique") - dense

    dense = recall.isel(technique=0, drop=True).sel(level=0, drop=True)
    changes = {"chosen": change(chosen), "accuracy_alone": change(accuracy_alone)}
    changes["spared"] = changes["chosen"] - changes["accuracy_alone"]
    return xr.Dataset(changes).map(lambda each: over_seeds(each, confidence))
