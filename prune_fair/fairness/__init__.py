"""Confusion counts, metrics, statistics and frontiers."""

from prune_fair.fairness.confusion import confusion_counts, group_confusion_counts
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
    "accuracy",
    "bootstrap_weights",
    "confusion_counts",
    "group_confusion_counts",
    "mean_interval",
    "non_dominated",
    "percentile_interval",
    "recall",
    "sparsest_within",
    "weighted_means",
]
