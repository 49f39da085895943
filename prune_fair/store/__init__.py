"""A study's directory: written piece by piece, read as labelled arrays. Only here Orbax and Zarr.

Reading results imports neither JAX nor Orbax.
"""

from prune_fair.data import MEMBERS, Variable
from prune_fair.store.checking import Problem, find_problems, set_aside, status_of
from prune_fair.store.checkpoints import entry_of, load_tree, save_tree, shaped_as
from prune_fair.store.describing import Makers
from prune_fair.store.directory import ELSEWHERE, StudyStore
from prune_fair.store.layout import DENSE, Layout
from prune_fair.store.networks import checkpoint_folder, load_networks
from prune_fair.store.opening import writing
from prune_fair.store.results import open_example, open_study
from prune_fair.store.studies import EXAMPLE, read_study

__all__ = [
    "DENSE",
    "ELSEWHERE",
    "EXAMPLE",
    "MEMBERS",
    "Layout",
    "Makers",
    "Problem",
    "StudyStore",
    "Variable",
    "checkpoint_folder",
    "entry_of",
    "find_problems",
    "load_networks",
    "load_tree",
    "open_example",
    "open_study",
    "read_study",
    "save_tree",
    "set_aside",
    "shaped_as",
    "status_of",
    "writing",
]
