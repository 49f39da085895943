"""Groups of images beside their class: how many there are, and who among them pays."""

import numpy as np
import xarray as xr

from prune_fair import fairness
from prune_fair.analysis.by_image import Said, by_point
from prune_fair.analysis.per_network import check_dense
from prune_fair.analysis.resampling import (
    BOTH,
    GROUPED,
    IMAGES,
    Results,
    networks,
    with_resamples,
)
from prune_fair.analysis.tables import CONFIDENCE, check_confidence, labelled, over_seeds
from prune_fair.analysis.uncertainty import over_classes
from prune_fair.errors import check
from prune_fair.fairness import Interval, Over
from prune_fair.store import MEMBERS


def group_changes(
    results: Results, confidence: float = CONFIDENCE, over: Over | None = None
) -> xr.Dataset:
    """Each group's accuracy, and what it has changed by since the dense network of the same seed.

    Args:
        results: one task's results, of images with groups.
        confidence: of each group's intervals, in (0, 1).
        over: what they are over; None for seeds and test images where it is known of which group
            each image is and what networks say of it, else for seeds.

    Returns:
        By technique, level and group: `accuracy` and `change` (with estimate), NaN where no network
        is finished; by group `images`, test images of it. Attribute `over`.

    Raises:
        InputError: for results without groups, or intervals over what was not kept.

    Example:
        >>> grouped = xr.Dataset()
        >>> group_changes(grouped)
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: these results have no groups; run the study with --data.groups
    """
    check(
        "group_confusion" in results,
        "these results have no groups; run the study with --data.groups",
    )
    check_confidence(confidence)
    results = with_resamples(results)
    ways = over_classes(results, over)
    known = ways in (IMAGES, BOTH) and GROUPED in results and "predictions" in results
    counts = results["group_confusion"].transpose(*MEMBERS, "group", "true", "predicted")
    accuracy = counts.isel(true=0, predicted=0, drop=True).copy(
        data=fairness.accuracy(counts.values)
    )
    images = networks(counts).sum(("true", "predicted")).max(MEMBERS)
    if known:
        columns = _from_images(results, accuracy, confidence, ways or BOTH)
    else:
        check_dense(results)
        fallen = accuracy - accuracy.sel(level=0)
        columns = {
            "accuracy": over_seeds(accuracy, confidence),
            "change": over_seeds(fallen.where(results["sparsity"].notnull()), confidence),
        }
    table = xr.Dataset(columns).drop_attrs().assign(images=images.astype(int))
    return table.assign_attrs(over=(ways if known else "seeds") or "")


def _from_images(
    results: xr.Dataset, accuracy: xr.DataArray, confidence: float, over: Over
) -> dict[str, xr.DataArray]:
    groups, number = results[GROUPED].values, results.sizes["group"]

    def now(said: Said) -> Interval:
        return fairness.class_recall_interval(said.right[1], groups, number, confidence, over)

    def change(said: Said) -> Interval:
        if said.place[1] == 0:
            none = np.where(np.isin(np.arange(number), groups), 0.0, np.nan)
            return Interval(none, none, none)
        return fairness.class_change_interval(*said.right, groups, number, confidence, over)

    like = networks(accuracy).isel(seed=0, drop=True).transpose("technique", "level", "group")
    return {
        name: labelled(like, by_point(results, interval, number))
        for name, interval in (("accuracy", now), ("change", change))
    }
