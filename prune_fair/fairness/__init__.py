"""Confusion counts, metrics, statistics and frontiers."""

from prune_fair.fairness.confusion import confusion_counts, group_confusion_counts
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
from prune_fair.fairness.metrics import METRICS, Metric, accuracy, recall
from prune_fair.fairness.statistics import (
    FEWEST_SEEDS,
    Interval,
    bootstrap_weights,
    mean_interval,
    percentile_interval,
    weighted_means,
)

__all__ = [
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
    "group_confusion_counts",
    "mean_interval",
    "modal_exemplars",
    "modal_label",
    "non_dominated",
    "over_index",
    "percentile_interval",
    "recall",
    "sparsest_within",
    "taxicab",
    "weighted_means",
]
