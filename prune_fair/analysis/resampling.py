"""The split that is asked of, and what is resampled: seeds, or one network's test images."""

from typing import Final, TypeAlias, TypeVar

import numpy as np
import xarray as xr
from jaxtyping import Float

from prune_fair.analysis.failing import count_failures
from prune_fair.data import BY_IMAGE, SPLITS, TEST, VALIDATION
from prune_fair.errors import check, lookup
from prune_fair.fairness import (
    RESAMPLES,
    bootstrap_weights,
    weighted_confusions,
    weighted_group_confusions,
)
from prune_fair.store import MEMBERS

Results: TypeAlias = xr.Dataset | xr.DataTree
Labelled = TypeVar("Labelled", xr.Dataset, xr.DataArray)
IMAGES: Final = "images"
SEEDS: Final = "seeds"
BOTH: Final = "both"
NOTHING: Final = "nothing"
SPLIT = "split"
GROUPED = "image_group"  # of which group each image is
IMAGE_RESAMPLES = 1000
MOST_COUNTS = 1 << 26  # numbers that the counts of all resamples may be: 256 MiB
RESAMPLED = "resampled"  # how many images: a coordinate, since those outlive arithmetic


def as_dataset(results: Results, split: str = TEST) -> xr.Dataset:
    """A task's results on one split of its images, from a node of the tree or from a Dataset.

    Every answer reads results through here. Those without a dimension `split` are given as they
    are: their images are of one split already. What is known of single images, `predictions`,
    `image_label` and `image_group` by `image`, has these names for any split; under a shift of the
    test images it is not kept. The attribute `split` names one that is not the test split. Networks
    that lost a layer and give every image one class fail every class here, as diverged ones do in
    the study.

    Args:
        results: one task's results.
        split: of the images that networks were counted on.

    Raises:
        InputError: for a split that the results do not have.

    Example:
        >>> from prune_fair import open_example
        >>> as_dataset(open_example()["digits/mlp"]).sizes["seed"]
        16
    """
    table = results.to_dataset() if isinstance(results, xr.DataTree) else results
    positions = {name: position for position, name in enumerate(_splits(table))}
    if not positions:
        lookup({TEST: 0, split_of(table): 0}, split, "split")
        return count_failures(table)
    table = table.isel({SPLIT: lookup(positions, split, "split")}, drop=True)
    others = [each.image for name, each in BY_IMAGE.items() if name != split]
    table = table.drop_dims(others, errors="ignore")
    plain = dict(zip(BY_IMAGE.get(split, BY_IMAGE[TEST]), BY_IMAGE[TEST], strict=True))
    table = table.rename({name: plain[name] for name in plain if name in table.variables})
    return count_failures(table if split == TEST else table.assign_attrs({SPLIT: split}))


def reported_on(results: Results, split: str = TEST) -> xr.Dataset:
    """A task's results, with another split in place of the test split: every answer is of it.

    What is chosen on stays the validation split, where there is one; asked for that itself, and
    without one, points are chosen on what is reported.

    Args:
        results: one task's results, with all splits.
        split: that answers are to be of.

    Raises:
        InputError: for a split that the results do not have.

    Example:
        >>> from prune_fair import open_example
        >>> reported_on(open_example()["digits/mlp"], "noise@3")
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: unknown split 'noise@3': did you mean 'test'? Valid: test
    """
    table = results.to_dataset() if isinstance(results, xr.DataTree) else results
    asked = as_dataset(table, split)
    if split == TEST:
        return table
    if split == VALIDATION or choosing_split(table) == TEST:
        return asked
    places = [_splits(table).index(name) for name in (VALIDATION, split)]
    table = table.isel({SPLIT: places}).drop_dims(BY_IMAGE[TEST].image, errors="ignore")
    return table.assign_coords({SPLIT: [VALIDATION, TEST]}).assign_attrs({SPLIT: split})


def split_of(results: Results) -> str:
    """The split that answers are of.

    Example:
        >>> from prune_fair import open_example
        >>> split_of(open_example()["digits/mlp"])
        'test'
    """
    return str(results.attrs.get(SPLIT, TEST))


def shifts_of(results: Results) -> tuple[str, ...]:
    """The shifts of the test images that networks were counted on, such as `noise@3`.

    Example:
        >>> from prune_fair import open_example
        >>> shifts_of(open_example()["digits/mlp"])
        ()
    """
    return tuple(name for name in _splits(results) if name not in SPLITS)


def _splits(results: Results) -> list[str]:
    """The names along the axis of splits; none without that axis."""
    table = results.to_dataset() if isinstance(results, xr.DataTree) else results
    return [str(name) for name in table[SPLIT].values] if SPLIT in table.dims else []


def check_keeps(results: Results) -> None:
    """Raises `InputError` for a split of which no study keeps what single images are given."""
    split = split_of(results)
    check(
        split in SPLITS,
        f"split {split!r}: predictions of single images, which this needs, are kept of "
        f"{' and '.join(SPLITS)} images alone; leave --split out, or name one of those",
    )


def judged_and_reported(results: Results) -> tuple[xr.Dataset, xr.Dataset]:
    """What operating points are chosen on, and what is reported of them, `with_resamples`.

    That is the validation split and the test split; the same twice where there is no validation.

    Example:
        >>> from prune_fair import open_example
        >>> judged, reported = judged_and_reported(open_example()["digits/mlp"])
        >>> int(judged["confusion"][0, 0, 0].sum()), int(reported["confusion"][0, 0, 0].sum())
        (540, 540)
    """
    reported = with_resamples(results)
    if choosing_split(results) == TEST:
        return reported, reported
    return with_resamples(as_dataset(results, VALIDATION)), reported


def choosing_split(results: Results) -> str:
    """The split that operating points are chosen on: `validation` where there is one."""
    return VALIDATION if VALIDATION in _splits(results) else TEST


def with_resamples(results: Results) -> xr.Dataset:
    """The results that intervals are taken from.

    Those of several seeds are given back. To a single network whose predictions were kept its
    resamples are added along `seed`, after itself: counts of test images drawn with replacement,
    all of one network, so that whatever is computed of networks is computed of resamples too.
    `predictions` are the network's, without a dimension `seed`. Counts by group are resampled where
    it is known of which group each image is, else metrics of groups have no interval.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> with_resamples(results).sizes["seed"]  # several seeds: given back as they are
        16
    """
    results = as_dataset(results)
    if RESAMPLED in results.coords or results.sizes["seed"] != 1 or "predictions" not in results:
        return results
    said = results["predictions"].isel(seed=0, drop=True).transpose("technique", "level", "image")
    labels, classes = results["image_label"].values, results.sizes["true"]
    techniques, levels, images = said.shape
    grouped = "group_confusion" in results and GROUPED in results
    parts = 1 + results.sizes["group"] if grouped else 1
    most = MOST_COUNTS // (techniques * levels * parts * classes**2)
    rows = min(IMAGE_RESAMPLES, max(1, most))
    drawn = (bootstrap_weights(images, rows) * images).round()
    known = said.values.reshape(-1, images), labels, classes, drawn
    counted = "confusion", "group_confusion"
    of_images = [  # no resample has these
        name
        for name, values in results.data_vars.items()
        if "seed" in values.dims and {*values.dims} - {*MEMBERS, "layer"} and name not in counted
    ]
    table = results.drop_vars(of_images)
    table = table.isel(seed=np.zeros(rows + 1, int)).assign_coords(seed=np.arange(rows + 1))
    table["predictions"] = said  # of the network alone
    counts = {"confusion": weighted_confusions(*known)}
    if grouped:
        groups = results[GROUPED].values, results.sizes["group"]
        counts["group_confusion"] = weighted_group_confusions(*known, *groups)
    elif "group_confusion" in table:
        table["group_confusion"] = table["group_confusion"].where(table.seed < 1, 0)
    for name, drawn_counts in counts.items():
        like = results[name].transpose(*MEMBERS, ...)
        of_networks = drawn_counts.reshape(rows + 1, techniques, levels, *like.shape[3:])
        table[name] = (like.dims, of_networks.astype(np.int32).swapaxes(0, 1), like.attrs)
    return count_failures(table.assign_coords({RESAMPLED: images}))


def networks(results: Labelled) -> Labelled:
    """The networks among `with_resamples`.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> networks(with_resamples(results)).sizes["seed"]
        16
    """
    return results.isel(seed=[0]) if RESAMPLED in results.coords else results


def resample_weights(
    results: xr.Dataset | xr.DataArray, resamples: int = RESAMPLES
) -> Float[np.ndarray, "rows seeds"]:
    """Weights along `seed` of the sample, in row 0, and of resamples: one of images is a row."""
    seeds = results.sizes["seed"]
    if RESAMPLED in results.coords:
        return np.eye(seeds)[: resamples + 1]
    return bootstrap_weights(seeds, resamples)
