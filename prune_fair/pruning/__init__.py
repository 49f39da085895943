"""Scores, selections, masks, schedules and treatments: everything that decides what is removed."""

from prune_fair.pruning.criteria import CRITERIA, FROM_INITIAL
from prune_fair.pruning.masks import (
    apply_mask,
    full_mask,
    kernels,
    removed_parameters,
    removed_weights,
)
from prune_fair.pruning.schedules import SCHEDULES, Schedule, ramp
from prune_fair.pruning.scopes import BY_HAND, SCOPES, quota
from prune_fair.pruning.selection import GRANULARITIES
from prune_fair.pruning.technique import Technique, all_techniques, name_pattern, pruner
from prune_fair.pruning.treatments import TREATMENTS, Treatment

__all__ = [
    "BY_HAND",
    "CRITERIA",
    "FROM_INITIAL",
    "GRANULARITIES",
    "SCHEDULES",
    "SCOPES",
    "TREATMENTS",
    "Schedule",
    "Technique",
    "Treatment",
    "all_techniques",
    "apply_mask",
    "full_mask",
    "kernels",
    "name_pattern",
    "pruner",
    "quota",
    "ramp",
    "removed_parameters",
    "removed_weights",
]
