"""The table of metrics: pure functions of confusion counts, over any leading axes.

`METRICS` is every base rate times every aggregator, and the special ones. A row stands beside its
function: a base rate in `rates`, an aggregator in `aggregators` or `inequality`, one against the
dense network in `dense_reference`, one between groups in `groups`.
"""

from functools import partial

from prune_fair.fairness.aggregators import AGGREGATORS
from prune_fair.fairness.dense_reference import AGAINST_DENSE
from prune_fair.fairness.groups import BETWEEN_GROUPS
from prune_fair.fairness.metric import Aggregator, Counts, Metric, Reduction, metric, source_of
from prune_fair.fairness.rates import (
    BASE_RATES,
    BaseRate,
    PerNetwork,
    accuracy,
    balanced_accuracy,
    overall,
)

EXTREMES = {  # what the lowest and the highest rate are, by which is better
    True: {"lowest": "worst", "highest": "best"},
    False: {"lowest": "best", "highest": "worst"},
    None: {"lowest": "smallest", "highest": "largest"},
}


def _by_class(rate: Reduction, aggregator: Aggregator, counts: Counts, dense: Counts) -> PerNetwork:
    rates = rate(counts)
    if aggregator.against_overall:
        return aggregator.function(rates, overall(rate, counts))
    return aggregator.function(rates)


def _product(name: str, rate: BaseRate, suffix: str, aggregator: Aggregator) -> dict[str, Metric]:
    """The row of a rate and an aggregator; none where it has no direction."""
    higher = aggregator.higher_is_better
    higher = rate.higher_is_better if higher is None else higher
    if higher is None:
        return {}
    words = {"rate": rate.description, "part": "class", **EXTREMES[rate.higher_is_better]}
    row = Metric(
        partial(_by_class, rate.function, aggregator),
        higher,
        aggregator.label.format(**words),
        aggregator.description.format(**words),
        source_of(rate.function, aggregator.function),
        aggregator.unit,
        aggregator.bounds,
        extreme=aggregator.extreme,
        worst=1.0 if aggregator.worst is None and not higher else aggregator.worst,
    )
    return {f"{name}_{suffix}": row}


METRICS: dict[str, Metric] = {
    "accuracy": metric(
        accuracy,
        higher_is_better=True,
        label="accuracy",
        description="fraction of images classified as labelled",
        chance=True,
        of_right=True,
    ),
    "balanced_accuracy": metric(
        balanced_accuracy,
        higher_is_better=True,
        label="balanced accuracy",
        description="mean recall of the classes",
        chance=True,
    ),
    **{
        key: row
        for name, rate in BASE_RATES.items()
        for suffix, aggregator in AGGREGATORS.items()
        for key, row in _product(name, rate, suffix, aggregator).items()
    },
    **AGAINST_DENSE,
    **BETWEEN_GROUPS,
}
