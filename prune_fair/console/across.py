"""Techniques over several tasks, as tables and as JSON types."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import xarray as xr
from rich.console import Console

from prune_fair import analysis
from prune_fair.console.documents import keyed
from prune_fair.console.tables import print_lines, print_rows
from prune_fair.words import across, failures
from prune_fair.words.numbers import counted, estimate, plain, typed


def print_across(
    console: Console, found: xr.Dataset, tasks: Mapping[str, analysis.Results]
) -> None:
    """Techniques, pairs of them, tasks and pairs of tasks; then what of it is resolved.

    Args:
        console: to print on.
        found: as `analysis.across` gives it.
        tasks: the results that it is of, by name: what they lack is said of each.
    """
    _print_techniques(console, found)
    _print_pairs(console, found)
    _print_tasks(console, found)
    _print_agreement(console, found)
    print_lines(console, [across.scored(found), across.best(found), across.ranked(found)])
    print_lines(console, [across.agreement(found), *across.limits(found)])
    states = {name: failures.state(node, across.FAILS) for name, node in tasks.items()}
    print_lines(console, [f"{name}: {' '.join(lines)}" for name, lines in states.items() if lines])


def across_document(found: xr.Dataset) -> dict[str, Any]:
    """All that `analysis.across` gives, as JSON types; profiles are lists, as their thresholds."""
    columns = {str(name): keyed(values) for name, values in found.drop_dims("threshold").items()}
    profile = found["profile"].transpose("technique", "estimate", "threshold")
    by_technique = {
        str(name): {
            str(part): profile.sel(technique=name, estimate=part).values.tolist()
            for part in profile["estimate"].values
        }
        for name in profile["technique"].values
    }
    profiles = {"threshold": found["threshold"].values.tolist(), "share": by_technique}
    return {**found.attrs, **columns, "profile": profiles}


def _print_techniques(console: Console, found: xr.Dataset) -> None:
    first, *_ = names = across.by_score(found)
    header = "technique", "interquartile mean", "minus the best", "mean rank", "rank by task"
    rows = []
    for name in names:
        row = found.sel(technique=name)
        gap = across.score(found, estimate(row.difference.sel(other=first)))
        ranks = ", ".join(f"{rank:g}" for rank in row["rank"].values)
        value = across.score(found, estimate(row.iqm))
        rows.append(
            (name, value, "best" if name == first else gap, plain(row.mean_rank.item(), 2), ranks)
        )
    print_rows(console, across.title(found), header, rows)


def _print_pairs(console: Console, found: xr.Dataset) -> None:
    header = "first", "second", "P(first is better)", "first is"
    rows = [
        (
            one,
            other,
            across.probability(estimate(found["improvement"].sel(technique=one, other=other))),
            across.better(found, one, other),
        )
        for one, other in combinations(across.by_score(found), 2)
    ]
    print_rows(console, "how probably a network is better, in the same task", header, rows)


def _print_tasks(console: Console, found: xr.Dataset) -> None:
    header = "task", "seeds", "sparsity of the levels", "best", "pairs told apart"
    rows = []
    for name in map(str, found["task"].values):
        row = found.sel(task=name)
        ends = dict.fromkeys(typed(end.item()) for end in (row.sparsity.min(), row.sparsity.max()))
        at = "all levels" if row.sparsity.isnull().all() else " to ".join(ends)
        first = row["technique"].values[int(row["rank"].values.argmin())]
        rows.append((name, str(row.seeds.item()), at, str(first), across.resolved(found, name)))
    print_rows(console, "tasks, in the order in which ranks by task are given", header, rows)


def _print_agreement(console: Console, found: xr.Dataset) -> None:
    header = "task", "other task", "Kendall's tau", "pairs told apart in both"
    rows = []
    for one, other in combinations(map(str, found["task"].values), 2):
        both = found.sel(task=one, other_task=other)
        pairs = f"{counted(int(both.alike), 'pair')} alike, {int(both.opposite)} opposite"
        rows.append((one, other, across.probability(estimate(both.tau)), pairs))
    print_rows(console, "do tasks order the techniques alike?", header, rows)
