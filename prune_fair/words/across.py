"""Techniques over several tasks: who is better, what tells them apart, what scores are."""

from itertools import combinations

import numpy as np
import xarray as xr

from prune_fair import analysis
from prune_fair.fairness import METRICS
from prune_fair.words.metrics import UNITS, heading, number, told, unit
from prune_fair.words.numbers import (
    Estimate,
    counted,
    estimate,
    fixed,
    of_confidence,
    p_value,
    significant,
    written,
)

FEW_TASKS, FEWEST_TASKS = 10, 3
FAILS = "fails", "fail"
IN_POINTS = "recall_change"  # written as any change in points is, with its sign


def title(found: xr.Dataset) -> str:
    """What is compared over how many tasks, and at which sparsity."""
    tasks, asked = counted(found.sizes["task"], "task"), found.attrs["asked"]
    at = "" if asked is None else f" at sparsity {significant(asked)}"
    return f"{found.attrs['metric']} across {tasks}{at}"


def shown_as(found: xr.Dataset) -> str:
    """The metric in whose unit scores are written."""
    name = found.attrs["metric"]
    in_points = name in METRICS and METRICS[name].unit in UNITS
    return IN_POINTS if in_points and found.attrs["normalised"] else name


def score(found: xr.Dataset, value: Estimate) -> str:
    """A score with its interval, without the unit."""
    return written(value, lambda each: number(shown_as(found), each)).text


def score_on_axis(found: xr.Dataset) -> str:
    """What a score is, on an axis."""
    units = unit(shown_as(found))
    since = ", minus dense" if shown_as(found) == IN_POINTS else ""
    return f"{heading(found.attrs['metric'])}{since}{f' ({units})' if units else ''}"


def scale(found: xr.Dataset) -> float:
    """What a score is multiplied by to be in the unit that `score_on_axis` names."""
    return 100.0 if unit(shown_as(found)) else 1.0


def scored(found: xr.Dataset) -> str:
    """What scores are, and whether tasks can be compared by them."""
    name, normalised = found.attrs["metric"], found.attrs["normalised"]
    if name == analysis.VOLUME and normalised:
        return (
            f"Scores are the hypervolume ({', '.join(found.attrs['objectives'])}) of each seed's "
            "operating points, as a share of what the task's mean dense values would have if they "
            "were kept up to sparsity 1."
        )
    if normalised:
        in_points = ", in points" if shown_as(found) == IN_POINTS else ""
        return f"Scores are {name} minus that of the seed's own dense network{in_points}."
    if name in METRICS and METRICS[name].against_dense:
        return f"Scores are {name}, which compares each network with its own dense network."
    return (
        f"Scores are {name} as it is: they say as much of the tasks as of the techniques, so only "
        "ranks, tau and the probability of improvement, which compare within tasks, can be read."
    )


def better(found: xr.Dataset, first: str, second: str) -> str:
    """What the probability of improvement says of a pair: `better`, `worse`, `not resolved`."""
    chance = estimate(found["improvement"].sel(technique=first, other=second))
    if not chance.bounded:
        return "no interval"
    return "better" if chance.low > 0.5 else "worse" if chance.high < 0.5 else "not resolved"


def probability(value: Estimate) -> str:
    """A probability with its interval."""
    return written(value, lambda each: fixed(each, 2)).text


def best(found: xr.Dataset) -> str:
    """Which technique has the best interquartile mean, and which it is told apart from."""
    first, *others = by_score(found)
    value = estimate(found["iqm"].sel(technique=first))
    said = f"{first} has the best interquartile mean: {told(shown_as(found), value)}."
    if not value.bounded:
        return f"{said} A task has fewer than 3 seeds: how far chance moves it is not known."
    gaps = {name: estimate(found["difference"].sel(technique=first, other=name)) for name in others}
    ahead = [name for name, gap in gaps.items() if gap.falls or gap.rises]
    unresolved = [name for name in others if name not in ahead]
    if ahead:
        said += f" The interval of its difference excludes 0 for {', '.join(ahead)}."
    return f"{said} It is not resolved from {', '.join(unresolved)}." if unresolved else said


def by_score(found: xr.Dataset) -> list[str]:
    """The techniques, the one with the best interquartile mean first."""
    means = found["iqm"].sel(estimate="mean").values
    order = np.argsort(-means if found.attrs["higher_is_better"] else means, kind="stable")
    return [str(found["technique"].values[row]) for row in order]


def ranked(found: xr.Dataset) -> str:
    """What the mean ranks over tasks tell apart, and how little few tasks can."""
    tasks, alpha = found.sizes["task"], 1 - found.attrs["confidence"]
    difference = found["critical_difference"].item()
    line = (
        f"Mean ranks over {counted(tasks, 'task')} are told apart from a difference of "
        f"{fixed(difference, 2)} on (Nemenyi, all pairs together at {significant(alpha)}"
    )
    if np.isfinite(found["p"].item()):
        line += f"; Friedman's test that all are equal: p {_equals(found['p'].item())}"
    line += ")."
    if tasks < found["fewest_tasks"].item():
        fewest = found["fewest_tasks"].item()
        return f"{line} So few tasks tell none apart by rank: it takes {fewest} at least."
    pairs = apart_by_rank(found)
    named = "; ".join(f"{one} ranks before {other}" for one, other in pairs)
    line = f"{line} {named or 'No two techniques are told apart by rank'}."
    few = f" Ranks over fewer than {FEW_TASKS} tasks resolve little." if tasks < FEW_TASKS else ""
    return line + few


def ranks_title(found: xr.Dataset) -> str:
    """What a diagram of mean ranks shows, in three short lines."""
    tasks, at = counted(found.sizes["task"], "task"), 1 - found.attrs["confidence"]
    return (
        f"mean ranks over {tasks} (small: single tasks)\n"
        "black bars join techniques that are not\n"
        f"told apart (Nemenyi at {significant(at)})"
    )


def ruler(found: xr.Dataset) -> str:
    """What the critical difference is."""
    return f"critical difference {fixed(found['critical_difference'].item(), 2)}"


def apart_by_rank(found: xr.Dataset) -> list[tuple[str, str]]:
    """The pairs whose mean ranks differ by the critical difference at least, the better first."""
    ranks = found["mean_rank"].sortby(found["mean_rank"])
    names, values = [*map(str, ranks["technique"].values)], ranks.values
    needed = found["critical_difference"].item()
    return [
        (names[i], names[j])
        for i, j in combinations(range(len(names)), 2)
        if values[j] - values[i] >= needed
    ]


def agreement(found: xr.Dataset) -> str:
    """How far tasks agree on the order of techniques, and where they are known not to."""
    upper = np.triu_indices(found.sizes["task"], 1)
    tau = found["tau"].sel(estimate="mean").values[upper]
    known = tau[np.isfinite(tau)]
    pairs = counted(len(tau), "pair") + " of tasks"
    if not known.size:
        return f"Kendall's tau of the orders is undefined for {pairs}: techniques are tied."
    spread = " to ".join(dict.fromkeys(fixed(end, 2) for end in (known.min(), known.max())))
    opposite = int((found["opposite"].values[upper] > 0).sum())
    against = (
        f"In {opposite} of them techniques are told apart in opposite orders."
        if opposite
        else "No two techniques are told apart in opposite orders."
    )
    return f"Kendall's tau between the orders of {pairs} is {spread}. {against}"


def resolved(found: xr.Dataset, task: str) -> str:
    """How many pairs of techniques are told apart within a task."""
    signs = found["better"].sel(task=task).values
    total = len(signs) * (len(signs) - 1) // 2
    return f"{np.count_nonzero(np.triu(signs))} of {total}"


def limits(found: xr.Dataset) -> list[str]:
    """What has to be known of the numbers: failures, what is left out, intervals, tasks alike."""
    failed = int(found["failed"].sum())
    lines = []
    if failed:
        scores = int(found["seeds"].sum()) * found.sizes["technique"]
        lines.append(
            f"{failed} of {counted(scores, 'score')} are of networks that diverged or have no "
            "value, and count as the worst."
        )
    lines += [f"Left out: {name} ({why})." for name, why in found.attrs["left_out"].items()]
    return [*lines, *_intervals(found), *_sources(found)]


def _intervals(found: xr.Dataset) -> list[str]:
    if not interval(found):
        return [f"There are no intervals: {_seeds(found)} of each task, at least 3 are needed."]
    lines = [
        f"[low, high]: {interval(found)} (bootstrap within tasks); those of differences and of "
        "probabilities hold for all pairs together, others for one figure alone. They are for "
        "these tasks and their test images; only the rank test takes tasks as a sample of others."
    ]
    if found.sizes["task"] <= FEWEST_TASKS:
        lines.append(
            f"With {FEWEST_TASKS} tasks or fewer they are a little too narrow: some two of four "
            "equal techniques were told apart in up to 9 % of simulated studies, not 5 %."
        )
    return lines


def interval(found: xr.Dataset) -> str:
    """What intervals are; nothing where there are none."""
    if not np.isfinite(found["iqm"].sel(estimate="low")).any():
        return ""
    confidence = of_confidence(found.attrs["confidence"])
    return f"{confidence} interval over {_seeds(found)} of each task"


def _seeds(found: xr.Dataset) -> str:
    least, most = int(found["seeds"].min()), int(found["seeds"].max())
    return counted(most, "seed") if least == most else f"{least} to {most} seeds"


def _sources(found: xr.Dataset) -> list[str]:
    sources = [name for name in found.attrs["sources"].values() if name]
    distinct = len({*sources})
    if distinct == len(sources):
        return []
    return [
        f"{counted(len(sources), 'task')} come from {counted(distinct, 'data set')}: the rank test "
        "takes tasks as independent, and tells more apart than it should where they are alike."
    ]


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"
