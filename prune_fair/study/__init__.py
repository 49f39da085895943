"""The lifecycle of a study: what runs in which order, from a config to a directory of results."""

from prune_fair.study.levels import Progress, silent
from prune_fair.study.repair import repair
from prune_fair.study.running import Subject, carry_out, run_study

__all__ = ["Progress", "Subject", "carry_out", "repair", "run_study", "silent"]
