"""What a metric and an aggregator are: a function, and everything that others must know of it."""

from collections.abc import Callable, Sequence
from functools import partial
from inspect import getdoc
from math import inf, nan
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Real

from prune_fair.fairness.rates import PerNetwork

Counts: TypeAlias = Real[np.ndarray, "..."]
Reduction: TypeAlias = Callable[..., Any]
Over: TypeAlias = Literal["class", "group"]
Unit: TypeAlias = Literal["fraction", "points", "number", "percent", "percent^2"]


class Metric(NamedTuple):
    """One number for each network.

    Attributes:
        function: from the network's counts and those of its dense reference: of confusions, or of
            confusions by group.
        higher_is_better: its direction as an objective.
        label: a few words, for an axis or a column.
        description: one line for people.
        source: where its definition is from.
        unit: `fraction`, a share of one; `points`, a difference of such shares, which people read
            in points of percent; `number`; `percent` or `percent^2`, of what it relates to.
        bounds: the lowest and the highest value that counts can give.
        over: what the counts are of: `confusion` of a study's results for "class",
            `group_confusion` for "group", which only some results have.
        against_dense: whether it compares with the dense reference.
        extreme: whether it is the value of one class or group, which may be another one's in
            another network.
        chance: whether guessing gives one over the number of classes.
        of_right: whether it, or each class's value of one that is averaged, is the share of images
            that are right, less that of the dense reference if `against_dense`.
        worst: what a diverged network has, whose rates are all equally bad and so look even; NaN
            where the metric has no worst value, None where it is what the counts give.
        averaged: None for a metric that each network has. Else the metric is of many networks: the
            first function gives values by class, which are averaged over networks, and the second
            makes one number of the averages.

    Example:
        >>> from prune_fair.fairness import METRICS
        >>> metric = METRICS["recall_group_min"]
        >>> counts = np.array([[8, 2], [1, 9]])  # a row a true class
        >>> round(float(metric.function(counts, counts)), 3), metric.higher_is_better
        (0.8, True)
        >>> metric.label, metric.unit, metric.bounds
        ("worst class's recall", 'fraction', (0.0, 1.0))
    """

    function: Callable[[Counts, Counts], PerNetwork]
    higher_is_better: bool
    label: str
    description: str
    source: str
    unit: Unit
    bounds: tuple[float, float]
    over: Over = "class"
    against_dense: bool = False
    extreme: bool = False
    chance: bool = False
    of_right: bool = False
    worst: float | None = None
    averaged: tuple[Reduction, Reduction] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """What results have to hold: `dense` networks, `groups` of images, several `networks`.

        Example:
            >>> from prune_fair.fairness import METRICS
            >>> METRICS["accuracy"].needs, METRICS["by_group_accuracy_change_min"].needs
            ((), ('dense', 'groups'))
        """
        needed = {
            "dense": self.against_dense,
            "groups": self.over == "group",
            "networks": self.averaged is not None,
        }
        return tuple(name for name, is_needed in needed.items() if is_needed)

    @property
    def worst_bound(self) -> float:
        """The bound that is further from good; infinite where there is none.

        Example:
            >>> from prune_fair.fairness import METRICS
            >>> METRICS["recall_group_min"].worst_bound, METRICS["recall_cv"].worst_bound
            (0.0, inf)
        """
        return self.bounds[0 if self.higher_is_better else 1]


class Aggregator(NamedTuple):
    """One number of many rates.

    Attributes:
        function: from the rates; and from the overall rate, if it is measured against that.
        higher_is_better: its direction; None where it is that of the rate.
        label: a few words, with places for the rate's name, for what there is a rate of, and for
            what the lowest and the highest rate are: "worst" and "best", or the other way round.
        description: in words, with places for the rate's and for what there is a rate of.
        unit: as in `Metric`, of rates that are fractions.
        bounds: its lowest and highest value, of rates in [0, 1].
        against_overall: whether it is measured against the overall rate.
        extreme: whether it is one of the rates.
        worst: its worst value, whatever the number of rates, of rates in [0, 1]; None where that is
            the worst rate, NaN where it has none.
    """

    function: Callable[..., PerNetwork]
    higher_is_better: bool | None
    label: str
    description: str
    unit: Unit = "number"
    bounds: tuple[float, float] = (0.0, inf)
    against_overall: bool = False
    extreme: bool = False
    worst: float | None = nan


def metric(
    *functions: Reduction,
    higher_is_better: bool,
    label: str,
    description: str,
    unit: Unit = "fraction",
    bounds: tuple[float, float] = (0.0, 1.0),
    against_dense: bool = False,
    **traits: Any,
) -> Metric:
    """The row of functions that are called in turn, each with what the one before gives.

    The first takes the network's counts, and those of its dense reference if `against_dense`. The
    row's source is theirs; all else is as in `Metric`.

    Example:
        >>> from prune_fair.fairness import recall
        >>> words = {"label": "median recall", "description": "median recall of the classes"}
        >>> row = metric(recall, np.median, higher_is_better=True, **words)
        >>> round(float(row.function(np.array([[8, 2], [1, 9]]), np.zeros((2, 2)))), 3)
        0.85
    """
    return Metric(
        partial(_in_turn, functions, against_dense),
        higher_is_better,
        label,
        description,
        source_of(*functions),
        unit,
        bounds,
        against_dense=against_dense,
        **traits,
    )


def _in_turn(
    functions: Sequence[Reduction], against_dense: bool, counts: Counts, dense: Counts
) -> PerNetwork:
    value = functions[0](counts, dense) if against_dense else functions[0](counts)
    for function in functions[1:]:
        value = function(value)
    return value


def source_of(*functions: Reduction) -> str:
    """What the functions' docstrings say after `Source:`.

    Example:
        >>> from prune_fair.fairness import hypervolume
        >>> source_of(hypervolume)
        'Zitzler & Thiele 1999; slicing as in While et al. 2006'
    """
    texts = ((getdoc(function) or "").partition("Source: ")[2] for function in functions)
    return "; ".join(" ".join(text.partition("\n\n")[0].split()).rstrip(".") for text in texts)
