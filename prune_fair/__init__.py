"""Train and prune thousands of image classifiers at once; see which classes pay for sparsity."""

from prune_fair import analysis, plots
from prune_fair.config import (
    DataConfig,
    ModelConfig,
    PlanConfig,
    RecipeConfig,
    StudyConfig,
    TaskConfig,
)
from prune_fair.errors import InputError
from prune_fair.pruning import Method, Schedule
from prune_fair.store import open_study
from prune_fair.study import run_study

__all__ = [
    "DataConfig",
    "InputError",
    "Method",
    "ModelConfig",
    "PlanConfig",
    "RecipeConfig",
    "Schedule",
    "StudyConfig",
    "TaskConfig",
    "analysis",
    "open_study",
    "plots",
    "run_study",
]
