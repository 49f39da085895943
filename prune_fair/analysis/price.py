"""What accuracy alone would choose, and who pays for it."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float

from prune_fair import fairness
from prune_fair.analysis.classes import recall_change
from prune_fair.analysis.controls import candidates
from prune_fair.analysis.failing import is_sound
from prune_fair.analysis.judging import judge
from prune_fair.analysis.per_network import SPARSITY
from prune_fair.analysis.points import operating_points
from prune_fair.analysis.resampling import Results, judged_and_reported
from prune_fair.analysis.rules import Constraint, Rule, holds
from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES, resampled
from prune_fair.fairness import EVERY_CLASS
from prune_fair.store import DENSE

ACCURACY_TOLERANCE = 0.01
RECALL_TOLERANCE = 0.05


def price_of_accuracy(
    results: Results,
    accuracy_tolerance: float = ACCURACY_TOLERANCE,
    recall_tolerance: float = RECALL_TOLERANCE,
    confidence: float = CONFIDENCE,
) -> xr.Dataset:
    """What choosing a sparsity by accuracy alone costs the class that it hurts most.

    Both choices are those of `select` among the levels of each technique, on validation images
    where there are some: the sparsest at which mean accuracy has not fallen by more than one
    tolerance, and the sparsest at which no class's mean recall has fallen by more than the other.
    So is the class that pays most. What it pays is of test images, its interval that of
    `recall_change` at that level. Changes are against the dense network of the same seed. Intervals
    of sparsities are percentile bootstraps over seeds, in which every resample chooses anew. A
    class without images has no part in this, nor have controls.

    Args:
        results: one task's results.
        accuracy_tolerance: the fall of mean accuracy that accuracy alone accepts.
        recall_tolerance: the fall of mean recall that is accepted for every class.
        confidence: of the intervals, in (0, 1).

    Returns:
        By technique (and `estimate`): `accuracy_level` and `accuracy_sparsity`, the sparsest choice
        within the accuracy tolerance; `worst_class` and `cost`, its change of recall there;
        `fair_level` and `fair_sparsity`, the sparsest choice that keeps every class within the
        recall tolerance. Level 0 where nothing qualifies.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> price = price_of_accuracy(results).isel(technique=0)
        >>> price.worst_class.item(), price.cost.round(3).values.tolist()
        ('8', [-0.054, -0.093, -0.021])
    """
    judged, reported = map(candidates, judged_and_reported(results))
    asked = {
        "accuracy": Constraint("accuracy_change", ">=", -accuracy_tolerance),
        "fair": Constraint(EVERY_CLASS, ">=", -recall_tolerance),
    }
    names = [SPARSITY, "accuracy", *(stated.name for stated in asked.values())]
    points = operating_points(judged, names, confidence, by_class=False)
    changes = [recall_change(each, confidence) for each in (judged, reported)]
    under = {name: resampled(judged, name) for name in names}
    rows = []
    for number, technique in enumerate(judged["technique"].values):
        own = points.isel(point=points["technique"].isin([DENSE, technique]).values)
        mine = {name: values[:, number] for name, values in under.items()}
        row = {}
        for kind, stated in asked.items():
            level, sparsity = _sparsest(own, mine, stated)
            interval = fairness.percentile_interval(sparsity, judged.sizes["seed"], confidence)
            row |= {f"{kind}_level": level, f"{kind}_sparsity": np.stack(interval)}
        fallen, paid = (each.isel(technique=number) for each in changes)
        worst, cost = _worst_class(fallen, paid, row["accuracy_level"])
        rows.append({**row, "worst_class": worst, "cost": cost})
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    table = {
        name: (("technique", "estimate")[: values.ndim], values) for name, values in columns.items()
    }
    return xr.Dataset(table, {"technique": judged["technique"].values, "estimate": list(ESTIMATES)})


def _sparsest(
    own: xr.Dataset, under: Mapping[str, Float[np.ndarray, "rows levels"]], stated: Constraint
) -> tuple[np.ndarray, Float[np.ndarray, " rows"]]:
    """The level of a technique that `select` chooses, and its sparsity in each resample.

    In each the sparsest level is taken that holds the constraint there.
    """
    held = holds(stated.slack(under[stated.name])) & is_sound(own, stated.name).values
    levels = fairness.sparsest(held, under[SPARSITY])
    best = judge(own, Rule((stated,), {SPARSITY: 1.0})).best
    levels[0] = 0 if best is None else own["level"].values[best]
    return np.asarray(levels[0]), np.take_along_axis(under[SPARSITY], levels[:, None], 1)[:, 0]


def _worst_class(
    judged: xr.DataArray, reported: xr.DataArray, level: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The class whose mean recall fell most at a level as judged, and its change as reported."""
    fallen = judged[level].sel(estimate="mean").values
    worst = int(np.argmin(np.nan_to_num(fallen, nan=np.inf)))
    return np.asarray(judged["true"].values[worst]), reported[level, worst].values
