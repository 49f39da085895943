"""Confusion counts, metrics, statistics and frontiers."""

from prune_fair.fairness.aggregators import AGGREGATORS
from prune_fair.fairness.confusion import all_wrong
from prune_fair.fairness.dense_reference import (
    EVERY_CLASS,
    excessive_error,
    normalised_recall_difference,
    recall_change,
)
from prune_fair.fairness.exemplars import (
    OverIndex,
    count_by_class,
    count_votes,
    modal_exemplars,
    modal_label,
    over_index,
    taxicab,
)
from prune_fair.fairness.frontier import (
    non_dominated,
    non_dominated_probability,
    rank_agreement,
    sparsest,
)
from prune_fair.fairness.inequality import generalised_entropy
from prune_fair.fairness.metric import Metric
from prune_fair.fairness.metrics import METRICS
from prune_fair.fairness.rates import BASE_RATES, accuracy, overall, recall, undefined
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
    RESAMPLES,
    Interval,
    bootstrap_weights,
    corrected_interval,
    known_seeds,
    mean_interval,
    percentile_interval,
    weighted_means,
)
from prune_fair.fairness.volume import hypervolume

__all__ = [
    "AGGREGATORS",
    "BASE_RATES",
    "EVERY_CLASS",
    "FEWEST_SEEDS",
    "METRICS",
    "RESAMPLES",
    "Interval",
    "Metric",
    "OverIndex",
    "PairedDifference",
    "accuracy",
    "all_wrong",
    "benjamini_hochberg",
    "bootstrap_weights",
    "corrected_interval",
    "count_by_class",
    "count_votes",
    "excessive_error",
    "generalised_entropy",
    "holm",
    "hypervolume",
    "known_seeds",
    "mean_interval",
    "modal_exemplars",
    "modal_label",
    "non_dominated",
    "non_dominated_probability",
    "normalised_recall_difference",
    "over_index",
    "overall",
    "paired_difference",
    "percentile_interval",
    "rank_agreement",
    "recall",
    "recall_change",
    "seeds_needed",
    "sparsest",
    "taxicab",
    "undefined",
    "weighted_means",
    "welch",
]
