"""Choosing and reporting on one set of images without letting the same image do both."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Int

from prune_fair.analysis.by_image import check_predictions
from prune_fair.analysis.certifying import certify_points
from prune_fair.analysis.choice import DEFAULT_REQUIRE, Choice, asked_rule
from prune_fair.analysis.judging import judge
from prune_fair.analysis.per_network import SPARSITY
from prune_fair.analysis.points import operating_points
from prune_fair.analysis.resampling import GROUPED, Results, as_dataset
from prune_fair.analysis.rules import Constraint
from prune_fair.analysis.tables import CONFIDENCE, metrics
from prune_fair.errors import check
from prune_fair.fairness import METRICS, weighted_confusions, weighted_group_confusions
from prune_fair.store import DENSE, MEMBERS

FOLDS = 5
FOLDS_SEED = 0


class CrossFit(NamedTuple):
    """What a rule gives on images that had no part in the choice, from one set of images.

    Attributes:
        folds: how many parts the images were cut into, by class.
        chosen: of each fold the technique and level that the other folds chose; the dense network
            where nothing qualified.
        reported: sparsity and metrics, (estimate), of each image at the point that was chosen
            without it.

    Example:
        >>> from prune_fair import open_example
        >>> cross_fit(open_example()["digits/mlp"]).folds
        5
    """

    folds: int
    chosen: tuple[tuple[str, int], ...]
    reported: xr.Dataset


def cross_fit(
    results: Results,
    require: Sequence[str | Constraint] = DEFAULT_REQUIRE,
    maximise: str = SPARSITY,
    weights: Mapping[str, float] | None = None,
    confidence: float = CONFIDENCE,
    certify: bool = False,
    folds: int = FOLDS,
) -> CrossFit:
    """What `select` gives on images that it did not choose on, where there is no validation split.

    The images of each class are cut into folds at random. For each fold a point is chosen on all
    others; the fold's images are reported at that point. Every image is so reported once, and
    compared with the dense network on itself. It tells how far the rule is to be trusted, not only
    the one point that all images together choose. Intervals take the choices as they are.

    Args:
        results: one task's results, with predictions.
        require: as in `select`, like all others.
        maximise: the metric to be best in.
        weights: in place of `maximise`.
        confidence: of the intervals.
        certify: whether points are certified.
        folds: at least 2.

    Raises:
        InputError: as `select`, and for results without predictions.

    Source: Stone 1974, cross-validatory choice and assessment.

    Example:
        >>> from prune_fair import open_example
        >>> found = cross_fit(open_example()["digits/mlp"])
        >>> found.chosen[0], len(found.chosen)
        (('magnitude-global-rewind', 5), 5)
    """
    check(folds >= 2, f"folds {folds}: expected at least 2")
    results = as_dataset(results)
    check_predictions(results)
    fold = _folds(results["image_label"].values, folds)
    rule = asked_rule(results, require, maximise, weights)
    asked, chosen = sorted(rule.names() | {SPARSITY, "accuracy"}), []
    for number in range(folds):
        own = on_images(results, fold != number)
        points = operating_points(own.drop_dims("image"), asked, by_class=False)
        bounds = (
            certify_points(own, points, rule.constraints, confidence).bounds if certify else None
        )
        point = points.isel(point=judge(points, rule, bounds).best or 0)
        chosen.append((str(point["technique"].item()), int(point["level"])))
    columns = sorted({*asked, "accuracy_change"})
    table = metrics(_composed(results, fold, chosen), columns, confidence)
    return CrossFit(folds, tuple(chosen), table.isel(technique=0, level=1, drop=True))


def cross_fit_of(results: Results, choice: Choice) -> CrossFit | None:
    """`cross_fit` of a choice; None where it had images of its own, or where it cannot be had.

    Example:
        >>> from prune_fair import open_example
        >>> from prune_fair.analysis import select
        >>> results = open_example()["digits/mlp"]
        >>> cross_fit_of(results, select(results)).folds
        5
    """
    table, rule = as_dataset(results), choice.rule
    of_groups = any(name != SPARSITY and METRICS[name].over == "group" for name in rule.names())
    needed = choice.judged_on.is_reported and choice.chosen is not None
    unknown = "predictions" not in table or (of_groups and GROUPED not in table)
    if not needed or unknown:
        return None
    certify = choice.certified is not None
    return cross_fit(table, rule.constraints, SPARSITY, rule.worth, choice.confidence, certify)


def on_images(results: xr.Dataset, shown: Bool[np.ndarray, " images"]) -> xr.Dataset:
    """Results as they are on some of the images: confusions counted from predictions.

    So are those by group, where it is known of which group each image is. What is not known of
    single images, such as margins, is left out.
    """
    part = results.isel(image=np.flatnonzero(shown))
    others = [
        name
        for name, values in part.data_vars.items()
        if "true" in values.dims and "seed" in values.dims
    ]
    said, labels = part["predictions"].transpose(*MEMBERS, "image"), part["image_label"].values
    classes, once = part.sizes["true"], np.ones((1, len(labels)))
    flat = said.values.reshape(-1, len(labels))
    counts = weighted_confusions(flat, labels, classes, once).astype(np.int32)
    counts = counts.reshape(*said.shape[:-1], classes, classes)
    part = part.drop_vars([*others, "group_confusion"], errors="ignore")
    part = part.assign(confusion=((*MEMBERS, "true", "predicted"), counts))
    if GROUPED not in part:
        return part
    grouped = part[GROUPED].values, part.sizes["group"]
    by_group = weighted_group_confusions(flat, labels, classes, once, *grouped).astype(np.int32)
    by_group = by_group.reshape(*said.shape[:-1], *by_group.shape[2:])
    return part.assign(group_confusion=((*MEMBERS, "group", "true", "predicted"), by_group))


def _folds(labels: Int[np.ndarray, " images"], folds: int) -> Int[np.ndarray, " images"]:
    """The fold of each image: those of a class are dealt out in a random order."""
    rng, fold = np.random.default_rng(FOLDS_SEED), np.zeros(len(labels), int)
    for true in np.unique(labels):
        own = np.flatnonzero(labels == true)
        fold[rng.permutation(own)] = np.arange(len(own)) % folds
    return fold


def _composed(
    results: xr.Dataset, fold: Int[np.ndarray, " images"], chosen: Sequence[tuple[str, int]]
) -> xr.Dataset:
    """Results of one technique at levels 0 and 1: what each image's own choice says of it."""
    names = results["technique"].values.tolist()
    dense = results.isel(technique=[0]).sel(level=[0])
    parts, sparsity = [], 0.0
    for number, (technique, level) in enumerate(chosen):
        place = 0 if technique == DENSE else names.index(technique)
        point = results.isel(technique=[place]).sel(level=[level])
        point = point.assign_coords(technique=dense["technique"], level=[1])
        parts.append(point["predictions"].isel(image=np.flatnonzero(fold == number)))
        sparsity = sparsity + point[SPARSITY] * (fold == number).mean()
    order = np.argsort(np.concatenate([np.flatnonzero(fold == n) for n in range(len(chosen))]))
    after = dense.assign_coords(level=[1]).assign({SPARSITY: sparsity})
    after["predictions"] = xr.concat(parts, "image").isel(image=order)
    whole = xr.concat([dense, after], "level", data_vars="minimal")
    return on_images(whole, np.full(len(fold), True))
