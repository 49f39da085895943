"""How long techniques train, and what retraining does by itself."""

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from prune_fair import analysis
from prune_fair.analysis import Choice, Constraint
from prune_fair.analysis.controls import BUDGET_TOLERANCE
from prune_fair.fairness import EVERY_CLASS, METRICS
from prune_fair.words.metrics import bound, described, told
from prune_fair.words.numbers import NONE, estimate

PERCENT = f"{100 * BUDGET_TOLERANCE:g}"
NAMED = 3  # pairs of techniques that a sentence names

STEPS = (
    "steps: of training to that sparsity, with those of the dense network and all levels before."
)

ONLY_CONTROLS = "No technique prunes: there is nothing to choose, only what retraining does."


def steps(number: float) -> str:
    """A number of training steps; a dash where it is not known.

    Example:
        >>> steps(5200.0), steps(math.nan)
        ('5,200', '–')
    """
    return NONE if math.isnan(number) else f"{number:,.0f}"


def unequal(results: analysis.Results) -> str:
    """That techniques are trained for different numbers of steps; nothing where they are not.

    Example:
        >>> from prune_fair import open_example
        >>> unequal(open_example()["digits/mlp"])
        ''
    """
    prunes = ~analysis.controls(results).values
    whole = analysis.training_steps(results).isel(level=-1, technique=prunes)
    if whole.size < 2 or whole.isnull().any():
        return ""
    ends = np.argmin(whole.values), np.argmax(whole.values)
    least, most = (whole.isel(technique=int(end)) for end in ends)
    if not analysis.budgets_differ(least.values, most.values):
        return ""
    told_of = (f"{each.technique.item()} takes {steps(each.item())}" for each in (least, most))
    return (
        f"Techniques are not trained equally long: of training steps to the last level, "
        f"{' and '.join(told_of)} in all."
    )


def unequal_pairs(found: xr.Dataset) -> list[str]:
    """Which pairs of a comparison differ in training steps, or were left out for that.

    Args:
        found: as `analysis.compare` gives it.
    """
    if left_out := found.attrs["left_out"]:
        return [_left_out(left_out, found["steps"])]
    by_name = dict(zip(found["technique"].values, found["steps"].values, strict=True))
    one, other = (np.array([by_name[n] for n in found[end].values]) for end in ("first", "second"))
    number = int(analysis.budgets_differ(one, other).sum())
    if not number:
        return []
    return [
        f"In {number} of {found.sizes['pair']} pairs the training steps differ by more than "
        f"{PERCENT} %: what differs there may be the training; --equal-budget leaves them out."
    ]


def _left_out(pairs: Sequence[Sequence[str]], taken: xr.DataArray) -> str:
    def told_of(name: str) -> str:
        return f"{name} ({steps(taken.sel(technique=name).item())})"

    named = "; ".join(" and ".join(map(told_of, pair)) for pair in pairs[:NAMED])
    more = f"; and {len(pairs) - NAMED} pairs more" if len(pairs) > NAMED else ""
    return (
        f"Not compared, since their training steps differ by more than {PERCENT} %: {named}{more}."
    )


def floors_of_rule(choice: Choice) -> list[str]:
    """What retraining does by itself to each change that the chosen point had to hold."""
    point = choice.chosen
    if not point:  # nothing, or the dense network, which is not retrained
        return []
    changes = [name for name, metric in METRICS.items() if metric.against_dense]
    stated = [each for each in choice.rule.constraints if each.name in changes]
    if not stated:
        return []
    floor = analysis.floor_of(choice.points, point)
    if floor is None:
        return [line] if (line := uncontrolled(choice, point)) else []
    return [_floor_of(choice, floor, each) for each in stated]


def _floor_of(choice: Choice, floor: int, stated: Constraint) -> str:
    value = estimate(choice.points[stated.name].isel(point=floor))
    line = f"Retraining alone ({_place(choice, floor)}): {described(stated.name)} is"
    best = value.high if stated.bad_end() == "low" else value.low
    held = bool(analysis.holds(stated.slack(best if value.bounded else value.mean)))
    breaks = "" if held else f"; that alone breaks the bound of {bound(stated.name, stated.bound)}"
    return f"{line} {told(stated.name, value)}{breaks}."


def _place(choice: Choice, floor: int) -> str:
    technique, level = (choice.points[key].values[floor] for key in ("technique", "level"))
    return f"{technique}, level {level}, nothing pruned"


def uncontrolled(choice: Choice, point: int) -> str:
    """That a point is retrained and has no control; nothing where that is not so, or not known."""
    taken = choice.points["steps"].values
    if choice.points["floor"].values[point] or not taken[point] > taken[0]:
        return ""
    return (
        f"No control is retrained as {choice.points['technique'].values[point]} is: what "
        "retraining changes by itself is not known. A study that is run with controls knows."
    )


def noise_floors(choice: Choice, level: int) -> list[str]:
    """What each control of a study loses at a level: the smallest of the classes' mean changes.

    Args:
        choice: whose points have `EVERY_CLASS`.
        level: of the schedule, at least 1.
    """
    points = choice.points
    here = points["control"].values & (points["level"].values == level)
    return [_of_control(points, int(point)) for point in np.flatnonzero(here)]


def _of_control(points: xr.Dataset, point: int) -> str:
    name = str(points["technique"].values[point])
    own = (points["floor"].values == name) & ~points["control"].values
    whose = list(dict.fromkeys(map(str, points["technique"].values[own])))
    alike = f", retrained as {', '.join(whose)}" if whose else ""
    value = told(EVERY_CLASS, estimate(points[EVERY_CLASS].isel(point=point)))
    taken = points["steps"].values[point]
    after = "" if math.isnan(taken) else f" after {steps(taken)} steps"
    return f"{name}{alike}: {described(EVERY_CLASS)} is {value}{after}."
