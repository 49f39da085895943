"""What people see on a terminal: the progress bar, tables, and JSON documents."""

from prune_fair.console.across import across_document, print_across
from prune_fair.console.attribution import print_attribution
from prune_fair.console.calibration import (
    print_calibration_caveats,
    print_calibration_parts,
    print_calibrations,
)
from prune_fair.console.choices import print_choice, print_decision, print_groups
from prune_fair.console.classes import print_classes
from prune_fair.console.comparisons import (
    comparison_document,
    hypervolume_document,
    print_comparison,
    print_hypervolumes,
)
from prune_fair.console.documents import keyed, point_rows, print_answer, print_json
from prune_fair.console.multiplicity import (
    multiplicity_rows,
    print_multiplicity,
    print_multiplicity_caveats,
    print_parts,
)
from prune_fair.console.progress import progress
from prune_fair.console.shift import print_shift, print_shift_caveats, shift_rows
from prune_fair.console.tables import (
    make_console,
    print_accuracy_alone,
    print_calibration,
    print_caveats,
    print_lines,
    print_listing,
    print_points,
    print_price,
    print_rows,
    print_split,
)
from prune_fair.console.votes import (
    exemplar_rows,
    image_rows,
    print_exemplar_caveats,
    print_exemplar_images,
    print_exemplars,
)

__all__ = [
    "across_document",
    "comparison_document",
    "exemplar_rows",
    "hypervolume_document",
    "image_rows",
    "keyed",
    "make_console",
    "multiplicity_rows",
    "point_rows",
    "print_accuracy_alone",
    "print_across",
    "print_answer",
    "print_attribution",
    "print_calibration",
    "print_calibration_caveats",
    "print_calibration_parts",
    "print_calibrations",
    "print_caveats",
    "print_choice",
    "print_classes",
    "print_comparison",
    "print_decision",
    "print_exemplar_caveats",
    "print_exemplar_images",
    "print_exemplars",
    "print_groups",
    "print_hypervolumes",
    "print_json",
    "print_lines",
    "print_listing",
    "print_multiplicity",
    "print_multiplicity_caveats",
    "print_parts",
    "print_points",
    "print_price",
    "print_rows",
    "print_shift",
    "print_shift_caveats",
    "print_split",
    "progress",
    "shift_rows",
]
