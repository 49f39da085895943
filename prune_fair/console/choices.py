"""A choice among operating points, as a person reads it."""

import numpy as np
import xarray as xr
from rich.console import Console

from prune_fair import analysis
from prune_fair.console.tables import point_cells, print_lines, print_rows
from prune_fair.store import DENSE
from prune_fair.words import choices
from prune_fair.words.numbers import change, estimate

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
    title = f"{name}: {choices.rule_as_typed(choice)}"
    print_rows(console, title, ("", "technique", "level", *columns), rows)
    if choice.price is not None and choice.chosen != choice.accuracy_alone:
        _print_price(console, choice.price)
    missed = [choices.nearest(choice, near) for near in choice.nearest]
    print_lines(console, [choices.headline(choice), *missed, choices.accuracy_alone(choice)])


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
