"""The worst class's recall against the severity of a shift, dense beside pruned."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from prune_fair import analysis
from prune_fair.data import TEST
from prune_fair.errors import check
from prune_fair.plots import style
from prune_fair.plots.labels import Named, beside
from prune_fair.words.numbers import sparsity as in_percent

ASIDE = 0.05  # severities between intervals of two corruptions, which would lie on each other


def shift(
    results: analysis.Results,
    technique: str | None = None,
    level: int | None = None,
    *,
    confidence: float = analysis.CONFIDENCE,
    table: xr.Dataset | None = None,
    axes: Axes | None = None,
) -> Axes:
    """The recall of each network's worst class, the mean over seeds, against severity.

    A colour is a corruption, which begins at the clean test images; solid lines are networks of one
    technique and level, dashed ones the dense networks that they come from. Bars are intervals over
    seeds.

    Args:
        results: one task's results, of a study with shifts.
        technique: None for the first.
        level: None for the last finished one.
        confidence: of the intervals, in (0, 1).
        table: as `analysis.under_shift` gives it with this confidence; None to compute it.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for results without shifts or of which no pruned network is finished, an unknown
            technique or level, or a confidence outside (0, 1).

    Example:
        >>> from prune_fair import open_example
        >>> shift(open_example()["digits/mlp"])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: no shift of the test images was counted: run the study ...
    """
    name, own = style.one_technique(results, technique)
    if table is None:
        table = analysis.under_shift(results, confidence)
    row = table.sel(technique=name)
    at, axes, named = _level(row, level), style.canvas(axes, height=3.4), []
    corruptions = [*dict.fromkeys(row["corruption"].values[row["severity"].values > 0].tolist())]
    for place, (corruption, colour) in enumerate(zip(corruptions, style.COLOURS, strict=False)):
        along = row.isel(split=row["corruption"].isin([TEST, corruption]).values)
        aside = ASIDE * (place - (len(corruptions) - 1) / 2)
        dense = {"linestyle": "--", "linewidth": 1.0}
        _line(axes, along.isel(level=0), aside, color=colour, **dense)
        named.append(_line(axes, along.isel(level=at), aside, color=colour, linewidth=1.5))
        _bars(axes, along.isel(level=at, split=slice(1, None)), aside, colour)
    _bars(axes, row.isel(level=at).sel(split=[TEST]), 0.0, style.DARK_GREY)
    axes.set_xlabel("severity of the corruption (0: clean test images)", fontsize=style.TEXT)
    axes.set_ylabel("worst class's recall (fraction)", fontsize=style.TEXT)
    axes.set_xticks(range(int(row["severity"].max()) + 1))
    axes.set_ylim(bottom=0)
    beside(axes, named, mark=3.0)
    words = style.interval_words(own, row["worst_recall"], confidence)
    sparsity = in_percent(row["sparsity"].values[at])
    style.explain(axes, _keys(words), title=f"{name}, {sparsity} % sparsity")
    return axes


def _line(axes: Axes, along: xr.Dataset, aside: float, **look: Any) -> Named:
    """A corruption's line of one level, and what is named at its end."""
    severity = _places(along, aside)
    mean = along["worst_recall"].sel(estimate="mean").values
    axes.plot(severity, mean, marker="o", markersize=2.5, **look)
    name = style.plain(along["corruption"].values[-1])
    return Named(name, float(severity[-1]), float(mean[-1]), style.darker(look["color"]))


def _bars(axes: Axes, along: xr.Dataset, aside: float, colour: str) -> None:
    """The intervals of a line, where there are some."""
    low, high = (along["worst_recall"].sel(estimate=each).values for each in ("low", "high"))
    known = np.isfinite(low)
    axes.vlines(_places(along, aside)[known], low[known], high[known], colors=colour, linewidth=0.9)


def _places(along: xr.Dataset, aside: float) -> np.ndarray:
    """Where severities stand; the clean images, which all lines share, stand at 0."""
    severity = along["severity"].values
    return severity + aside * (severity > 0)


def _keys(words: str) -> list[Artist]:
    look: dict[str, Any] = {"color": style.GREY}
    keys: list[Artist] = [
        Line2D([], [], label="solid: pruned", linewidth=1.5, **look),
        Line2D([], [], label="dashed: dense", linewidth=1.0, linestyle="--", **look),
    ]
    bar = {"linestyle": "none", "marker": "|", "markersize": 8}
    return keys + [Line2D([], [], label=f"bar: {words}", **bar, **look)] * bool(words)


def _level(row: xr.Dataset, level: int | None) -> int:
    """The level that is asked for, or the last finished one."""
    finished = np.flatnonzero(row["sparsity"].notnull().values)
    last = int(finished[-1]) if len(finished) else 0
    check(last > 0, "no pruned network is finished: let the study run on")
    check(level is None or 1 <= level <= last, f"level {level}: expected 1 to {last}")
    return last if level is None else level
