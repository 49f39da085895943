"""Groups of images: their metrics and intervals, over seeds and images, chosen by and certified."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, fairness, open_example
from prune_fair.analysis.cross_fitting import cross_fit_of, on_images
from prune_fair.analysis.crossed import bound_over_images, resampled_over_images
from prune_fair.store import MEMBERS

WORST = "by_group_accuracy_group_min"
NAMES = ("light", "dark", "striped")


@pytest.fixture(scope="module")
def grouped() -> xr.Dataset:
    """The example, whose images belong to three groups of unequal sizes; the last has a class 8."""
    results = open_example()["digits/mlp"].to_dataset().load()
    labels, rng = results.image_label.values, np.random.default_rng(0)
    group = np.where(labels == 8, 2, rng.choice(3, len(labels), p=[0.6, 0.3, 0.1]))
    results = results.assign_coords(group=list(NAMES))
    results["image_group"] = ("image", group.astype(np.int32))
    return on_images(results, np.full(len(labels), True))


def by_hand(results, technique, level, group):
    """Shares of a group's images that each network has right."""
    own = results.image_group.values == group
    said = results.predictions.transpose(*MEMBERS, "image").values[technique, :, level]
    return (said == results.image_label.values)[:, own].mean(axis=1)


def test_groups_add_up_to_all_images(grouped):
    assert (grouped.group_confusion.sum("group") == grouped.confusion).all()


@pytest.mark.parametrize("over", ["seeds", "images", "both"])
def test_the_accuracy_of_each_group_and_its_change(grouped, over):
    table = analysis.group_changes(grouped, over=over)
    assert table.images.values.tolist() == np.bincount(grouped.image_group.values).tolist()
    for group, name in enumerate(NAMES):
        found = table.sel(group=name).isel(technique=2, level=4)
        now, before = by_hand(grouped, 2, 4, group), by_hand(grouped, 2, 0, group)
        assert found.accuracy[0] == pytest.approx(now.mean())
        assert found.change[0] == pytest.approx((now - before).mean())
        for name in ("accuracy", "change"):
            mean, low, high = found[name].values
            assert low <= mean <= high
            assert low < high
    assert (table.change.sel(level=0, estimate="mean") == 0).all()


def test_intervals_over_both_are_wider(grouped):
    both, seeds = (analysis.group_changes(grouped, over=over) for over in ("both", "seeds"))
    widths = [t.change.sel(level=4, estimate="high") - t.change.sel(level=4, estimate="low")
              for t in (both, seeds)]  # fmt: skip
    assert (widths[0] > widths[1]).mean() > 0.8
    assert (both.over, seeds.over) == ("both", "seeds")


@pytest.mark.parametrize("name", [WORST, "by_group_accuracy_change_min"])
def test_metrics_of_groups_have_intervals_over_images(grouped, name):
    tables = {o: analysis.metrics(grouped, [name], over=o)[name] for o in ("seeds", "both")}
    means = [table.sel(estimate="mean") for table in tables.values()]
    np.testing.assert_allclose(*means, atol=1e-6)  # weights are float32
    assert {table.attrs["over"] for table in tables.values()} == {"seeds", "both"}


def test_resampled_groups_agree_with_images_drawn_one_by_one(grouped):
    rows = resampled_over_images(grouped, WORST, "images", 4)
    labels = grouped.image_label.values
    weights = fairness.image_weights(labels, 4) * np.bincount(labels)[labels]
    drawn = np.repeat(np.arange(len(labels)), weights[3].round().astype(int))
    own = on_images(grouped.isel(image=drawn), np.full(len(drawn), True))
    expected = analysis.network_metrics(own, [WORST])[WORST].mean("seed")
    np.testing.assert_allclose(rows[3], expected.transpose("technique", "level"), rtol=1e-5)
    bound = bound_over_images(grouped, WORST, True, 0.95)
    assert (bound <= rows[0] + 1e-6).mean() > 0.9


def test_one_network_has_intervals_of_groups_over_its_images(grouped):
    one = grouped.isel(seed=[0])
    table = analysis.metrics(one, [WORST])[WORST]
    mean, low, high = table.isel(technique=0, level=4).values
    assert low < mean < high
    found = analysis.group_changes(one).isel(technique=0, level=4)
    assert found.accuracy.sel(group="striped", estimate="mean") == pytest.approx(
        by_hand(one, 0, 4, 2)[0]
    )
    assert (found.change.sel(estimate="low") < found.change.sel(estimate="high")).all()


def test_a_point_is_chosen_certified_and_cross_fitted_by_groups(grouped):
    choice = analysis.select(grouped, [f"{WORST}>=0.85"])
    assert choice.points[WORST].sel(estimate="mean")[choice.chosen] >= 0.85
    found = cross_fit_of(grouped, choice)
    assert WORST in found.reported
    certified = analysis.select(grouped, [f"{WORST}>=0.7"], certify=True)
    assert certified.chosen
    plain = analysis.select(grouped, [f"{WORST}>=0.7"])
    sparsity = plain.points.sparsity.sel(estimate="mean")
    assert sparsity[certified.chosen] <= sparsity[plain.chosen]


def test_without_knowing_of_which_group_an_image_is(grouped):
    bare = grouped.drop_vars("image_group")
    assert analysis.group_changes(bare).over == "seeds"
    assert analysis.metrics(bare, [WORST])[WORST].attrs["over"] == "seeds"
    with pytest.raises(InputError, match="do not say of which group each image is"):
        analysis.select(bare, [f"{WORST}>=0.7"], certify=True)
    with pytest.raises(InputError, match="have no groups"):
        analysis.group_changes(open_example()["digits/mlp"])
