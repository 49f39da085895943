"""What holds of every plot: it draws into the Axes it is given, says its units, and draws anything.

Each row is a plot, the labels of its axes, and how many lines and bands two techniques of ten
classes make.
"""

from pathlib import Path

import numpy as np
import pytest

from prune_fair import InputError, plots

SPARSITY = "sparsity (% of prunable weights removed)"


def exemplars(results, **options):
    images = np.zeros((results.sizes["image"], 8, 8, 1), np.uint8)
    return plots.exemplars(results, images, **options)


PLOTS = {
    "frontier": (plots.frontier, SPARSITY, "worst class's recall (fraction)", 2, 2),
    "recall": (plots.recall, SPARSITY, "recall of the class (fraction)", 10, 10),
    "recall_change": (plots.recall_change, SPARSITY, "class (training images)", 0, 0),
    "who_is_hurt": (
        plots.who_is_hurt,
        "share of the training images (%)",
        "change of recall since dense (points)",
        1,
        0,
    ),
    "ranking": (plots.ranking, "objectives that count", "", 2, 0),
    "layer_sparsities": (
        plots.layer_sparsities,
        SPARSITY,
        "sparsity of the layer (% of its weights)",
        3,
        2,
    ),
    "exemplars": (exemplars, "", "", 0, 0),
    "multiplicity": (plots.multiplicity, SPARSITY, "share of the test images (%)", 4, 3),
    "reliability": (
        plots.reliability,
        "mean probability in the bin (%)",
        "came true (% of the images)",
        5,
        2,
    ),
}
every_plot = pytest.mark.parametrize("name", PLOTS)


def bands(axes):
    return [each for each in axes.collections if type(each).__name__ == "FillBetweenPolyCollection"]


def text_of(axes):
    legend = axes.get_legend()
    texts = [] if legend is None else [*legend.get_texts(), legend.get_title()]
    return " ".join(each.get_text() for each in (*texts, *axes.texts, axes._left_title))


@every_plot
def test_it_draws_into_the_axes_with_units(name, make_results, panel, labels_of):
    draw, across, up, lines, count = PLOTS[name]
    given = panel()
    axes = draw(make_results(), axes=given)
    assert axes is given
    assert (axes.get_xlabel(), axes.get_ylabel()) == (across, up)
    assert len(axes.lines) == lines
    assert len(bands(axes)) == count
    labels_of(axes)


@every_plot
def test_alone_it_makes_a_picture_that_a_notebook_shows(name, make_results):
    figure = PLOTS[name][0](make_results()).figure
    assert figure.get_figwidth() == 5.2
    assert figure._repr_png_()[:4] == b"\x89PNG"


@every_plot
@pytest.mark.parametrize(
    "size",
    [
        {"classes": 2},
        {"classes": 100, "levels": 7},
        {"levels": 2},
        {"techniques": 9, "seeds": 3},
    ],
    ids=str,
)
def test_any_size_is_drawn_in_a_narrow_column(name, size, make_results, panel, labels_of):
    labels_of(PLOTS[name][0](make_results(**size), axes=panel(3.4)))


@every_plot
def test_classes_and_techniques_of_any_text(name, make_results, panel, labels_of):
    results = make_results(classes=3)
    names = ["$\\frac{", "_a\n<b>$x$", "a class with a very long name, longer than any column"]
    results = results.assign_coords(true=names, predicted=names, technique=["_1$", "m_2"])
    labels_of(PLOTS[name][0](results, axes=panel()))


@every_plot
@pytest.mark.parametrize("seeds", [1, 2])
def test_too_few_seeds_have_no_interval(name, seeds, make_results, panel):
    results = make_results(seeds=seeds).drop_vars("predictions")
    if name in ("exemplars", "multiplicity"):
        if (name, seeds) == ("multiplicity", 1):
            return  # its images are enough
        results = make_results(seeds=seeds)
    axes = PLOTS[name][0](results, axes=panel())
    axes.figure.draw_without_rendering()
    assert "interval" not in text_of(axes)
    assert not bands(axes)


@every_plot
def test_one_network_with_predictions_has_intervals_over_its_images(name, make_results, panel):
    axes = PLOTS[name][0](make_results(seeds=1), axes=panel())
    assert ("over 60 test images" in text_of(axes)) == (
        name not in ("exemplars", "layer_sparsities", "reliability")
    )


@every_plot
def test_what_is_unfinished_is_left_out(name, make_results, panel, labels_of):
    results = make_results(techniques=3)
    there = (results.technique != "m2") & ((results.level < 3) | (results.technique != "m0"))
    there = there & ((results.level < 2) | (results.seed < 2))
    for variable in ("sparsity", "layer_sparsity"):
        results[variable] = results[variable].where(there)
    results["confusion"] = results.confusion.where(there, 0)
    results["finished"] = there
    labels_of(PLOTS[name][0](results, axes=panel()))


@every_plot
def test_nothing_finished_is_refused(name, make_results):
    results = make_results()
    results = results.assign(sparsity=results.sparsity * np.nan, confusion=results.confusion * 0)
    with pytest.raises(InputError, match="finished"):
        PLOTS[name][0](results)


@pytest.mark.parametrize("name", [name for name in PLOTS if name not in ("frontier", "ranking")])
def test_one_technique_is_drawn_and_others_refused(name, make_results, panel):
    draw = PLOTS[name][0]
    assert "m1" in text_of(draw(make_results(), technique="m1", axes=panel()))
    draw(make_results(techniques=1), axes=panel())
    with pytest.raises(InputError, match="unknown technique 'm9'"):
        draw(make_results(), technique="m9")


@pytest.mark.parametrize("compose", [plots.overview, plots.recalls])
def test_figures_are_composed_of_any_results(compose, make_results):
    for size in ({}, {"techniques": 1, "seeds": 1, "levels": 2}, {"techniques": 3, "classes": 2}):
        compose(make_results(**size)).draw_without_rendering()


def test_the_gallery_has_every_plot(toy_study, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "experiments"))
    from gallery import gallery

    gallery(toy_study, tmp_path)
    composed, over_tasks = {"overview", "recalls"}, {"critical_difference", "performance_profiles"}
    drawn = {path.stem for path in tmp_path.iterdir()}
    assert drawn == {*PLOTS, *composed} - {"reliability"}  # of studies with calibration
    of_shifts = {"shift"}  # which the toy study has none of: tests/cli/test_split_flags.py
    assert {*PLOTS, *composed, *over_tasks, *of_shifts, "save", "encode"} == {*plots.__all__}
