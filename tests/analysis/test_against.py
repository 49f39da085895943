"""Techniques against a baseline at every level: by hand, and against references."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from prune_fair import InputError, analysis, open_example
from prune_fair.store import MEMBERS

ONE, OTHER = "random-global-rewind", "magnitude-global-rewind"


@pytest.fixture(scope="module")
def results() -> xr.Dataset:
    return open_example()["digits/mlp"].to_dataset().load()


@pytest.fixture(scope="module")
def table(results) -> xr.Dataset:
    margin = xr.Dataset({"margin": results.margin.mean("true")})
    return analysis.against(results, {ONE: OTHER}, more=margin)


def right(results, technique, level):
    said = results.predictions.sel(technique=technique).transpose("seed", "level", "image").values
    return said[:, level] == results.image_label.values


def test_differences_by_hand(results, table):
    labels = results.image_label.values
    for level in range(1, results.sizes["level"]):
        one, other = right(results, ONE, level), right(results, OTHER, level)
        found = table.difference.sel(level=level, technique=ONE)
        assert found.sel(metric="accuracy", estimate="mean") == pytest.approx(
            one.mean() - other.mean()
        )
        worst = [min(each[:, labels == c].mean() for c in range(10)) for each in (one, other)]
        assert found.sel(metric="worst_class_recall", estimate="mean") == pytest.approx(
            worst[0] - worst[1]
        )
    bounds = table.difference.transpose(..., "estimate").values
    assert (bounds[..., 1] <= bounds[..., 0] + 1e-12).all()
    assert (bounds[..., 0] <= bounds[..., 2] + 1e-12).all()


def test_more_is_a_paired_t_test(results, table):
    margin = results.margin.mean("true").transpose(*MEMBERS).sel(technique=[ONE, OTHER]).values
    expected = stats.ttest_rel(margin[0, :, 1:], margin[1, :, 1:]).pvalue
    np.testing.assert_allclose(table.p.sel(metric="margin", technique=ONE), expected, rtol=1e-4)
    assert table.over.values.tolist() == ["both", "both", "seeds"]


def test_images_and_seeds_drawn_together_are_as_wide(results, table):
    """A brute-force crossed bootstrap of the difference of accuracy: within a quarter."""
    one, other = right(results, ONE, 4), right(results, OTHER, 4)
    difference, rng = one.astype(float) - other, np.random.default_rng(0)
    seeds, images = difference.shape
    drawn = [
        difference[np.ix_(rng.integers(0, seeds, seeds), rng.integers(0, images, images))].mean()
        for _ in range(2000)
    ]
    _, low, high = table.difference.sel(metric="accuracy", level=4, technique=ONE).values
    assert (high - low) / 2 == pytest.approx(1.96 * np.std(drawn), rel=0.25)


def test_the_same_technique_twice_differs_by_nothing(results):
    same = results.sel(technique=[OTHER, ONE]).assign_coords(technique=[OTHER, "again"])
    same = same.map(lambda v: v.isel(technique=[0, 0]).assign_coords(technique=[OTHER, "again"])
                    if "technique" in v.dims else v)  # fmt: skip
    table = analysis.against(same, {"again": OTHER})
    assert (table.difference.sel(estimate="mean") == 0).all()
    assert not (table.p_holm < 0.05).any()


@pytest.mark.parametrize(
    ("change", "baselines", "message"),
    [
        (lambda r: r, {}, "no baselines"),
        (lambda r: r, {"nothing": OTHER}, "technique 'nothing'"),
        (lambda r: r.drop_vars("predictions"), {ONE: OTHER}, "predictions"),
        (
            lambda r: r.assign(sparsity=r.sparsity * xr.where(r.technique == ONE, 0.5, 1)),
            {ONE: OTHER},
            "differ in sparsity",
        ),
    ],
)
def test_what_cannot_be_compared(results, change, baselines, message):
    with pytest.raises(InputError, match=message):
        analysis.against(change(results), baselines)


def test_two_seeds_tell_nothing(results):
    table = analysis.against(results.isel(seed=[0, 1]), {ONE: OTHER})
    assert table.difference.isnull().all()
