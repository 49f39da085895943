"""Tables, sentences and caveats, as people read them on a terminal."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prune_fair import analysis
from prune_fair.errors import printable
from prune_fair.fairness import FEWEST_SEEDS

WIDTH_OF_A_FILE = 160
ROUNDING = 1e-9
LEAST_P = 0.001
HEADINGS = {"probability": "P(on frontier)"}
MOST_ROWS = 100  # that are drawn with lines, which takes seconds for a thousand


class Screen(Console):
    """A console on which control characters in texts are shown and do nothing."""

    def print(self, *texts: Any, **options: Any) -> None:
        """As `Console.print`; tables are printed with `print_rows`."""
        safe = (printable(text, "\n") if isinstance(text, str) else text for text in texts)
        super().print(*safe, **options)


def make_console(stderr: bool = False) -> Console:
    """A console as wide as its terminal, or wide enough for every table where it is a file."""
    console = Screen(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_A_FILE
    return console


def print_listing(console: Console, listing: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
    """Kinds of things, each with its rows, a line on each, and its source in grey."""
    for kind, part in listing.items():
        console.print(kind, style="bold")
        for name, row in part.items():
            console.print(f"  {name:<20}  {row['summary']}", markup=False, soft_wrap=True)
            if row["source"]:
                line = f"{'':<24}{row['source']}"
                console.print(line, style="dim", markup=False, soft_wrap=True)


def print_rows(
    console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """A table of texts, none of which is read as markup; a long one without lines."""
    title, rows = printable(title), [[printable(cell) for cell in row] for row in rows]
    if len(rows) > MOST_ROWS:
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        lines = [
            "  ".join(map(str.ljust, row, widths)).rstrip() for row in [(title,), header, *rows]
        ]
        return console.out("\n".join(lines), highlight=False)
    console.print(title, style="italic", markup=False, soft_wrap=True)
    table = Table()
    for column in header:
        table.add_column(escape(column), no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, row))
    return console.print(table)


def print_points(console: Console, title: str, points: xr.Dataset, columns: Sequence[str]) -> None:
    """Operating points as rows: technique, level, and each column with its interval."""
    headings = (HEADINGS.get(name, name) for name in columns)
    print_rows(console, title, ("technique", "level", *headings), point_cells(points, columns))


def point_cells(points: xr.Dataset, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Technique, level and each column of operating points, a row each.

    A sparsity that all seeds share has no interval to show. Where networks diverged, the level says
    how many; where a metric is undefined for some networks, its cell does.
    """
    levels = [*map(level_cell, points["level"].values.tolist(), points["diverged"].values.tolist())]
    cells = [list(map(str, points["technique"].values)), levels]
    for name in columns:
        plain = "estimate" not in points[name].dims
        cells.append([f"{p:.2f}" for p in points[name].values] if plain else _cells(points, name))
    return list(zip(*cells, strict=True))


def level_cell(level: int, diverged: int) -> str:
    """A level, and how many of its networks diverged where some did.

    Example:
        >>> level_cell(3, 0), level_cell(4, 2)
        ('3', '4 (2 diverged)')
    """
    return f"{level} ({diverged} diverged)" if diverged else str(level)


def _cells(points: xr.Dataset, name: str) -> list[str]:
    values = points[name].transpose("point", "estimate").values
    undefined = points["undefined"].sel(metric=name).values
    exact = (name == analysis.SPARSITY) & (np.ptp(values, axis=1) < ROUNDING)
    return [
        (f"{row[0]:.3f}" if alone else _interval(row, ".3f"))
        + (f" ({missing} undefined)" if missing and not math.isnan(row[0]) else "")
        for row, alone, missing in zip(values, exact, undefined, strict=True)
    ]


def print_price(console: Console, name: str, price: xr.Dataset) -> None:
    """In plain words: what a choice by accuracy alone costs, and whom."""
    header = (
        "technique",
        "accuracy alone prunes to sparsity\n(mean accuracy within 1 point of dense)",
        "which costs the worst-off class\n(change of its recall, in points)",
        "every class is kept up to sparsity\n(recall within 5 points of dense)",
    )
    rows = []
    for technique in price["technique"].values:
        row = price.sel(technique=technique)
        cost = f"class {row.worst_class.item()}: {with_interval(row.cost, 100.0, '+.1f')}"
        chosen = with_interval(row.accuracy_sparsity, 1.0, ".3f")
        rows.append((str(technique), chosen, cost, with_interval(row.fair_sparsity, 1.0, ".3f")))
    print_rows(
        console, f"{name}: what accuracy alone would choose, and who pays for it", header, rows
    )
    console.print(in_words(price), markup=False, soft_wrap=True)


def in_words(price: xr.Dataset) -> str:
    """The sparsest of all techniques' choices by accuracy alone, as a sentence."""
    row = price.isel(technique=int(price.accuracy_sparsity.sel(estimate="mean").values.argmax()))
    chosen, fair, cost = (
        row[column].sel(estimate="mean").item()
        for column in ("accuracy_sparsity", "fair_sparsity", "cost")
    )
    technique = row["technique"].item()
    choice = f"By accuracy alone one would prune with {technique} to sparsity {chosen:.3f}"
    if cost >= 0:
        return f"{choice}, where no class has lost recall."
    payer = f"class {row.worst_class.item()}"
    until = f"only up to {fair:.3f}" if fair < chosen else "there too"
    kept = "every class is within 5 points of its dense recall"
    return (
        f"{choice}, and {payer} would pay with {-100 * cost:.1f} points of its recall: "
        f"{kept} {until}."
    )


def with_interval(values: xr.DataArray, scale: float, form: str) -> str:
    """A mean with the bounds of its interval, where there is one."""
    return _interval(scale * values.sel(estimate=list(analysis.ESTIMATES)).values, form)


def _interval(values: Sequence[float] | np.ndarray, form: str) -> str:
    mean, low, high = values
    if math.isnan(mean):
        return "undefined"
    return f"{mean:{form}}" + ("" if math.isnan(low) else f" [{low:{form}}, {high:{form}}]")


def p_value(p: float) -> str:
    """A p, as small as it is worth reading; a dash where there is none."""
    if math.isnan(p):
        return "-"
    return f"{p:.3f}" if p >= LEAST_P else f"< {LEAST_P}"


def print_caveats(console: Console, results: xr.DataTree, confidence: float) -> None:
    """What a reader has to know of the numbers above: intervals, unfinished and diverged ones."""
    for node in results.leaves:
        found = analysis.uncertainty(node)
        if found.counted:
            line = f"[low, high]: {confidence:.0%} percentile bootstrap over {found.counted}"
            line += " of one network" if found.over == "images" else ""
        else:
            line = f"no intervals: {found.units} seed(s), at least {FEWEST_SEEDS} are needed"
        line += state_in_words(node, "are counted as failures of every class")
        console.print(f"{node.path.strip('/')}: {line}", markup=False, soft_wrap=True)


def state_in_words(node: xr.DataTree, diverged: str) -> str:
    """What is unfinished, how many networks diverged and are treated so, classes without images."""
    words, finished = "", node.finished.mean().item()
    if finished < 1:
        words = f"; still running: {finished:.0%} of its networks are finished"
    lost = analysis.count_networks(analysis.diverged(node))
    if lost:
        words += f"; {lost} networks diverged and {diverged}"
    if empty := analysis.classes_without_images(node):
        words += f"; no test images of class {', '.join(empty)}: nothing is known of its recall"
    return words
