"""The validation split: taken from training, class by class, and counted as a split of its own."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prune_fair import DataConfig, InputError, analysis, run_study
from prune_fair.datasets import hold_out, load

DIGITS = load("digits")


@given(st.floats(0.01, 0.99))
def test_it_is_stratified_and_nothing_is_lost(fraction):
    held = hold_out(DIGITS, fraction)
    before, after = DIGITS.train_count(), held.train_count()
    taken = np.bincount(held.validation_labels, minlength=10)
    assert (taken + after == before).all()
    assert (abs(taken - fraction * before) <= 1).all()
    assert (after >= 1).all()
    rows = [*map(bytes, held.train_images), *map(bytes, held.validation_images)]
    assert sorted(rows) == sorted(map(bytes, DIGITS.train_images))


def test_a_smaller_fraction_is_part_of_a_larger_and_the_draw_is_fixed():
    small, large, again = (hold_out(DIGITS, part) for part in (0.1, 0.3, 0.1))
    assert np.array_equal(small.validation_images, again.validation_images)
    larger = {*map(bytes, large.validation_images)}
    assert {*map(bytes, small.validation_images)} <= larger


def test_it_is_taken_before_classes_are_made_rare_and_labels_wrong():
    rare = DataConfig("digits", keep={"8": 0.2}, label_noise=0.3, validation=0.15).load()
    plain = hold_out(DIGITS, 0.15)
    assert np.array_equal(rare.validation_labels, plain.validation_labels)
    assert np.bincount(rare.validation_labels)[8] == 18


def test_a_fraction_that_takes_nothing_is_refused_and_0_takes_nothing():
    assert hold_out(DIGITS, 0.0) is DIGITS
    with pytest.raises(InputError, match="validation 1e-09: takes no image of any class"):
        hold_out(DIGITS, 1e-9)


def test_groups_are_known_of_test_images_alone():
    with pytest.raises(InputError, match="validation 0.1 with groups 'g': groups are known of"):
        DataConfig("npz:a.npz", groups="g", validation=0.1)


def test_a_study_counts_both_splits(toy_config, tmp_path):
    [task] = toy_config.tasks
    data = dataclasses.replace(task.data, validation=0.2)
    config = dataclasses.replace(
        toy_config, tasks=(dataclasses.replace(task, data=data),), seeds=2, seeds_per_piece=2
    )
    results = run_study(config, tmp_path)["digits/mlp"].to_dataset()
    assert results.confusion.dims == ("technique", "seed", "level", "split", "true", "predicted")
    assert results.split.values.tolist() == ["validation", "test"]
    images = results.confusion.sum("predicted")
    held = data.load()
    for split, labels in (("validation", held.validation_labels), ("test", held.test_labels)):
        expected = np.bincount(labels, minlength=10)
        assert (images.sel(split=split) == expected).all()
    assert (results.votes.sum(("half", "predicted")) == 2).all()
    assert results.sizes["image"] == len(held.test_labels)
    even = results.confusion.sel(split="test").isel(seed=slice(0, None, 2)).sum(("seed", "true"))
    assert (results.votes.isel(half=0).sum("image") == even).all()
    ours = analysis.network_metrics(results, ["accuracy"]).accuracy
    test = results.sel(split="test", drop=True)
    assert ours.equals(analysis.network_metrics(test, ["accuracy"]).accuracy)
