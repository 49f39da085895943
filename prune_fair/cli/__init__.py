"""The command line: thin, it calls the library and prints.

Experiments run through `experiment`, the command `prune-fair` through `main`. What ends a
command early is one line on standard error (`endings`).
"""

from typing import TYPE_CHECKING, Any

from prune_fair.cli.commands import main

if TYPE_CHECKING:
    from prune_fair.cli.experiments import experiment

__all__ = ["experiment", "main"]


def __getattr__(name: str) -> Any:
    """Imports what trains when an experiment asks for it: commands read results without it."""
    if name != "experiment":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from prune_fair.cli.experiments import experiment

    return experiment
