import numpy as np
import pytest
from matplotlib.figure import Figure

from prune_fair import plots


def texts(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_frontier(toy_results):
    figure = plots.frontier(toy_results)
    upper, lower = figure.axes
    assert upper.get_ylabel() == "accuracy (fraction)"
    assert lower.get_ylabel() == "worst class's recall (fraction)"
    assert "% of prunable weights" in lower.get_xlabel()
    assert lower.get_xscale() == "log"
    assert lower.get_xlim()[0] > lower.get_xlim()[1]  # sparser to the right
    assert [len(axes.lines) for axes in (upper, lower)] == [2, 2]
    assert set(toy_results.method.values) <= set(texts(figure))
    assert any("5 seeds" in text for text in texts(figure))
    assert len(upper.lines[0].get_xdata()) == 3


def test_a_metric_where_less_is_better_points_up(toy_results):
    (axes,) = plots.frontier(toy_results, ["recall_difference"]).axes
    assert axes.yaxis_inverted()


def test_recall_shows_every_class_and_colours_the_rare(toy_results):
    figure = plots.recall(toy_results)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == toy_results.method.values.tolist()
    assert all(len(axes.lines) == 10 for axes in panels)
    coloured = [line for line in panels[0].lines if line.get_color() != plots.GREY]
    assert len(coloured) == 2
    labels = texts(figure)
    assert "class 8 (24 images)" in labels
    assert "class 3 (45 images)" in labels


def test_recall_of_balanced_classes_colours_those_that_lose_most(toy_results):
    balanced = toy_results.assign(train_count=toy_results.train_count * 0 + 100)
    figure = plots.recall(balanced, Figure())
    assert sum("class " in text and "images" in text for text in texts(figure)) == 2


def test_odd_number_of_methods_hides_the_empty_panel(toy_results):
    rows = toy_results.isel(method=[0, 1, 0])
    rows = rows.assign_coords(method=["a", "b", "c"])
    assert sum(axes.get_visible() for axes in plots.recall(rows).axes) == 3


@pytest.mark.parametrize("draw", [plots.frontier, plots.recall])
def test_pictures_are_written(draw, toy_results, tmp_path):
    path = plots.save(draw(toy_results), tmp_path / "new" / "picture.png")
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert path.stat().st_size > 10_000
    assert np.isfinite(path.stat().st_size)
