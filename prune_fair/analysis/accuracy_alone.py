"""What accuracy alone would choose at several tolerances, and who would pay."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from prune_fair.analysis.classes import recall_change
from prune_fair.analysis.judging import judge
from prune_fair.analysis.per_network import SPARSITY
from prune_fair.analysis.points import operating_points
from prune_fair.analysis.resampling import Results, judged_and_reported
from prune_fair.analysis.rules import Constraint, Rule
from prune_fair.analysis.tables import CONFIDENCE
from prune_fair.fairness import Over
from prune_fair.store import DENSE

TOLERANCES = (0.0025, 0.005, 0.01, 0.02)  # falls of mean accuracy that are taken


def accuracy_alone(
    results: Results,
    tolerances: Sequence[float] = TOLERANCES,
    confidence: float = CONFIDENCE,
    over: Over | None = None,
) -> xr.Dataset:
    """The sparsest point whose mean accuracy stays within each tolerance, and its worst class.

    The point and the class that pays most there are chosen on validation images where there are
    some, and what it pays is reported of the test images.

    Args:
        results: one task's results.
        tolerances: falls of mean accuracy, fractions.
        confidence: of the intervals, in (0, 1).
        over: what they are over, as in `recall_change`.

    Returns:
        By `tolerated`, the tolerance: `technique`, `level`, `worst_class`; with `estimate`
        `sparsity`, `accuracy_change` and `change`, of that class's recall. Level 0 and no class
        where no pruned point qualifies.

    Example:
        >>> from prune_fair import open_example
        >>> table = accuracy_alone(open_example()["digits/mlp"]).sel(tolerated=0.01)
        >>> table.worst_class.item(), table.change.round(3).values.tolist()
        ('8', [-0.054, -0.093, -0.021])
    """
    names = ["accuracy", "accuracy_change"]
    splits = judged_and_reported(results)
    judged, reported = (operating_points(s, names, confidence, False, False, over) for s in splits)
    fallen, changes = (recall_change(split, confidence, over) for split in splits)
    techniques = fallen["technique"].values.tolist()
    rows: list[xr.Dataset] = []
    for tolerance in tolerances:
        rule = Rule((Constraint("accuracy_change", ">=", -tolerance),), {SPARSITY: 1.0})
        point = reported.isel(point=judge(judged, rule).best or 0)
        technique, level = point["technique"].item(), int(point["level"])
        place = {"technique": 0 if technique == DENSE else techniques.index(technique)}
        own, lost = (each.isel(place).sel(level=level, drop=True) for each in (changes, fallen))
        worst = int(np.argmin(np.nan_to_num(lost.sel(estimate="mean").values, nan=np.inf)))
        row = point[[SPARSITY, "accuracy_change"]].drop_vars(["technique", "level"])
        row["change"] = own.isel(true=worst, drop=True).drop_vars("technique")
        row["worst_class"] = str(own["true"].values[worst]) if level else ""
        rows.append(row.assign(technique=technique, level=level))
    return xr.concat(rows, "tolerated").assign_coords(tolerated=list(tolerances))
