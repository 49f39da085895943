"""Exemplars: the test images on which pruned networks and dense ones disagree, by their votes."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from prune_fair import fairness
from prune_fair.analysis.per_network import SPARSITY, check_dense
from prune_fair.analysis.resampling import Results, as_dataset
from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES, check_confidence
from prune_fair.errors import check, unknown

DISTANCE = 1.0
Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


def exemplars(
    results: Results,
    technique: str | None = None,
    distance: float = DISTANCE,
    confidence: float = CONFIDENCE,
) -> xr.Dataset:
    """How many test images are exemplars, how far the votes have moved, and in which classes.

    Args:
        results: one task's results, of a study with votes.
        technique: this one only; all where it is not given.
        distance: taxicab distance in (0, 2] from which an image counts in `distant`; at 1, half of
            the votes have moved.
        confidence: of the intervals of `over_index`, in (0, 1), all classes of a row together.

    Returns:
        By technique and level, NaN where no network is finished:

        - `sparsity`, the mean over seeds, and `seeds`, how many networks voted;
        - `number` of modal exemplars against level 0, and their `share` of the test images;
          `across`, their number where even seeds are held against dense odd ones, the mean of both
          ways: at level 0, where nothing is pruned, that is what seeds alone make;
        - `taxicab`, the mean distance over images, `taxicab_across` likewise, and `distant`, the
          number of images from `distance` on;
        - `dense_accuracy` and `pruned_accuracy` of the modal labels on the modal exemplars;
        - `class_number` (…, true) of modal exemplars and `over_index` (…, true, estimate), their
          share of the exemplars over their share of the test images, `class_images` (true).

    Raises:
        InputError: for results without votes, an unknown technique, or a value outside its range.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> table = exemplars(results, "magnitude-global-rewind").isel(technique=0)
        >>> table.number.values.tolist(), table.across.values.tolist()
        ([0.0, 2.0, 2.0, 3.0, 4.0, 4.0, 7.0], [5.0, 3.0, 4.0, 6.0, 5.5, 7.5, 8.5])
    """
    check(0 < distance <= 2, f"distance {distance}: expected in (0, 2], such as 1")
    check_confidence(confidence)
    results = _with_votes(results, technique)
    votes = results["votes"].sum("half")
    dense = votes.isel(level=[0])
    modal = _by_image(fairness.modal_exemplars, votes, dense)
    moved = _by_image(fairness.taxicab, votes, dense)
    seeds = votes.isel(image=0, drop=True).sum("predicted")
    table = {
        "seeds": seeds,
        "number": modal.sum("image"),
        "share": modal.mean("image"),
        "taxicab": moved.mean("image"),
        "distant": (moved >= distance).sum("image"),
        **_between_halves(results["votes"]),
        **_right(results, votes, modal),
        **_by_class(results, modal, confidence),
    }
    finished = xr.Dataset(table).where(seeds > 0)
    sparsity, images = results[SPARSITY].mean("seed"), _class_images(results)
    return finished.assign(seeds=seeds, sparsity=sparsity, class_images=images)


def exemplar_images(results: Results, technique: str, level: int, top: int = 10) -> xr.Dataset:
    """The modal exemplars of a technique's level, those with the farthest votes first.

    Args:
        results: one task's results, of a study with votes.
        technique: a technique of the study.
        level: of its schedule.
        top: the most that are given.

    Returns:
        By `exemplar`: the `image`, its position among the test images, its class `true`, the modal
        labels `dense` and `pruned` (of a tie the first class), and `taxicab`.

    Raises:
        InputError: for results without votes, a technique or level that is not there, or a `top`
            below 1.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> images = exemplar_images(results, "magnitude-global-rewind", level=6, top=1)
        >>> [images[name].item() for name in ("true", "dense", "pruned")]
        ['8', '8', '1']
    """
    check(top >= 1, f"top {top}: expected at least 1")
    results = _with_votes(results, technique)
    levels = results.sizes["level"]
    check(0 <= level < levels, f"level {level}: expected 0 to {levels - 1}")
    votes = results["votes"].isel(technique=0).sum("half")
    pruned, dense = votes.isel(level=level).values, votes.isel(level=0).values
    chosen = np.flatnonzero(fairness.modal_exemplars(pruned, dense))
    moved = fairness.taxicab(pruned, dense)
    chosen = chosen[np.argsort(-moved[chosen], kind="stable")][:top]
    names = np.array(results["true"].values)
    columns = {
        "image": results["image"].values[chosen],
        "true": names[results["image_label"].values[chosen]],
        "dense": names[fairness.modal_label(dense)[chosen]],
        "pruned": names[np.asarray(fairness.modal_label(pruned))[chosen]],
        "taxicab": moved[chosen],
    }
    return xr.Dataset({name: ("exemplar", values) for name, values in columns.items()})


def _with_votes(results: Results, technique: str | None) -> xr.Dataset:
    """The results, of one technique only where it is asked for."""
    results = as_dataset(results)
    check(
        "votes" in results,
        "this study has no votes, which exemplars are told by; run it with --votes (in Python, "
        "StudyConfig(votes=True)) and another --out",
    )
    check_dense(results)
    techniques = results["technique"].values.tolist()
    if technique is None:
        return results
    if technique not in techniques:
        raise unknown("technique", technique, techniques)
    return results.isel(technique=[techniques.index(technique)])


def _by_image(measure: Measure, votes: xr.DataArray, dense: xr.DataArray) -> xr.DataArray:
    """A number for each image from two populations' votes."""
    like = votes.isel(predicted=0, drop=True)
    return like.copy(data=measure(votes.values, dense.values))


def _between_halves(votes: xr.DataArray) -> dict[str, xr.DataArray]:
    """Modal exemplars and distance of pruned even seeds to dense odd ones, and the other way."""
    dense = votes.isel(level=[0], half=[1, 0])
    voted = votes.isel(image=0, drop=True).sum("predicted").min("half") > 0
    modal, moved = (
        _by_image(measure, votes, dense) for measure in (fairness.modal_exemplars, fairness.taxicab)
    )
    across = modal.sum("image").mean("half").where(voted)
    return {"across": across, "taxicab_across": moved.mean(("half", "image")).where(voted)}


def _right(
    results: xr.Dataset, votes: xr.DataArray, modal: xr.DataArray
) -> dict[str, xr.DataArray]:
    """On how many of the exemplars the modal labels are right."""
    like = votes.isel(predicted=0, drop=True)
    pruned = like.copy(data=fairness.modal_label(votes.values))
    labels = {"dense": pruned.isel(level=0, drop=True), "pruned": pruned}
    return {
        f"{name}_accuracy": (label == results["image_label"]).where(modal).mean("image")
        for name, label in labels.items()
    }


def _by_class(
    results: xr.Dataset, modal: xr.DataArray, confidence: float
) -> dict[str, xr.DataArray]:
    """Modal exemplars by true class, and how much more often they are than its images."""
    exemplar: Bool[np.ndarray, "techniques levels images"] = modal.transpose(..., "image").values
    labels, images = results["image_label"].values, _class_images(results).values
    counts = fairness.count_by_class(exemplar, labels, len(images))
    bounds: Float[np.ndarray, "techniques levels classes estimates"] = np.stack(
        fairness.over_index(counts, images, confidence), axis=-1
    )
    dims = ("technique", "level", "true")
    coords = {dim: results[dim] for dim in dims} | {"estimate": list(ESTIMATES)}
    return {
        "class_number": xr.DataArray(counts, {dim: coords[dim] for dim in dims}, dims),
        "over_index": xr.DataArray(bounds, coords, (*dims, "estimate")),
    }


def _class_images(results: xr.Dataset) -> xr.DataArray:
    labels, names = results["image_label"].values, results["true"]
    counts = np.bincount(labels[labels >= 0], minlength=len(names))
    return xr.DataArray(counts, {"true": names}, ("true",))
