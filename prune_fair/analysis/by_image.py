"""What networks say of single images: intervals of classes over seeds and test images together."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int, Integer

from prune_fair import fairness
from prune_fair.analysis.per_network import failed_all
from prune_fair.analysis.resampling import BOTH, Results, as_dataset, check_keeps, networks
from prune_fair.errors import check
from prune_fair.fairness import FEWEST_SEEDS, Interval, Over
from prune_fair.store import MEMBERS

IMAGE_RESAMPLES = 500  # of seeds and images together
MOST_VALUES = 1 << 23  # changes of single images at a time: 64 MiB


class Said(NamedTuple):
    """What networks of one technique and level say of the images, and their dense networks.

    Attributes:
        place: position of the technique, and of the level.
        seeds: positions of the finished seeds.
        before: the class that each dense network gives each image.
        after: the class that each network gives it.
        labels: the class of each image.
        classes: how many there are.
        of: how many seeds the study has.
    """

    place: tuple[int, int]
    seeds: Int[np.ndarray, " seeds"]
    before: Integer[np.ndarray, "seeds images"]
    after: Integer[np.ndarray, "seeds images"]
    labels: Int[np.ndarray, " images"]
    classes: int
    of: int

    @property
    def too_few(self) -> bool:
        """Whether so few seeds are finished that their spread tells nothing: no interval then.

        A study of one network has intervals over its images; one finished network of several is
        not that.
        """
        return self.of > 1 and len(self.seeds) < FEWEST_SEEDS

    @property
    def right(self) -> tuple[Bool[np.ndarray, "seeds images"], Bool[np.ndarray, "seeds images"]]:
        """Which images the dense networks have right, and which these."""
        return self.before == self.labels, self.after == self.labels


def said_of_images(results: Results) -> Iterator[Said]:
    """What networks say, of each technique and level that has finished seeds.

    Raises:
        InputError: for results without predictions.
    """
    results = as_dataset(results)
    check_predictions(results)
    said = results["predictions"]
    said = said if "seed" in said.dims else said.expand_dims("seed")  # of a single network
    said = said.transpose(*MEMBERS, "image").values
    labels, classes = results["image_label"].values, results.sizes["true"]
    known = networks(results["sparsity"]).transpose(*MEMBERS).notnull().values
    lost = failed_all(networks(results))
    wrong = (labels + 1) % max(classes, 2)  # a failed network has no image right
    said = np.where(lost[..., None], wrong, said) if lost.any() else said
    for technique, level in np.ndindex(said.shape[0], said.shape[2]):
        seeds = np.flatnonzero(known[technique, :, level] & known[technique, :, 0])
        if len(seeds):
            before, after = said[technique, seeds, 0], said[technique, seeds, level]
            place, of = (technique, level), said.shape[1]
            yield Said(place, seeds, before, after, labels, classes, of)


def check_predictions(results: xr.Dataset) -> None:
    """Raises `InputError` for results without predictions."""
    check_keeps(results)
    check(
        "predictions" in results,
        "intervals over images need what each network says of each image, which this study did not "
        "keep: run it with --predictions, or ask for intervals over seeds",
    )


def change_by_class(results: Results, confidence: float, over: Over = BOTH) -> Interval:
    """What each class's recall has changed by since dense, (technique, level, true).

    0 at level 0; NaN where no network is finished, or of a class without images.
    """

    def change(said: Said) -> Interval:
        if said.place[1] == 0:
            none = np.where(np.isin(np.arange(said.classes), said.labels), 0.0, np.nan)
            return Interval(none, none, none)
        return fairness.class_change_interval(
            *said.right, said.labels, said.classes, confidence, over
        )

    return by_point(results, change, _classes(results))


def beyond_by_class(results: Results, confidence: float, over: Over = BOTH) -> Interval:
    """The change of each class's recall less that of accuracy, (technique, level, true)."""

    def beyond(together: Sequence[Said]) -> Interval:
        labels, classes = together[0].labels, together[0].classes
        rows, share = resampled_changes(together, over), np.bincount(labels, minlength=classes)
        rows = rows - np.nansum(rows * (share / len(labels)), axis=-1, keepdims=True)
        return fairness.percentile_interval(rows, len(together[0].seeds), confidence)

    return by_points(results, beyond, _classes(results))


def said_together(results: Results) -> Iterator[list[Said]]:
    """`said_of_images` of the same seeds together, as many as `MOST_VALUES` allows."""
    groups: dict[bytes, list[Said]] = {}
    for said in said_of_images(results):
        groups.setdefault(said.seeds.tobytes(), []).append(said)
    for group in groups.values():
        most = max(1, MOST_VALUES // max(1, group[0].after.size))
        for first in range(0, len(group), most):
            yield group[first : first + most]


def resampled_changes(
    together: Sequence[Said], over: Over = BOTH
) -> Float[np.ndarray, "rows points classes"]:
    """Mean changes by class under resamples, spread as their errors say; row 0 as is.

    Args:
        together: of points that have the same finished seeds.
        over: `both` or `images`.
    """
    first, seeds = together[0], len(together[0].seeds)
    changes = np.stack([said.right[1].astype(float) - said.right[0] for said in together])
    weights = fairness.image_weights(first.labels, IMAGE_RESAMPLES)
    of_seeds, error_of = fairness.bootstrap_weights(seeds, IMAGE_RESAMPLES), fairness.two_way
    if over != BOTH:
        of_seeds, error_of = np.full_like(of_seeds, 1 / seeds), fairness.over_images
    found = fairness.by_class(changes, first.labels, first.classes, error_of)
    rows = fairness.crossed_means(changes, first.labels, first.classes, of_seeds, weights)
    return fairness.scaled(rows, found)


def recall_by_class(results: Results, confidence: float, over: Over = BOTH) -> Interval:
    """Each class's mean recall, (technique, level, true); NaN where no network is finished."""
    return by_point(
        results,
        lambda said: fairness.class_recall_interval(
            said.right[1], said.labels, said.classes, confidence, over
        ),
        _classes(results),
    )


def between(
    results: Results,
    one: tuple[int, int],
    other: tuple[int, int],
    confidence: float,
    over: Over = BOTH,
) -> Interval:
    """By how much each class's recall is higher at one point than at another, (true).

    Args:
        results: one task's results, with predictions.
        one: position of a technique, and of a level.
        other: the same of another.
        confidence: of each class's interval, in (0, 1).
        over: what intervals are over.
    """
    found = {said.place: said for said in said_of_images(results)}
    first, second = found[one], found[other]
    shared = np.intersect1d(first.seeds, second.seeds)
    before, after = (each.right[1][np.isin(each.seeds, shared)] for each in (second, first))
    interval = fairness.class_change_interval(
        before, after, first.labels, first.classes, confidence, over
    )
    return known_bounds(first._replace(seeds=shared), interval)


def known_bounds(said: Said, interval: Interval) -> Interval:
    """An interval, without its bounds where too few seeds are finished."""
    if not said.too_few:
        return interval
    unknown = np.full_like(interval.low, np.nan)
    return Interval(interval.estimate, unknown, unknown)


def by_point(results: Results, interval_of: Callable[[Said], Interval], *more: int) -> Interval:
    """An interval of each technique and level, (technique, level, *more); NaN for none."""

    def of_points(together: Sequence[Said]) -> Interval:
        parts = (known_bounds(said, interval_of(said)) for said in together)
        return Interval(*(np.stack(bound) for bound in zip(*parts, strict=True)))

    return by_points(results, of_points, *more)


def by_points(
    results: Results, intervals_of: Callable[[Sequence[Said]], Interval], *more: int
) -> Interval:
    """As `by_point`, of several points that have the same finished seeds at a time."""
    sizes = as_dataset(results).sizes
    bounds = np.full((3, sizes["technique"], sizes["level"], *more), np.nan)
    for together in said_together(results):
        techniques, levels = zip(*(said.place for said in together), strict=True)
        bounds[:, list(techniques), list(levels)] = np.stack(intervals_of(together))
    return Interval(bounds[0], bounds[1], bounds[2])


def _classes(results: Results) -> int:
    return as_dataset(results).sizes["true"]
