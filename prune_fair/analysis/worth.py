"""What a choice is worth: whom it spares, and how much of it is left on the test images."""

from collections.abc import Sequence
from typing import NamedTuple

import xarray as xr

from prune_fair import fairness
from prune_fair.analysis.by_image import between
from prune_fair.analysis.classes import recall_change
from prune_fair.analysis.per_network import SPARSITY, class_recall, classes_without_images
from prune_fair.analysis.resampling import (
    BOTH,
    IMAGES,
    Results,
    as_dataset,
    choosing_split,
    networks,
    split_of,
)
from prune_fair.analysis.tables import CONFIDENCE, labelled, over_seeds, resampled
from prune_fair.analysis.uncertainty import over_classes
from prune_fair.data import TEST
from prune_fair.fairness import Over
from prune_fair.store import DENSE, MEMBERS

OF_POINT = ("technique", "level")


class JudgedOn(NamedTuple):
    """What operating points are chosen on.

    Attributes:
        split: `validation`; where there is no validation split, the one that is reported.
        images: how many images it has.
        lacking: names of the classes that it has no image of.
        unreported: names of those that the reported split has none of.
        reported: the split that is reported.

    Example:
        >>> JudgedOn("validation", 189, ()).is_reported
        False
    """

    split: str
    images: int
    lacking: tuple[str, ...]
    unreported: tuple[str, ...] = ()
    reported: str = TEST

    @property
    def is_reported(self) -> bool:
        """Whether what is reported is of these images too, and so the choice optimistic."""
        return self.split == self.reported


def judged_on(results: Results) -> JudgedOn:
    """What operating points of these results are chosen on.

    Example:
        >>> from prune_fair import open_example
        >>> judged_on(open_example()["digits/mlp"])
        JudgedOn(split='test', images=540, lacking=(), unreported=(), reported='test')
    """
    chosen, reported = choosing_split(results), split_of(results)
    judged = as_dataset(results, chosen)
    images = int(judged["confusion"].sum(("true", "predicted")).max())
    lacking = tuple(classes_without_images(judged))
    if chosen == TEST:
        return JudgedOn(reported, images, lacking, (), reported)
    return JudgedOn(chosen, images, lacking, tuple(classes_without_images(results)), reported)


def drop_to_test(
    judged: xr.Dataset,
    reported: xr.Dataset,
    chosen: xr.Dataset,
    names: Sequence[str],
    confidence: float,
) -> xr.Dataset:
    """By how much each metric is lower on the images that are reported than on those chosen on."""
    technique, level = chosen["technique"].item(), chosen["level"].item()
    levels = [0, level] if level else [0]  # the dense counts are what changes are from
    place = 0 if technique == DENSE else judged["technique"].values.tolist().index(technique)
    one, other = (each.isel(technique=[place]).sel(level=levels) for each in (judged, reported))
    return xr.Dataset({name: _difference(one, other, name, confidence)[0, -1] for name in names})


def price_by_class(
    results: xr.Dataset,
    points: xr.Dataset,
    chosen: int,
    accuracy_alone: int,
    confidence: float,
    over: Over | None = None,
) -> xr.Dataset:
    """Changes of recall by class at both points, and what the first spares against the second."""
    changes = recall_change(results, confidence, over)
    places = {"chosen": chosen, "accuracy_alone": accuracy_alone}
    at = {name: _place(results, points, point) for name, point in places.items()}
    table = {name: changes[place].drop_vars(OF_POINT) for name, place in at.items()}
    ways = over_classes(results, over)
    if at["chosen"] == at["accuracy_alone"] or ways not in (IMAGES, BOTH):
        recall = class_recall(results).transpose("technique", "level", "seed", "true")
        one, other = (recall[place].drop_vars(OF_POINT) for place in at.values())
        spared = over_seeds(one - other, confidence)
    else:
        interval = between(results, at["chosen"], at["accuracy_alone"], confidence, ways)
        spared = labelled(table["chosen"].isel(estimate=0, drop=True), interval)
    return xr.Dataset({**table, "spared": spared})


def _place(results: xr.Dataset, points: xr.Dataset, point: int) -> tuple[int, int]:
    """Positions of an operating point's technique and level."""
    technique, level = points["technique"].values[point], int(points["level"].values[point])
    techniques = results["technique"].values.tolist()
    place = 0 if technique == DENSE else techniques.index(technique)
    return place, results["level"].values.tolist().index(level)


def _difference(
    one: xr.Dataset, other: xr.Dataset, name: str, confidence: float = CONFIDENCE
) -> xr.DataArray:
    """A metric on some images minus that on others, of the same networks and resamples of seeds.

    Args:
        one: `with_resamples`, of one split.
        other: of the other.
        name: a metric, or `sparsity`.
        confidence: of the interval, which leaves out that images might have been others.

    Returns:
        (technique, level, estimate); without an interval where that of `other` is over images.
    """
    parts = [resampled(each, name) for each in (one, other)]
    rows = min(map(len, parts))
    sparsity = networks(one)[SPARSITY].transpose(*MEMBERS)
    interval = fairness.percentile_interval(
        parts[0][:rows] - parts[1][:rows], sparsity.notnull().sum("seed").values, confidence
    )
    return labelled(sparsity.isel(seed=0, drop=True), interval)
