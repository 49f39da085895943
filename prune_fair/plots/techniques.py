"""Whether other techniques win once fairness counts."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from prune_fair import analysis
from prune_fair.errors import check
from prune_fair.plots import style
from prune_fair.plots.labels import Named, beside
from prune_fair.words.comparisons import first_place_changes, tau, volume
from prune_fair.words.numbers import plain

SIDES = ("sparsity and\naccuracy", "and the worst\nclass's recall")


def ranking(
    results: analysis.Results,
    *,
    confidence: float = analysis.CONFIDENCE,
    table: xr.Dataset | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Slope chart of the techniques' ranks by hypervolume, without fairness and with it.

    Beside each rank is the hypervolume with its interval, where there is one; above, how alike the
    two orders are. Techniques of which no network is finished are left out.

    Args:
        results: one task's results, of at least two techniques.
        confidence: of the intervals, in (0, 1).
        table: as `analysis.ranking_change` gives it with this confidence; None to compute it.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for a single technique, a confidence outside (0, 1), or where fewer than two
            have finished networks.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> axes = ranking(results)
        >>> len(axes.get_xticklabels()), len(axes.lines) >= results.sizes["technique"]
        (2, True)
    """
    results = analysis.as_dataset(results)
    if table is None:
        table = analysis.ranking_change(results, confidence=confidence)
    ranks = table["rank"].transpose("technique", "ranking").values
    kept = np.flatnonzero(np.isfinite(ranks).all(axis=1))
    check(len(kept) > 1, "fewer than two techniques have finished networks: there is no order yet")
    styles = style.technique_styles([str(name) for name in table["technique"].values])
    axes = style.canvas(axes, height=1.3 + 0.34 * len(kept))
    volumes = table["hypervolume"]
    left, right = [], []
    for row in kept:
        name = str(table["technique"].values[row])
        look, colour = styles[name], style.darker(styles[name]["color"])
        axes.plot([0, 1], ranks[row], marker="o", markersize=12, markerfacecolor="white", **look)
        texts = [volume(volumes.isel(technique=row, ranking=side)) for side in (0, 1)]
        for side in (0, 1):
            place = {"ha": "center", "va": "center_baseline", "fontsize": style.SMALL}
            axes.text(side, ranks[row, side], plain(ranks[row, side], 0), color=colour, **place)
        left.append(Named(texts[0], 0.0, ranks[row, 0], colour))
        right.append(Named(f"{style.plain(name, 60)}\n{texts[1]}", 1.0, ranks[row, 1], colour))
    beside(axes, left, "left", mark=6.0)
    beside(axes, right, mark=6.0)
    _tidy(axes, len(kept))
    words = style.interval_words(results, table["hypervolume"], confidence)
    parts = ["rank (1 is best), hypervolume", f",\n{words}" if words else ""]
    axes.set_title("".join(parts) + _agreement(table), fontsize=style.SMALL, loc="left")
    return axes


def _tidy(axes: Axes, techniques: int) -> None:
    axes.set_xlim(-0.08, 1.08)
    axes.set_ylim(techniques + 0.5, 0.5)
    axes.set_xticks([0, 1], SIDES, fontsize=style.TEXT)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("objectives that count", fontsize=style.TEXT)


def _agreement(table: xr.Dataset) -> str:
    """How alike the orders are, in words."""
    lines = f"\nKendall's tau of the orders {tau(table)}"
    changes = first_place_changes(table)
    return f"{lines}\nanother technique is first in {changes}" if changes else lines
