"""Which operating points no other dominates."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from prune_fair import fairness
from prune_fair.analysis.tables import SPARSITY, Results, operating_points
from prune_fair.errors import check, unknown
from prune_fair.fairness import METRICS

DEFAULT_OBJECTIVES = (SPARSITY, "accuracy", "recall_group_min")


def frontier(
    results: Results,
    objectives: Sequence[str] = DEFAULT_OBJECTIVES,
    confidence: float = 0.95,
) -> xr.Dataset:
    """The operating points of all methods, and which of them no other dominates.

    Args:
        results: one task's results.
        objectives: `sparsity` (higher is better) and metrics, each in its own direction.
        confidence: of the intervals; the frontier itself is that of the means.

    Returns:
        `operating_points` of the objectives, with `on_frontier` (point).

    Raises:
        InputError: for an unknown objective, one named twice, or none.
    """
    valid = [SPARSITY, *METRICS]
    check(bool(objectives), f"no objectives: expected some of {', '.join(valid)}")
    check(len({*objectives}) == len(objectives), f"objectives {objectives}: expected each once")
    for name in objectives:
        if name not in valid:
            raise unknown("objective", name, valid)
    points = operating_points(results, objectives, confidence)
    signs = [1 if n == SPARSITY or METRICS[n].higher_is_better else -1 for n in objectives]
    means = [points[name].sel(estimate="mean").values for name in objectives]
    on_frontier = fairness.non_dominated(np.stack(means, axis=1) * signs)
    return points.assign(on_frontier=("point", on_frontier))
