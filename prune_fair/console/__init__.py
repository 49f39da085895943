"""What people see on a terminal: the progress bar, tables, and JSON documents."""

from prune_fair.console.attribution import attribution_in_words, print_attribution, term_rows
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
    "attribution_in_words",
    "in_words",
    "make_console",
    "point_rows",
    "print_attribution",
    "print_caveats",
    "print_json",
    "print_listing",
    "print_points",
    "print_price",
    "progress",
    "term_rows",
    "with_interval",
]
