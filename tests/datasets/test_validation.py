"""The validation split: taken from training, class by class, and counted as a split of its own."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prune_fair import (
    DataConfig,
    InputError,
    ModelConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
    analysis,
    run_study,
)
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


IMAGES = np.arange(12 * 16, dtype=np.uint8).reshape(12, 4, 4)
LABELS = np.arange(12) % 3
ARRAYS = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:6], "y_test": LABELS[:6]}
OWN = {**ARRAYS, "x_validation": IMAGES[:3] + 1, "y_validation": LABELS[:3]}
GROUPS = {"site_train": np.arange(12) % 2, "site_test": np.arange(6) % 2}


@pytest.fixture
def write(tmp_path):
    def write(arrays) -> str:
        np.savez(tmp_path / "a.npz", **arrays)
        return f"npz:{tmp_path / 'a.npz'}"

    return write


def test_built_in_sources_hold_out_and_others_do_not(write):
    assert np.bincount(DataConfig("digits").load().validation_labels).sum() == 189
    assert DataConfig(write(ARRAYS)).load().splits == ("test",)
    assert DataConfig("digits", validation=0.0).load().splits == ("test",)


def test_a_split_of_the_source_is_taken_unless_another_is_asked(write):
    name = write(OWN)
    held = DataConfig(name, classes=("2", "0"), downsample=2).load()
    assert held.validation_labels.tolist() == [1, 0]
    assert held.validation_images.shape == (2, 2, 2, 1)
    assert len(held.train_labels) == 8
    assert DataConfig(name, validation=0.0).load().splits == ("test",)
    taken = DataConfig(name, validation=0.25).load()
    assert np.bincount(taken.validation_labels).tolist() == [1, 1, 1]
    assert len(taken.train_labels) == 9


def test_images_that_are_taken_keep_their_groups(write):
    held = DataConfig(write(ARRAYS | GROUPS), groups="site", validation=0.5).load()
    even = held.validation_images[:, 0, 0, 0] // 16 % 2
    assert held.validation_groups.tolist() == even.tolist()
    assert len(held.train_groups) == len(held.train_labels) == 6


def test_groups_that_are_not_known_of_training_images(write):
    name = write({**ARRAYS, "site_test": np.arange(6) % 2})
    assert DataConfig(name, groups="site").load().splits == ("test",)
    with pytest.raises(InputError, match="validation 0.5: the groups of training images are not"):
        DataConfig(name, groups="site", validation=0.5).load()
    unknown = hold_out(
        DIGITS._replace(
            train_groups=np.where(DIGITS.train_labels > 4, -1, 0),
            test_groups=np.zeros(540, int),
            group_names=("a",),
        ),
        0.5,
    )
    assert set(unknown.validation_labels) == set(range(5))


def test_a_split_of_the_source_needs_its_groups(write):
    with pytest.raises(InputError, match="no array 'site_validation'"):
        DataConfig(write(OWN | GROUPS), groups="site").load()
    own = {**OWN, **GROUPS, "site_validation": np.array([1, 1, 0])}
    assert DataConfig(write(own), groups="site").load().validation_groups.tolist() == [1, 1, 0]


def test_groups_are_counted_on_both_splits(write, tmp_path):
    task = TaskConfig(
        DataConfig(write(ARRAYS | GROUPS), groups="site", validation=0.5),
        ModelConfig("mlp", widths=(4,)),
        RecipeConfig(epochs=1, batch_size=4),
    )
    schedule = Schedule("one-shot", sparsities=(0.5,))
    study = StudyConfig((task,), ("magnitude-global-rewind",), schedule, seeds=2)
    results = run_study(study, tmp_path / "study")["a/mlp"].to_dataset()
    by_group = results.group_confusion.sum("group")
    assert by_group.dims == results.confusion.dims
    assert (by_group == results.confusion).all()


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
    assert results.sizes["image"] == len(held.test_labels)
    assert results.sizes["validation_image"] == len(held.validation_labels)
    ours = analysis.network_metrics(results, ["accuracy"]).accuracy
    test = results.sel(split="test", drop=True)
    assert ours.equals(analysis.network_metrics(test, ["accuracy"]).accuracy)


@pytest.mark.parametrize(
    ("part", "advice"), [("validation", ", or use validation 0"), ("test", "")]
)
def test_classes_of_which_a_split_has_no_image_are_refused(write, part, advice):
    five = {f"y_{each}": np.arange(size) % 5 for each, size in (("train", 12), ("test", 6))}
    five |= {"y_validation": np.array([3, 4, 3]), "class_names": np.array(list("abcde"))}
    name = write({**OWN, **five, f"y_{part}": 0 * five[f"y_{part}"]})
    with pytest.raises(InputError, match=f"classes d, e: none has a {part} image.*{advice}$"):
        DataConfig(name, classes=("d", "e")).load()


def test_a_split_that_is_not_used_is_not_read(write):
    of_another_shape = {"x_validation": IMAGES[:3, :2], "y_validation": LABELS[:3] + 9}
    name = write(ARRAYS | of_another_shape)
    with pytest.raises(InputError, match="x_validation"):
        DataConfig(name).load()
    assert DataConfig(name, validation=0.0).load().splits == ("test",)
    assert DataConfig(name, validation=0.25).load().class_names == ("0", "1", "2")
