"""Questions to a study's results: labelled arrays in, labelled arrays out.

Every function takes one node of `open_study(...)`, as a Dataset or a DataTree node, and reads
nothing else.
"""

from prune_fair.analysis.classes import class_tests
from prune_fair.analysis.comparison import at_sparsity, common_sparsity, compare
from prune_fair.analysis.frontiers import (
    DEFAULT_OBJECTIVES,
    PERFORMANCE,
    frontier,
    hypervolumes,
    ranking_change,
    reference_point,
)
from prune_fair.analysis.price import price_of_accuracy
from prune_fair.analysis.tables import (
    ESTIMATES,
    SPARSITY,
    Results,
    as_dataset,
    class_recall,
    metrics,
    network_metrics,
    operating_points,
    over_seeds,
)

__all__ = [
    "DEFAULT_OBJECTIVES",
    "ESTIMATES",
    "PERFORMANCE",
    "SPARSITY",
    "Results",
    "as_dataset",
    "at_sparsity",
    "class_recall",
    "class_tests",
    "common_sparsity",
    "compare",
    "frontier",
    "hypervolumes",
    "metrics",
    "network_metrics",
    "operating_points",
    "over_seeds",
    "price_of_accuracy",
    "ranking_change",
    "reference_point",
]
