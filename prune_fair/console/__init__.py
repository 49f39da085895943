"""What people see on a terminal: the progress bar, tables, and JSON documents."""

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
from prune_fair.console.votes import (
    exemplar_rows,
    image_rows,
    print_exemplar_caveats,
    print_exemplar_images,
    print_exemplars,
)

__all__ = [
    "exemplar_rows",
    "image_rows",
    "in_words",
    "make_console",
    "point_rows",
    "print_caveats",
    "print_exemplar_caveats",
    "print_exemplar_images",
    "print_exemplars",
    "print_json",
    "print_listing",
    "print_points",
    "print_price",
    "progress",
    "with_interval",
]
