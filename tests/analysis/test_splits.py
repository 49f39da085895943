"""Answers are of the test images, also where networks were counted on others."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, open_example, plots
from prune_fair.report.answers import answer

COUNTED = ("confusion", "margin", "votes", "image_label", "diverged")
METRICS = ("accuracy", "recall_group_min", "mean_recall_change_min")
ANSWERS = {
    "network_metrics": analysis.network_metrics,
    "class_recall": analysis.class_recall,
    "diverged": analysis.diverged,
    "metrics": lambda results: analysis.metrics(results, METRICS),
    "pooled": lambda results: analysis.metrics(results, METRICS, pooled=True),
    "operating_points": lambda results: analysis.operating_points(results, METRICS),
    "frontier": analysis.frontier,
    "hypervolumes": analysis.hypervolumes,
    "ranking_change": analysis.ranking_change,
    "select": lambda results: analysis.select(results).points,
    "price_of_accuracy": analysis.price_of_accuracy,
    "compare": analysis.compare,
    "at_sparsity": lambda results: analysis.at_sparsity(results, "accuracy", 0.9),
    "recall_change": analysis.recall_change,
    "class_tests": analysis.class_tests,
    "rare_classes": analysis.rare_classes,
    "exemplars": analysis.exemplars,
    "exemplar_images": lambda results: analysis.exemplar_images(
        results, "magnitude-global-rewind", level=6
    ),
    "attribute": lambda results: analysis.attribute(results, complexity="dense_margin"),
    "with_resamples": analysis.with_resamples,
    "answer": lambda results: answer(results, ["accuracy>=0.9"], "sparsity", None).choice.points,
}


@pytest.fixture(scope="module")
def example() -> xr.Dataset:
    return open_example()["digits/mlp"].to_dataset()


@pytest.fixture(scope="module")
def split(example) -> xr.Dataset:
    """The example's results on test images, and others on validation images, which come first."""
    counted = [name for name in COUNTED if name in example]
    other = example[counted].roll(true=1, roll_coords=False)
    validation = other.isel(seed=slice(None, None, -1)).assign_coords(seed=example["seed"])
    parts = xr.concat(
        [validation, example[counted]],
        xr.Variable("split", ["validation", "test"]),
        data_vars="all",
    )
    return example.drop_vars(counted).merge(parts, combine_attrs="override")


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_of_the_test_images(name, example, split):
    xr.testing.assert_identical(ANSWERS[name](split), ANSWERS[name](example))


def test_a_single_network_is_resampled_on_its_test_images(example, split):
    single = analysis.with_resamples(split.isel(seed=[0]))
    xr.testing.assert_identical(single, analysis.with_resamples(example.isel(seed=[0])))
    assert analysis.uncertainty(split.isel(seed=[0])).over == "images"


def test_another_split_is_had_by_its_name(example, split):
    validation = analysis.as_dataset(split, "validation")
    assert "split" not in validation.coords
    assert not np.array_equal(validation["confusion"], example["confusion"])
    with pytest.raises(InputError, match="unknown split 'tests'"):
        analysis.as_dataset(split, "tests")


def test_pictures_are_of_the_test_images(example, split):
    ours, theirs = (plots.frontier(results).lines for results in (split, example))
    for line, other in zip(ours, theirs, strict=True):
        assert np.array_equal(line.get_xydata(), other.get_xydata(), equal_nan=True)
