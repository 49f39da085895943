"""Intervals of a single network, over its test images."""

import numpy as np
import pytest
import xarray as xr

from prune_fair import analysis, console
from prune_fair.analysis.resampling import IMAGE_RESAMPLES
from prune_fair.store import DENSE

IMAGES, CLASSES, LEVELS = 300, 3, 3


@pytest.fixture(scope="module")
def predicted() -> np.ndarray:
    """What two techniques' networks predict: (technique, level, image), level 0 the same."""
    rng = np.random.default_rng(3)
    labels = np.arange(IMAGES) % CLASSES
    wrong = rng.random((2, LEVELS, IMAGES)) < np.array([0.1, 0.2, 0.4])[:, None]
    predicted = np.where(wrong, (labels + 1) % CLASSES, labels)
    predicted[1, 0] = predicted[0, 0]
    return predicted


def one_network(predicted: np.ndarray, unfinished: bool = False) -> xr.Dataset:
    labels = np.arange(IMAGES) % CLASSES
    truth, said = (np.eye(CLASSES, dtype=np.int32)[each] for each in (labels, predicted))
    confusion = np.einsum("it,mlip->mltp", truth, said)[:, None].astype(np.int32)
    predictions = predicted[:, None].astype(np.uint8)
    sparsity = np.broadcast_to([0.0, 0.5, 0.9], (2, 1, LEVELS)).copy()
    names = [f"class {number}" for number in range(CLASSES)]
    results = xr.Dataset(
        {
            "confusion": (("technique", "seed", "level", "true", "predicted"), confusion),
            "sparsity": (("technique", "seed", "level"), sparsity),
            "predictions": (("technique", "seed", "level", "image"), predictions),
            "image_label": ("image", labels),
            "diverged": (("technique", "seed", "level"), np.zeros((2, 1, LEVELS), bool)),
        },
        {"technique": ["a", "b"], "seed": [0], "level": range(LEVELS), "true": names}
        | {"predicted": names, "image": range(IMAGES)},
    )
    if unfinished:
        for name, missing in (("confusion", 0), ("predictions", 255), ("sparsity", np.nan)):
            results[name] = results[name].where(results.level < 2, missing)
    return results.assign(finished=results.sparsity.notnull())


def test_the_first_row_is_the_network_and_a_resample_is_a_draw_of_images(predicted):
    resampled = analysis.with_resamples(one_network(predicted))
    counts = resampled.confusion
    assert counts.dims == ("technique", "seed", "level", "true", "predicted")
    assert counts.sizes["seed"] == IMAGE_RESAMPLES + 1
    xr.testing.assert_equal(
        analysis.networks(resampled).confusion.drop_vars("resampled"),
        one_network(predicted).confusion,
    )
    assert (counts.sum(["true", "predicted"]) == IMAGES).all()
    # The same images at every level: class sizes of a resample are one draw.
    sizes = counts.sum("predicted")
    assert (sizes == sizes.isel(technique=0, level=0)).all()
    assert sizes.isel(technique=0, level=0, true=0).std() > 5


def test_the_interval_is_that_of_a_bootstrap_over_images_by_hand(predicted):
    table = analysis.metrics(one_network(predicted), ["accuracy"])
    right = predicted[0, 2] == np.arange(IMAGES) % CLASSES
    rng = np.random.default_rng(0)
    by_hand = right[rng.integers(0, IMAGES, (20_000, IMAGES))].mean(axis=1)
    mean, low, high = table.accuracy.sel(technique="a").sel(level=2).values
    assert mean == pytest.approx(right.mean(), abs=1e-6)
    assert [low, high] == pytest.approx(np.quantile(by_hand, [0.025, 0.975]), abs=0.006)
    assert (table.sparsity.std("estimate") == 0).all()
    assert (table.undefined == 0).all()


def test_changes_against_dense_are_paired_by_image(predicted):
    """A network against itself has changed by nothing, whatever the images."""
    still = predicted.copy()
    still[:, 1] = still[:, 0]
    table = analysis.metrics(one_network(still), ["recall_change_min"])
    assert (table.recall_change_min.sel(level=1) == 0).all()
    assert table.recall_change_min.sel(level=2, estimate="low").max() < -0.1


@pytest.mark.parametrize("pooled", [False, True])
def test_every_question_of_intervals_has_an_answer(predicted, pooled):
    results = one_network(predicted)
    points = analysis.frontier(results, ["sparsity", "accuracy"])
    assert points.technique.values[0] == DENSE
    assert points.probability.notnull().all()
    assert points.recall.sel(estimate="low").notnull().all()
    choice = analysis.select(results, ["recall_change_min>=-0.25"], pooled=pooled, certify=True)
    assert choice.chosen is not None
    assert choice.price is not None
    assert choice.price.chosen.notnull().all()
    assert analysis.price_of_accuracy(results).cost.notnull().all()
    assert analysis.hypervolumes(results).hypervolume.notnull().all()
    assert analysis.ranking_change(results).tau.notnull().all()


def test_tests_between_networks_need_networks(predicted):
    results = one_network(predicted)
    compared = analysis.compare(results, "accuracy")
    assert compared.p.isnull().all()
    assert compared.seeds.item() == 1
    assert compared.difference.notnull().all()
    tested = analysis.class_tests(results)
    assert tested.p.isnull().all()
    assert tested.recall_change.notnull().all()


def test_what_is_unfinished_stays_unknown(predicted):
    table = analysis.metrics(one_network(predicted, unfinished=True), ["accuracy"])
    assert table.accuracy.sel(level=2).isnull().all()
    assert table.accuracy.sel(level=1).notnull().all()


def test_several_seeds_are_left_as_they_are(toy_results):
    results = analysis.as_dataset(toy_results)
    assert analysis.with_resamples(results) is results
    assert analysis.uncertainty(toy_results)[:2] == ("seeds", 5)


def test_results_say_what_their_intervals_are_over(predicted, capsys):
    results = one_network(predicted)
    assert analysis.uncertainty(results)[:3] == ("images", 1, IMAGES)
    assert analysis.uncertainty(results.drop_vars("predictions"))[:3] == ("nothing", 1, 0)
    resampled = analysis.with_resamples(results)
    assert analysis.uncertainty(resampled)[:3] == ("images", 1, IMAGES)
    tree = xr.DataTree.from_dict({"/digits/mlp": results})
    console.print_caveats(console.make_console(), tree, 0.95)
    assert "interval over 300 test images of one network" in capsys.readouterr().out
