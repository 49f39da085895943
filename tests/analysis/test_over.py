"""What intervals are over, seeds, images or both: means stay, and what is not known has none."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, fairness
from prune_fair.analysis.by_image import said_of_images
from prune_fair.analysis.crossed import (
    bound_over_images,
    metric_over_images,
    resampled_over_images,
)
from prune_fair.fairness import EVERY_CLASS, METRICS, all_wrong

WAYS = ("seeds", "images", "both")
OF_RIGHT = ["accuracy", "accuracy_change", EVERY_CLASS]
OTHERS = ["recall_group_min", "recall_difference", "recall_ratio", "precision_group_min", "cev"]
MEMBERS = ("technique", "seed", "level")


@pytest.fixture
def kept(by_hand, with_predictions):
    """The study by hand, fewer images of a class, with predictions; each network has its own."""
    counts = (by_hand["confusion"] / 10).round().astype(np.int32)
    counts[..., 1] += 100 - counts.sum("predicted")
    return with_predictions(by_hand.assign(confusion=counts), nested=False)


def failing(results, kind):
    """A network of m0's level 1 diverged, lost a layer and all it had right, or lost nothing."""
    flags = xr.zeros_like(results["sparsity"], dtype=bool)
    flags[0, 1, 1] = True
    counts, said = (results[name].copy(deep=True) for name in ("confusion", "predictions"))
    if kind == "diverged":
        counts[0, 1, 1], said[0, 1, 1] = all_wrong(counts[0, 1, 1].values), 255
    if kind == "collapsed":
        counts[0, 1, 1], said[0, 1, 1] = [[100, 0], [100, 0]], 0
    flagged = "diverged" if kind == "diverged" else "collapsed"
    return results.assign({"confusion": counts, "predictions": said, flagged: flags})


def unfinished(results, seeds, level=2):
    """Only so many seeds are finished at a level."""
    there = (np.arange(results.sizes["seed"]) < seeds)[:, None] | (
        np.arange(results.sizes["level"]) != level
    )
    there = xr.DataArray(there, dims=("seed", "level"))
    return results.assign(
        confusion=results["confusion"].where(there, 0),
        sparsity=results["sparsity"].where(there),
        predictions=results["predictions"].where(there, 255).astype(np.uint8),
    )


STUDIES = {
    "whole": lambda results: results,
    "diverged": lambda results: failing(results, "diverged"),
    "collapsed": lambda results: failing(results, "collapsed"),
    "collapsed, as good as before": lambda results: failing(results, "as good as before"),
    "running": lambda results: unfinished(results, 3),
    "hardly running": lambda results: unfinished(results, 1),
    "not begun": lambda results: unfinished(results, 0),
}


@pytest.mark.parametrize("study", STUDIES)
def test_the_mean_is_the_same_whatever_intervals_are_over(study, kept):
    results, names = STUDIES[study](kept), [*OF_RIGHT, *OTHERS]
    tables = {over: analysis.metrics(results, names, over=over) for over in WAYS}
    plain = analysis.metrics(results.drop_vars(["predictions", "image_label"]), names)
    for over, name in [(over, name) for over in WAYS for name in names]:
        found, expected = (each[name].sel(estimate="mean") for each in (tables[over], plain))
        np.testing.assert_allclose(found, expected, 1e-5, 1e-6, err_msg=f"{over} {name}")
    for question in (analysis.recall_change, analysis.recall_of_classes):
        expected = question(results.drop_vars("predictions")).sel(estimate="mean")
        for over in WAYS:
            found = question(results, over=over).sel(estimate="mean")
            np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("over", WAYS)
@pytest.mark.parametrize("study", STUDIES)
def test_intervals_hold_their_means_where_three_seeds_are_finished(study, over, kept):
    """Means of images, that is: resamples of a smallest value may all be below the sample's."""
    results = STUDIES[study](kept)
    table = analysis.metrics(results, [*OF_RIGHT, *OTHERS], over=over).isel(level=slice(1, None))
    finished = results["sparsity"].notnull().sum("seed").isel(level=slice(1, None))
    for name in (*OF_RIGHT, *OTHERS):
        low, mean, high = (table[name].sel(estimate=end) for end in ("low", "mean", "high"))
        known = (low.notnull() & high.notnull()).values
        assert not known[finished.values < 3].any(), name
        assert known[(finished.values >= 3) & mean.notnull().values].all(), name
        if name in OF_RIGHT[:2]:
            assert ((low <= mean + 1e-6) & (mean <= high + 1e-6)).values[known].all()
    change = analysis.recall_change(results, over=over).isel(level=slice(1, None))
    few = (finished < 3).values
    assert change.sel(estimate=["low", "high"]).isnull().values[few].all()
    assert change.sel(estimate=["low", "high"]).notnull().values[~few].all()


def test_changes_by_class_are_those_of_the_statistic(kept):
    for over in WAYS[1:]:
        change = analysis.recall_change(kept, 0.9, over)
        recall = analysis.recall_of_classes(kept, 0.9, over)
        assert change.attrs["over"] == recall.attrs["over"] == over
        for technique, level in np.ndindex(2, 3):
            right = (kept["predictions"] == kept["image_label"]).values[technique]
            labels = kept["image_label"].values
            if level:
                expected = fairness.class_change_interval(
                    right[:, 0], right[:, level], labels, 2, 0.9, over
                )
                np.testing.assert_allclose(change[technique, level].T, expected)
            expected = fairness.class_recall_interval(right[:, level], labels, 2, 0.9, over)
            np.testing.assert_allclose(recall[technique, level].T, expected)
    assert (change.sel(level=0) == 0).all()


def test_over_seeds_is_what_it_was_without_predictions(kept):
    bare = kept.drop_vars(["predictions", "image_label"])
    for name in (*OF_RIGHT, *OTHERS):
        table, plain = (
            analysis.metrics(each, [name], over=over)
            for each, over in ((kept, "seeds"), (bare, None))
        )
        xr.testing.assert_equal(table[name], plain[name])
    xr.testing.assert_equal(
        analysis.recall_change(kept, over="seeds"), analysis.recall_change(bare)
    )


def test_one_network_has_newcombes_intervals(kept):
    one = kept.isel(seed=[0])
    change = analysis.recall_change(one)
    assert change.attrs["over"] == "images"
    right = (one["predictions"] == one["image_label"]).values[:, 0]
    for technique, level, true in np.ndindex(2, 2, 2):
        own = one["image_label"].values == true
        counts = fairness.paired(right[technique, 0, own], right[technique, level + 1, own])
        expected = [float(end) for end in fairness.paired_interval(counts)]
        assert change.values[technique, level + 1, true] == pytest.approx(expected)
    worst = analysis.metrics(one, [EVERY_CLASS])[EVERY_CLASS].isel(technique=0, level=2)
    each = analysis.recall_change(one, fairness.sidak(0.95, 2)).isel(technique=0, level=2)
    assert worst.values == pytest.approx(each.min("true").values)


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2, 3]])
def test_accuracy_is_that_of_one_class_of_all_images(kept, seeds):
    part = kept.isel(seed=seeds)
    table = analysis.metrics(part, ["accuracy", "accuracy_change"])
    right = (part["predictions"] == part["image_label"]).values[1]
    alike = np.zeros(right.shape[-1], int), 1
    expected = fairness.class_recall_interval(right[:, 2], *alike)
    assert table.accuracy.values[1, 2] == pytest.approx([end[0] for end in expected])
    expected = fairness.class_change_interval(right[:, 0], right[:, 2], *alike)
    assert table.accuracy_change.values[1, 2] == pytest.approx([end[0] for end in expected])


@pytest.mark.parametrize("name", ["recall_group_min", "recall_difference", "precision_group_min"])
def test_other_metrics_agree_with_images_drawn_one_by_one(kept, rng, name):
    """The crossed bootstrap of any metric, by loops: seeds and images of each class drawn anew."""
    part = kept.isel(technique=[1], level=[0, 1])
    said, labels = part["predictions"].values[0], part["image_label"].values
    of_class = [np.flatnonzero(labels == true) for true in range(2)]
    rows = []
    for _ in range(1500):
        seeds = rng.integers(0, 4, 4)
        images = np.concatenate([rng.choice(own, len(own)) for own in of_class])
        counts = np.zeros((4, 2, 2))
        for row, seed in enumerate(seeds):
            np.add.at(counts[row], (labels[images], said[seed, 1, images]), 1)
        rows.append(METRICS[name].function(counts, counts).mean())
    ours = resampled_over_images(part, name, rows=1500)[1:, 0, 1]
    assert np.mean(ours) == pytest.approx(np.mean(rows), abs=0.15 * np.std(rows))
    assert np.std(ours) == pytest.approx(np.std(rows), rel=0.12)
    low, high = (np.quantile(rows, q) for q in (0.05, 0.95))
    interval = metric_over_images(part, name, 0.9)
    assert interval.low[0, 1] == pytest.approx(low, abs=0.12 * (high - low))
    assert interval.high[0, 1] == pytest.approx(high, abs=0.12 * (high - low))
    # Over images alone seeds are not drawn: it spreads less.
    assert resampled_over_images(part, name, "images")[1:, 0, 1].std() < np.std(rows)


@pytest.mark.parametrize("name", [*OF_RIGHT, "recall_group_min"])
def test_bounds_are_monotone_in_confidence(kept, name):
    bounds = [bound_over_images(kept, name, True, level) for level in (0.6, 0.9, 0.975)]
    assert (np.diff(bounds, axis=0)[:, :, 1:] <= 0).all()
    mean = analysis.metrics(kept, [name])[name].sel(estimate="mean").values
    assert (bounds[0] <= mean + 1e-9).all()
    above = [bound_over_images(kept, name, False, level) for level in (0.6, 0.9, 0.975)]
    assert (np.diff(above, axis=0)[:, :, 1:] >= 0).all()


def test_the_bound_of_every_class_is_the_smallest_of_their_own(kept):
    bounds = bound_over_images(kept, EVERY_CLASS, True, 0.95)
    assert (bounds[:, 0] == 0).all()
    for said in said_of_images(kept):
        if said.place[1]:
            own = fairness.class_change_bound(*said.right, said.labels, said.classes, 0.95)
            assert bounds[said.place] == pytest.approx(own.min())


@pytest.mark.parametrize("study", ["diverged", "collapsed"])
def test_a_failed_network_has_every_image_wrong(study, kept):
    results = STUDIES[study](kept)
    (said,) = (each for each in said_of_images(results) if each.place == (0, 1))
    assert not said.right[1][1].any()
    assert said.right[1][0].mean() > 0.8
    change = analysis.recall_change(results).sel(estimate="mean", level=1)[0]
    whole = analysis.recall_change(kept).sel(estimate="mean", level=1)[0]
    dense, own = ((kept["predictions"] == kept["image_label"])[0, 1, k] for k in (0, 1))
    for true in range(2):
        of_class = (kept["image_label"] == true).values
        lost = own.values[of_class].mean()
        assert change[true].item() == pytest.approx(whole[true].item() - lost / 4)
        assert dense.values[of_class].mean() > 0.7


def test_what_a_study_did_not_keep_is_refused(by_hand, kept):
    bare = r"these results were kept without predictions; expected seeds, or a study run with"
    few = r"these results have 2 seed\(s\); expected at least 3 seeds, or a study run with"
    one = r"these results have 1 seed\(s\); expected images, or a study"
    for results, over, message in (
        (by_hand, "images", bare),
        (by_hand, "both", bare),
        (kept.isel(seed=[0, 1]), "both", few),
        (kept.isel(seed=[0]), "both", one),
        (kept.isel(seed=[0]), "seeds", one),
    ):
        for question in (
            lambda r, over: analysis.metrics(r, ["accuracy"], over=over),
            lambda r, over: analysis.metrics(r, ["sparsity"], over=over),
            lambda r, over: analysis.operating_points(r, ["recall_ratio"], over=over),
            lambda r, over: analysis.recall_change(r, over=over),
            lambda r, over: analysis.recall_of_classes(r, over=over),
            lambda r, over: analysis.class_tests(r, over=over),
            lambda r, over: analysis.select(r, over=over),
            lambda r, over: analysis.uncertainty(r, over),
            lambda r, over: analysis.over_classes(r, over),
        ):
            with pytest.raises(InputError, match=message) as raised:
                question(results, over)
            assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("seeds", "keeps", "classes", "counted", "networks"),
    [
        (4, True, "both", "4 seeds and 200 test images", "seeds"),
        (4, False, "seeds", "4 seeds", "seeds"),
        (2, True, None, "", None),
        (1, True, "images", "200 test images", "images"),
        (1, False, None, "", None),
    ],
)
def test_the_widest_that_results_can_give(kept, seeds, keeps, classes, counted, networks):
    results = kept.isel(seed=slice(seeds))
    results = results if keeps else results.drop_vars(["predictions", "image_label"])
    assert analysis.over_classes(results) == classes
    assert analysis.uncertainty(results, classes).counted == counted
    assert analysis.interval_over(results, "accuracy") == classes
    assert analysis.interval_over(results, "accuracy", pooled=True) == networks
    assert analysis.interval_over(results, "recall_ratio") == networks
    assert analysis.interval_over(results, "sparsity") == networks
    table = analysis.metrics(results, ["accuracy", "recall_ratio"])
    assert (table.accuracy.attrs["over"], table.recall_ratio.attrs["over"]) == (
        classes or "",
        networks or "",
    )
    has = bool(table.accuracy.sel(estimate="low").notnull().all())
    assert has == (classes is not None)


def test_tests_of_classes_have_intervals_over_both_and_p_over_networks(kept):
    both, seeds = (analysis.class_tests(kept, over=over) for over in (None, "seeds"))
    assert both.recall_change.attrs["over"] == "both"
    xr.testing.assert_equal(both.p, seeds.p)
    one, other = (each.normalised_recall_difference[:, 1:] for each in (both, seeds))
    np.testing.assert_allclose(
        one.sel(estimate="mean"), other.sel(estimate="mean"), rtol=0, atol=1e-6
    )
    width = (one.sel(estimate="high") - one.sel(estimate="low")).values
    # Both classes have as many images: what one is beyond the accuracy the other is below.
    np.testing.assert_allclose(width[..., 0], width[..., 1])
    assert (width > 0).all()
