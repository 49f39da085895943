"""How often networks are right against how sure they are: dense, pruned, and the worst class."""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from prune_fair import analysis, fairness
from prune_fair.analysis.calibration import RELIABILITY, sums_of, with_calibration
from prune_fair.plots import densities, style
from prune_fair.store import DENSE
from prune_fair.words.numbers import percent

FEWEST = 30  # images and networks together in a bin, below which chance alone moves it far
PERCENT = 100.0
LOOKS: dict[str, dict[str, Any]] = {
    "dense": {"color": style.DARK_GREY, "marker": "o", "linestyle": "--"},
    "pruned": {"color": style.COLOURS[0], "marker": "o", "linestyle": "-"},
    "class dense": {"color": style.COLOURS[1], "marker": "s", "linestyle": "--", "alpha": 0.55},
    "class pruned": {"color": style.COLOURS[1], "marker": "s", "linestyle": "-"},
}


class Curve(NamedTuple):
    """Mean probability of each bin, the share that came true, and its interval; in percent."""

    promised: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def reliability(
    results: analysis.Results,
    technique: str | None = None,
    level: int | None = None,
    *,
    confidence: float = analysis.CONFIDENCE,
    table: xr.Dataset | None = None,
    axes: Axes | None = None,
) -> Axes:
    """A reliability diagram: share of right images against confidence, dense beside pruned.

    Networks' images are counted together, by 15 bins of their top probability; below the diagonal
    networks are surer than they are right. The worst class is the one whose confidence minus
    accuracy pruning raises most; its lines are of its own probability over all images, against how
    many are of it. Bins of fewer than 30 images are left out.

    Args:
        results: one task's results, of a study with calibration.
        technique: None for the first.
        level: None for the sparsest at which accuracy alone would still accept the networks.
        confidence: of the intervals, over seeds, in (0, 1).
        table: as `analysis.calibration` gives it; None to compute it.
        axes: to draw into; None for a new picture.

    Returns:
        The Axes.

    Raises:
        InputError: for results without calibration or of which no network is finished, an unknown
            technique or level, or a confidence outside (0, 1).

    Source: DeGroot & Fienberg 1983; Guo et al. 2017, figure 1; of a class Kull et al. 2019.

    Example:
        >>> from prune_fair import InputError, open_example
        >>> try:
        ...     reliability(open_example()["digits/mlp"])
        ... except InputError as error:
        ...     print(str(error).partition(",")[0])
        this study has no calibration
    """
    name, own = style.one_technique(results, technique)
    sparsity = densities.mean_sparsity(own)
    at = style.at_level(own, level)
    own = with_calibration(own)
    whole, by_class = own[RELIABILITY].sum("true", skipna=False), own[f"class_{RELIABILITY}"]
    table = analysis.calibration(own) if table is None else table
    worst = _worst(table.sel(technique=name).sel(level=at))
    drawn = {
        "dense": (whole, 0, DENSE),
        "pruned": (whole, at, f"level {at}, {_share(sparsity, at)}"),
    }
    if worst is not None:
        of_worst, said = by_class.isel(predicted=worst), style.plain(own["true"].values[worst])
        drawn["class dense"] = of_worst, 0, f"worst class, {said}: dense"
        drawn["class pruned"] = of_worst, at, f"worst class, {said}: pruned"
    axes = style.canvas(axes, height=3.9)
    axes.plot([0, PERCENT], [0, PERCENT], color=style.GREY, linewidth=0.8, linestyle=":")
    keys, bounded = [], False
    for look, (values, place, label) in drawn.items():
        curve = _curve(values.isel(technique=0, level=place), confidence)
        if look in ("dense", "pruned"):
            style.band(axes, *curve[:1], curve.low, curve.high, LOOKS[look]["color"], 0.15)
            bounded |= bool(np.isfinite(curve.low).any())
        axes.plot(*curve[:2], **LOOKS[look], linewidth=1.4, markersize=3)
        keys.append(Line2D([], [], **LOOKS[look], linewidth=1.4, markersize=3, label=label))
    axes.set_xlabel("mean probability in the bin (%)", fontsize=style.TEXT)
    axes.set_ylabel("came true (% of the images)", fontsize=style.TEXT)
    axes.set_xlim(-2, 102)
    axes.set_ylim(-2, 102)
    axes.grid(axis="x", color="#E5E5E5", linewidth=0.6)
    keys.append(Line2D([], [], color=style.GREY, linewidth=0.8, linestyle=":", label="calibrated"))
    seeds = own.sizes["seed"]
    words = f"{percent(confidence)} interval over {seeds} seeds" if bounded else ""
    style.explain(axes, keys + style.band_key(words), title=name)
    return axes


def _worst(row: xr.Dataset) -> int | None:
    """The class whose confidence minus accuracy pruning raises most; None where none is known."""
    means = row["class_gap_change"].sel(estimate="mean").values
    return int(np.nanargmax(means)) if np.isfinite(means).any() else None


def _curve(values: xr.DataArray, confidence: float) -> Curve:
    """Of all finished networks together, with an interval from resampled seeds."""
    own = sums_of(values.transpose("seed", ...))
    known = np.isfinite(own.images).all(axis=1)
    sums = fairness.Reliability(*(each[known] for each in own))
    images = sums.images.sum(axis=0)
    shown = images >= FEWEST
    weights = fairness.bootstrap_weights(max(1, int(known.sum())))[:, : known.sum()]
    hits, drawn = weights @ sums.hits[:, shown], weights @ sums.images[:, shown]
    shares = np.divide(hits, drawn, out=np.full_like(hits, np.nan), where=drawn > 0)
    interval = fairness.percentile_interval(shares, int(known.sum()), confidence)
    promised = sums.probability.sum(axis=0)[shown] / images[shown]
    return Curve(PERCENT * promised, *(PERCENT * each for each in interval))


def _share(sparsity: xr.DataArray, level: int) -> str:
    return f"{percent(float(sparsity.values[0, level]), 1)} sparse"
