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
from prune_fair.analysis.choice import DEFAULT_REQUIRE, Choice, Nearest, select
from prune_fair.analysis.classes import class_tests, rare_classes, recall_change
from prune_fair.analysis.comparison import at_sparsity, common_sparsity, compare
from prune_fair.analysis.frontiers import (
    DEFAULT_OBJECTIVES,
    PERFORMANCE,
    frontier,
    hypervolumes,
    ranking_change,
)
from prune_fair.analysis.multiplicity import multiplicity
from prune_fair.analysis.objectives import reference_point
from prune_fair.analysis.per_network import (
    SPARSITY,
    class_recall,
    classes_without_images,
    count_collapsed,
    count_networks,
    diverged,
    failed,
    known_metrics,
    network_metrics,
)
from prune_fair.analysis.price import price_of_accuracy
from prune_fair.analysis.resampling import (
    Results,
    Uncertainty,
    as_dataset,
    networks,
    uncertainty,
    with_resamples,
)
from prune_fair.analysis.rules import ACCURACY_ALONE, Constraint, Rule, holds, named_numbers
from prune_fair.analysis.tables import (
    CONFIDENCE,
    DEFAULT_METRICS,
    ESTIMATES,
    metrics,
    operating_points,
    over_seeds,
)
from prune_fair.analysis.votes import DISTANCE, exemplar_images, exemplars
from prune_fair.analysis.worth import JudgedOn, judged_on

__all__ = [
    "ACCURACY_ALONE",
    "BASELINE",
    "CONFIDENCE",
    "COVARIATES",
    "DEFAULT_COMPLEXITY",
    "DEFAULT_METRICS",
    "DEFAULT_OBJECTIVES",
    "DEFAULT_REQUIRE",
    "DISTANCE",
    "ESTIMATES",
    "PERFORMANCE",
    "SPARSITY",
    "Choice",
    "Constraint",
    "JudgedOn",
    "Nearest",
    "Results",
    "Rule",
    "Uncertainty",
    "as_dataset",
    "at_sparsity",
    "attribute",
    "class_recall",
    "class_tests",
    "classes_without_images",
    "common_sparsity",
    "compare",
    "count_collapsed",
    "count_networks",
    "diverged",
    "exemplar_images",
    "exemplars",
    "failed",
    "frontier",
    "holds",
    "hypervolumes",
    "judged_on",
    "known_metrics",
    "metrics",
    "multiplicity",
    "named_numbers",
    "network_metrics",
    "networks",
    "operating_points",
    "over_seeds",
    "price_of_accuracy",
    "ranking_change",
    "rare_classes",
    "recall_change",
    "reference_point",
    "select",
    "uncertainty",
    "with_resamples",
]
