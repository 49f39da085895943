"""The command `prune-fair`."""

import sys
from collections.abc import Callable, Sequence

from prune_fair.cli.across import across
from prune_fair.cli.attribution import attribute
from prune_fair.cli.calibration import calibration
from prune_fair.cli.checks import check, status
from prune_fair.cli.choice import select
from prune_fair.cli.classes import classes
from prune_fair.cli.endings import one_line_errors
from prune_fair.cli.flags import called_by_flags
from prune_fair.cli.frontiers import compare, frontier
from prune_fair.cli.listing import list_rows
from prune_fair.cli.multiplicity import multiplicity
from prune_fair.cli.points import metrics
from prune_fair.cli.report import report
from prune_fair.cli.shift import shift
from prune_fair.cli.votes import exemplars
from prune_fair.errors import printable
from prune_fair.process import end_quickly


def run(arguments: Sequence[str] | None) -> None:
    """The command `prune-fair`, of words or of the process's own."""
    words = _shown(sys.argv[1:] if arguments is None else arguments)
    end_quickly()
    if [*words[:1]] in (["run"], ["demo"]):
        _study(words[0], words[1:])
        return
    with one_line_errors():
        called_by_flags(
            {
                "demo": _demo_in_a_line,
                "run": _run_in_a_line,
                "list": list_rows,
                "metrics": metrics,
                "frontier": frontier,
                "select": select,
                "classes": classes,
                "attribute": attribute,
                "compare": compare,
                "across": across,
                "exemplars": exemplars,
                "multiplicity": multiplicity,
                "calibration": calibration,
                "shift": shift,
                "audit": _audit() if [*words[:1]] == ["audit"] else _audit_in_a_line,
                "report": report,
                "status": status,
                "check": check,
            },
            prog="prune-fair",
            description="See which classes pay for sparsity.",
            args=words,
        )


def _shown(words: Sequence[str]) -> list[str]:
    r"""The words, the command's and the flags' names escaped: unknown ones are printed as they are.

    Example:
        >>> _shown(["\x1b[2J", "--\x1b=\x1b", "\x1b"])
        ['\\x1b[2J', '--\\x1b=\x1b', '\x1b']
    """
    named = [word.partition("=") if word.startswith("-") else ("", "", word) for word in words[1:]]
    return [*map(printable, words[:1]), *(f"{printable(name)}{a}{b}" for name, a, b in named)]


def _study(command: str, words: Sequence[str]) -> None:
    """A command that trains, imported with all that trains, which others do without."""
    from prune_fair.cli import studies

    {"run": studies.run, "demo": studies.demo}[command](words)


def _demo_in_a_line() -> None:
    """Trains and prunes networks on the embedded digits: a table, pictures and a study."""


def _run_in_a_line() -> None:
    """Runs the study of a config file (TOML or JSON), of flags, or of a file and flags."""


def _audit() -> Callable[..., None]:
    """The command, imported with all that trains, which others do without."""
    from prune_fair.cli.audits import audit

    return audit


def _audit_in_a_line() -> None:
    """Prunes a trained network of your own, and writes its pruning card."""
