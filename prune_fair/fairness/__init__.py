"""Confusion counts, metrics, statistics and frontiers."""

from prune_fair.fairness.confusion import confusion_counts, group_confusion_counts
from prune_fair.fairness.frontier import (
    non_dominated,
    non_dominated_probability,
    rank_agreement,
    sparsest_within,
)
from prune_fair.fairness.metrics import METRICS, Metric, accuracy, recall
from prune_fair.fairness.significance import (
    PairedDifference,
    benjamini_hochberg,
    holm,
    paired_difference,
    seeds_needed,
    welch,
)
from prune_fair.fairness.statistics import (
    FEWEST_SEEDS,
    Interval,
    bootstrap_weights,
    corrected_interval,
    mean_interval,
    percentile_interval,
    weighted_means,
)
from prune_fair.fairness.volume import hypervolume

__all__ = [
    "FEWEST_SEEDS",
    "METRICS",
    "Interval",
    "Metric",
    "PairedDifference",
    "accuracy",
    "benjamini_hochberg",
    "bootstrap_weights",
    "confusion_counts",
    "corrected_interval",
    "group_confusion_counts",
    "holm",
    "hypervolume",
    "mean_interval",
    "non_dominated",
    "non_dominated_probability",
    "paired_difference",
    "percentile_interval",
    "rank_agreement",
    "recall",
    "seeds_needed",
    "sparsest_within",
    "weighted_means",
    "welch",
]
