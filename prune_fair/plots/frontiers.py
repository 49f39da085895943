"""Metrics against sparsity: which operating points no other beats, and which one was chosen."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from prune_fair import analysis
from prune_fair.errors import check
from prune_fair.fairness import METRICS
from prune_fair.plots import densities, style
from prune_fair.plots.labels import Named, around
from prune_fair.store import DENSE
from prune_fair.words.choices import rule_in_short
from prune_fair.words.metrics import on_axis
from prune_fair.words.numbers import of_confidence
from prune_fair.words.numbers import sparsity as sparsity_in_percent

MARKERS: dict[str, dict[str, Any]] = {
    "chosen": {"marker": "*", "s": 150},
    "accuracy alone": {"marker": "D", "s": 46},
}
FLOOR = " (nothing pruned)"
ROOM = 0.2  # of the height, above the lines, for labels


def frontier(
    results: analysis.Results,
    metric: str = "recall_group_min",
    *,
    chosen: analysis.Choice | None = None,
    confidence: float = analysis.CONFIDENCE,
    table: xr.Dataset | None = None,
    axes: Axes | None = None,
) -> Axes:
    """A metric against sparsity, a line a technique; better is up, sparser to the right.

    Bands are intervals, where there are any. Filled points are on the frontier of sparsity and this
    metric: no point of any technique is better in one and as good in the other. Of a metric against
    dense the noise floors are drawn in grey: each control, which prunes nothing, at the sparsities
    of the techniques that are retrained as it is.

    Args:
        results: one task's results.
        metric: a name of METRICS.
        chosen: as `analysis.select` gives it; its chosen point is marked by a star, what accuracy
            alone would choose by a diamond. None marks nothing.
        confidence: of the intervals, in (0, 1).
        table: as `analysis.frontier` gives it for sparsity and the metric; None to compute it.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for an unknown metric, a confidence outside (0, 1), a choice from other results,
            or results of which no network is finished.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> choice = analysis.select(results, ["mean_recall_change_min>=-0.05"])
        >>> axes = frontier(results, chosen=choice)
        >>> axes.get_ylabel()
        "worst class's recall (fraction)"
    """
    results = analysis.as_dataset(results)
    sparsity = densities.mean_sparsity(results)
    points = table
    if points is None:
        asked = [analysis.SPARSITY, metric]
        points = analysis.frontier(results, asked, confidence, by_class=False)
    axes = style.canvas(axes, height=3.6)
    own = analysis.controls(results).values
    styles = style.technique_styles([str(name) for name in results["technique"].values[~own]])
    floors = _floor_styles([str(name) for name in results["technique"].values[own]], metric)
    for control, look in floors.items():
        _floor(axes, points, metric, control, look)
    for technique, look in styles.items():
        own = points.isel(point=points["technique"].isin([technique, DENSE]).values)
        _line(axes, own, metric, look)
    axes.set_ylabel(on_axis(metric), fontsize=style.TEXT)
    if metric != analysis.SPARSITY and not METRICS[metric].higher_is_better:
        axes.invert_yaxis()
    densities.sparsity_axis(axes, sparsity)
    handles = _technique_keys(styles | floors) + _point_keys()
    words = style.interval_words(results, points[metric], confidence)
    style.explain(axes, handles + style.band_key(words))
    if chosen is not None:
        worse, better = axes.get_ylim()
        axes.set_ylim(worse, better + ROOM * (better - worse))
        _mark(axes, points, metric, chosen, styles)
    return axes


def overview(
    results: analysis.Results,
    metrics: Sequence[str] = ("accuracy", "recall_group_min"),
    *,
    chosen: analysis.Choice | None = None,
    confidence: float = analysis.CONFIDENCE,
) -> Figure:
    """`frontier` of several metrics, one below the other, with the operating point chosen.

    Args:
        results: one task's results.
        metrics: names of METRICS, at least one.
        chosen: as `analysis.select` gives it; None for the sparsest point at which no class's mean
            recall has lost more than 5 points.
        confidence: of the intervals, in (0, 1).

    Returns:
        The figure.

    Raises:
        InputError: as `frontier` does.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> len(overview(results).axes)
        2
    """
    check(bool(metrics), "no metrics: expected at least one, such as accuracy")
    chosen = analysis.select(results) if chosen is None else chosen
    more = max(0, analysis.as_dataset(results).sizes["technique"] - 4)  # lines of the legend
    size = (style.WIDTH, 1.0 + 2.3 * len(metrics) + 0.3 * more)
    figure = style.Picture(figsize=size, layout="constrained")
    panels = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    for axes, metric in zip(panels, metrics, strict=True):
        frontier(results, metric, chosen=chosen, confidence=confidence, axes=axes)
        axes.label_outer()
    style.explain_all(figure, _choice_keys(chosen))
    return figure


def _line(axes: Axes, own: xr.Dataset, metric: str, look: dict[str, Any]) -> None:
    """A technique's line, its band, and its points, those on the frontier filled."""
    density = 1 - own[analysis.SPARSITY].sel(estimate="mean").values
    mean, low, high = (own[metric].sel(estimate=each).values for each in analysis.ESTIMATES)
    colour = look["color"]
    style.band(axes, density, low, high, colour, 0.15)
    axes.plot(density, mean, linewidth=1.2, **look)
    face = [colour if best else "white" for best in own["on_frontier"].values]
    axes.scatter(density, mean, s=14, c=face, edgecolors=colour, linewidths=0.9, zorder=3)


def _floor_styles(controls: Sequence[str], metric: str) -> dict[str, dict[str, Any]]:
    """Greys and dashes of the controls; none where the metric is no change."""
    if metric == analysis.SPARSITY or not METRICS[metric].against_dense:
        return {}
    return {
        name: {"color": style.DARK_GREY, "linestyle": dash}
        for name, dash in zip(controls, itertools.cycle(style.DASHES[1:]), strict=False)
    }


def _floor(axes: Axes, points: xr.Dataset, metric: str, control: str, look: dict[str, Any]) -> None:
    """A control's line, at each level where those lie that are retrained as it is, or all do."""
    own = points.isel(point=(points["technique"] == control).values)
    others = points.isel(point=(~points["control"] & (points["level"] > 0)).values)
    alike = (others["floor"] == control).values
    others = others.isel(point=alike) if alike.any() else others
    sparsity = others[analysis.SPARSITY].sel(estimate="mean").values
    levels = [sparsity[others["level"].values == level] for level in own["level"].values]
    density = 1 - np.array([np.nanmean(each) if len(each) else 0.0 for each in levels])
    mean, low, high = (own[metric].sel(estimate=each).values for each in analysis.ESTIMATES)
    style.band(axes, density, low, high, look["color"], 0.12)
    axes.plot(density, mean, linewidth=1.0, **look)


def _mark(
    axes: Axes,
    points: xr.Dataset,
    metric: str,
    chosen: analysis.Choice,
    styles: dict[str, dict[str, Any]],
) -> None:
    """Marks and names the chosen point, and what accuracy alone would choose."""
    named = []
    agree = chosen.chosen == chosen.accuracy_alone
    for name, at in (("chosen", chosen.chosen), ("accuracy alone", chosen.accuracy_alone)):
        if at is None or (agree and name != "chosen"):
            continue
        technique, level = (chosen.points[key].values[at] for key in ("technique", "level"))
        here = (points["technique"].values == technique) & (points["level"].values == level)
        check(bool(here.any()), f"chosen point {technique}, level {level}: not in these results")
        point = points.isel(point=here.argmax()).sel(estimate="mean")
        x, y = 1 - point[analysis.SPARSITY].item(), point[metric].item()
        colour = styles.get(str(technique), {"color": style.GREY})["color"]
        axes.scatter(x, y, color=colour, edgecolors="black", zorder=4, **MARKERS[name])
        words = "chosen, as by accuracy alone" if agree else name
        named.append(Named(f"{words}, {sparsity_in_percent(1 - x)} %", x, y))
    around(axes, named)


def _technique_keys(styles: dict[str, dict[str, Any]]) -> list[Artist]:
    return [
        Line2D(
            [], [], label=style.plain(name, 60) + FLOOR * (look["color"] == style.DARK_GREY), **look
        )
        for name, look in styles.items()
    ]


def _point_keys() -> list[Artist]:
    look: dict[str, Any] = {"color": style.GREY, "marker": "o", "markersize": 4}
    return [Line2D([], [], label="filled: on the frontier", **look)]


def _choice_keys(chosen: analysis.Choice) -> list[Artist]:
    """What the star and the diamond stand for, as far as they are there."""
    how = f", certified at {of_confidence(chosen.confidence)}" if chosen.certified else ""
    rows = (
        ("*", 10, "chosen", chosen.chosen, chosen.rule, how),
        ("D", 6, "accuracy alone", chosen.accuracy_alone, chosen.accuracy_rule, ""),
    )
    look: dict[str, Any] = {"color": "white", "markeredgecolor": "black"}
    return [
        Line2D(
            [],
            [],
            marker=marker,
            markersize=size,
            label=f"{name}: {rule_in_short(rule)}{held}",
            **look,
        )
        for marker, size, name, at, rule, held in rows
        if at is not None
    ]
