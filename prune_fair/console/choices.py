"""A choice among operating points, as a person reads it."""

from collections.abc import Iterator

import numpy as np
import xarray as xr
from rich.console import Console

from prune_fair import analysis
from prune_fair.console.tables import point_cells, print_rows, with_interval
from prune_fair.store import DENSE

MOST_CLASSES = 20


def print_choice(console: Console, name: str, choice: analysis.Choice) -> None:
    """The chosen point beside accuracy's, the price by class, and both in a sentence."""
    columns = [analysis.SPARSITY, "accuracy"]
    columns += sorted((choice.rule.names() | choice.accuracy_rule.names()) - {*columns})
    named = {"chosen": choice.chosen, "accuracy alone": choice.accuracy_alone, DENSE: 0}
    rows = [
        (label, *point_cells(choice.points.isel(point=[point]), columns)[0])
        for label, point in named.items()
        if point is not None
    ]
    held = "" if choice.confidence is None else f" at the bad end of {choice.confidence:.0%}"
    title = f"{name}: {_objective(choice.rule)} with {_constraints(choice.rule)}{held}"
    print_rows(console, title, ("", "technique", "level", *columns), rows)
    if choice.price is not None and choice.chosen != choice.accuracy_alone:
        _print_price(console, choice.price)
    for line in choice_in_words(choice):
        console.print(line, markup=False, soft_wrap=True)


def _objective(rule: analysis.Rule) -> str:
    if len(rule.worth) == 1:
        return f"best {next(iter(rule.worth))}"
    return "most of " + " + ".join(f"{each:g} {name}" for name, each in rule.worth.items())


def _constraints(rule: analysis.Rule) -> str:
    return " and ".join(str(constraint) for constraint in rule.constraints) or "no constraint"


def _print_price(console: Console, price: xr.Dataset) -> None:
    columns = {
        "chosen": "at the chosen point",
        "accuracy_alone": "where accuracy alone would go",
        "spared": "which this choice spares",
    }
    order = np.argsort(-price.spared.sel(estimate="mean").values)[:MOST_CLASSES]
    rows = [
        (str(price["true"].values[c]), *(_points(price[name].isel(true=c)) for name in columns))
        for c in order
    ]
    title = "change of recall against the dense network, in points"
    if price.sizes["true"] > MOST_CLASSES:
        title += f" (the {MOST_CLASSES} of {price.sizes['true']} classes it matters to most)"
    print_rows(console, title, ("class", *columns.values()), rows)


def _points(values: xr.DataArray) -> str:
    return with_interval(values, 100.0, "+.1f")


def choice_in_words(choice: analysis.Choice) -> Iterator[str]:
    """What was chosen and what accuracy alone would have cost whom, or what excludes all points."""
    if choice.chosen is None:
        yield from _why_nothing(choice)
        return
    yield f"Prune with {_place(choice, choice.chosen)}."
    if choice.accuracy_alone is None:
        yield f"By accuracy alone ({_constraints(choice.accuracy_rule)}) nothing qualifies."
        return
    rule = _constraints(choice.accuracy_rule)
    other = f"By accuracy alone ({_objective(choice.accuracy_rule)} with {rule})"
    if choice.accuracy_alone == choice.chosen or choice.price is None:
        yield f"{other} one would choose the same."
        return
    yield f"{other} one would choose {_place(choice, choice.accuracy_alone)}{_payers(choice.price)}"


def _place(choice: analysis.Choice, point: int) -> str:
    at = choice.points.isel(point=point)
    sparsity = at[analysis.SPARSITY].sel(estimate="mean").item()
    if at["level"].item() == 0:
        return "the dense network, sparsity 0"
    return f"{at['technique'].item()} to level {at['level'].item()}, sparsity {sparsity:.3f}"


def _payers(price: xr.Dataset) -> str:
    """The classes that would lose by accuracy's choice, where the interval says so; worst first."""
    mean, low = (price.spared.sel(estimate=name) for name in ("mean", "low"))
    sure = low.fillna(mean).values > 0
    order = [c for c in np.argsort(-mean.values) if sure[c]]
    if not order:
        return "; of no class is it sure that it would lose by that."
    lost = [
        f"class {price['true'].values[c]} {with_interval(price.spared.isel(true=c), 100.0, '.1f')}"
        for c in order[:3]
    ]
    rest = f" and {len(order) - 3} classes more" if len(order) > 3 else ""
    return f", and would take so many points of recall more from: {', '.join(lost)}{rest}."


def _why_nothing(choice: analysis.Choice) -> Iterator[str]:
    yield "No operating point qualifies."
    for nearest in choice.nearest:
        place = _place(choice, nearest.point)
        if nearest.held:
            yield f"{nearest.constraint} alone is held, by {place}."
        elif np.isinf(nearest.slack):
            yield f"{nearest.constraint} cannot be judged: the metric is undefined at every point."
        else:
            which = "of the points that hold all else, " if nearest.binds else ""
            yield (
                f"{nearest.constraint} binds: {which}the nearest is {place}, which misses it by "
                f"{-nearest.slack:.4f}."
            )
