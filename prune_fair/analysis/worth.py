"""What a choice is worth: whom it spares, and how much of it is left on the test images."""

from collections.abc import Sequence
from typing import NamedTuple

import xarray as xr

from prune_fair.analysis.per_network import class_recall, classes_without_images
from prune_fair.analysis.resampling import Results, as_dataset, choosing_split
from prune_fair.analysis.tables import difference, over_seeds
from prune_fair.data import TEST
from prune_fair.store import DENSE


class JudgedOn(NamedTuple):
    """What operating points are chosen on.

    Attributes:
        split: `validation`, or `test` where there is no validation split.
        images: how many images it has.
        lacking: names of the classes that it has no image of.

    Example:
        >>> JudgedOn("validation", 189, ()).is_reported
        False
    """

    split: str
    images: int
    lacking: tuple[str, ...]

    @property
    def is_reported(self) -> bool:
        """Whether what is reported is of these images too, and so the choice optimistic."""
        return self.split == TEST


def judged_on(results: Results) -> JudgedOn:
    """What operating points of these results are chosen on.

    Example:
        >>> from prune_fair import open_example
        >>> judged_on(open_example()["digits/mlp"])
        JudgedOn(split='test', images=540, lacking=())
    """
    split = choosing_split(results)
    judged = as_dataset(results, split)
    images = int(judged["confusion"].sum(("true", "predicted")).max())
    return JudgedOn(split, images, tuple(classes_without_images(judged)))


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
    return xr.Dataset({name: difference(one, other, name, confidence)[0, -1] for name in names})


def price_by_class(
    results: xr.Dataset, points: xr.Dataset, chosen: int, accuracy_alone: int, confidence: float
) -> xr.Dataset:
    """Changes of recall by class at both points, and what the first spares against the second."""
    recall = class_recall(results)

    def change(point: int) -> xr.DataArray:
        technique, level = points["technique"].values[point], int(points["level"].values[point])
        row = recall.isel(technique=0) if technique == DENSE else recall.sel(technique=technique)
        return row.sel(level=level, drop=True).drop_vars("technique") - dense

    dense = recall.isel(technique=0, drop=True).sel(level=0, drop=True)
    changes = {"chosen": change(chosen), "accuracy_alone": change(accuracy_alone)}
    changes["spared"] = changes["chosen"] - changes["accuracy_alone"]
    return xr.Dataset(changes).map(lambda each: over_seeds(each, confidence))
