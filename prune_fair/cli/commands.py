"""The command `prune-fair`."""

from collections.abc import Sequence

import tyro

from prune_fair.cli.attribution import attribute
from prune_fair.cli.choice import select
from prune_fair.cli.classes import classes
from prune_fair.cli.flags import one_line_errors
from prune_fair.cli.frontiers import compare, frontier
from prune_fair.cli.listing import list_rows
from prune_fair.cli.points import metrics
from prune_fair.cli.votes import exemplars


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `prune-fair`."""
    with one_line_errors():
        tyro.extras.subcommand_cli_from_dict(
            {
                "list": list_rows,
                "metrics": metrics,
                "frontier": frontier,
                "select": select,
                "classes": classes,
                "attribute": attribute,
                "compare": compare,
                "exemplars": exemplars,
            },
            prog="prune-fair",
            description="See which classes pay for sparsity.",
            args=arguments,
        )
