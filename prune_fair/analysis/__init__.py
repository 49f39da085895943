"""Questions to a study's results: labelled arrays in, labelled arrays out.

Every function takes one node of `open_study(...)`, as a Dataset or a DataTree node, and reads
nothing else; `task_scores` takes several, and `across` what that gives.
"""

from prune_fair.analysis.accuracy_alone import accuracy_alone
from prune_fair.analysis.across import across
from prune_fair.analysis.against import against
from prune_fair.analysis.attribution import BASELINE, DEFAULT_COMPLEXITY, attribute
from prune_fair.analysis.calibration import calibration, network_calibration
from prune_fair.analysis.certifying import Certified, TooFew
from prune_fair.analysis.choice import DEFAULT_REQUIRE, Choice, Nearest, select
from prune_fair.analysis.class_model import COVARIATES
from prune_fair.analysis.classes import (
    class_tests,
    rare_classes,
    recall_change,
    recall_of_classes,
)
from prune_fair.analysis.comparison import at_sparsity, common_sparsity, compare
from prune_fair.analysis.controls import (
    budgets_differ,
    candidates,
    controls,
    floor_of,
    floors,
    training_steps,
)
from prune_fair.analysis.cross_fitting import CrossFit, cross_fit, cross_fit_of
from prune_fair.analysis.frontiers import (
    DEFAULT_OBJECTIVES,
    PERFORMANCE,
    frontier,
    hypervolumes,
)
from prune_fair.analysis.groups import group_changes
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
from prune_fair.analysis.points import operating_points
from prune_fair.analysis.price import price_of_accuracy
from prune_fair.analysis.ranking import ranking_change
from prune_fair.analysis.resampling import (
    Results,
    as_dataset,
    networks,
    reported_on,
    shifts_of,
    split_of,
    with_resamples,
)
from prune_fair.analysis.rules import ACCURACY_ALONE, Constraint, Rule, holds, named_numbers
from prune_fair.analysis.shift import under_shift
from prune_fair.analysis.tables import (
    CONFIDENCE,
    DEFAULT_METRICS,
    ESTIMATES,
    interval_over,
    metrics,
    over_seeds,
)
from prune_fair.analysis.task_scores import VOLUME, task_scores
from prune_fair.analysis.uncertainty import Uncertainty, over_classes, uncertainty
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
    "VOLUME",
    "Certified",
    "Choice",
    "Constraint",
    "CrossFit",
    "JudgedOn",
    "Nearest",
    "Results",
    "Rule",
    "TooFew",
    "Uncertainty",
    "accuracy_alone",
    "across",
    "against",
    "as_dataset",
    "at_sparsity",
    "attribute",
    "budgets_differ",
    "calibration",
    "candidates",
    "class_recall",
    "class_tests",
    "classes_without_images",
    "common_sparsity",
    "compare",
    "controls",
    "count_collapsed",
    "count_networks",
    "cross_fit",
    "cross_fit_of",
    "diverged",
    "exemplar_images",
    "exemplars",
    "failed",
    "floor_of",
    "floors",
    "frontier",
    "group_changes",
    "holds",
    "hypervolumes",
    "interval_over",
    "judged_on",
    "known_metrics",
    "metrics",
    "multiplicity",
    "named_numbers",
    "network_calibration",
    "network_metrics",
    "networks",
    "operating_points",
    "over_classes",
    "over_seeds",
    "price_of_accuracy",
    "ranking_change",
    "rare_classes",
    "recall_change",
    "recall_of_classes",
    "reference_point",
    "reported_on",
    "select",
    "shifts_of",
    "split_of",
    "task_scores",
    "training_steps",
    "uncertainty",
    "under_shift",
    "with_resamples",
]
