"""The table of metrics: pure functions of confusion counts, over any leading axes.

`METRICS` is every base rate times every aggregator, and the special ones. To add one, write it in
`rates`, `aggregators`, `dense_reference` or `groups` and add its row.
"""

from collections.abc import Callable
from functools import partial
from inspect import getdoc
from math import nan
from typing import Any, Literal, NamedTuple, TypeAlias

from jaxtyping import Array, Real

from prune_fair.fairness.aggregators import (
    AGGREGATORS,
    Aggregator,
    difference,
    group_max,
    group_min,
    known_min,
)
from prune_fair.fairness.dense_reference import (
    accuracy_change,
    cev,
    excessive_error,
    intensification,
    normalised_recall_difference,
    recall_change,
    sde,
)
from prune_fair.fairness.groups import (
    equalised_odds_difference,
    group_accuracy_change,
    recall_difference_max,
)
from prune_fair.fairness.rates import (
    BASE_RATES,
    BaseRate,
    PerNetwork,
    accuracy,
    balanced_accuracy,
    overall,
)

Counts: TypeAlias = Real[Array, "..."]
Reduction: TypeAlias = Callable[..., Any]
# How the functions read the counts, the functions in turn, whether higher is better, one line for
# people, and what a diverged network has.
_Row: TypeAlias = tuple[Callable[..., Any], tuple[Reduction, ...], bool, str, float | None]
EVERY_CLASS = "mean_recall_change_min"


class Metric(NamedTuple):
    """One number for each network.

    Attributes:
        function: from the network's counts and those of its dense reference: of confusions, or of
            confusions by group.
        higher_is_better: its direction as an objective.
        description: one line for people.
        source: where its definition is from.
        over: what the counts are of: `confusion` of a study's results for "class",
            `group_confusion` for "group", which only some results have.
        worst: what a diverged network has, whose rates are all equally bad and so look even; NaN
            where the metric has no worst value, None where it is what the counts give.
        averaged: None for a metric that each network has. Else the metric is of many networks: the
            first function gives values by class, which are averaged over networks, and the second
            makes one number of the averages.

    Example:
        >>> import jax.numpy as jnp
        >>> metric = METRICS["recall_group_min"]
        >>> counts = jnp.array([[8, 2], [1, 9]])  # a row a true class
        >>> round(float(metric.function(counts, counts)), 3), metric.higher_is_better
        (0.8, True)
    """

    function: Callable[[Counts, Counts], PerNetwork]
    higher_is_better: bool
    description: str
    source: str
    over: Literal["class", "group"] = "class"
    worst: float | None = None
    averaged: tuple[Reduction, Reduction] | None = None


def _by_class(rate: Reduction, aggregator: Aggregator, counts: Counts, dense: Counts) -> PerNetwork:
    rates = rate(counts)
    if aggregator.against_overall:
        return aggregator.function(rates, overall(rate, counts))
    return aggregator.function(rates)


def _alone(functions: tuple[Reduction, ...], counts: Counts, dense: Counts) -> PerNetwork:
    """The functions in turn, of the network's counts alone."""
    return _in_turn(functions[1:], functions[0](counts))


def _against(functions: tuple[Reduction, ...], counts: Counts, dense: Counts) -> PerNetwork:
    """The functions in turn, the first of the network's counts and of the dense ones."""
    return _in_turn(functions[1:], functions[0](counts, dense))


def _in_turn(functions: tuple[Reduction, ...], value: Any) -> Any:
    for function in functions:
        value = function(value)
    return value


def _source(*functions: Reduction) -> str:
    """What their docstrings say after `Source:`."""
    texts = ((getdoc(function) or "").partition("Source: ")[2] for function in functions)
    return "; ".join(" ".join(text.partition("\n\n")[0].split()).rstrip(".") for text in texts)


def _product(name: str, rate: BaseRate, suffix: str, aggregator: Aggregator) -> dict[str, Metric]:
    """The row of a rate and an aggregator; none where it has no direction."""
    higher = aggregator.higher_is_better
    higher = rate.higher_is_better if higher is None else higher
    if higher is None:
        return {}
    function = partial(_by_class, rate.function, aggregator)
    text = aggregator.description.format(rate=rate.description, part="class")
    source = _source(rate.function, aggregator.function)
    worst = aggregator.worst
    if worst is None and not higher:
        worst = 1.0
    return {f"{name}_{suffix}": Metric(function, higher, text, source, worst=worst)}


def _special(over: Literal["class", "group"], rows: dict[str, _Row]) -> dict[str, Metric]:
    return {
        name: Metric(
            partial(reading, functions),
            higher,
            text,
            _source(*functions),
            over,
            worst,
        )
        for name, (reading, functions, higher, text, worst) in rows.items()
    }


def _within_groups(name: str, rate: Reduction, text: str) -> dict[str, _Row]:
    """The rows of a whole network's rate, taken within each group."""
    chosen = {"group_min": True, "difference": False, "ratio": True}
    return {
        f"by_group_{name}_{suffix}": (
            _alone,
            (rate, AGGREGATORS[suffix].function),
            higher,
            AGGREGATORS[suffix].description.format(rate=text, part="group"),
            0.0 if higher else 1.0,
        )
        for suffix, higher in chosen.items()
    }


_WHOLE_NETWORK: dict[str, _Row] = {
    "accuracy": (_alone, (accuracy,), True, "fraction of images classified as labelled", None),
    "balanced_accuracy": (_alone, (balanced_accuracy,), True, "mean recall of the classes", None),
}
_AGAINST_DENSE: dict[str, _Row] = {
    "accuracy_change": (_against, (accuracy_change,), True, "change of accuracy since dense", None),
    "recall_change_min": (
        _against,
        (recall_change, group_min),
        True,
        "change of recall since dense, worst class",
        None,
    ),
    "recall_change_max": (
        _against,
        (recall_change, group_max),
        True,
        "change of recall since dense, best class",
        None,
    ),
    "normalised_recall_difference_min": (
        _against,
        (normalised_recall_difference, group_min),
        True,
        "change of recall minus change of accuracy since dense, worst class",
        nan,
    ),
    "cev": (_against, (cev,), False, "spread of relative changes of fpr and fnr, percent^2", nan),
    "sde": (_against, (sde,), False, "relative change of fpr against that of fnr, percent", nan),
    "intensification": (
        _against,
        (intensification,),
        False,
        "slope of recalls on the dense ones; above 1 the weak fall further behind",
        nan,
    ),
    "excessive_error_max": (
        _against,
        (excessive_error, group_max),
        False,
        "rise of error since dense, worst class",
        None,
    ),
    "excessive_error_difference": (
        _against,
        (excessive_error, difference),
        False,
        "rise of error since dense, worst class minus best",
        nan,
    ),
}
_OF_MEANS = {
    EVERY_CLASS: Metric(
        partial(_against, (recall_change, known_min)),
        True,
        "smallest of the classes' mean changes of recall since dense",
        _source(recall_change, known_min),
        averaged=(recall_change, known_min),
    ),
}
_BETWEEN_GROUPS: dict[str, _Row] = {
    **_within_groups("accuracy", accuracy, "accuracy"),
    **_within_groups("balanced_accuracy", balanced_accuracy, "balanced accuracy"),
    "by_group_recall_difference_max": (
        _alone,
        (recall_difference_max,),
        False,
        "difference of recall between groups, worst class",
        1.0,
    ),
    "by_group_equalised_odds_difference": (
        _alone,
        (equalised_odds_difference,),
        False,
        "difference of recall or fpr between groups, worst class",
        1.0,
    ),
    "by_group_accuracy_change_min": (
        _against,
        (group_accuracy_change, group_min),
        True,
        "change of accuracy since dense, worst group",
        None,
    ),
    "by_group_accuracy_change_difference": (
        _against,
        (group_accuracy_change, difference),
        False,
        "change of accuracy since dense, best group minus worst",
        nan,
    ),
}
METRICS: dict[str, Metric] = {
    **_special("class", _WHOLE_NETWORK),
    **{
        key: row
        for name, rate in BASE_RATES.items()
        for suffix, aggregator in AGGREGATORS.items()
        for key, row in _product(name, rate, suffix, aggregator).items()
    },
    **_special("class", _AGAINST_DENSE),
    **_OF_MEANS,
    **_special("group", _BETWEEN_GROUPS),
}
