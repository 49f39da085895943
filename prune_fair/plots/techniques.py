"""Whether other techniques win once fairness counts."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from prune_fair import analysis
from prune_fair.errors import check
from prune_fair.plots import style
from prune_fair.plots.labels import Named, beside

SIDES = ("sparsity and\naccuracy", "and the worst\nclass's recall")


def ranking(results: analysis.Results, *, axes: Axes | None = None) -> Axes:
    """Slope chart of the methods' ranks by hypervolume, without fairness and with it.

    Beside each rank is the hypervolume with its interval, where there is one; above, how alike the
    two orders are. Methods of which no network is finished are left out.

    Args:
        results: one task's results, of at least two methods.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for a single method, or where fewer than two have finished networks.
    """
    table = analysis.ranking_change(results)
    ranks = table["rank"].transpose("method", "ranking").values
    kept = np.flatnonzero(np.isfinite(ranks).all(axis=1))
    check(len(kept) > 1, "fewer than two methods have finished networks: there is no order yet")
    styles = style.method_styles([str(name) for name in table["method"].values])
    axes = style.canvas(axes, height=1.2 + 0.32 * len(kept))
    volumes = table["hypervolume"].transpose("method", "ranking", "estimate").values
    left, right = [], []
    for row in kept:
        name = str(table["method"].values[row])
        look, colour = styles[name], style.darker(styles[name]["color"])
        axes.plot([0, 1], ranks[row], marker="o", markersize=5, linewidth=1.6, **look)
        texts = [_volume(volumes[row, side]) for side in (0, 1)]
        left.append(Named(texts[0], 0, ranks[row, 0], colour))
        right.append(Named(f"{texts[1]}  {style.plain(name, 60)}", 1, ranks[row, 1], colour))
    beside(axes, left, "left")
    beside(axes, right)
    _tidy(axes, len(kept))
    axes.set_title(_agreement(table), fontsize=style.SMALL, loc="left")
    return axes


def _volume(estimates: np.ndarray) -> str:
    mean, low, high = estimates
    return f"{mean:.3f}" + (f" [{low:.3f}, {high:.3f}]" if np.isfinite(low + high) else "")


def _tidy(axes: Axes, methods: int) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(methods + 0.5, 0.5)
    axes.set_xticks([0, 1], SIDES, fontsize=style.TEXT)
    axes.set_yticks(range(1, methods + 1))
    axes.set_ylabel("rank by hypervolume (1 is best)", fontsize=style.TEXT)
    axes.set_xlabel("objectives that count", fontsize=style.TEXT)


def _agreement(table: xr.Dataset) -> str:
    tau, low, high = table["tau"].values
    if not np.isfinite(low + high):
        return f"Kendall's tau of the two orders: {tau:.2f}"
    other = table["first_place_changes"].item()
    return (
        f"Kendall's tau of the two orders: {tau:.2f} [{low:.2f}, {high:.2f}]; the first changes in "
        f"{other:.0%} of resamples"
    )
