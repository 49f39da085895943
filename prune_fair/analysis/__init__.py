"""Questions to a study's results: labelled arrays in, labelled arrays out.

Every function takes one node of `open_study(...)`, as a Dataset or a DataTree node, and reads
nothing else.
"""

from prune_fair.analysis.attribution import (
    BASELINE,
    COVARIATES,
    DEFAULT_COMPLEXITY,
    attribute,
)
from prune_fair.analysis.frontiers import DEFAULT_OBJECTIVES, frontier
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
    "BASELINE",
    "COVARIATES",
    "DEFAULT_COMPLEXITY",
    "DEFAULT_OBJECTIVES",
    "ESTIMATES",
    "SPARSITY",
    "Results",
    "as_dataset",
    "attribute",
    "class_recall",
    "frontier",
    "metrics",
    "network_metrics",
    "operating_points",
    "over_seeds",
    "price_of_accuracy",
]
