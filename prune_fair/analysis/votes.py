"""Exemplars: the test images on which pruned networks and dense ones disagree, by their votes.

A network votes for the class that it predicts; votes are counted where they are asked for.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int, UInt

from prune_fair import fairness
from prune_fair.analysis.per_network import SPARSITY, check_dense
from prune_fair.analysis.resampling import Results, as_dataset, check_keeps
from prune_fair.analysis.sets import of_technique
from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES, check_confidence
from prune_fair.errors import check

DISTANCE = 1.0
MOST_VOTES = 1 << 22  # images by classes whose votes are counted at a time: 16 MiB a half


def exemplars(
    results: Results,
    technique: str | None = None,
    distance: float = DISTANCE,
    confidence: float = CONFIDENCE,
) -> xr.Dataset:
    """How many test images are exemplars, how far the votes have moved, and in which classes.

    Args:
        results: one task's results, of a study with predictions.
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
        InputError: for results without predictions, an unknown technique, or a value outside its
            range.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> table = exemplars(results, "magnitude-global-rewind").isel(technique=0)
        >>> table.number.values.tolist(), table.across.values.tolist()
        ([0.0, 2.0, 2.0, 3.0, 4.0, 4.0, 7.0], [5.0, 3.0, 4.0, 6.0, 5.5, 7.5, 8.5])
    """
    check(0 < distance <= 2, f"distance {distance}: expected in (0, 2], such as 1")
    check_confidence(confidence)
    results = with_predictions(results, technique)
    techniques = results["technique"]
    rows = [
        _of_technique(results.isel(technique=[place]), distance, confidence)
        for place in range(len(techniques))
    ]
    table = xr.concat(rows, techniques)
    sparsity, images = results[SPARSITY].mean("seed"), _class_images(results)
    return table.assign(sparsity=sparsity, class_images=images)


def exemplar_images(results: Results, technique: str, level: int, top: int = 10) -> xr.Dataset:
    """The modal exemplars of a technique's level, those with the farthest votes first.

    Args:
        results: one task's results, of a study with predictions.
        technique: a technique of the study.
        level: of its schedule.
        top: the most that are given.

    Returns:
        By `exemplar`: the `image`, its position among the test images, its class `true`, the modal
        labels `dense` and `pruned` (of a tie the first class), and `taxicab`.

    Raises:
        InputError: for results without predictions, a technique or level that is not there, or a
            `top` below 1.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> images = exemplar_images(results, "magnitude-global-rewind", level=6, top=1)
        >>> [images[name].item() for name in ("true", "dense", "pruned")]
        ['8', '8', '1']
    """
    check(top >= 1, f"top {top}: expected at least 1")
    results = with_predictions(results, technique)
    levels = results.sizes["level"]
    check(0 <= level < levels, f"level {level}: expected 0 to {levels - 1}")
    images = _by_image(results.isel(level=[0, level]))
    dense, pruned = images["label"].values
    chosen, moved = np.flatnonzero(images["modal"].values[1]), images["moved"].values[1]
    chosen = chosen[np.argsort(-moved[chosen], kind="stable")][:top]
    names = np.array(results["true"].values)
    columns = {
        "image": results["image"].values[chosen],
        "true": names[results["image_label"].values[chosen]],
        "dense": names[dense[chosen]],
        "pruned": names[pruned[chosen]],
        "taxicab": moved[chosen],
    }
    return xr.Dataset({name: ("exemplar", values) for name, values in columns.items()})


def with_predictions(results: Results, technique: str | None) -> xr.Dataset:
    """The results, of one technique only where it is asked for.

    Raises:
        InputError: for results without predictions or level 0, or an unknown technique.
    """
    results = as_dataset(results)
    check_keeps(results)
    check(
        "predictions" in results,
        "this study has no predictions, which single images are told by; run it with --predictions "
        "(in Python, StudyConfig(predictions=True)) and another --out",
    )
    check_dense(results)
    return of_technique(results, technique)


def _by_image(own: xr.Dataset) -> xr.Dataset:
    """What the votes of a technique say of each image, against those of level 0.

    By level and image: `modal`, whether it is an exemplar, `moved`, the taxicab distance, and
    `label`, the modal one; by half of the seeds too, that of the pruned networks, `modal_across`
    and `moved_across` against the other half of the dense ones.
    """
    predictions = own["predictions"].transpose("seed", "technique", "level", "image").values[:, 0]
    halves = [predictions[own["seed"].values % 2 == odd] for odd in (0, 1)]
    step, images = max(1, MOST_VOTES // own.sizes["true"]), own.sizes["image"]
    parts = [
        _of_images([half[..., first : first + step] for half in halves], own.sizes["true"])
        for first in range(0, images, step)
    ]
    arrays = {name: np.concatenate([part[name] for part in parts], -1) for name in parts[0]}
    dims = {2: ("level", "image"), 3: ("level", "half", "image")}
    return xr.Dataset({name: (dims[values.ndim], values) for name, values in arrays.items()})


def _of_images(
    halves: Sequence[UInt[np.ndarray, "_ levels images"]], classes: int
) -> dict[str, np.ndarray]:
    """As `_by_image`, of so few images that a level's votes are held at a time."""

    def votes(level: int) -> Int[np.ndarray, "half images classes"]:
        return np.stack([fairness.count_votes(half[:, level], classes) for half in halves])

    dense, rows = votes(0), []
    for level in range(halves[0].shape[1]):
        pruned = votes(level)
        both, across = (pruned.sum(axis=0), dense.sum(axis=0)), (pruned, dense[::-1])
        rows.append(
            {
                "modal": fairness.modal_exemplars(*both),
                "moved": fairness.taxicab(*both),
                "label": fairness.modal_label(both[0]),
                "modal_across": fairness.modal_exemplars(*across),
                "moved_across": fairness.taxicab(*across),
            }
        )
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _of_technique(own: xr.Dataset, distance: float, confidence: float) -> xr.Dataset:
    """The rows of a technique, by level."""
    images, labels = _by_image(own), own["image_label"]
    voted = own["predictions"].isel(technique=0, image=0, drop=True) < own.sizes["true"]
    seeds, modal = voted.sum("seed"), images["modal"]
    odd = own["seed"] % 2
    by_half = voted.where(odd == 0, False).any("seed") & voted.where(odd == 1, False).any("seed")
    right = {"dense": images["label"].isel(level=0), "pruned": images["label"]}
    table = {
        "number": modal.sum("image"),
        "share": modal.mean("image"),
        "taxicab": images["moved"].mean("image"),
        "distant": (images["moved"] >= distance).sum("image"),
        "across": images["modal_across"].sum("image").mean("half").where(by_half),
        "taxicab_across": images["moved_across"].mean(("half", "image")).where(by_half),
        **{
            f"{name}_accuracy": (label == labels).where(modal).mean("image")
            for name, label in right.items()
        },
        **_by_class(own, modal, confidence),
    }
    return xr.Dataset(table).where(seeds > 0).assign(seeds=seeds)


def _by_class(
    results: xr.Dataset, modal: xr.DataArray, confidence: float
) -> dict[str, xr.DataArray]:
    """Modal exemplars by true class, and how much more often they are than its images."""
    exemplar: Bool[np.ndarray, "levels images"] = modal.values
    labels, images = results["image_label"].values, _class_images(results).values
    counts = fairness.count_by_class(exemplar, labels, len(images))
    bounds: Float[np.ndarray, "levels classes estimates"] = np.stack(
        fairness.over_index(counts, images, confidence), axis=-1
    )
    dims = ("level", "true")
    coords = {dim: results[dim] for dim in dims} | {"estimate": list(ESTIMATES)}
    return {
        "class_number": xr.DataArray(counts, {dim: coords[dim] for dim in dims}, dims),
        "over_index": xr.DataArray(bounds, coords, (*dims, "estimate")),
    }


def _class_images(results: xr.Dataset) -> xr.DataArray:
    labels, names = results["image_label"].values, results["true"]
    counts = np.bincount(labels[labels >= 0], minlength=len(names))
    return xr.DataArray(counts, {"true": names}, ("true",))
