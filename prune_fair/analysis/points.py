"""Operating points: every technique and level with its metrics, and which of them are sound."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from prune_fair.analysis.classes import recall_of_classes
from prune_fair.analysis.controls import by_point
from prune_fair.analysis.per_network import diverged, failed
from prune_fair.analysis.resampling import Results, networks, with_resamples
from prune_fair.analysis.tables import CONFIDENCE, metrics
from prune_fair.fairness import Over
from prune_fair.store import DENSE


def operating_points(
    results: Results,
    names: Sequence[str],
    confidence: float = CONFIDENCE,
    pooled: bool = False,
    by_class: bool = True,
    over: Over | None = None,
) -> xr.Dataset:
    """Every (technique, level) as a point: sparsity and metrics, and recall by class.

    Returns:
        One variable a name, (point, estimate), and if `by_class` `recall` (point, true,
        estimate); `undefined` as `metrics` gives it. By point `technique`, `level`; `diverged`, how
        many networks diverged, and `collapsed`, how many others lost a layer; and what
        `controls.by_point` gives. The dense network is one point, of technique `dense`.

    Raises:
        InputError: for an unknown metric or a confidence outside (0, 1).

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> points = operating_points(results, ["accuracy"])
        >>> points.sizes["point"], points.technique.values[:2].tolist()
        (19, ['dense', 'magnitude-global-rewind'])
    """
    results = with_resamples(results)
    lost = networks(diverged(results))
    collapsed = networks(failed(results)) & np.logical_not(lost)
    known = {"diverged": lost.sum("seed"), "collapsed": collapsed.sum("seed"), **by_point(results)}
    table = metrics(results, names, confidence, pooled, over).assign(known)
    if by_class:
        table = table.assign(recall=recall_of_classes(results, confidence, over))
    points = table.stack(point=("technique", "level"), create_index=False).transpose("point", ...)
    duplicate = (points["level"] == 0) & (points["technique"] != points["technique"][0])
    technique = xr.where(points["level"] == 0, DENSE, points["technique"])
    return points.assign_coords(technique=technique).isel(point=~duplicate.values)
