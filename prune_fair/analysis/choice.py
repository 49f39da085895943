"""The operating point that stated values choose, and what accuracy alone would have chosen."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from prune_fair.analysis.certifying import Certified, certify_points
from prune_fair.analysis.judging import hold_all, judge
from prune_fair.analysis.per_network import SPARSITY, check_names
from prune_fair.analysis.points import operating_points
from prune_fair.analysis.resampling import Results, judged_and_reported, networks
from prune_fair.analysis.rules import Constraint, Rule, holds
from prune_fair.analysis.tables import CONFIDENCE
from prune_fair.analysis.worth import JudgedOn, drop_to_test, judged_on, price_by_class
from prune_fair.errors import check
from prune_fair.fairness import EVERY_CLASS, Over

DEFAULT_REQUIRE = (f"{EVERY_CLASS}>=-0.05",)


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
        points: all operating points as they are reported, on test images, the controls' too; by
            point also `qualifies` and `utility`, which is NaN where the objective is undefined for
            some networks, on the images that were chosen on.
        judged: the same points on the images that were chosen on.
        judged_on: which images these are.
        rule: that was asked.
        accuracy_rule: what is left of it without fairness.
        confidence: of the intervals.
        certified: what certifies the constraints; None where their means hold them.
        chosen: position of the point of most utility among those that qualify; None for none.
        accuracy_alone: position of what `accuracy_rule` chooses, by the means; None for none.
        nearest: of each constraint, those that bind first; empty where a point qualifies.
        price: by class (true, estimate), changes of mean recall against the dense network of the
            seed: `chosen`, `accuracy_alone`, and `spared`, the first minus the second; None where
            one of the two chooses nothing.
        drop: of each metric at the chosen point its value on validation images minus that on test
            images, (estimate), over the same resamples of seeds; None without validation or for
            pooled counts.
        seeds: how many networks of each kind there are.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> choice = select(results, ["mean_recall_change_min>=-0.05"])
        >>> spared = choice.price.spared.sel(true="8", estimate="mean")  # a fraction
        >>> round(spared.item(), 3)
        0.006
    """

    points: xr.Dataset
    judged: xr.Dataset
    judged_on: JudgedOn
    rule: Rule
    accuracy_rule: Rule
    confidence: float
    certified: Certified | None
    chosen: int | None
    accuracy_alone: int | None
    nearest: tuple[Nearest, ...]
    price: xr.Dataset | None
    drop: xr.Dataset | None
    seeds: int

    @property
    def shown(self) -> tuple[str, ...]:
        """The metrics that a table of its points shows, beside sparsity: accuracy, then by name."""
        named = self.rule.names() | self.accuracy_rule.names()
        return "accuracy", *sorted(named - {"accuracy", SPARSITY})


def select(
    results: Results,
    require: Sequence[str | Constraint] = DEFAULT_REQUIRE,
    maximise: str = SPARSITY,
    weights: Mapping[str, float] | None = None,
    confidence: float = CONFIDENCE,
    pooled: bool = False,
    certify: bool = False,
    over: Over | None = None,
) -> Choice:
    """The operating point that holds all constraints and is best by the objective.

    It is chosen on the validation images and reported on the test images; where there is no
    validation split both are the test images, and what is reported is too good. Of equal points the
    most accurate is chosen. A point qualifies only where no network diverged and what is asked is
    defined for every network, and never if it is a control's. The point is chosen by looking at
    all of them: that is not in its intervals.

    Args:
        results: one task's results.
        require: constraints, such as "recall_group_min>=0.8".
        maximise: the metric to be best in, in its own better direction, or `sparsity`.
        weights: in place of `maximise`, what a unit of each metric is worth, above 0; a point's
            utility is the weighted sum of its means, those of which less is better counted
            negatively.
        confidence: of the intervals, in (0, 1).
        pooled: as in `metrics`.
        certify: constraints hold for one-sided bounds over seeds and images, each point after all
            levels before it, at that confidence for all classes, points and techniques together;
            else for the means. It takes predictions, of one network or of 3 and more.
        over: what intervals are over, as in `metrics`; what certifies is over both.

    Raises:
        InputError: for a constraint that does not parse, an unknown metric, a weight that is not
            above 0, a confidence outside (0, 1), or certainty that these results cannot give.

    Source: of the certainty `class_change_bound` and `in_order`.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> choice = select(results, ["mean_recall_change_min>=-0.05"])
        >>> chosen = choice.points.isel(point=choice.chosen)
        >>> chosen.technique.item(), chosen.sparsity.sel(estimate="mean").round(3).item()
        ('magnitude-global-rewind', 0.909)
    """
    on, (validation, reported) = judged_on(results), judged_and_reported(results)
    rule = asked_rule(validation, require, maximise, weights)
    accuracy_rule = rule.without_fairness()
    names = rule.names() | accuracy_rule.names() | {SPARSITY, "accuracy"}
    points = operating_points(reported, sorted(names), confidence, pooled, False, over)
    judged = points
    if validation is not reported:
        judged = operating_points(validation, sorted(names), confidence, pooled, False, over)
    certified = None
    if certify:
        certified = certify_points(validation, judged, rule.constraints, confidence)
    bounds = None if certified is None else certified.bounds
    slack, qualifies, utility, chosen = judge(judged, rule, bounds)
    points = points.assign(qualifies=("point", qualifies), utility=("point", utility))
    accuracy_alone = judge(judged, accuracy_rule).best
    price = drop = None
    if chosen is not None and accuracy_alone is not None:
        price = price_by_class(reported, points, chosen, accuracy_alone, confidence, over)
    if chosen is not None and validation is not reported and not pooled:
        drop = drop_to_test(
            validation, reported, points.isel(point=chosen), sorted(names), confidence
        )
    return Choice(
        points,
        judged,
        on,
        rule,
        accuracy_rule,
        confidence,
        certified,
        chosen,
        accuracy_alone,
        _nearest(rule, slack) if chosen is None else (),
        price,
        drop,
        networks(reported).sizes["seed"],
    )


def asked_rule(
    results: xr.Dataset,
    require: Sequence[str | Constraint],
    maximise: str,
    weights: Mapping[str, float] | None,
) -> Rule:
    """The rule that is asked, as in `select`; `InputError` for one that results cannot have."""
    worth = {maximise: 1.0} if weights is None else dict(weights)
    stated = (Constraint.parse(each) if isinstance(each, str) else each for each in require)
    rule = Rule(tuple(stated), worth)
    check_names(results, "metric", [constraint.name for constraint in rule.constraints])
    check_names(results, "objective", [maximise, *rule.worth])
    check(bool(rule.worth), "no weights: expected at least one, such as sparsity=1")
    for name, each in rule.worth.items():
        check(0 < each < np.inf, f"weight {name}={each:g}: expected a finite number above 0")
    return rule


def _nearest(rule: Rule, slack: Float[np.ndarray, "constraints points"]) -> tuple[Nearest, ...]:
    slack, found = np.where(np.isnan(slack), -np.inf, slack), []
    for row, constraint in enumerate(rule.constraints):
        others = hold_all(np.delete(slack, row, axis=0))
        among = others if others.any() else np.full_like(others, True)
        point = int(np.argmax(np.where(among, slack[row], -np.inf)))
        found.append(Nearest(constraint, bool(others.any()), point, float(slack[row, point])))
    return tuple(sorted(found, key=lambda nearest: not nearest.binds))
