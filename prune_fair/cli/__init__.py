"""The command line: thin, it calls the library and prints.

Experiments run through `experiment`, the command `prune-fair` through `main`. What ends a
command early is one line on standard error (`endings`). This module imports nothing that takes
time, so that signals are heard before what does.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prune_fair.cli.endings import ending_at_once, hear_signals

if TYPE_CHECKING:
    from prune_fair.cli.experiments import experiment

__all__ = ["experiment", "hear_signals", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `prune-fair`.

    Args:
        arguments: the command line; None for the process's own.
    """
    with ending_at_once():
        from prune_fair.cli.commands import run

        run(arguments)


def __getattr__(name: str) -> Any:
    """Imports what trains when an experiment asks for it: commands read results without it."""
    if name != "experiment":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from prune_fair.cli.experiments import experiment

    return experiment
