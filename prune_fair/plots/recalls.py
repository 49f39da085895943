"""Recall of every class against sparsity."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from prune_fair import analysis
from prune_fair.errors import unknown
from prune_fair.plots import densities, style
from prune_fair.plots.labels import Named, beside
from prune_fair.words.classes import images, others

MOST = 4  # classes that are coloured


def recall(
    results: analysis.Results,
    technique: str | None = None,
    *,
    classes: Sequence[str] | None = None,
    confidence: float = analysis.CONFIDENCE,
    table: xr.Dataset | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Recall of each class against sparsity, for one technique, with bands for intervals.

    Args:
        results: one task's results.
        technique: None for the first.
        classes: to colour and name, the others are grey; None for those with less than half the
            training images of the median class (of more than 4 those that lose most), and where
            there are none, the two that lose most.
        confidence: of the intervals, in (0, 1).
        table: `recall` and `recall_change` over networks, (technique, level, true, estimate), with
            this confidence; None to compute them.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for an unknown technique or class, a confidence outside (0, 1), or results of
            which no network is finished.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> axes = recall(results, "random-global-rewind")
        >>> axes.get_xlabel()
        'sparsity (% of prunable weights removed)'
    """
    name, own = style.one_technique(results, technique)
    sparsity = densities.mean_sparsity(own)
    recalls = analysis.recall_of_classes(own, confidence) if table is None else table["recall"]
    recalls = recalls.sel(technique=name)
    coloured = _coloured(analysis.as_dataset(results), classes, table)
    axes = style.canvas(axes, height=3.4)
    density = 1 - sparsity.values[0]
    named = [_line(axes, density, recalls.sel(true=each), each, coloured) for each in _names(own)]
    axes.set_ylabel("recall of the class (fraction)", fontsize=style.TEXT)
    densities.sparsity_axis(axes, sparsity)
    beside(axes, [each for each in named if each is not None])
    words = style.interval_words(own, recalls, confidence)
    style.explain(axes, _other_keys(own, coloured) + style.band_key(words), title=name)
    return axes


def recalls(results: analysis.Results, *, confidence: float = analysis.CONFIDENCE) -> Figure:
    """`recall` of every technique that prunes, a panel each, with the same classes coloured.

    Args:
        results: one task's results.
        confidence: of the intervals, in (0, 1).

    Returns:
        The figure.

    Raises:
        InputError: as `recall` does.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> [axes.get_title() for axes in recalls(results).axes][:1]
        ['magnitude-global-rewind']
    """
    results = analysis.as_dataset(results)
    prune = (results["sparsity"] > 0).any(("seed", "level")).values
    shown = results["technique"].values[prune | ~prune.any()]
    techniques = [str(name) for name in shown]
    columns = min(2, len(techniques))
    rows = -(-len(techniques) // columns)
    size = (3.6 * columns, 2.8 * rows)
    figure = style.Picture(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, technique in zip(panels, techniques, strict=False):
        recall(results, technique, confidence=confidence, axes=axes)
        axes.label_outer()
        axes.set_title(technique, fontsize=style.TEXT)
    style.explain_all(figure)
    for axes in panels[len(techniques) :]:
        axes.set_visible(False)
    for axes in panels[: len(techniques)][-columns:]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(densities.SPARSITY_LABEL, fontsize=style.TEXT)
    return figure


def _names(results: xr.Dataset) -> list[str]:
    return [str(name) for name in results["true"].values]


def _coloured(
    results: xr.Dataset, asked: Sequence[str] | None, table: xr.Dataset | None
) -> dict[str, str]:
    """Colours of the classes to look at."""
    names = _names(results)
    if asked is not None:
        for name in asked:
            if name not in names:
                raise unknown("class", name, names)
        return dict(zip(asked, style.COLOURS * len(names), strict=False))
    lost = analysis.recall_change(results) if table is None else table["recall_change"]
    lost = lost.sel(estimate="mean")
    least = np.fmin.reduce(lost.transpose("true", ...).values.reshape(len(names), -1), axis=1)
    by_loss = np.argsort(least, kind="stable")
    chosen = list(by_loss[:2])
    if "train_count" in results:
        is_rare, count = analysis.rare_classes(results).values, results["train_count"].values
        rare = [row for row in by_loss if is_rare[row]]
        chosen = sorted(rare[:MOST] or chosen, key=lambda row: count[row])
    colours = style.COLOURS[1:] + style.COLOURS[:1]
    return {names[row]: colour for row, colour in zip(chosen, colours, strict=False)}


def _line(
    axes: Axes, density: np.ndarray, row: xr.DataArray, name: str, coloured: dict[str, str]
) -> Named | None:
    """A class's line and band, and its label if it has one."""
    mean, low, high = (row.sel(estimate=each).values for each in analysis.ESTIMATES)
    strong = name in coloured
    colour = coloured.get(name, style.GREY)
    style.band(axes, density, low, high, colour, 0.25 if strong else 0.1)
    width, order = (1.8, 3) if strong else (0.7, 2)
    axes.plot(density, mean, color=colour, linewidth=width, zorder=order)
    known = np.flatnonzero(np.isfinite(mean) & np.isfinite(density))
    if not strong or not len(known):
        return None
    end = known[-1]
    return Named(style.plain(name, 16), float(density[end]), float(mean[end]), style.darker(colour))


def _other_keys(results: xr.Dataset, coloured: dict[str, str]) -> list[Artist]:
    """What the grey lines are, and how many training images the coloured classes have."""
    count = results.get("train_count")
    keys: list[Artist] = []
    for name, colour in coloured.items():
        shown = "" if count is None else f" ({images(count.sel(true=name).item())})"
        label = f"class {style.plain(name, 16)}{shown}"
        keys.append(Line2D([], [], color=colour, linewidth=1.8, label=label))
    grey = [name for name in _names(results) if name not in coloured]
    if grey:
        shown = ""
        if count is not None:
            own = count.sel(true=grey).values
            shown = f" ({images(int(own.min()), int(own.max()))})"
        label = f"{others(len(grey))}{shown}"
        keys.append(Line2D([], [], color=style.GREY, linewidth=0.7, label=label))
    return keys
