"""Confusion counts, metrics, statistics and frontiers."""

from prune_fair.fairness.aggregators import AGGREGATORS, generalised_entropy
from prune_fair.fairness.confusion import confusion_counts, group_confusion_counts
from prune_fair.fairness.dense_reference import (
    excessive_error,
    normalised_recall_difference,
    recall_change,
)
from prune_fair.fairness.exemplars import (
    OverIndex,
    add_votes,
    count_by_class,
    modal_exemplars,
    modal_label,
    over_index,
    taxicab,
)
from prune_fair.fairness.frontier import non_dominated, sparsest_within
from prune_fair.fairness.metrics import METRICS, Metric
from prune_fair.fairness.rates import BASE_RATES, accuracy, overall, recall, undefined
from prune_fair.fairness.statistics import (
    FEWEST_SEEDS,
    Interval,
    bootstrap_weights,
    mean_interval,
    percentile_interval,
    weighted_means,
)

__all__ = [
    "AGGREGATORS",
    "BASE_RATES",
    "FEWEST_SEEDS",
    "METRICS",
    "Interval",
    "Metric",
    "OverIndex",
    "accuracy",
    "add_votes",
    "bootstrap_weights",
    "confusion_counts",
    "count_by_class",
    "excessive_error",
    "generalised_entropy",
    "group_confusion_counts",
    "mean_interval",
    "modal_exemplars",
    "modal_label",
    "non_dominated",
    "normalised_recall_difference",
    "over_index",
    "overall",
    "percentile_interval",
    "recall",
    "recall_change",
    "sparsest_within",
    "taxicab",
    "undefined",
    "weighted_means",
]
