"""Metrics over seeds and test images together: intervals, and bounds that certify."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, Integer

from prune_fair import fairness
from prune_fair.analysis.by_image import (
    IMAGE_RESAMPLES,
    Said,
    by_point,
    by_points,
    resampled_changes,
    said_of_images,
)
from prune_fair.analysis.per_network import SPARSITY, failed_all
from prune_fair.analysis.resampling import BOTH, GROUPED, Results, as_dataset, networks
from prune_fair.fairness import METRICS, Interval, Metric, Over
from prune_fair.fairness.metric import Reduction
from prune_fair.store import MEMBERS


def metric_over_images(
    results: Results, name: str, confidence: float, over: Over = BOTH
) -> Interval:
    """A metric's mean over networks with its interval, (technique, level).

    Of what is a mean over images (`Metric.of_right`) it is that of `class_change_interval`, all
    images taken as one class; for the smallest of several such means they are resampled, and spread
    as their errors say (`scaled`). Of any other metric it is a percentile interval over resampled
    confusions.

    Args:
        results: one task's results, with predictions.
        name: a metric; of groups where the results say of which group each image is.
        confidence: in (0, 1).
        over: `both` or `images`.
    """
    metric = METRICS[name]
    if not metric.of_right:
        rows = resampled_over_images(results, name, over)
        return fairness.percentile_interval(rows, _seeds(results), confidence)
    if metric.averaged:
        return _smallest(results, metric.averaged[1], confidence, over)
    return by_point(results, lambda said: _of_all(said, metric, confidence, over))


def bound_over_images(results: Results, name: str, low: bool, confidence: float) -> np.ndarray:
    """What a metric's mean is above, or below, one-sided, over seeds and images.

    Of the smallest of the classes' means it is the smallest of their bounds, each of which has the
    whole confidence: that every class holds is wrongly said only if the one that does not passes.

    Args:
        results: one task's results, with predictions.
        name: a metric; of groups where the results say of which group each image is.
        low: whether it is the lower bound.
        confidence: one-sided, in (0.5, 1).

    Returns:
        (technique, level); NaN where it cannot be known, as for a class without images.
    """
    metric = METRICS[name]
    if metric.of_right and metric.averaged and low:
        found = by_point(results, lambda said: _smallest_bound(said, metric, confidence))
    elif metric.of_right:
        found = metric_over_images(results, name, 2 * confidence - 1)
    else:
        rows = int(np.ceil(fairness.RESAMPLES * max(1.0, 0.005 / (1 - confidence))))
        resampled = resampled_over_images(results, name, BOTH, rows)
        found = fairness.percentile_interval(resampled, _seeds(results), 2 * confidence - 1)
    return found.low if low else found.high


def resampled_over_images(
    results: Results, name: str, over: Over = BOTH, rows: int = IMAGE_RESAMPLES
) -> Float[np.ndarray, "rows techniques levels"]:
    """A metric's mean over networks under resampled seeds and, independently, images; row 0 as is.

    Args:
        results: one task's results, with predictions.
        name: a metric; of groups where the results say of which group each image is.
        over: `both`, or `images` for the seeds as they are.
        rows: how many resamples.

    Source: as `crossed_means`.
    """
    results, metric = as_dataset(results), METRICS[name]
    sizes, labels = networks(results).sizes, results["image_label"].values
    drawn = fairness.image_weights(labels, rows) * np.bincount(labels)[labels]
    weights = np.full((rows + 1, sizes["seed"]), 1 / sizes["seed"])
    if over == BOTH:
        weights = fairness.bootstrap_weights(sizes["seed"], rows)
    lost = failed_all(networks(results))
    grouped = (results[GROUPED].values, results.sizes["group"]) if metric.over == "group" else None
    values = np.full((rows + 1, sizes["technique"], sizes["level"]), np.nan)
    for said in said_of_images(results):
        counts, dense = (_counts(each, said, grouped, drawn) for each in (said.after, said.before))
        technique, level = said.place
        own, worst = weights[:, said.seeds], lost[technique, said.seeds, level]
        values[:, technique, level] = _mean(metric, counts, dense, own, worst)
    return values


def _counts(
    classes: Integer[np.ndarray, "seeds images"],
    said: Said,
    grouped: tuple[Int[np.ndarray, " images"], int] | None,
    drawn: Float[np.ndarray, "rows images"],
) -> Float[np.ndarray, "rows seeds *groups classes classes"]:
    """Confusions of what networks say under each row of weights, by group where these are known."""
    known = classes, said.labels, said.classes, drawn
    if grouped is None:
        return fairness.weighted_confusions(*known)
    return fairness.weighted_group_confusions(*known, *grouped)


def _mean(
    metric: Metric,
    counts: Float[np.ndarray, "rows seeds *groups classes classes"],
    dense: Float[np.ndarray, "rows seeds *groups classes classes"],
    weights: Float[np.ndarray, "rows seeds"],
    failed: np.ndarray,
) -> Float[np.ndarray, " rows"]:
    """A metric's mean over networks, of each row's counts and weights."""
    by_class, reduce = metric.averaged or (metric.function, np.squeeze)
    values = np.asarray(by_class(counts, dense), dtype=float)
    if metric.averaged is None:
        if metric.worst is not None:
            values = np.where(failed, metric.worst, values)
        values = values[..., None]
    known = np.isfinite(values)
    share = np.einsum("rs,rsc->rc", weights, known.astype(float))
    total = np.einsum("rs,rsc->rc", weights, np.where(known, values, 0.0))
    means = np.divide(total, share, out=np.full_like(total, np.nan), where=share > 0)
    return reduce(means) if metric.averaged else means[:, 0]


def _of_all(said: Said, metric: Metric, confidence: float, over: Over) -> Interval:
    """The interval of a mean over all images, or of its change."""
    before, after = said.right
    alike = np.zeros_like(said.labels), 1
    if not metric.against_dense:
        found = fairness.class_recall_interval(after, *alike, confidence, over)
    elif said.place[1] == 0:
        found = Interval(*np.zeros((3, 1)))
    else:
        found = fairness.class_change_interval(before, after, *alike, confidence, over)
    return Interval(*(bound[0] for bound in found))


def _smallest(results: Results, reduce: Reduction, confidence: float, over: Over) -> Interval:
    """The interval of the smallest of the classes' mean changes.

    Of a single network it is between the smallest lower and the smallest upper end of intervals
    that hold together (`sidak`).
    """

    def of_points(together: Sequence[Said]) -> Interval:
        if together[0].of == 1:
            parts = [_smallest_of_one(said, reduce, confidence) for said in together]
            return Interval(*(np.stack(bound) for bound in zip(*parts, strict=True)))
        rows = reduce(resampled_changes(together, over))
        return fairness.percentile_interval(rows, len(together[0].seeds), confidence)

    return by_points(results, of_points)


def _smallest_of_one(said: Said, reduce: Reduction, confidence: float) -> Interval:
    if said.place[1] == 0:
        return _unchanged()
    each = fairness.sidak(confidence, len(np.unique(said.labels)))
    found = fairness.class_change_interval(*said.right, said.labels, said.classes, each)
    return Interval(*map(reduce, found))


def _smallest_bound(said: Said, metric: Metric, confidence: float) -> Interval:
    if said.place[1] == 0:
        return _unchanged()
    bounds = fairness.class_change_bound(*said.right, said.labels, said.classes, confidence)
    lowest = bounds.min()  # NaN where a class cannot be known
    return Interval(lowest, lowest, np.full_like(lowest, np.nan))


def _unchanged() -> Interval:
    return Interval(np.zeros(()), np.zeros(()), np.zeros(()))


def _seeds(results: Results) -> Int[np.ndarray, "techniques levels"]:
    """Finished seeds of each point; of a study of one network as many as its intervals take."""
    known = networks(as_dataset(results))[SPARSITY].transpose(*MEMBERS).notnull()
    if known.sizes["seed"] == 1:
        return np.full(known.shape[::2], fairness.FEWEST_SEEDS)
    return known.sum("seed").values
