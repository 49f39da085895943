"""How many predictions pruning and seeds change, against sparsity."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from prune_fair import analysis
from prune_fair.plots import densities, style
from prune_fair.plots.labels import Named, beside

PERCENT = 100.0
LINES = {  # the label at the end of the line, and what it is
    "flip_rate": ("changed", "another class than the dense network of the seed"),
    "churn": ("churn", "two networks of different seeds differ"),
    "ambiguity": ("ambiguity", "not all {networks} networks agree"),
    "discrepancy": ("discrepancy", "the two networks furthest apart differ"),
}


def multiplicity(
    results: analysis.Results,
    technique: str | None = None,
    *,
    confidence: float = analysis.CONFIDENCE,
    table: xr.Dataset | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Share of test images on which networks disagree, against sparsity, for one technique.

    Lines begin at the dense networks, which disagree without pruning; that value goes on, dotted.
    Bands are intervals over seeds and images, that of ambiguity over images alone.

    Args:
        results: one task's results, of a study with predictions.
        technique: None for the first.
        confidence: of the intervals, in (0, 1).
        table: as `analysis.multiplicity` gives it with this confidence; None to compute it.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for results without predictions or of which no network is finished, an unknown
            technique, or a confidence outside (0, 1).

    Example:
        >>> from prune_fair import open_example
        >>> axes = multiplicity(open_example()["digits/mlp"])
        >>> axes.get_ylabel()
        'share of the test images (%)'
    """
    name, own = style.one_technique(results, technique)
    sparsity = densities.mean_sparsity(own)
    if table is None:
        table = analysis.multiplicity(own, confidence=confidence)
    row = table.sel(technique=name)
    axes = style.canvas(axes, height=3.4)
    networks = int(row["networks"].max())
    words, named, keys = style.interval_words(own, row["flip_rate"], confidence), [], []
    for key, colour in zip(LINES, style.COLOURS, strict=False):
        label = _line(axes, 1 - sparsity.values[0], row[key], LINES[key][0], colour, bool(words))
        if label is not None:
            named.append(label)
            text = LINES[key][1].format(networks=networks)
            keys.append(Line2D([], [], color=colour, label=f"{LINES[key][0]}: {text}"))
    axes.set_ylabel("share of the test images (%)", fontsize=style.TEXT)
    axes.set_ylim(bottom=0)
    densities.sparsity_axis(axes, sparsity)
    beside(axes, named)
    both = f"{words} and images, of ambiguity over images" if words and networks > 1 else words
    style.explain(axes, keys + _dense_key(named) + style.band_key(both), title=name)
    return axes


def _line(
    axes: Axes, density: np.ndarray, values: xr.DataArray, label: str, colour: str, banded: bool
) -> Named | None:
    """A share's line, its band if it has one, and what it is without pruning; None for none."""
    bounded = "estimate" in values.dims
    shares = PERCENT * (values.sel(estimate="mean") if bounded else values).values
    known = np.flatnonzero(np.isfinite(shares) & np.isfinite(density))
    if not len(known):
        return None
    if bounded and banded:
        low, high = (PERCENT * values.sel(estimate=each).values for each in ("low", "high"))
        style.band(axes, density, low, high, colour, 0.15)
    axes.plot(density, shares, color=colour, linewidth=1.4, marker="o", markersize=3)
    if shares[0] > 0:
        axes.axhline(shares[0], color=colour, linewidth=0.8, linestyle=":")
    end = known[-1]
    return Named(label, float(density[end]), float(shares[end]), style.darker(colour))


def _dense_key(named: list[Named]) -> list[Artist]:
    """What dotted lines are, where there are some: one network has none to differ from."""
    if len(named) < 2:
        return []
    look: dict[str, Any] = {"color": style.GREY, "linestyle": ":", "linewidth": 0.8}
    return [Line2D([], [], label="dotted: of the dense networks, by seeds alone", **look)]
