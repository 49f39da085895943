"""Who it is that pays: the classes at one level, by how rare and how complex they are."""

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from prune_fair import analysis
from prune_fair.errors import check, lookup
from prune_fair.plots import densities, style
from prune_fair.plots.changes import POINTS, changes_of, smallest_of_control
from prune_fair.plots.labels import Named, around
from prune_fair.words.numbers import fixed, significant
from prune_fair.words.numbers import sparsity as sparsity_in_percent

NAMED = 10  # classes that are labelled where there are more
SIZES = 18.0, 150.0  # areas of the simplest and the most complex class


def who_is_hurt(
    results: analysis.Results,
    technique: str | None = None,
    level: int | None = None,
    *,
    measure: str | None = None,
    confidence: float = analysis.CONFIDENCE,
    table: xr.Dataset | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Change of recall of each class against its share of the training images.

    Discs are the larger the more complex a class is; of more than 12 classes those with the largest
    changes are named. Where the study has the technique's control, a dotted line is at what its
    worst class loses in the mean: what retraining does by itself.

    Args:
        results: one task's results.
        technique: None for the first.
        level: None for the sparsest level at which mean accuracy is within 1 point of the dense
            networks', since that is what accuracy alone would accept; at least 1.
        measure: of complexity, by which discs are sized; None for
            `analysis.DEFAULT_COMPLEXITY`, or discs of one size where the results have none.
        confidence: of the intervals, in (0, 1).
        table: `recall_change`, as `analysis.class_tests` gives it with this confidence; None to
            compute it.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for an unknown technique or measure, a level that is not there or not finished,
            a confidence outside (0, 1), or results without `train_count`.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> axes = who_is_hurt(results, level=5)
        >>> axes.get_xlabel()
        'share of the training images (%)'
    """
    name, own = style.one_technique(results, technique)
    check("train_count" in own, "these results do not say how many training images a class has")
    sparsity = densities.mean_sparsity(own)
    level = style.at_level(own, level)
    at = float(sparsity.values[0, level])
    check(bool(np.isfinite(at)), f"level {level} of {name}: no network is finished there yet")
    change = POINTS * changes_of(own, name, confidence, table).isel(level=level)
    mean, low, high = (change.sel(estimate=each).values for each in analysis.ESTIMATES)
    count = own["train_count"].values
    share = 100 * count / max(1, count.sum())
    sizes, keys = _sizes(own, measure)
    axes = style.canvas(axes, height=3.6)
    axes.axhline(0, color=style.DARK_GREY, linewidth=0.8)
    bars = np.nan_to_num([mean - low, high - mean])
    look = {"ecolor": style.GREY, "elinewidth": 1}
    axes.errorbar(share, mean, np.abs(bars), fmt="none", **look)
    axes.scatter(
        share, mean, s=sizes, color=style.COLOURS[0], edgecolors="white", zorder=3, alpha=0.8
    )
    _share_axis(axes, share)
    axes.set_ylabel("change of recall since dense (points)", fontsize=style.TEXT)
    axes.margins(0.12)
    around(axes, _extremes(own, share, mean), mark=1.0)
    words = style.interval_words(own, change, confidence)
    keys += [Line2D([], [], color=style.GREY, label=f"bar: {words}")] if words else []
    keys += _floor(axes, smallest_of_control(results, name, confidence, table), level)
    title = f"{name}\nat {sparsity_in_percent(at)} % sparsity{_accuracy(own, level)}"
    style.explain(axes, keys, title=title)
    return axes


def _floor(
    axes: Axes, floor: tuple[str, Float[np.ndarray, " levels"]] | None, level: int
) -> list[Artist]:
    """A line where the control's worst class is at a pruned level, and what it is."""
    if floor is None or level == 0:
        return []
    look: dict[str, Any] = {"color": style.DARK_GREY, "linestyle": ":", "linewidth": 1.2}
    axes.axhline(floor[1][level - 1], **look)
    label = f"worst class of {style.plain(floor[0], 60)} (nothing pruned)"
    return [Line2D([], [], label=label, **look)]


def _accuracy(results: xr.Dataset, level: int) -> str:
    """What accuracy has lost there, in words."""
    both = results.isel(level=[0, level])
    accuracy = analysis.network_metrics(both, ["accuracy"])["accuracy"].mean("seed")
    change = POINTS * float(accuracy[0, 1] - accuracy[0, 0])
    return f", accuracy {fixed(change, 1, '+')} points"


def _share_axis(axes: Axes, share: Float[np.ndarray, " classes"]) -> None:
    """Logarithmic where some classes have several times the images of others."""
    if share.min() > 0 and share.max() > 4 * share.min():
        axes.set_xscale("log")
        ticks = [t * 10.0**e for e in range(-4, 3) for t in (1, 2, 5)]
        low, high = share.min() / 1.3, share.max() * 1.3
        axes.set_xlim(low, high)
        shown = [tick for tick in ticks if low <= tick <= high]
        axes.set_xticks(shown, [significant(tick) for tick in shown])
        axes.minorticks_off()
    axes.set_xlabel("share of the training images (%)", fontsize=style.TEXT)


def _sizes(
    results: xr.Dataset, measure: str | None
) -> tuple[Float[np.ndarray, " classes"], list[Artist]]:
    """Areas of the discs by complexity, and what they mean."""
    known = [str(each) for each in results["measure"].values] if "complexity" in results else []
    if measure is None and not known:
        return np.full(results.sizes["true"], 45.0), []
    check(bool(known), "these results have no class complexity; leave out the measure")
    default = analysis.DEFAULT_COMPLEXITY if analysis.DEFAULT_COMPLEXITY in known else known[0]
    name = measure or default
    row = lookup({each: i for i, each in enumerate(known)}, name, "complexity")
    values = results["complexity"].values[row]
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    if not high > low:
        return np.full(len(values), 45.0), []
    sizes = SIZES[0] + (SIZES[1] - SIZES[0]) * np.nan_to_num((values - low) / (high - low))
    what, colour = name.replace("_", " "), style.COLOURS[0]
    keys: list[Artist] = [
        Line2D(
            [], [], linestyle="", marker="o", color=colour, markersize=size**0.5,
            markeredgecolor="white", label=f"class of {what} {significant(value)}",
        )
        for size, value in zip(SIZES, (low, high), strict=True)
    ]  # fmt: skip
    return sizes, keys


def _extremes(
    results: xr.Dataset, share: Float[np.ndarray, " classes"], change: Float[np.ndarray, " classes"]
) -> list[Named]:
    """The classes to name, those with the largest changes first."""
    order = [row for row in np.argsort(-np.abs(change), kind="stable") if np.isfinite(change[row])]
    shown = order if len(change) <= NAMED + 2 else order[:NAMED]
    names = results["true"].values
    return [
        Named(style.plain(names[row], 16), float(share[row]), float(change[row])) for row in shown
    ]
