"""Scores, selections, masks, schedules and treatments: everything that decides what is removed."""

from prune_fair.pruning.controls import control_of, controls_for, retrained_alike
from prune_fair.pruning.criteria import CRITERIA, Criterion
from prune_fair.pruning.masks import apply_mask, full_mask, kernels
from prune_fair.pruning.names import name_pattern
from prune_fair.pruning.pruner import pruner, scoring_loss, without_pruning, without_retraining
from prune_fair.pruning.schedules import SCHEDULES, Schedule, Spacing, ramp
from prune_fair.pruning.scopes import BY_HAND, SCOPES, quota
from prune_fair.pruning.selection import GRANULARITIES, Granularity
from prune_fair.pruning.technique import DENSE, GIVEN_DENSE, Technique, all_techniques
from prune_fair.pruning.treatments import TREATMENTS, Treatment

__all__ = [
    "BY_HAND",
    "CRITERIA",
    "DENSE",
    "GIVEN_DENSE",
    "GRANULARITIES",
    "SCHEDULES",
    "SCOPES",
    "TREATMENTS",
    "Criterion",
    "Granularity",
    "Schedule",
    "Spacing",
    "Technique",
    "Treatment",
    "all_techniques",
    "apply_mask",
    "control_of",
    "controls_for",
    "full_mask",
    "kernels",
    "name_pattern",
    "pruner",
    "quota",
    "ramp",
    "retrained_alike",
    "scoring_loss",
    "without_pruning",
    "without_retraining",
]
