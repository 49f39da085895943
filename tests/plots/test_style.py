"""What pictures share: files, text from data, ticks, and labels that keep apart."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from prune_fair import InputError, plots
from prune_fair.plots import densities, style
from prune_fair.plots.labels import Named, around, beside, spread


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_pictures_are_written(ending, toy_results, tmp_path):
    axes = plots.frontier(toy_results)
    path = plots.save(axes, tmp_path / "new" / f"picture.{ending}")
    assert path.stat().st_size > 5_000
    assert plots.save(axes.figure, str(path)) == path


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"picture.txt: expected a path that ends in one of"):
        plots.save(Figure(), tmp_path / "picture.txt")


def test_text_from_data_is_plain():
    assert style.plain("a\n b\x00$c$") == r"a b \$c\$"
    assert style.plain("x" * 40, 10) == "x" * 9 + "…"


@pytest.mark.parametrize("least", [0.9, 0.5, 0.1, 0.01, 1e-3, 1e-5])
def test_ticks_are_neither_few_nor_crowded(least):
    ticks = densities.log_ticks(least)
    assert 1 <= len(ticks) <= densities.TICKS + 1
    assert min(ticks) >= least * 0.999
    steps = np.diff(-np.log(ticks))
    assert (steps >= -np.log(least) / densities.TICKS - 1e-9).all()


def test_spread_without_room_goes_on_beyond():
    assert spread(np.array([1.0, 1.0, 1.0]), 2.0, 0.0, 3.0).tolist() == [0.0, 2.0, 4.0]


def test_labels_beside_one_point_keep_apart(panel, labels_of):
    axes = panel(3.4, 2.4)
    beside(axes, [Named(f"name {row}", 1.0, 0.5) for row in range(10)])
    assert len(labels_of(axes)) == 10


def test_labels_around_one_point_keep_apart_or_are_left_out(panel, labels_of):
    axes = panel(3.4, 2.4)
    around(axes, [Named(f"a long name {row}", 0.5, 0.5) for row in range(60)])
    shown = labels_of(axes)
    assert shown[0] == "a long name 0"
    assert 8 < len(shown) < 60


def test_labels_follow_a_change_of_layout(panel, labels_of):
    axes = panel()
    around(axes, [Named("one", 0.5, 0.5), Named("other", 0.52, 0.5)])
    labels_of(axes)
    axes.figure.set_size_inches(3, 2)
    assert len(labels_of(axes)) == 2
