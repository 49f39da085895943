"""Points that are certified: bounds over seeds and images that hold a rule, and what they need."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from prune_fair.analysis.by_image import check_predictions
from prune_fair.analysis.controls import candidates
from prune_fair.analysis.crossed import bound_over_images
from prune_fair.analysis.per_network import SPARSITY
from prune_fair.analysis.resampling import GROUPED, networks
from prune_fair.analysis.rules import Constraint
from prune_fair.errors import check
from prune_fair.fairness import EVERY_CLASS, FEWEST_SEEDS, METRICS, images_needed
from prune_fair.store import DENSE


class TooFew(NamedTuple):
    """A class that has too few images for a rule to be certified, whatever happens in it.

    Attributes:
        name: of the class.
        images: that it has among those that are chosen on.
        needed: the fewest of which none lost would certify the tolerance.

    Example:
        >>> TooFew("8", images=52, needed=72).needed
        72
    """

    name: str
    images: int
    needed: int


class Certified(NamedTuple):
    """What certifies constraints: bounds over seeds and images.

    Attributes:
        bounds: by constraint what its metric is above, or below, at each point; NaN where that
            cannot be known, as of a class without images.
        confidence: one-sided, of each technique's bounds, so that all techniques together have the
            one that was asked for.
        too_few: classes that block certification, that of fewest images first.

    Example:
        >>> from prune_fair import analysis, open_example
        >>> certified = analysis.select(open_example()["digits/mlp"], certify=True).certified
        >>> round(certified.confidence, 3), certified.too_few[0].needed
        (0.983, 80)
    """

    bounds: dict[Constraint, Float[np.ndarray, " points"]]
    confidence: float
    too_few: tuple[TooFew, ...]


def certify_points(
    results: xr.Dataset, points: xr.Dataset, constraints: Sequence[Constraint], confidence: float
) -> Certified:
    """What certifies constraints at each point.

    Args:
        results: one task's, on the split that is chosen on.
        points: its operating points.
        constraints: that have to hold.
        confidence: one-sided, in (0.5, 1), of all techniques together.

    Raises:
        InputError: for results without predictions or with two seeds, or a metric of groups.
    """
    _check_certifiable(results, constraints)
    check(confidence > 0.5, f"certify: confidence {confidence}: expected above 0.5, such as 0.95")
    each = one_sided(confidence, candidates(results).sizes["technique"])
    bounds = _bounds(results, points, constraints, each)
    return Certified(bounds, each, _too_few(results, constraints, each))


def one_sided(confidence: float, techniques: int) -> float:
    """The confidence of each technique's bounds, so that all of them together have this one.

    Of one technique no more is needed, however many points and classes are looked at: its points
    are taken in order (`in_order`), and a point that is wrong passes only if the class that loses
    too much does.

    Source: Bonferroni, over techniques.

    Example:
        >>> round(one_sided(0.95, 4), 4)
        0.9875
    """
    return 1 - (1 - confidence) / techniques


def _bounds(
    results: xr.Dataset,
    points: xr.Dataset,
    constraints: Sequence[Constraint],
    confidence: float,
) -> dict[Constraint, Float[np.ndarray, " points"]]:
    """What each constraint's metric is above, or below, at each point, one-sided."""
    techniques, levels = (results[axis].values.tolist() for axis in ("technique", "level"))
    rows = [0 if t == DENSE else techniques.index(t) for t in points["technique"].values]
    places = rows, [levels.index(level) for level in points["level"].values]
    bounds = {}
    for stated in constraints:
        if stated.name == SPARSITY:  # known without error
            bounds[stated] = points[SPARSITY].sel(estimate="mean").values
            continue
        low = stated.bad_end() == "low"
        bound = bound_over_images(results, stated.name, low, confidence)[places]
        # Resamples of a largest or a smallest value may all be better than the sample's.
        mean = points[stated.name].sel(estimate="mean").values
        bounds[stated] = (np.minimum if low else np.maximum)(bound, mean)
    return bounds


def _check_certifiable(results: xr.Dataset, constraints: Sequence[Constraint]) -> None:
    """Raises `InputError` where bounds over seeds and images cannot be had."""
    if not any(stated.name != SPARSITY for stated in constraints):
        return
    check_predictions(results)
    seeds = networks(results).sizes["seed"]
    check(
        seeds == 1 or seeds >= FEWEST_SEEDS,
        f"certify: the spread over seeds cannot be had from {seeds} seeds; expected one network or "
        f"at least {FEWEST_SEEDS}",
    )
    for stated in constraints:
        check(
            stated.name == SPARSITY or METRICS[stated.name].over == "class" or GROUPED in results,
            f"certify: {stated}: these results do not say of which group each image is; leave out "
            "the constraint or --certify",
        )


def _too_few(
    results: xr.Dataset, constraints: Sequence[Constraint], confidence: float
) -> tuple[TooFew, ...]:
    """The classes whose images cannot certify "every class within t points", whatever is lost."""
    if "image_label" not in results:
        return ()
    images = np.bincount(results["image_label"].values, minlength=results.sizes["true"])
    tolerances = [
        -stated.bound
        for stated in constraints
        if stated.name == EVERY_CLASS and stated.relation == ">=" and -1 < stated.bound < 0
    ]
    needed = images_needed(min(tolerances), confidence) if tolerances else 0
    found = (
        TooFew(str(name), int(count), needed)
        for name, count in zip(results["true"].values, images, strict=True)
        if count < needed
    )
    return tuple(sorted(found, key=lambda each: each.images))
