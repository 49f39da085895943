"""What people see on a terminal: the progress bar, tables, and JSON documents."""

from prune_fair.console.comparisons import (
    comparison_document,
    hypervolume_document,
    print_comparison,
    print_hypervolumes,
    ranking_in_words,
)
from prune_fair.console.documents import point_rows, print_json
from prune_fair.console.progress import progress
from prune_fair.console.tables import (
    in_words,
    make_console,
    print_caveats,
    print_listing,
    print_points,
    print_price,
    with_interval,
)

__all__ = [
    "comparison_document",
    "hypervolume_document",
    "in_words",
    "make_console",
    "point_rows",
    "print_caveats",
    "print_comparison",
    "print_hypervolumes",
    "print_json",
    "print_listing",
    "print_points",
    "print_price",
    "progress",
    "ranking_in_words",
    "with_interval",
]
