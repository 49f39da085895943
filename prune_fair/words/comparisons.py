"""Techniques side by side: whether fairness changes their order, and what a difference rests on."""

import math

import numpy as np
import xarray as xr

from prune_fair.words.numbers import NONE, counted, estimate, fixed, percent, written

NAMED = 3  # pairs that a sentence names
TESTED = "p: paired t-test over seeds, adjusted for all pairs by Holm; seeds: for power 0.8."


def ranking_in_words(ranking: xr.Dataset | None) -> str:
    """Whether other techniques win once fairness counts, as a sentence or two.

    A change of order is told as one only where the intervals of the pair's difference exclude 0 in
    both rankings.

    Args:
        ranking: as `analysis.ranking_change` gives it; None where there is nothing to rank.

    Example:
        >>> from prune_fair import analysis, open_example
        >>> ranking_in_words(analysis.ranking_change(open_example()["digits/mlp"])).split(".")[0]
        "Counting fairness leaves the order of the means as it is: Kendall's tau is 1"
    """
    if ranking is None:
        return "No change of ranks: it takes two techniques, and objectives of both kinds."
    if ranking.tau[0].isnull():
        return (
            "No change of ranks: techniques are tied, or one has no finished network, or an "
            "objective is undefined."
        )
    swapped, resolved = (_pairs(ranking, ranking[name]) for name in ("swapped", "resolved"))
    if resolved:
        order = f"changes the order of {'; '.join(resolved)}"
    elif swapped:
        order = "changes no order that is resolved"
    else:
        order = "leaves the order of the means as it is"
    line = f"Counting fairness {order}: Kendall's tau is {tau(ranking)}."
    if open_ones := [pair for pair in swapped if pair not in resolved]:
        line += f" Not resolved, though their means change places: {'; '.join(open_ones[:NAMED])}"
        more = len(open_ones) - NAMED
        line += f"; and {counted(more, 'other pair')}." if more > 0 else "."
    changes = first_place_changes(ranking)
    return f"{line} In {changes} another technique is first." if changes else line


def _pairs(ranking: xr.Dataset, which: xr.DataArray) -> list[str]:
    """The pairs of techniques that are meant, as text."""
    names, meant = ranking["technique"].values.astype(str), which.values
    rows, columns = np.nonzero(np.triu(meant))
    return [f"{names[a]} and {names[b]}" for a, b in zip(rows, columns, strict=True)]


def tau(ranking: xr.Dataset) -> str:
    """How alike the orders without and with fairness are, with the interval."""
    return written(estimate(ranking["tau"]), lambda value: fixed(value, 2)).text


def first_place_changes(ranking: xr.Dataset) -> str:
    """In how many resamples another technique is first; empty where there are none."""
    changes = ranking["first_place_changes"].item()
    return "" if math.isnan(changes) else f"{percent(changes)} of the resamples"


def volume(values: xr.DataArray) -> str:
    """A hypervolume with its interval."""
    return written(estimate(values), fixed).text


def effect_in_words(effect: float | None) -> str:
    """The difference that a number of seeds is for."""
    return "the difference" if effect is None else f"a difference of {abs(effect):g}"


def seeds_needed(number: float) -> str:
    """How many seeds show a difference; a dash where none do."""
    return counted(int(number), "seed") if math.isfinite(number) else NONE


def undefined(found: xr.Dataset) -> list[str]:
    """Which techniques are not compared, since the metric is undefined for some of their networks.

    Args:
        found: as `analysis.compare` gives it.
    """
    return [
        f"{technique}: {found.attrs['metric']} is undefined for {counted(missing, 'network')} at "
        "this sparsity; without them it would look better than it is, so it is not compared."
        for technique, missing in zip(
            found["technique"].values, found["undefined"].values.tolist(), strict=True
        )
        if missing
    ]
