"""Intersections of groups, and groups too small to judge."""

import numpy as np
import pytest

from prune_fair import DataConfig, InputError


@pytest.fixture
def cells(tmp_path, rng):
    """Images that are grouped by scanner and by age; of some training images the age is missing."""
    labels = np.arange(60) % 3
    arrays = {}
    for part in ("train", "test", "validation"):
        images = rng.integers(0, 255, (60, 4, 4), np.uint8)
        arrays |= {f"x_{part}": images, f"y_{part}": labels}
        arrays |= {f"scanner_{part}": np.arange(60) // 40, f"age_{part}": np.arange(60) // 20 % 2}
    names = {"scanner_names": np.array(["old", "new"]), "age_names": np.array(["young", "aged"])}
    np.savez(tmp_path / "cells.npz", **arrays, **names)
    return f"npz:{tmp_path / 'cells.npz'}"


def test_intersections_are_groups(cells):
    data = DataConfig(cells, groups="scanner+age").load()
    assert data.group_names == ("old+young", "old+aged", "new+young")
    assert data.test_groups.tolist() == [0] * 20 + [1] * 20 + [2] * 20
    assert (data.train_groups == data.test_groups).all()
    assert data.train_group_count() == (20, 20, 20)
    one = DataConfig(cells, groups="scanner").load()
    assert one.group_names == ("old", "new")


def test_small_groups_become_one(cells):
    data = DataConfig(cells, groups="scanner", fewest_in_group=30).load()
    assert data.group_names == ("old", "others")
    assert np.bincount(data.test_groups).tolist() == [40, 20]
    assert np.bincount(data.train_groups).tolist() == [40, 20]
    assert DataConfig(cells, groups="scanner", fewest_in_group=20).load().group_names == (
        "old", "new",
    )  # fmt: skip
    with pytest.raises(InputError, match="the largest group has 40 images"):
        DataConfig(cells, groups="scanner", fewest_in_group=41).load()


def test_a_training_image_of_an_unknown_group_stays_so(cells):
    data = DataConfig(cells, groups="scanner").load()
    unknown = data._replace(train_groups=np.where(np.arange(60) < 5, -1, data.train_groups))
    from prune_fair.datasets.grouping import intersected, merge_small_groups

    both = intersected([unknown, DataConfig(cells, groups="age").load()])
    assert (both.train_groups[:5] == -1).all()
    assert (both.train_groups[5:] >= 0).all()
    merged = merge_small_groups(unknown, 30)
    assert (merged.train_groups[:5] == -1).all()


@pytest.mark.parametrize("fewest", [0, -1, 1.5, True])
def test_what_is_no_number_of_images(cells, fewest):
    with pytest.raises(Exception, match="fewest_in_group"):
        DataConfig(cells, groups="scanner", fewest_in_group=fewest)


@pytest.mark.parametrize("groups", ["scanner+", "+", "+age", "age+age"])
def test_what_names_no_groups(cells, groups):
    with pytest.raises(InputError, match="each once and none empty"):
        DataConfig(cells, groups=groups)


def test_fewest_without_groups(cells):
    with pytest.raises(InputError, match="without groups: expected both"):
        DataConfig(cells, fewest_in_group=5)


def test_a_group_that_is_not_there(cells):
    with pytest.raises(InputError, match="no array 'colour_test'"):
        DataConfig(cells, groups="scanner+colour").load()
