"""Confusion counts, metrics, statistics and frontiers."""

from prune_fair.fairness.across import (
    confidence_of_each,
    improvement_interval,
    improvement_probability,
    interquartile_interval,
    interquartile_mean,
    performance_profile,
    stratified_weights,
)
from prune_fair.fairness.aggregators import AGGREGATORS
from prune_fair.fairness.class_bounds import class_intervals, class_lower_bounds, rests_on_few
from prune_fair.fairness.class_changes import Over as Over
from prune_fair.fairness.class_changes import (
    class_change_bound,
    class_change_interval,
    class_recall_interval,
)
from prune_fair.fairness.confusion import (
    all_wrong,
    weighted_confusions,
    weighted_group_confusions,
)
from prune_fair.fairness.crossed import (
    by_class,
    crossed_means,
    image_weights,
    scaled,
)
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
from prune_fair.fairness.multiplicity import (
    Flips,
    ambiguous,
    disagreement,
    discrepancy,
    flips,
    influence,
)
from prune_fair.fairness.paired import (
    Paired,
    images_needed,
    loss_bound,
    mcnemar,
    paired,
    paired_interval,
    paired_lower_bound,
    sidak,
    wilson,
)
from prune_fair.fairness.permutation import MOST_PERMUTATIONS, Permuted, permute_units
from prune_fair.fairness.ranks import RankTest, indistinct_groups, rank_test, score_ranks
from prune_fair.fairness.rates import BASE_RATES, accuracy, overall, recall, undefined
from prune_fair.fairness.shares import change_intervals, rate_intervals
from prune_fair.fairness.significance import (
    PairedDifference,
    benjamini_hochberg,
    holm,
    paired_difference,
    seeds_needed,
    welch,
)
from prune_fair.fairness.simultaneous import (
    Equivalence,
    equivalence,
    in_order,
    simultaneous_lower_bounds,
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
from prune_fair.fairness.two_way import (
    TwoWay,
    lower_bound,
    negative,
    over_images,
    two_way,
    two_way_interval,
)
from prune_fair.fairness.volume import hypervolume

__all__ = [
    "AGGREGATORS",
    "BASE_RATES",
    "EVERY_CLASS",
    "FEWEST_SEEDS",
    "METRICS",
    "MOST_PERMUTATIONS",
    "RESAMPLES",
    "Equivalence",
    "Flips",
    "Interval",
    "Metric",
    "OverIndex",
    "Paired",
    "PairedDifference",
    "Permuted",
    "RankTest",
    "TwoWay",
    "accuracy",
    "all_wrong",
    "ambiguous",
    "benjamini_hochberg",
    "bootstrap_weights",
    "by_class",
    "change_intervals",
    "class_change_bound",
    "class_change_interval",
    "class_intervals",
    "class_lower_bounds",
    "class_recall_interval",
    "confidence_of_each",
    "corrected_interval",
    "count_by_class",
    "count_votes",
    "crossed_means",
    "disagreement",
    "discrepancy",
    "equivalence",
    "excessive_error",
    "flips",
    "generalised_entropy",
    "holm",
    "hypervolume",
    "image_weights",
    "images_needed",
    "improvement_interval",
    "improvement_probability",
    "in_order",
    "indistinct_groups",
    "influence",
    "interquartile_interval",
    "interquartile_mean",
    "known_seeds",
    "loss_bound",
    "lower_bound",
    "mcnemar",
    "mean_interval",
    "modal_exemplars",
    "modal_label",
    "negative",
    "non_dominated",
    "non_dominated_probability",
    "normalised_recall_difference",
    "over_images",
    "over_index",
    "overall",
    "paired",
    "paired_difference",
    "paired_interval",
    "paired_lower_bound",
    "percentile_interval",
    "performance_profile",
    "permute_units",
    "rank_agreement",
    "rank_test",
    "rate_intervals",
    "recall",
    "recall_change",
    "rests_on_few",
    "scaled",
    "score_ranks",
    "seeds_needed",
    "sidak",
    "simultaneous_lower_bounds",
    "sparsest",
    "stratified_weights",
    "taxicab",
    "two_way",
    "two_way_interval",
    "undefined",
    "weighted_confusions",
    "weighted_group_confusions",
    "weighted_means",
    "welch",
    "wilson",
]
