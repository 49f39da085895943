"""Train and prune thousands of image classifiers at once; see which classes pay for sparsity."""

import importlib
from typing import TYPE_CHECKING, Any

from prune_fair import analysis
from prune_fair.config import (
    DataConfig,
    ModelConfig,
    RecipeConfig,
    StudyConfig,
    TaskConfig,
)
from prune_fair.errors import InputError
from prune_fair.pruning import Method, Schedule
from prune_fair.store import open_study
from prune_fair.study import run_study
from prune_fair.training.plan import PlanConfig

if TYPE_CHECKING:
    from prune_fair import plots

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


def __getattr__(name: str) -> Any:
    """Imports `plots`, and matplotlib with it, when it is first asked for."""
    if name == "plots":
        return importlib.import_module("prune_fair.plots")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
