"""Pictures of a study's results. Each function takes results and draws; none trains."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from prune_fair import analysis
from prune_fair.fairness import METRICS
from prune_fair.store import DENSE

# Okabe & Ito 2008, safe for colour-blind eyes; black and yellow left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
GREY = "#9A9A9A"
SPARSITY_TICKS = (0.0, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
RARE = 0.5
LABELS = {
    "accuracy": "accuracy",
    "recall_group_min": "worst class's recall",
    "recall_difference": "best minus worst recall",
    "recall_ratio": "worst over best recall",
}


def frontier(
    results: analysis.Results,
    metrics: Sequence[str] = ("accuracy", "recall_group_min"),
    figure: Figure | None = None,
) -> Figure:
    """Metrics against sparsity, one panel each; filled points are on their joint frontier.

    Bands are 95 % bootstrap intervals over seeds. A diamond is what accuracy alone would choose, a
    star the sparsest level that keeps every class within 5 points of its dense recall.
    """
    results = analysis.as_dataset(results)
    figure = figure or Figure(figsize=(6.4, 1.3 + 2.9 * len(metrics)), layout="constrained")
    points = analysis.frontier(results, [analysis.SPARSITY, *metrics])
    price = analysis.price_of_accuracy(results)
    methods = [str(method) for method in results["method"].values]
    panels = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(panels, metrics, strict=True):
        for method, colour in zip(methods, _colours(), strict=False):
            own = points.isel(point=np.isin(points.method, [method, DENSE]))
            _method_line(axes, own, name, colour)
            _choices(axes, own, price.sel({"method": method}), name, colour)
        axes.set_ylabel(f"{LABELS.get(name, name)} (fraction)")
        if not METRICS[name].higher_is_better:
            axes.invert_yaxis()
        _tidy(axes)
    _sparsity_axis(panels[-1], points.sparsity.max().item())
    _explain_methods(figure, methods, results.sizes["seed"])
    return figure


def _colours() -> Iterator[str]:
    return itertools.cycle(COLOURS)


def _method_line(axes: Axes, own: xr.Dataset, name: str, colour: str) -> None:
    density = 1 - own.sparsity.sel(estimate="mean").values
    mean, low, high = (own[name].sel(estimate=estimate).values for estimate in analysis.ESTIMATES)
    axes.fill_between(density, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(density, mean, color=colour, linewidth=1.2)
    face = [colour if chosen else "white" for chosen in own.on_frontier.values]
    axes.scatter(density, mean, s=18, c=face, edgecolors=colour, linewidths=1, zorder=3)


def _choices(axes: Axes, own: xr.Dataset, price: xr.Dataset, name: str, colour: str) -> None:
    means = own.sel(estimate="mean")
    for level, marker, size in ((price.accuracy_level, "D", 60), (price.fair_level, "*", 150)):
        at = means.isel(point=means.level.values == level.item())
        style = {"marker": marker, "s": size, "edgecolors": "black", "linewidths": 0.8}
        axes.scatter(1 - at.sparsity, at[name], color=colour, zorder=4, **style)


def _sparsity_axis(axes: Axes, most: float) -> None:
    """A logarithmic axis of density, labelled by sparsity, sparser to the right."""
    axes.set_xscale("log")
    axes.set_xlim(1.12, (1 - most) / 1.12)
    ticks = [tick for tick in SPARSITY_TICKS if tick <= most]
    axes.xaxis.set_major_locator(FixedLocator([1 - tick for tick in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda density, _: f"{100 * (1 - density):.3g}"))
    axes.set_xlabel("sparsity (% of prunable weights removed)")


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#E5E5E5", linewidth=0.6)
    axes.set_axisbelow(True)


def _explain_methods(figure: Figure, methods: Sequence[str], seeds: int) -> None:
    marker: dict[str, Any] = {"color": "white", "markeredgecolor": "black"}
    handles: list[Artist] = [
        Line2D([], [], color=colour, label=method)
        for colour, method in zip(_colours(), methods, strict=False)
    ]
    handles += [
        Line2D([], [], marker="D", markersize=7, label="accuracy alone: within 1 point", **marker),
        Line2D([], [], marker="*", markersize=12, label="every class within 5 points", **marker),
        Line2D([], [], marker="o", markersize=4, color=GREY, label="on the frontier (filled)"),
        _band(seeds),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2, frameon=False, fontsize=8)


def recall(results: analysis.Results, figure: Figure | None = None) -> Figure:
    """Recall of each class against sparsity, one panel a method, bands over seeds.

    Classes with less than half the training images of the median class are drawn in colour; where
    there are none, the two classes that lose most are.
    """
    results = analysis.as_dataset(results)
    table = analysis.over_seeds(analysis.class_recall(results))
    sparsity = analysis.metrics(results, []).sparsity
    methods = [str(method) for method in results["method"].values]
    columns = min(2, len(methods))
    rows = -(-len(methods) // columns)
    figure = figure or Figure(figsize=(3.6 * columns, 0.6 + 2.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    highlighted = _highlighted(results, table)
    for axes, method in zip(panels, methods, strict=False):
        _class_lines(
            axes, sparsity.sel({"method": method}), table.sel({"method": method}), highlighted
        )
        axes.set_title(method, fontsize=9)
        _tidy(axes)
        _sparsity_axis(axes, sparsity.max().item())
        axes.set_xlabel("")
    for axes in panels[len(methods) :]:
        axes.set_visible(False)
    for axes in panels[: len(methods)][-columns:]:
        axes.tick_params(labelbottom=True)
    figure.supxlabel("sparsity (% of prunable weights removed)", fontsize=9)
    figure.supylabel("recall of the class (fraction)", fontsize=9)
    _explain_classes(figure, results, highlighted)
    return figure


def _highlighted(results: xr.Dataset, table: xr.DataArray) -> dict[str, str]:
    """Colours of the classes to look at."""
    count = results["train_count"]
    rare = count.true[(count < RARE * count.median()).values].values
    if not len(rare):
        mean = table.sel(estimate="mean").mean("method")
        lost = mean - mean.sel(level=0)
        rare = lost.min("level").sortby(lost.min("level")).true.values[:2]
    return {
        str(name): colour for name, colour in zip(rare, COLOURS[1:] + COLOURS[:1], strict=False)
    }


def _class_lines(
    axes: Axes, sparsity: xr.DataArray, table: xr.DataArray, highlighted: dict[str, str]
) -> None:
    density = 1 - sparsity.sel(estimate="mean").values
    for name in table.true.values:
        mean, low, high = (
            table.sel(true=name, estimate=estimate).values for estimate in analysis.ESTIMATES
        )
        colour = highlighted.get(str(name), GREY)
        strong = str(name) in highlighted
        axes.fill_between(density, low, high, color=colour, alpha=0.25 if strong else 0.1, lw=0)
        axes.plot(
            density, mean, color=colour, linewidth=2 if strong else 0.8, zorder=3 if strong else 2
        )


def _explain_classes(
    figure: Figure, results: analysis.Results, highlighted: dict[str, str]
) -> None:
    count = results["train_count"]
    handles: list[Artist] = [
        Line2D(
            [], [], color=colour, lw=2, label=f"class {name} ({count.sel(true=name).item()} images)"
        )
        for name, colour in highlighted.items()
    ]
    others = count.sel(true=[name not in highlighted for name in count.true.values])
    few, many = others.min().item(), others.max().item()
    label = f"other classes ({few}{f' to {many}' if few < many else ''} images)"
    handles.append(Line2D([], [], color=GREY, lw=0.8, label=label))
    handles.append(_band(results.sizes["seed"]))
    figure.legend(handles=handles, loc="outside upper left", ncols=2, frameon=False, fontsize=8)


def _band(seeds: int) -> Patch:
    label = f"band: 95 % interval over {seeds} seeds"
    return Patch(facecolor=GREY, alpha=0.25, label=label)


def save(figure: Figure, path: Path) -> Path:
    """Writes a figure as PNG; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=160)
    return path
