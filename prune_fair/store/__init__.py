"""A study's directory: written piece by piece, read as labelled arrays. Only here Orbax."""

from prune_fair.store.directory import StudyStore, writing
from prune_fair.store.results import DENSE, MEMBERS, open_example, open_study, read_study

__all__ = ["DENSE", "MEMBERS", "StudyStore", "open_example", "open_study", "read_study", "writing"]
