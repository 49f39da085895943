"""Where in the network pruning takes its weights from."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from prune_fair import analysis
from prune_fair.errors import check
from prune_fair.plots import densities, style
from prune_fair.plots.labels import Named, beside


def layer_sparsities(
    results: analysis.Results,
    technique: str | None = None,
    *,
    confidence: float = analysis.CONFIDENCE,
    axes: Axes | None = None,
) -> Axes:
    """Sparsity of each layer against that of the whole network, for one technique.

    Both axes are of density, logarithmic or linear alike; the dashed line is a layer that is pruned
    as the whole is. A layer without any weight left is drawn at the lower edge, at 100 %.

    Args:
        results: one task's results.
        technique: None for the first.
        confidence: of the intervals, in (0, 1).
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for an unknown technique, a confidence outside (0, 1), results without
            `layer_sparsity`, or of which no network is finished.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> axes = layer_sparsities(results)
        >>> axes.get_ylabel()
        'sparsity of the layer (% of its weights)'
    """
    name, own = style.one_technique(results, technique)
    check("layer_sparsity" in own, "these results do not have the sparsities of layers")
    sparsity = densities.mean_sparsity(own)
    table = analysis.over_seeds(own["layer_sparsity"], confidence).isel(technique=0)
    axes = style.canvas(axes, height=3.4)
    densities.sparsity_axis(axes, sparsity)
    whole = 1 - sparsity.values[0]
    parts = 1 - table.transpose("layer", "estimate", "level").values
    floor = _y_axis(axes, np.concatenate([parts[:, 0].ravel(), whole]))
    reference = Line2D([], [], color=style.DARK_GREY, linestyle="--", linewidth=0.9)
    reference.set_label("pruned as the whole network is")
    axes.plot(whole, whole, color=style.DARK_GREY, linestyle="--", linewidth=0.9, zorder=1)
    named = []
    styles = style.technique_styles([str(layer) for layer in table["layer"].values])
    for (layer, look), lines in zip(styles.items(), parts, strict=True):
        mean, low, high = np.maximum(lines, floor) if floor else lines
        style.band(axes, whole, low, high, look["color"], 0.2)
        axes.plot(whole, mean, linewidth=1.5, marker="o", markersize=2.5, **look)
        known = np.flatnonzero(np.isfinite(mean) & np.isfinite(whole))
        end = known[-1]
        colour = style.darker(look["color"])
        named.append(Named(style.plain(layer, 20), whole[end], mean[end], colour))
    beside(axes, named)
    words = style.interval_words(own, table, confidence)
    style.explain(axes, [reference, *style.band_key(words)], title=name)
    return axes


def _y_axis(axes: Axes, density: np.ndarray) -> float:
    """The layers' axis, as that of the whole; gives where density 0 is drawn, 0 if linear."""
    axes.set_ylabel("sparsity of the layer (% of its weights)", fontsize=style.TEXT)
    if axes.get_xscale() == "linear":
        axes.yaxis.set_major_formatter(FuncFormatter(densities.as_sparsity))
        axes.invert_yaxis()
        return 0.0
    known = density[np.isfinite(density)]
    least = known[known > 0].min()
    ticks = densities.log_ticks(least)
    labels = [densities.as_sparsity(tick) for tick in ticks]
    bottom = least / 1.6 if (known <= 0).any() else least
    if bottom < least:
        ticks, labels = [*ticks, bottom], [*labels, "100"]
    axes.set_yscale("log")
    axes.set_ylim(1.15, bottom / 1.15)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_yticks(ticks, labels)
    return bottom
