"""Which classes pay: tests of each class at each level against the dense networks."""

import numpy as np
import xarray as xr

from prune_fair.analysis.by_image import beyond_by_class, change_by_class, recall_by_class
from prune_fair.analysis.per_network import (
    check_dense,
    class_recall,
    failed,
    network_metrics,
)
from prune_fair.analysis.resampling import (
    BOTH,
    IMAGES,
    Results,
    as_dataset,
    networks,
    with_resamples,
)
from prune_fair.analysis.tables import CONFIDENCE, check_confidence, labelled, over_seeds
from prune_fair.analysis.uncertainty import over_classes
from prune_fair.fairness import Over, benjamini_hochberg, holm, welch

RARE = 0.5  # of the median class's training images


def recall_of_classes(
    results: Results, confidence: float = CONFIDENCE, over: Over | None = None
) -> xr.DataArray:
    """Each class's mean recall with its interval, (technique, level, true, estimate).

    Args:
        results: one task's results.
        confidence: of each interval, in (0, 1).
        over: what intervals are over; None for both seeds and test images where they can be.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> dense = recall_of_classes(results).sel(level=0, true="8")[0]
        >>> dense.round(2).values.tolist()
        [0.8, 0.68, 0.89]
    """
    check_confidence(confidence)
    ways, results = over_classes(results, over), with_resamples(results)
    if ways not in (IMAGES, BOTH) or "predictions" not in results:
        return over_seeds(class_recall(results), confidence).assign_attrs(over=ways or "")
    like = networks(class_recall(results)).isel(seed=0, drop=True)
    like = like.transpose("technique", "level", "true")
    return labelled(like, recall_by_class(results, confidence, ways)).assign_attrs(over=ways)


def recall_change(
    results: Results, confidence: float = CONFIDENCE, over: Over | None = None
) -> xr.DataArray:
    """What each class's recall has changed by since the dense network of the same seed.

    Args:
        results: one task's results.
        confidence: of the intervals, in (0, 1), one class's each.
        over: what they are over, `seeds`, `images` or `both`; None for both where predictions were
            kept, else for seeds.

    Returns:
        The mean over seeds and its interval, (technique, level, true, estimate); 0 at level 0, NaN
        where no network is finished.

    Raises:
        InputError: for results without level 0, a confidence outside (0, 1), or intervals over
            what was not kept.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> change = recall_change(results).isel(technique=0, level=5)
        >>> change.sel(true="8").round(3).values.tolist()
        [-0.054, -0.093, -0.021]
    """
    check_confidence(confidence)
    ways, results = over_classes(results, over), with_resamples(results)
    check_dense(results)
    recall = class_recall(results)
    if ways not in (IMAGES, BOTH) or "predictions" not in results:
        change = _change(recall, confidence)
    else:
        like = networks(recall).isel(seed=0, drop=True).transpose("technique", "level", "true")
        change = labelled(like, change_by_class(results, confidence, ways))
    return change.rename("recall_change").assign_attrs(over=ways or "")


def class_tests(
    results: Results,
    confidence: float = CONFIDENCE,
    alpha: float = 0.05,
    over: Over | None = None,
) -> xr.Dataset:
    """Is a class hit by pruning otherwise than the networks as a whole?

    The test is Welch's, as in the source, between the populations of recall minus accuracy of the
    dense and of the pruned networks. Those are not paired there, though ours are by seed. One
    family of tests is all classes at all levels of one technique; level 0 is no test.

    Args:
        results: one task's results.
        confidence: of the intervals, in (0, 1), one class's each.
        alpha: a class is flagged where its adjusted p is at most this.
        over: what intervals are over, as in `recall_change`. Tests are of networks: other test
            images have no part in a p.

    Returns:
        By technique, level and true class: `normalised_recall_difference` (and estimate), the
        change since dense of recall minus accuracy; `recall_change` (and estimate); `p`, `p_holm`,
        `p_bh`; `flagged_holm`, `flagged_bh`. A p is NaN with fewer than 2 networks, where neither
        population varies, and at levels at which a network diverged or lost a layer.

    Source: Hooker et al. 2019, arXiv 1911.05248, who do not correct; Welch 1947; Holm 1979;
    Benjamini & Hochberg 1995.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> tests = class_tests(results).isel(technique=0, level=-1)
        >>> tests.true[tests.flagged_holm.values].values.tolist()
        ['7', '8']
    """
    results = with_resamples(results)
    recall = class_recall(results)
    beyond = recall - network_metrics(results, ["accuracy"])["accuracy"]
    beyond = beyond.transpose("seed", "technique", "level", "true")
    tested = networks(beyond)
    p = welch(tested.values, np.broadcast_to(tested.isel(level=[0]).values, tested.shape))
    p[:, 0] = np.nan
    lost = networks(failed(results)).any("seed").transpose("technique", "level").values
    p[lost] = np.nan  # one that failed has lost all classes alike, and hides whom pruning hits
    dims = ("technique", "level", "true")
    adjusted = {
        name: (dims, np.stack([correct(family) for family in p]))
        for name, correct in (("p_holm", holm), ("p_bh", benjamini_hochberg))
    }
    flags = {f"flagged_{n[2:]}": (dims, values <= alpha) for n, (_, values) in adjusted.items()}
    changes = {
        "normalised_recall_difference": _beyond(results, beyond, confidence, over),
        "recall_change": recall_change(results, confidence, over),
    }
    return xr.Dataset({**changes, "p": (dims, p), **adjusted, **flags}).assign_attrs(alpha=alpha)


def _beyond(
    results: xr.Dataset, beyond: xr.DataArray, confidence: float, over: Over | None
) -> xr.DataArray:
    """The change of recall minus accuracy, with its interval."""
    ways = over_classes(results, over)
    if ways not in (IMAGES, BOTH) or results.sizes["seed"] > networks(results).sizes["seed"]:
        return _change(beyond, confidence)
    like = beyond.isel(seed=0, drop=True).transpose("technique", "level", "true")
    return labelled(like, beyond_by_class(results, confidence, ways))


def rare_classes(results: Results) -> xr.DataArray:
    """Which classes have less than half the training images of the median class: (true) bool.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> results["true"].values[rare_classes(results)].tolist()
        ['3', '8']
    """
    count = as_dataset(results)["train_count"]
    return count < RARE * count.median()


def _change(values: xr.DataArray, confidence: float) -> xr.DataArray:
    """Mean change since level 0 of the same seed, with its interval."""
    return over_seeds(values - values.isel(level=0, drop=True), confidence)
