"""Techniques over several tasks: how good runs are, and which mean ranks are told apart."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from prune_fair.fairness import indistinct_groups
from prune_fair.plots import style
from prune_fair.words import across

UNDER = 0.42  # of a row, from a mean rank down to the bar that ends there


def performance_profiles(found: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """The share of runs, of all tasks, that score at least as well as a threshold.

    A line a technique; better runs lie to the right, so that of two lines the higher one is better.
    Bands are intervals over seeds at each threshold alone, where there are any.

    Args:
        found: as `analysis.across` gives it.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Example:
        >>> from prune_fair import analysis, open_example
        >>> results = open_example()["digits/mlp"]
        >>> halves = {"one": results.isel(seed=slice(8)), "two": results.isel(seed=slice(8, 16))}
        >>> found = analysis.across(analysis.task_scores(halves, "accuracy", 0.91))
        >>> performance_profiles(found).get_xlabel()
        'accuracy, minus dense (points)'
    """
    axes = style.canvas(axes, height=2.9 + 0.13 * found.sizes["technique"])
    names = [str(name) for name in found["technique"].values]
    styles = style.technique_styles(names)
    thresholds = across.scale(found) * found["threshold"].values
    for name, look in styles.items():
        row = found["profile"].sel(technique=name)
        mean, low, high = (row.sel(estimate=part).values for part in ("mean", "low", "high"))
        axes.plot(thresholds, mean, **look)
        style.band(axes, thresholds, low, high, look["color"], 0.18)
    axes.set_xlabel(across.score_on_axis(found), fontsize=style.TEXT)
    axes.set_ylabel("share of runs at least as good", fontsize=style.TEXT)
    axes.set_ylim(0, 1.03)
    if not found.attrs["higher_is_better"]:
        axes.invert_xaxis()
    keys = [Line2D([], [], label=style.plain(name, 60), **look) for name, look in styles.items()]
    style.explain(axes, [*keys, *style.band_key(across.interval(found))])
    return axes


def critical_difference(found: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Mean ranks over tasks, and bars that join techniques that the rank test does not tell apart.

    A row a technique, the best first. A bar reaches from the best to the worst technique of a set
    of which no two differ by the critical difference, which is drawn above.

    Args:
        found: as `analysis.across` gives it.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Source: Demšar 2006, section 3.2.4.

    Example:
        >>> from prune_fair import analysis, open_example
        >>> results = open_example()["digits/mlp"]
        >>> halves = {"one": results.isel(seed=slice(8)), "two": results.isel(seed=slice(8, 16))}
        >>> found = analysis.across(analysis.task_scores(halves, "accuracy", 0.91))
        >>> [each.get_text() for each in critical_difference(found).get_yticklabels()][0]
        'magnitude-global-rewind'
    """
    means = found["mean_rank"].values
    needed = found["critical_difference"].item()
    order = np.argsort(means, kind="stable")
    place = np.empty(len(order))
    place[order] = np.arange(len(order))
    axes = style.canvas(axes, height=1.2 + 0.36 * len(order))
    styles = [*style.technique_styles([str(name) for name in found["technique"].values]).values()]
    for row, look in enumerate(styles):
        by_task = found["rank"].isel(technique=row).values
        y = place[row]
        axes.plot([1, means[row]], [y, y], color="#E5E5E5", linewidth=0.8, zorder=1)
        axes.plot(by_task, np.full(len(by_task), y), "|", color=style.GREY, markersize=7, zorder=2)
        axes.plot(means[row], y, "o", color=look["color"], markersize=7, zorder=3)
    for group in indistinct_groups(means, needed):
        ends, y = means[[group[0], group[-1]]], place[group[-1]] + UNDER
        axes.plot(ends, [y, y], color="black", linewidth=3, solid_capstyle="butt")
    _ruler(axes, found)
    names = [style.plain(found["technique"].values[row], 60) for row in order]
    axes.set_yticks(range(len(order)), names, fontsize=style.TEXT)
    axes.set_xlabel("rank (1 is best)", fontsize=style.TEXT)
    axes.set_title(across.ranks_title(found), fontsize=style.SMALL, loc="left")
    axes.grid(visible=False)
    return axes


def _ruler(axes: Axes, found: xr.Dataset) -> None:
    """The critical difference above the rows, as far as there is room for it."""
    needed, techniques = found["critical_difference"].item(), found.sizes["technique"]
    room = 0.04 * techniques
    axes.set_xlim(1 - room, techniques + room)
    axes.set_ylim(techniques - 0.35, -1.2)
    axes.set_xticks(range(1, techniques + 1))
    end = min(1 + needed, techniques + room)
    place = {"color": style.DARK_GREY, "fontsize": style.SMALL, "va": "bottom"}
    axes.plot([1, end], [-0.75, -0.75], color=style.DARK_GREY, marker="|", linewidth=1)
    axes.text(1, -0.85, across.ruler(found), **place)
