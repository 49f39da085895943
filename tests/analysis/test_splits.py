"""Answers are of the test images, also where networks were counted on others; choices are not."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import InputError, analysis, open_example, plots
from prune_fair.data import BY_IMAGE
from prune_fair.report.answers import answer
from prune_fair.words import choices

COUNTED = ["confusion", "margin", "diverged"]
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


def both_splits(validation: xr.Dataset, test: xr.Dataset) -> xr.Dataset:
    """One study's results on two splits."""
    parts = [validation[COUNTED], test[COUNTED]]
    counted = xr.concat(parts, xr.Variable("split", ["validation", "test"]), data_vars="all")
    names = dict(zip(BY_IMAGE["test"], BY_IMAGE["validation"], strict=True))
    kept = {name: names[name] for name in ("predictions", "image_label", "image")}
    by_image = validation[["predictions", "image_label"]].rename(kept)
    return test.drop_vars(COUNTED).merge(counted, combine_attrs="override").merge(by_image)


@pytest.fixture(scope="module")
def other(example) -> xr.Dataset:
    """Other counts of other images, fewer than the example's."""
    few = example.isel(image=slice(200))
    counted = few[[*COUNTED, "predictions"]].isel(seed=slice(None, None, -1))
    counted["confusion"] = counted["confusion"].roll(true=1, roll_coords=False)
    counted["predictions"] = (counted["predictions"] + 1) % 10
    return few.assign(counted.assign_coords(seed=example["seed"]))


@pytest.fixture(scope="module")
def split(example, other) -> xr.Dataset:
    """The example's results on test images, and others on validation images, which come first."""
    return both_splits(other, example)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_of_the_test_images(name, example, split):
    xr.testing.assert_identical(ANSWERS[name](split), ANSWERS[name](example))


@pytest.mark.parametrize("name", ANSWERS)
def test_a_split_that_is_asked_for_is_answered_as_the_only_one(name, example, other):
    validation = analysis.as_dataset(both_splits(example, other), "validation")
    assert validation.attrs.pop("split") == "validation"
    xr.testing.assert_identical(ANSWERS[name](validation), ANSWERS[name](example))


def test_a_single_network_is_resampled_on_its_test_images(example, split):
    single = analysis.with_resamples(split.isel(seed=[0]))
    xr.testing.assert_identical(single, analysis.with_resamples(example.isel(seed=[0])))
    assert analysis.uncertainty(split.isel(seed=[0])).over == "images"


def test_another_split_is_had_by_its_name(example, split):
    validation = analysis.as_dataset(split, "validation")
    assert "split" not in validation.coords
    assert not np.array_equal(validation["confusion"], example["confusion"])
    assert validation["predictions"].sizes["image"] == 200
    assert {*analysis.as_dataset(split).variables} == {*example.variables}
    assert {*validation.variables} == {*example.variables}
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
    assert choice.judged_on == ("validation", 1000, (), (), "test")
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
    assert "(validation less test, over seeds: 4.0 points)" in held
    test = analysis.select(both.sel(split="test", drop=True))
    assert (test.judged_on.split, test.drop) == ("test", None)
    assert test.points["level"][test.chosen] == 1


def test_the_price_of_accuracy_is_chosen_on_validation_and_told_of_test_images(both):
    price = analysis.price_of_accuracy(both, accuracy_tolerance=0.02).isel(technique=0)
    assert (price.accuracy_level, price.fair_level) == (2, 2)
    assert price.cost.sel(estimate="mean").item() == pytest.approx(-0.08)
    test = analysis.price_of_accuracy(both.sel(split="test"), accuracy_tolerance=0.02)
    assert test.fair_level.item() == 1


def test_one_network_is_chosen_by_the_mean_of_validation_images(both):
    choice = analysis.select(both.isel(seed=[0]))
    assert choice.points["level"][choice.chosen] == 2
    assert choice.drop["accuracy"].sel(estimate="mean").item() == pytest.approx(0.02)
    assert choice.drop["accuracy"].sel(estimate="low").isnull()


def test_one_network_whose_predictions_are_kept_is_certified_by_its_validation_images(split):
    """Resamples of the two splits are of other images: no interval is of their difference."""
    choice = analysis.select(split.isel(seed=[0]), ["accuracy>=0"], certify=True)
    assert choice.judged_on.images == 540
    accuracy = choice.judged["accuracy"].isel(point=choice.chosen)
    low, mean, high = (accuracy.sel(estimate=name).item() for name in ("low", "mean", "high"))
    assert low < mean < high
    dropped = choice.drop["accuracy"].sel(estimate=["mean", "low", "high"])
    reported = choice.points["accuracy"].isel(point=choice.chosen).sel(estimate="mean")
    assert dropped.values == pytest.approx([mean - reported.item(), np.nan, np.nan], nan_ok=True)


def test_the_picture_s_star_is_the_choice_on_validation_images(both):
    stars = [
        artist.get_offsets()[0][0]
        for artist in plots.overview(both, metrics=("accuracy",)).axes[0].collections
        if len(artist.get_offsets()) == 1
    ]
    density = 1 - both.sparsity.mean("seed").isel(technique=0, level=2).item()
    assert min(abs(each - density) for each in stars) < 1e-9
