"""What accuracy alone would choose, and who pays for it."""

import numpy as np
import xarray as xr

from prune_fair import fairness
from prune_fair.analysis.choice import select
from prune_fair.analysis.per_network import SPARSITY, class_recall
from prune_fair.analysis.resampling import (
    Results,
    choosing_split,
    judged_and_reported,
    resample_weights,
    with_resamples,
)
from prune_fair.analysis.rules import Constraint, holds
from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES, is_sound, resampled
from prune_fair.data import TEST
from prune_fair.fairness import EVERY_CLASS

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
    What it costs is of test images. Changes are against the dense network of the same
    seed. Intervals are percentile bootstraps over seeds, in which every resample chooses anew; that
    of a cost is for the level and class that the whole sample names. A class without test images
    has no part in this.

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
        ('8', [-0.054, -0.075, -0.034])
    """
    if choosing_split(results) == TEST:
        results = with_resamples(results)
    elif isinstance(results, xr.DataTree):
        results = results.to_dataset()
    by_accuracy = Constraint("accuracy_change", ">=", -accuracy_tolerance)
    by_class = Constraint(EVERY_CLASS, ">=", -recall_tolerance)
    rows = []
    for technique in range(results.sizes["technique"]):
        own = results.isel(technique=[technique])
        accuracy = _sparsest(own, by_accuracy, confidence)
        fair = _sparsest(own, by_class, confidence)
        worst, cost = _worst_class(own, accuracy["level"], confidence)
        rows.append(
            {
                **{f"accuracy_{name}": value for name, value in accuracy.items()},
                **{f"fair_{name}": value for name, value in fair.items()},
                "worst_class": worst,
                "cost": cost,
            }
        )
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    table = {
        name: (("technique", "estimate")[: values.ndim], values) for name, values in columns.items()
    }
    return xr.Dataset(
        table, {"technique": results["technique"].values, "estimate": list(ESTIMATES)}
    )


def _sparsest(own: xr.Dataset, stated: Constraint, confidence: float) -> dict[str, np.ndarray]:
    """The level of a technique that `select` chooses, and its sparsity, with the choice's interval.

    In each resample the sparsest level is taken that holds the constraint there.
    """
    choice, (judged, _) = select(own, [stated]), judged_and_reported(own)
    points = choice.judged
    sound = is_sound(points, stated.name)
    slack = stated.slack(resampled(judged, stated.name)[:, 0])
    sparsity = resampled(judged, SPARSITY)[:, 0]
    levels = fairness.sparsest(holds(slack) & sound.values, sparsity)
    levels[0] = 0 if choice.chosen is None else points["level"].values[choice.chosen]
    chosen = np.take_along_axis(sparsity, levels[:, None], axis=1)[:, 0]
    interval = fairness.percentile_interval(chosen, judged.sizes["seed"], confidence)
    return {"level": np.asarray(levels[0]), SPARSITY: np.stack(interval)}


def _worst_class(
    own: xr.Dataset, level: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """The name of the class whose mean recall fell most at a level, and its change."""
    own = with_resamples(own)
    recall = class_recall(own).transpose("seed", "technique", "level", "true").values[:, 0]
    change = recall[:, level] - recall[:, 0]
    weights = resample_weights(own)
    (means,) = fairness.weighted_means(weights[:1], change)
    worst = int(np.argmin(np.nan_to_num(means, nan=np.inf)))
    cost = fairness.mean_interval(change[:, worst].astype(float), confidence, weights)
    return np.asarray(own["true"].values[worst]), np.stack(cost)
