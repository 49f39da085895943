"""A choice among operating points, as a person reads it."""

import numpy as np
import xarray as xr
from rich.console import Console

from prune_fair import analysis
from prune_fair.console.tables import point_cells, print_lines, print_rows
from prune_fair.store import DENSE
from prune_fair.words import choices
from prune_fair.words.budgets import floors_of_rule
from prune_fair.words.caveats import chosen_on
from prune_fair.words.certificates import certificate, cross_fitted
from prune_fair.words.groups import HEADINGS, group_payers, group_rows
from prune_fair.words.numbers import change, estimate

MOST_CLASSES = 20


def print_choice(
    console: Console, name: str, choice: analysis.Choice, cross_fit: analysis.CrossFit | None = None
) -> None:
    """The chosen point beside accuracy's, the price by class, and both in a sentence."""
    columns = [analysis.SPARSITY, *choice.shown]
    named = [
        ("chosen", choice.points, choice.chosen),
        ("accuracy alone", choice.points, choice.accuracy_alone),
        (DENSE, choice.points, 0),
    ]
    split = choice.judged_on.split
    if not choice.judged_on.is_reported:
        named.insert(0, (f"on {split}", choice.judged, choice.chosen))
    named += [
        (f"nearest, on {split}", choice.judged, point)
        for point in dict.fromkeys(near.point for near in choice.nearest)
    ]
    rows = [
        (label, *point_cells(points.isel(point=[point]), columns)[0])
        for label, points, point in named
        if point is not None
    ]
    title = f"{name}: {choices.rule_as_typed(choice)}"
    print_rows(console, title, ("", "technique", "level", *columns), rows)
    if choice.price is not None and choice.chosen != choice.accuracy_alone:
        _print_price(console, choice.price)
    missed = [choices.nearest(choice, near) for near in choice.nearest]
    lines = [choices.headline(choice), *missed, choices.accuracy_alone(choice)]
    if choice.chosen and not choice.judged_on.is_reported:  # 0 is dense, which holds what it is
        lines[1:1] = choices.holds(choice)
    else:
        lines[1:1] = certificate(choice)
    lines += [*floors_of_rule(choice), chosen_on(choice.judged_on)]
    if cross_fit is not None:
        lines.append(cross_fitted(cross_fit, choice.rule))
    print_lines(console, lines)


def print_groups(console: Console, choice: analysis.Choice, groups: xr.Dataset) -> None:
    """Each group of images at the chosen point, or at that of accuracy alone, and who pays."""
    point = choice.chosen or choice.accuracy_alone
    if not point:  # nothing, or the dense network
        return
    where = choice.points.isel(point=point)
    at = str(where["technique"].item()), int(where["level"].item())
    title = f"groups of images at {choices.place(choice, point)}"
    print_rows(console, title, HEADINGS, group_rows(groups, *at))
    print_lines(console, [group_payers(groups, *at)])


def print_decision(console: Console, choice: analysis.Choice) -> None:
    """The decision in a sentence, and what accuracy alone would have chosen."""
    print_lines(console, [choices.headline(choice), choices.accuracy_alone(choice)])


def _print_price(console: Console, price: xr.Dataset) -> None:
    columns = {
        "chosen": "at the chosen point",
        "accuracy_alone": "by accuracy alone",
        "spared": "which the choice spares",
    }
    order = np.argsort(-price.spared.sel(estimate="mean").values)[:MOST_CLASSES]
    rows = [
        (
            str(price["true"].values[c]),
            *(change(estimate(price[name].isel(true=c))) for name in columns),
        )
        for c in order
    ]
    title = "change of recall since dense, in points"
    if price.sizes["true"] > MOST_CLASSES:
        title += f" (the {MOST_CLASSES} of {price.sizes['true']} classes it matters to most)"
    print_rows(console, title, ("class", *columns.values()), rows)
