"""Train and prune thousands of image classifiers at once; see which classes pay for sparsity.

Names are imported when they are first asked for: who reads results needs no Flax, and who draws
nothing no matplotlib.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prune_fair import analysis, plots, report
    from prune_fair.auditing import audit
    from prune_fair.config import DataConfig, ModelConfig, RecipeConfig, StudyConfig, TaskConfig
    from prune_fair.engine.plan import PlanConfig
    from prune_fair.errors import InputError
    from prune_fair.pruning import Schedule, Technique
    from prune_fair.store import open_example, open_study
    from prune_fair.study import run_study

__all__ = [
    "DataConfig",
    "InputError",
    "ModelConfig",
    "PlanConfig",
    "RecipeConfig",
    "Schedule",
    "StudyConfig",
    "TaskConfig",
    "Technique",
    "analysis",
    "audit",
    "open_example",
    "open_study",
    "plots",
    "report",
    "run_study",
]

_ROOMS = {
    "DataConfig": "config",
    "InputError": "errors",
    "Technique": "pruning",
    "ModelConfig": "config",
    "PlanConfig": "engine.plan",
    "RecipeConfig": "config",
    "Schedule": "pruning",
    "StudyConfig": "config",
    "TaskConfig": "config",
    "audit": "auditing",
    "open_example": "store",
    "open_study": "store",
    "run_study": "study",
}


def __getattr__(name: str) -> Any:
    """The public name, from its room; `analysis`, `plots` and `report` are rooms."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = importlib.import_module(f"{__name__}.{_ROOMS.get(name, name)}")
    return getattr(room, name) if name in _ROOMS else room


def __dir__() -> list[str]:
    return __all__
