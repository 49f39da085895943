"""How to choose among operating points: constraints, and what metrics are worth."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import xarray as xr

from prune_fair.analysis.per_network import SPARSITY, check_names
from prune_fair.analysis.tables import check_confidence
from prune_fair.errors import InputError, check
from prune_fair.fairness import FEWEST_SEEDS

ACCURACY_ALONE = "accuracy_change>=-0.01"
OF_ACCURACY = (SPARSITY, "accuracy", "accuracy_change")
ROUNDING = 1e-6  # a bound that is met but for that is met


class Constraint(NamedTuple):
    """What an operating point has to hold: a metric, `>=` or `<=`, and a bound.

    Example:
        >>> str(Constraint("recall_group_min", ">=", 0.8))
        'recall_group_min>=0.8'
    """

    name: str
    relation: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Constraint":
        """The constraint that a text states.

        Raises:
            InputError: if it does not parse.

        Example:
            >>> Constraint.parse("recall_group_min >= 0.8")
            Constraint(name='recall_group_min', relation='>=', bound=0.8)
        """
        match = re.fullmatch(r"\s*(\w+)\s*(>=|<=)\s*(\S+)\s*", text)
        if match is None or not math.isfinite(_number(match[3])):
            raise InputError(
                f"constraint {text!r}: expected a metric, >= or <=, and a number, such as "
                "'recall_group_min>=0.8'"
            )
        return cls(match[1], match[2], _number(match[3]))

    def slack(self, values: Any) -> Any:
        """How far values are on the right side of the bound; below 0 they do not hold it."""
        return values - self.bound if self.relation == ">=" else self.bound - values

    def bad_end(self) -> str:
        """The end of an interval that is further from holding."""
        return "low" if self.relation == ">=" else "high"

    def __str__(self) -> str:
        return f"{self.name}{self.relation}{self.bound:g}"


class Rule(NamedTuple):
    """How to choose: what has to hold, and what a unit of each metric is worth.

    Example:
        >>> rule = Rule((Constraint.parse("recall_group_min>=0.8"),), {"sparsity": 1.0})
        >>> [str(constraint) for constraint in rule.without_fairness().constraints]
        ['accuracy_change>=-0.01']
    """

    constraints: tuple[Constraint, ...]
    worth: Mapping[str, float]

    def names(self) -> set[str]:
        """The metrics that it looks at."""
        return {*self.worth, *(constraint.name for constraint in self.constraints)}

    def without_fairness(self) -> "Rule":
        """What is left of it for who looks at sparsity and accuracy alone.

        Where that would ask for sparsity at any accuracy, the mean accuracy has to stay within
        one point of the dense network's.
        """
        constraints = tuple(c for c in self.constraints if c.name in OF_ACCURACY)
        worth = {name: each for name, each in self.worth.items() if name in OF_ACCURACY}
        rule = Rule(constraints, worth or {"accuracy": 1.0})
        if rule.names() == {SPARSITY}:
            return rule._replace(constraints=(*constraints, Constraint.parse(ACCURACY_ALONE)))
        return rule


def check_asked(
    require: Sequence[str],
    maximise: str,
    confidence: float,
    certify: bool,
    *,
    networks: int,
    groups: bool,
) -> None:
    """Raises `InputError` as `select` would of results that are yet to be computed.

    Args:
        require: constraints.
        maximise: the metric to be best in, or `sparsity`.
        confidence: of the intervals.
        certify: whether intervals have to hold the constraints.
        networks: that there will be of each kind, with predictions.
        groups: whether images will have groups.

    Example:
        >>> check_asked(["accuracy>=0.9"], "sparsity", 0.95, True, networks=2, groups=False)
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: certify: 2 networks give no interval; expected 1, or 3 or more
    """
    check_confidence(confidence)
    counted = ["confusion", *["group_confusion"] * groups]
    results = xr.Dataset(dict.fromkeys(counted, ((), 0)))  # no more of them is looked at
    check_names(results, "metric", [Constraint.parse(text).name for text in require])
    check_names(results, "objective", [maximise])
    check(
        not certify or networks == 1 or networks >= FEWEST_SEEDS,
        f"certify: {networks} networks give no interval; expected 1, or {FEWEST_SEEDS} or more",
    )


def holds(slack: Any) -> Any:
    """Whether values this far on the right side of a bound hold it; NaN never does.

    Example:
        >>> holds(-1e-8), holds(-0.01)
        (True, False)
    """
    return slack >= -ROUNDING


def named_numbers(kind: str, texts: Sequence[str]) -> dict[str, float]:
    """Numbers by metric, from texts NAME=NUMBER.

    Raises:
        InputError: if one does not parse; it is said to be of that kind.

    Example:
        >>> named_numbers("weight", ["sparsity=1", "recall_group_min=2.5"])
        {'sparsity': 1.0, 'recall_group_min': 2.5}
    """
    pairs = [text.partition("=") for text in texts]
    for text, (_, _, number) in zip(texts, pairs, strict=True):
        check(
            math.isfinite(_number(number)),
            f"{kind} {text!r}: expected a metric, = and a number, such as 'recall_group_min=0.5'",
        )
    return {name.strip(): _number(number) for name, _, number in pairs}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
