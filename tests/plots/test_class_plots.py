"""Pictures of classes: which are coloured, what is in a cell, whom a disc stands for."""

import numpy as np
import pytest

from prune_fair import InputError, analysis, plots
from prune_fair.plots import style


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def coloured(axes):
    return [line for line in axes.lines if line.get_color() != style.GREY]


def test_rare_classes_are_coloured_and_named(toy_results, labels_of, panel):
    axes = plots.recall(toy_results, axes=panel())
    assert len(axes.lines) == 10
    assert len(coloured(axes)) == 2
    assert legend(axes)[:2] == ["class 8 (21 images)", "class 3 (38 images)"]
    assert legend(axes)[2].startswith("8 other classes (10")
    assert legend(axes)[3] == "band: 95 % interval over 5 seeds and 540 test images"
    assert sorted(labels_of(axes)) == ["3", "8"]


def test_of_balanced_classes_those_that_lose_most_are_coloured(make_results, labels_of, panel):
    results = make_results().drop_vars(["train_count", "predictions"])
    axes = plots.recall(results, axes=panel())
    assert sorted(labels_of(axes)) == ["c8", "c9"]
    assert legend(axes)[:3] == ["class c9", "class c8", "8 other classes"]


def test_at_most_four_rare_classes_are_coloured(make_results, panel):
    assert len(coloured(plots.recall(make_results(classes=100), axes=panel()))) == 4


def test_classes_that_are_asked_for(make_results, labels_of, panel):
    axes = plots.recall(make_results(), classes=["c1"], axes=panel())
    assert labels_of(axes) == ["c1"]
    with pytest.raises(InputError, match="unknown class 'x'"):
        plots.recall(make_results(), classes=["x"])


def test_recalls_has_a_panel_a_technique_with_one_legend(make_results):
    figure = plots.recalls(make_results(techniques=3))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in shown] == ["m0", "m1", "m2"]
    assert [axes.get_legend() for axes in shown] == [None] * 3
    assert len(figure.legends) == 1
    assert shown[0].get_ylim() == shown[2].get_ylim()


def test_cells_hold_the_change_in_points(by_hand, panel):
    """c1 of m0 falls by 1 and 10 points, c0 rises by 0.5 and 0; the one that loses is on top."""
    axes = plots.recall_change(by_hand, axes=panel())
    cells = [(text.get_text(), text.get_weight()) for text in axes.texts]
    minus = "\N{MINUS SIGN}"
    assert cells == [
        (f"{minus}1.0", "bold"),
        (f"{minus}10.0", "bold"),
        ("+0.5", "bold"),
        ("0.0", "normal"),
    ]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["c1", "c0"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["50", "75"]
    (image,) = axes.images
    assert image.norm.vmin == -image.norm.vmax == pytest.approx(-10)
    bar = axes.figure.axes[1]
    assert bar.get_ylabel() == "change of recall since dense (points)"


def test_of_many_classes_the_ends_are_shown(make_results, panel):
    results = make_results(classes=100).drop_vars("predictions")
    axes = plots.recall_change(results, axes=panel())
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert len(names) == 19
    assert names[14] == "mean of 82 others"
    change = analysis.recall_change(results).isel(technique=0).sel(estimate="mean")[1:]
    order = change.mean("level").sortby(change.mean("level")).true.values
    assert [name.split()[0] for name in names[:14]] == order[:14].tolist()
    assert axes.images[0].get_array()[14, 0] == pytest.approx(
        100 * change[0].sel(true=order[14:96]).mean().item()
    )


def test_who_is_hurt_is_at_the_level_that_accuracy_accepts(toy_results, labels_of, panel):
    axes = plots.who_is_hurt(toy_results, axes=panel())
    level = int(analysis.price_of_accuracy(toy_results).accuracy_level[0])
    change = analysis.recall_change(toy_results).isel(technique=0, level=max(1, level))
    share, points = axes.collections[-1].get_offsets().T
    assert np.allclose(points, 100 * change.sel(estimate="mean"))
    assert np.allclose(share, 100 * toy_results.train_count / toy_results.train_count.sum())
    assert len(axes.collections[-1].get_sizes()) == 10
    assert labels_of(axes)
    assert legend(axes)[0].startswith("class of balanced neighbour disagreement ")
    assert legend(axes)[-1] == "bar: 95 % interval over 5 seeds and 540 test images"
    assert axes.get_xscale() == "log"


def test_only_the_most_changed_of_many_classes_are_named(make_results, labels_of, panel):
    results = make_results(classes=100).drop_vars("predictions")
    axes = plots.who_is_hurt(results, level=3, axes=panel())
    assert "c99" in labels_of(axes)
    assert len(labels_of(axes)) <= 10


def test_what_is_missing_is_refused_or_done_without(make_results, panel):
    results = make_results()
    plain = plots.who_is_hurt(results.drop_vars(["complexity", "measure"]), axes=panel())
    assert len(legend(plain)) == 1
    for call, message in (
        (lambda: plots.who_is_hurt(results.drop_vars("train_count")), "how many training images"),
        (lambda: plots.who_is_hurt(results, measure="x"), "unknown complexity 'x'"),
        (
            lambda: plots.who_is_hurt(results.drop_vars("complexity"), measure="x"),
            "no class complexity",
        ),
        (lambda: plots.who_is_hurt(results, level=4), "level 4: expected 0 to 3"),
        (lambda: plots.recall_change(results.isel(level=[0])), "only the dense level"),
    ):
        with pytest.raises(InputError, match=message):
            call()
