"""The axis of sparsity: density, drawn backwards and labelled by sparsity."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from prune_fair import analysis
from prune_fair.errors import check
from prune_fair.plots.style import TEXT
from prune_fair.words.numbers import short
from prune_fair.words.numbers import sparsity as sparsity_in_percent

SPARSITY_LABEL = "sparsity (% of prunable weights removed)"
SPARSITY_TICKS = (
    *(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999),
    *(0.9995, 0.9998, 0.9999),
)
TICKS = 8  # more would touch each other at 3.4 inches


def mean_sparsity(results: xr.Dataset) -> xr.DataArray:
    """Sparsity over seeds, (technique, level); NaN where no network is finished.

    Raises:
        InputError: where none is finished anywhere.
    """
    sparsity = results[analysis.SPARSITY].mean("seed")
    check(bool(sparsity.notnull().any()), "no network is finished: there is nothing to draw yet")
    return sparsity.transpose("technique", "level")


def sparsity_axis(axes: Axes, sparsity: xr.DataArray) -> None:
    """The x axis is density, drawn backwards and labelled by sparsity.

    It is logarithmic where the levels are spaced more evenly so, as those of a geometric schedule
    are; else linear.

    Args:
        axes: whose x axis it is.
        sparsity: of the levels, as `mean_sparsity` gives it.
    """
    levels = np.fmax.reduce(sparsity.values, axis=0)
    known = np.sort(levels[np.isfinite(levels)])
    least = 1 - known[-1]
    axes.set_xlabel(SPARSITY_LABEL, fontsize=TEXT)
    axes.xaxis.set_minor_locator(NullLocator())
    if least == 1:
        axes.set_xlim(1.03, 0.97)
        axes.xaxis.set_major_locator(FixedLocator([1.0]))
    elif least <= 0 or _evenness(known) < _evenness(-np.log(1 - known)):
        axes.set_xlim(1 + 0.03 * (1 - least), least - 0.03 * (1 - least))
        axes.xaxis.set_major_locator(MaxNLocator(5))
    else:
        axes.set_xscale("log")
        edge = max(least**-0.03, 1.01)
        axes.set_xlim(edge, least / edge)
        axes.xaxis.set_major_locator(FixedLocator(log_ticks(least)))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(as_sparsity))


def log_ticks(least: float) -> list[float]:
    """Densities of round sparsities, down to a least one, not too near each other on a log axis."""
    ticks = [1.0]
    for tick in SPARSITY_TICKS:
        near = np.log(ticks[-1] / (1 - tick)) < -np.log(least) / TICKS
        if 1 - tick >= least * 0.999 and not near and tick > 0:
            ticks.append(1 - tick)
    return ticks


def as_sparsity(density: float, _: int | None = None) -> str:
    """The sparsity in %, of a density, as a tick's label."""
    return short(sparsity_in_percent(1 - density))


def _evenness(values: np.ndarray) -> float:
    """How uneven steps are: their deviation over their mean; 0 for one step."""
    steps = np.diff(values)
    return float(steps.std() / steps.mean()) if len(steps) > 1 and steps.mean() > 0 else 0.0
