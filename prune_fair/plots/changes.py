"""What pruning costs each class at every level."""

import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from prune_fair import analysis
from prune_fair.plots import densities, style
from prune_fair.words.numbers import fixed, short
from prune_fair.words.numbers import sparsity as sparsity_in_percent

POINTS = 100.0
MAP = "RdBu"  # red is a loss; red against blue is safe for colour-blind eyes
LEAST_SCALE = 5.0  # points: smaller changes are not to look like large ones
ROWS = 20  # classes of which each has a row
WORST, BEST = 14, 4  # rows where there are more classes
NOT_PRUNED = "nothing pruned"
CELL, DECIMAL_CELL = 13, 19  # points: the width that a number needs, and one with a decimal


def recall_change(
    results: analysis.Results,
    technique: str | None = None,
    *,
    confidence: float = analysis.CONFIDENCE,
    table: xr.Dataset | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Heat map of the change of recall since the dense networks, class by level, in points.

    The class that loses most in the mean over levels is on top; with its training images, where
    they are known. Of more than 20 classes there are 14 from the top and 4 from the bottom, and the
    mean of the others between. Numbers are bold where the interval excludes 0. Where the study has
    the technique's control, the last row is the class of it that loses most in the mean at each
    level: what retraining does by itself.

    Args:
        results: one task's results.
        technique: None for the first.
        confidence: of the intervals, in (0, 1).
        table: `recall_change`, as `analysis.class_tests` gives it with this confidence; None to
            compute it.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for an unknown technique, a confidence outside (0, 1), or results with no pruned
            level or of which no network is finished.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> axes = recall_change(results)
        >>> axes.get_yticklabels()[0].get_text()  # loses most
        '8 (24)'
    """
    name, own = style.one_technique(results, technique)
    sparsity = densities.mean_sparsity(own).values[0, 1:]
    style.check_pruned(own)
    changes = changes_of(own, name, confidence, table)
    rows, names = _rows(own, changes)
    floor = smallest_of_control(results, name, confidence, table)
    if floor is not None:
        rows = np.concatenate([rows, _as_row(floor[1])])
        names = [*names, NOT_PRUNED]
    change = rows[..., 0]
    axes = style.canvas(axes, height=0.9 + 0.24 * len(names))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    scale = max(LEAST_SCALE, float(np.nanmax(np.abs(change), initial=0)))
    image = axes.imshow(change, cmap=MAP, norm=Normalize(-scale, scale), aspect="auto")
    axes.set_yticks(range(len(names)), names, fontsize=style.SMALL)
    axes.tick_params(length=0)
    margins = 75 + 0.55 * style.SMALL * max(map(len, names))  # points: names and the scale
    width = max(1.0, 1.15 * style.width_of(axes) - margins) / len(sparsity)
    if width >= CELL:
        _write(axes, rows, scale, digits=int(width >= DECIMAL_CELL))
    step = int(np.ceil(DECIMAL_CELL / width))
    known = [column for column in range(len(sparsity)) if np.isfinite(sparsity[column])][::step]
    axes.set_xticks(known, [short(sparsity_in_percent(sparsity[column])) for column in known])
    axes.tick_params(axis="x", labelsize=style.SMALL)
    axes.set_xlabel(densities.SPARSITY_LABEL, fontsize=style.TEXT)
    axes.set_ylabel("class (training images)" if "train_count" in own else "class", fontsize=8)
    words = style.interval_words(own, changes, confidence)
    note = f"\nbold: {words} excludes 0" if words else ""
    if floor is not None:
        axes.axhline(len(names) - 1.5, color="white", linewidth=4)
        note += f"\n{NOT_PRUNED}: worst class of {style.plain(floor[0], 60)}, retrained alike"
    axes.set_title(name + note, fontsize=style.SMALL, loc="left")
    bar = style.figure_of(axes).colorbar(image, ax=axes, fraction=0.04, pad=0.02)
    bar.set_label("change of recall since dense (points)", fontsize=style.TEXT)
    bar.ax.tick_params(labelsize=style.SMALL)
    return axes


def changes_of(
    own: xr.Dataset, technique: str, confidence: float, table: xr.Dataset | None
) -> xr.DataArray:
    """Changes of recall of one technique, (level, true, estimate)."""
    if table is None:
        return analysis.recall_change(own, confidence).isel(technique=0)
    return table["recall_change"].sel(technique=technique)


def smallest_of_control(
    results: analysis.Results, technique: str, confidence: float, table: xr.Dataset | None
) -> tuple[str, Float[np.ndarray, " levels"]] | None:
    """The control of a technique and its smallest mean change of recall, in points; None for none.

    Of a control it is none.
    """
    results = analysis.as_dataset(results)
    control = str(analysis.floors(results).sel(technique=technique).item())
    if control in ("", technique):
        return None
    own = results.sel(technique=[control])
    change = changes_of(own, control, confidence, table).sel(estimate="mean")
    return control, POINTS * change.min("true").transpose("level").values[1:]


def _as_row(smallest: Float[np.ndarray, " levels"]) -> Float[np.ndarray, "1 levels estimates"]:
    """A row of the map without intervals."""
    row = np.full((1, len(smallest), len(analysis.ESTIMATES)), np.nan)
    row[0, :, 0] = smallest
    return row


def _rows(
    results: xr.Dataset, change: xr.DataArray
) -> tuple[Float[np.ndarray, "rows levels estimates"], list[str]]:
    """Changes in points of the classes to be shown, those that lose most first, and their names."""
    values = POINTS * change.transpose("true", "level", "estimate").values[:, 1:]
    names = [style.plain(name, 14) for name in results["true"].values]
    if "train_count" in results:
        counts = results["train_count"].values
        names = [f"{name} ({count})" for name, count in zip(names, counts, strict=True)]
    known = np.isfinite(values[..., 0])
    total = np.where(known, values[..., 0], 0).sum(axis=1)
    mean = np.divide(total, known.sum(axis=1), out=np.full(len(total), np.inf), where=known.any(1))
    order = np.argsort(mean, kind="stable")
    if known.any():  # a class without test images has nothing to show
        order = order[np.isfinite(mean[order])]
    if len(order) <= ROWS:
        return values[order], [names[row] for row in order]
    top, between, bottom = np.split(order, [WORST, len(order) - BEST])
    others = np.full((1, *values.shape[1:]), np.nan)
    others[..., 0] = values[between, :, 0].mean(axis=0)
    shown = np.concatenate([values[top], others, values[bottom]])
    labels = [names[row] for row in top], [names[row] for row in bottom]
    return shown, [*labels[0], f"mean of {len(between)} others", *labels[1]]


def _write(
    axes: Axes, rows: Float[np.ndarray, "rows levels estimates"], scale: float, digits: int
) -> None:
    """The change in each cell, in points."""
    for row, column in zip(*np.nonzero(np.isfinite(rows[..., 0])), strict=True):
        change, low, high = rows[row, column]
        colour = "white" if abs(change) > 0.62 * scale else "black"
        text = fixed(change, digits, "+")
        weight = "bold" if low > 0 or high < 0 else "normal"
        look = {"color": colour, "weight": weight, "fontsize": 6.2}
        axes.text(column, row, text, ha="center", va="center", **look)
