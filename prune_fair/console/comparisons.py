"""Techniques side by side: hypervolumes and ranks, paired differences; as tables and for JSON."""

import math
from typing import Any

import xarray as xr
from rich.console import Console

from prune_fair import analysis
from prune_fair.console.documents import keyed, point_rows
from prune_fair.console.tables import p_value, print_rows, with_interval


def print_hypervolumes(
    console: Console, title: str, volumes: xr.Dataset, ranking: xr.Dataset | None
) -> None:
    """Each technique's hypervolume and ranks, the reference point, whether the order changes."""
    headings = ["technique", "hypervolume", "minus the best"]
    if ranking is not None:
        headings += ["rank by performance", "rank with fairness"]
    rows = []
    for technique in volumes.sortby("rank")["technique"].values:
        row = volumes.sel(technique=technique)
        best = volumes.attrs["best"]
        cells = [str(technique), with_interval(row.hypervolume, 1.0, ".4f")]
        if technique == best or not best:
            cells.append("best" if best else "undefined")
        else:
            cells.append(with_interval(row.difference.sel({"other": best}), 1.0, "+.4f"))
        if ranking is not None:
            ranks = ranking["rank"].sel(technique=technique).values
            cells += ["-" if math.isnan(rank) else f"{rank:.0f}" for rank in ranks]
        rows.append(cells)
    print_rows(console, f"{title}: hypervolume by technique", headings, rows)
    point = ", ".join(f"{name}={value:.3g}" for name, value in volumes.attrs["reference"].items())
    console.print(f"Hypervolume above {point}.", markup=False, soft_wrap=True)
    console.print(ranking_in_words(ranking), markup=False, soft_wrap=True)


def ranking_in_words(ranking: xr.Dataset | None) -> str:
    """Whether other techniques win once fairness counts, as a sentence."""
    if ranking is None:
        return "No change of ranks: it takes two techniques, and objectives of both kinds."
    if ranking.tau[0].isnull():
        return (
            "No change of ranks: techniques are tied, or one has no finished network, or an "
            "objective is undefined."
        )
    tau = f"Kendall's tau {with_interval(ranking.tau, 1.0, '.2f')}"
    moved = [str(name) for name in ranking["technique"].values[ranking.rank_change.values != 0]]
    order = f"changes the order of {', '.join(moved)}" if moved else "leaves the order as it is"
    sentence = f"Counting fairness {order} ({tau})"
    changes = ranking.first_place_changes.item()
    if math.isnan(changes):
        return f"{sentence}."
    return f"{sentence}; another technique is first in {changes:.0%} of the resamples."


def print_comparison(console: Console, title: str, found: xr.Dataset, effect: float | None) -> None:
    """Pairs of techniques: difference with its interval, p, and the seeds it takes to see it."""
    metric, sparsity = found.attrs["metric"], found.attrs[analysis.SPARSITY]
    seen = "the difference" if effect is None else f"a difference of {abs(effect):g}"
    header = "first", "second", "first - second", "p (Holm)", "seeds", f"to see {seen}"
    rows = []
    for index in range(found.sizes["pair"]):
        pair = found.isel(pair=index)
        needed = pair.seeds_needed.item()
        rows.append(
            (
                str(pair["first"].item()),
                str(pair["second"].item()),
                with_interval(pair.difference, 1.0, "+.4f"),
                p_value(pair.p_holm.item()),
                f"{pair.seeds.item():.0f}",
                f"{needed:.0f} seeds" if math.isfinite(needed) else "-",
            )
        )
    print_rows(console, f"{title}: {metric} at sparsity {sparsity:.4f}", header, rows)
    line = "p: paired t-test over seeds, adjusted for all pairs by Holm; seeds: for power 0.8."
    console.print(line, markup=False, soft_wrap=True)


def hypervolume_document(volumes: xr.Dataset, ranking: xr.Dataset | None) -> dict[str, Any]:
    """Hypervolumes, their differences, the reference point and the ranking, as JSON types."""
    document = {**volumes.attrs, **_columns(volumes)}
    return {**document, "ranking": None if ranking is None else _columns(ranking)}


def comparison_document(found: xr.Dataset) -> dict[str, Any]:
    """Values by technique, and pairs, as JSON types."""
    pairs = point_rows(found.drop_dims("technique").rename(pair="point"))
    return {**found.attrs, "value": keyed(found.value), "pairs": pairs}


def _columns(table: xr.Dataset) -> dict[str, Any]:
    return {str(name): keyed(values) for name, values in table.data_vars.items()}
