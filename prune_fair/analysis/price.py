"""What accuracy alone would choose, and who pays for it."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from prune_fair import fairness
from prune_fair.analysis.resampling import Results, resample_weights, with_resamples
from prune_fair.analysis.tables import (
    CONFIDENCE,
    ESTIMATES,
    SPARSITY,
    class_recall,
    network_metrics,
)

ACCURACY_TOLERANCE = 0.01
RECALL_TOLERANCE = 0.05


def price_of_accuracy(
    results: Results,
    accuracy_tolerance: float = ACCURACY_TOLERANCE,
    recall_tolerance: float = RECALL_TOLERANCE,
    confidence: float = CONFIDENCE,
) -> xr.Dataset:
    """What choosing a sparsity by accuracy alone costs the class that it hurts most.

    All changes are against the dense network of the same seed, averaged over seeds. Intervals are
    percentile bootstraps over seeds; that of a cost is for the level and class that the whole
    sample names.

    Args:
        results: one task's results.
        accuracy_tolerance: the fall of mean accuracy that accuracy alone accepts.
        recall_tolerance: the fall of mean recall that is accepted for every class.
        confidence: of the intervals, in (0, 1).

    Returns:
        By method (and `estimate`): `accuracy_level` and `accuracy_sparsity`, the sparsest choice
        within the accuracy tolerance; `worst_class` and `cost`, its change of recall there;
        `fair_level` and `fair_sparsity`, the sparsest choice that keeps every class within the
        recall tolerance.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> price = price_of_accuracy(results).isel(method=0)
        >>> price.worst_class.item(), price.cost.round(3).values.tolist()
        ('8', [-0.054, -0.075, -0.034])
    """
    results = with_resamples(results)
    recalls = class_recall(results).transpose("method", "seed", "level", "true").values
    accuracies = network_metrics(results, ["accuracy"]).accuracy.values
    sparsities, weights = results[SPARSITY].values, resample_weights(results)
    rows = [
        _price(
            accuracy, recall, sparsity, weights, accuracy_tolerance, recall_tolerance, confidence
        )
        for accuracy, recall, sparsity in zip(accuracies, recalls, sparsities, strict=True)
    ]
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    names = np.array(results["true"].values)[columns.pop("worst_class")]
    table = {
        name: (("method", "estimate")[: values.ndim], values) for name, values in columns.items()
    }
    coords = {"method": results["method"].values, "estimate": list(ESTIMATES)}
    return xr.Dataset({**table, "worst_class": ("method", names)}, coords)


def _price(
    accuracy: Float[np.ndarray, "seeds levels"],
    recall: Float[np.ndarray, "seeds levels classes"],
    sparsity: Float[np.ndarray, "seeds levels"],
    weights: Float[np.ndarray, "rows seeds"],
    accuracy_tolerance: float,
    recall_tolerance: float,
    confidence: float,
) -> dict[str, np.ndarray]:
    seeds = len(accuracy)
    accuracy_change = fairness.weighted_means(weights, accuracy - accuracy[:, :1])
    recall_change = fairness.weighted_means(weights, recall - recall[:, :1])
    by_accuracy = fairness.sparsest_within(accuracy_change, accuracy_tolerance)
    fair = fairness.sparsest_within(recall_change.min(axis=-1), recall_tolerance)
    mean_sparsity = fairness.weighted_means(weights, sparsity)
    worst = int(np.argmin(recall_change[0, by_accuracy[0]]))
    every = np.arange(len(weights))

    def interval(resampled: np.ndarray) -> np.ndarray:
        return np.stack(fairness.percentile_interval(resampled, seeds, confidence))

    return {
        "accuracy_level": np.asarray(by_accuracy[0]),
        "accuracy_sparsity": interval(mean_sparsity[every, by_accuracy]),
        "worst_class": np.array(worst),
        "cost": interval(recall_change[:, by_accuracy[0], worst]),
        "fair_level": np.asarray(fair[0]),
        "fair_sparsity": interval(mean_sparsity[every, fair]),
    }
