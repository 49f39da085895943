"""A study's directory: written piece by piece, read as labelled arrays. Only here Orbax."""

from prune_fair.store.checkpoints import entry_of, load_tree, save_tree, shaped_as
from prune_fair.store.directory import ELSEWHERE, StudyStore, checkpoint_folder
from prune_fair.store.opening import writing
from prune_fair.store.results import DENSE, MEMBERS, open_example, open_study, read_study

__all__ = [
    "DENSE",
    "ELSEWHERE",
    "MEMBERS",
    "StudyStore",
    "checkpoint_folder",
    "entry_of",
    "load_tree",
    "open_example",
    "open_study",
    "read_study",
    "save_tree",
    "shaped_as",
    "writing",
]
