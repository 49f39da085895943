"""Techniques side by side: hypervolumes and ranks, paired differences; as tables and for JSON."""

from typing import Any

import xarray as xr
from rich.console import Console

from prune_fair import analysis
from prune_fair.console.documents import keyed, point_rows
from prune_fair.console.tables import print_lines, print_rows
from prune_fair.words import budgets, comparisons
from prune_fair.words.metrics import reference
from prune_fair.words.numbers import estimate, fraction, p_value, plain, typed


def print_hypervolumes(
    console: Console,
    title: str,
    volumes: xr.Dataset,
    ranking: xr.Dataset | None,
    results: analysis.Results,
) -> None:
    """Each technique's hypervolume and ranks, the reference point, whether the order changes.

    And whether the techniques of the results train for unequally many steps.
    """
    headings = ["technique", "hypervolume", "minus the best"]
    if ranking is not None:
        headings += ["rank by performance", "rank with fairness"]
    rows = []
    for technique in volumes.sortby("rank")["technique"].values:
        row = volumes.sel(technique=technique)
        best = volumes.attrs["best"]
        cells = [str(technique), fraction(estimate(row.hypervolume))]
        if technique == best or not best:
            cells.append("best" if best else "undefined")
        else:
            cells.append(fraction(estimate(row.difference.sel({"other": best})), sign="+"))
        if ranking is not None:
            ranks = ranking["rank"].sel(technique=technique).values
            cells += [plain(rank, 0) for rank in ranks]
        rows.append(cells)
    print_rows(console, f"{title}: hypervolume by technique", headings, rows)
    above = f"Hypervolume above {reference(volumes.attrs['reference'])}."
    print_lines(console, [above, comparisons.ranking_in_words(ranking)])
    if line := budgets.unequal(results):
        print_lines(console, [line])


def print_comparison(console: Console, title: str, found: xr.Dataset, effect: float | None) -> None:
    """Pairs of techniques: difference with its interval, p, and the seeds it takes to see it."""
    metric, sparsity = found.attrs["metric"], found.attrs[analysis.SPARSITY]
    seen = comparisons.effect_in_words(effect)
    header = ["first", "second", "first - second", "p (Holm)", "seeds", f"to see {seen}"]
    taken = {str(row.technique.item()): budgets.steps(row.item()) for row in found["steps"]}
    known = bool(found["steps"].notnull().any())
    rows = []
    for index in range(found.sizes["pair"]):
        pair = found.isel(pair=index)
        names = [str(pair[end].item()) for end in ("first", "second")]
        cells = [
            *names,
            fraction(estimate(pair.difference), 4, "+"),
            p_value(pair.p_holm.item()),
            plain(pair.seeds.item(), 0),
            comparisons.seeds_needed(pair.seeds_needed.item()),
        ]
        rows.append([*cells, *[" and ".join(taken[name] for name in names)] * known])
    title = f"{title}: {metric} at sparsity {typed(sparsity, 4)}"
    print_rows(console, title, [*header, *["steps"] * known], rows)
    lines = [budgets.STEPS] if known else []
    lines += [*budgets.unequal_pairs(found), *comparisons.undefined(found)]
    print_lines(console, [comparisons.TESTED, *lines])


def hypervolume_document(volumes: xr.Dataset, ranking: xr.Dataset | None) -> dict[str, Any]:
    """Hypervolumes, their differences, the reference point and the ranking, as JSON types."""
    document = {**volumes.attrs, **_columns(volumes)}
    return {**document, "ranking": None if ranking is None else _columns(ranking)}


def comparison_document(found: xr.Dataset) -> dict[str, Any]:
    """Values by technique, and pairs, as JSON types."""
    pairs = point_rows(found.drop_dims("technique").rename(pair="point"))
    by_technique = {name: keyed(found[name]) for name in ("value", "undefined", "steps")}
    return {**found.attrs, **by_technique, "pairs": pairs}


def _columns(table: xr.Dataset) -> dict[str, Any]:
    return {str(name): keyed(values) for name, values in table.data_vars.items()}
