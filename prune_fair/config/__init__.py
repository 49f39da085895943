"""A study as frozen dataclasses: validated when built, fingerprinted, and readable as JSON.

The rooms below know their own names; here they are composed, so that a mistake is refused before
anything runs.
"""

from prune_fair.config.plain import from_json, to_json
from prune_fair.config.rotation import Rotation, rotate_rare
from prune_fair.config.study import StudyConfig
from prune_fair.config.task import (
    DECAYS,
    OPTIMIZERS,
    DataConfig,
    ModelConfig,
    RecipeConfig,
    TaskConfig,
)

__all__ = [
    "DECAYS",
    "OPTIMIZERS",
    "DataConfig",
    "ModelConfig",
    "RecipeConfig",
    "Rotation",
    "StudyConfig",
    "TaskConfig",
    "from_json",
    "rotate_rare",
    "to_json",
]
