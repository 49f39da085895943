"""Pictures of techniques: frontiers and what is chosen on them, ranks, layers."""

import numpy as np
import pytest

from prune_fair import InputError, analysis, plots


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_frontier_points_are_filled(by_hand, panel):
    axes = plots.frontier(by_hand, "accuracy", axes=panel())
    filled = [marks.get_facecolors()[:, :3].sum(axis=1) < 3 for marks in axes.collections[1::2]]
    assert [each.tolist() for each in filled] == [[True] * 3, [True, False, False]]
    assert legend(axes) == [
        "m0",
        "m1",
        "filled: on the frontier",
        "band: 95 % interval over 4 seeds",
    ]


def test_geometric_levels_are_evenly_apart_and_labelled_by_sparsity(by_hand, panel):
    axes = plots.frontier(by_hand, axes=panel())
    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[0] > 1 > axes.get_xlim()[1]  # sparser to the right
    axes.figure.draw_without_rendering()
    assert [tick.get_text() for tick in axes.get_xticklabels()][:4] == ["0", "20", "40", "50"]


def test_linear_levels_have_a_linear_axis(make_results, panel):
    results = make_results()
    results = results.assign(sparsity=0 * results.sparsity + 0.25 * results.level)
    axes = plots.frontier(results, axes=panel())
    assert axes.get_xscale() == "linear"
    assert axes.get_xlim()[0] > 1 > axes.get_xlim()[1]
    axes.figure.draw_without_rendering()
    assert "60" in [tick.get_text() for tick in axes.get_xticklabels()]
    assert plots.layer_sparsities(results, axes=panel()).get_yscale() == "linear"


def test_networks_without_weights_are_drawn(make_results, panel):
    results = make_results()
    gone = results.sparsity.where(results.level < 3, 1.0)
    plots.frontier(results.assign(sparsity=gone), axes=panel()).figure.draw_without_rendering()
    layers = results.layer_sparsity.where(results.level < 3, 1.0)
    axes = plots.layer_sparsities(results.assign(layer_sparsity=layers), axes=panel())
    assert axes.get_yticklabels()[-1].get_text() == "100"


def test_a_metric_where_less_is_better_points_up(toy_results, panel):
    choice = analysis.select(toy_results)
    axes = plots.frontier(toy_results, "recall_difference", chosen=choice, axes=panel())
    assert axes.yaxis_inverted()
    low, high = axes.get_ylim()
    assert all(high < line.get_ydata().min() <= low for line in axes.lines)


def test_chosen_points_are_marked_and_named(by_hand, panel, labels_of):
    agreed = analysis.select(by_hand, ["recall_change_min>=-0.05"])
    choice = agreed._replace(accuracy_alone=2)
    axes = plots.frontier(by_hand, chosen=choice, axes=panel())
    assert labels_of(axes) == ["chosen, 50.0 %", "accuracy alone, 75.0 %"]
    axes = plots.frontier(by_hand, chosen=agreed, axes=panel())
    assert labels_of(axes) == ["chosen, as by accuracy alone, 50.0 %"]
    nothing = choice._replace(chosen=None, accuracy_alone=None)
    assert labels_of(plots.frontier(by_hand, chosen=nothing, axes=panel())) == []
    with pytest.raises(InputError, match="not in these results"):
        plots.frontier(by_hand.isel(technique=[1]), chosen=choice)


def test_overview(toy_results):
    figure = plots.overview(toy_results)
    upper, lower = figure.axes
    assert upper.get_ylabel() == "accuracy (fraction)"
    assert lower.get_ylabel() == "worst class's recall (fraction)"
    assert (upper.get_xlabel(), lower.get_xlabel()[:8]) == ("", "sparsity")
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[:2] == toy_results.technique.values.tolist()
    assert "chosen: every class's mean recall within 5 points of dense" in texts
    with pytest.raises(InputError, match="no metrics"):
        plots.overview(toy_results, [])


def test_more_techniques_than_colours_differ_by_dashes(make_results, panel):
    lines = plots.frontier(make_results(techniques=9), axes=panel()).lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 9


def test_ranks_are_joined_by_lines(make_results, panel, labels_of):
    results = make_results(techniques=3)
    axes = plots.ranking(results, axes=panel())
    ranks = analysis.ranking_change(results)["rank"]
    assert np.allclose([line.get_ydata() for line in axes.lines], ranks.transpose("technique", ...))
    assert axes.get_ylim() == (3.5, 0.5)  # the best on top
    labels = labels_of(axes)
    assert len(labels) == 6
    assert any(text.startswith("m2\n0.") for text in labels)
    assert "95 % interval over 4 seeds" in axes.get_title("left")
    with pytest.raises(InputError, match="only one technique"):
        plots.ranking(results.isel(technique=[0]))


def test_layers_by_hand(make_results, panel, labels_of):
    results = make_results()
    axes = plots.layer_sparsities(results, axes=panel())
    _, dense, output = axes.lines
    assert np.allclose(dense.get_ydata(), [1, 0.5, 0.25, 0.125])
    assert np.allclose(output.get_ydata(), 1 - 0.9 * (1 - dense.get_ydata()))
    assert labels_of(axes) == ["output", "dense_0"] or labels_of(axes) == ["dense_0", "output"]
    with pytest.raises(InputError, match="sparsities of layers"):
        plots.layer_sparsities(results.drop_vars("layer_sparsity"))
