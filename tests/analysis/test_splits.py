"""Answers are of the test images, also where networks were counted on others; choices are not."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, open_example, plots
from prune_fair.report.answers import answer
from prune_fair.words import choices

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
    "select": lambda results: analysis.select(results).points.drop_vars(["qualifies", "utility"]),
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
    "answer": lambda results: answer(results, ["accuracy>=0.9"], "sparsity").frontier,
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


@pytest.fixture
def both(results_of):
    """Two levels: class c1 loses 2 then 4 points on validation images, 2 then 8 on test images."""
    lost = {"validation": [0.0, 0.02, 0.04], "test": [0.0, 0.02, 0.08]}
    noise = np.array([-0.01, 0.0, 0.0, 0.01])[None, :, None, None]
    parts = []
    for name, images in (("validation", 500), ("test", 1000)):
        recall = np.stack([np.full(3, 0.9), 0.8 - np.array(lost[name])], axis=-1)
        part = results_of(recall[None, None] + noise, images)
        parts.append(part.drop_vars("sparsity") if parts else part)
    counted = xr.concat([part["confusion"] for part in parts], xr.Variable("split", [*lost]))
    return parts[0].drop_vars("confusion").assign(confusion=counted)


def test_a_point_is_chosen_on_validation_images_and_reported_on_test_images(both):
    choice = analysis.select(both)
    assert (choice.split, choice.images) == ("validation", 1000)
    assert choice.points["level"][choice.chosen] == 2
    name = "mean_recall_change_min"
    assert choice.judged[name].sel(estimate="mean")[choice.chosen].item() == pytest.approx(-0.04)
    assert choice.points[name].sel(estimate="mean")[choice.chosen].item() == pytest.approx(-0.08)
    assert choice.drop[name].sel(estimate="mean").item() == pytest.approx(0.04)
    assert choice.drop[name].sel(estimate=["low", "high"]).values == pytest.approx([0.04, 0.04])
    assert choice.price.chosen.sel(true="c1", estimate="mean").item() == pytest.approx(-0.08)
    [held] = choices.holds(choice)
    assert "since dense is \N{MINUS SIGN}4.0 points" in held
    assert "test images do not: \N{MINUS SIGN}8.0" in held
    test = analysis.select(both.sel(split="test", drop=True))
    assert (test.split, test.drop) == ("test", None)
    assert test.points["level"][test.chosen] == 1


def test_the_price_of_accuracy_is_chosen_on_validation_and_told_of_test_images(both):
    price = analysis.price_of_accuracy(both, accuracy_tolerance=0.02).isel(technique=0)
    assert (price.accuracy_level, price.fair_level) == (2, 2)
    assert price.cost.sel(estimate="mean").item() == pytest.approx(-0.08)
    test = analysis.price_of_accuracy(both.sel(split="test"), accuracy_tolerance=0.02)
    assert test.fair_level.item() == 1


def test_certainty_is_that_of_validation_images(both):
    sure = analysis.select(both, ["recall_group_min>=0.765"], certify=True)
    assert sure.points["level"][sure.chosen] == 1
    few = both.isel(seed=[0, 1])
    with pytest.raises(InputError, match="certify: the interval cannot be had from 2 seed"):
        analysis.select(few, certify=True)


def test_one_network_is_chosen_by_the_mean_of_validation_images(both):
    choice = analysis.select(both.isel(seed=[0]))
    assert choice.points["level"][choice.chosen] == 2
    assert choice.drop["accuracy"].sel(estimate="mean").item() == pytest.approx(0.02)
    assert choice.drop["accuracy"].sel(estimate="low").isnull()
