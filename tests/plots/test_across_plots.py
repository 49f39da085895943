"""Pictures over several tasks: they draw any number of techniques, named in any way."""

import numpy as np
import pytest

from prune_fair import analysis, plots
from prune_fair.fairness import indistinct_groups

PICTURES = (plots.performance_profiles, plots.critical_difference)
every_picture = pytest.mark.parametrize("draw", PICTURES)


def compared(make_results, tasks=3, metric="accuracy", **size):
    rng, found = np.random.default_rng(0), {}
    for task in range(tasks):
        results = make_results(**size)
        order = rng.permutation(results.sizes["technique"])
        found[f"t{task}"] = results.isel(technique=order).assign_coords(
            technique=results["technique"].values
        )
    return analysis.across(analysis.task_scores(found, metric))


@every_picture
@pytest.mark.parametrize("size", [{}, {"techniques": 9, "seeds": 3}, {"seeds": 1}], ids=str)
def test_any_size_is_drawn(draw, size, make_results, panel):
    axes = panel(3.4)
    assert draw(compared(make_results, **size), axes=axes) is axes
    axes.figure.draw_without_rendering()
    alone = draw(compared(make_results, **size)).figure
    assert alone._repr_png_()[:4] == b"\x89PNG"


@every_picture
def test_techniques_of_any_name(draw, make_results, panel):
    found = compared(make_results)
    names = ["$\\frac{", "_a\n<b>"]
    axes = draw(found.assign_coords(technique=names, other=names), axes=panel())
    axes.figure.draw_without_rendering()


def test_profiles_have_units_and_better_to_the_right(make_results, panel):
    axes = plots.performance_profiles(compared(make_results), axes=panel())
    assert axes.get_xlabel() == "accuracy, minus dense (points)"
    assert axes.get_xlim()[0] < axes.get_xlim()[1]
    lower = plots.performance_profiles(
        compared(make_results, metric="recall_difference"), axes=panel()
    )
    assert lower.get_xlim()[0] > lower.get_xlim()[1]
    for line in (*axes.lines, *lower.lines):
        order = np.argsort(np.asarray(line.get_xdata()))
        steps = np.diff(np.asarray(line.get_ydata())[order])
        assert (steps <= 1e-12).all() or (steps >= -1e-12).all()


def test_bars_join_what_is_not_told_apart(make_results, panel):
    found = compared(make_results, tasks=12, techniques=5)
    axes = plots.critical_difference(found, axes=panel())
    bars = [line for line in axes.lines if line.get_linewidth() == 3]
    groups = indistinct_groups(found.mean_rank.values, found.critical_difference.item())
    assert len(bars) == len(groups) > 0
    for bar, group in zip(bars, groups, strict=True):
        ends = found.mean_rank.values[[group[0], group[-1]]]
        np.testing.assert_allclose(np.asarray(bar.get_xdata()), ends)
    assert f"critical difference {found.critical_difference.item():.2f}" in {
        text.get_text() for text in axes.texts
    }
