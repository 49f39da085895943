"""The command line: thin, it calls the library and prints.

Experiments run through `experiment`, the command `prune-fair` through `main`. A user's mistake is
one line on standard error and exit status 2.
"""

from prune_fair.cli.commands import main
from prune_fair.cli.experiments import experiment

__all__ = ["experiment", "main"]
