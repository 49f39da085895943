"""Questions to a study's results: labelled arrays in, labelled arrays out.

Every function takes one node of `open_study(...)`, as a Dataset or a DataTree node, and reads
nothing else.
"""

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
from prune_fair.analysis.votes import DISTANCE, exemplar_images, exemplars

__all__ = [
    "DEFAULT_OBJECTIVES",
    "DISTANCE",
    "ESTIMATES",
    "SPARSITY",
    "Results",
    "as_dataset",
    "class_recall",
    "exemplar_images",
    "exemplars",
    "frontier",
    "metrics",
    "network_metrics",
    "operating_points",
    "over_seeds",
    "price_of_accuracy",
]
