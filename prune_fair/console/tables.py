"""Tables, sentences and caveats, as people read them on a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import xarray as xr
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prune_fair import analysis
from prune_fair.errors import printable
from prune_fair.fairness import Over
from prune_fair.words import budgets, caveats, failures
from prune_fair.words.classes import (
    ACCURACY_ALONE,
    PRICE,
    accuracy_alone_rows,
    price_cells,
    price_in_words,
)
from prune_fair.words.numbers import estimates, fraction, plain

WIDTH_OF_A_FILE = 160
HEADINGS = {"probability": "P(on frontier),\nof these images"}
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
        header = [name.replace("\n", " ") for name in header]
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


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Sentences, a line each, none of which is read as markup."""
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def print_points(console: Console, title: str, points: xr.Dataset, columns: Sequence[str]) -> None:
    """Operating points as rows: technique, level, and each column with its interval."""
    headings = (HEADINGS.get(name, name) for name in columns)
    print_rows(console, title, ("technique", "level", *headings), point_cells(points, columns))


def point_cells(points: xr.Dataset, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Technique, level and each column of operating points, a row each.

    Where networks failed, the level says how many; where a metric is undefined for some networks,
    its cell does.
    """
    numbers = (points[name].values.tolist() for name in ("level", "diverged", "collapsed"))
    cells = [list(map(str, points["technique"].values)), [*map(failures.level, *numbers)]]
    for name in columns:
        single = "estimate" not in points[name].dims
        cells.append([plain(p, 2) for p in points[name].values] if single else _cells(points, name))
    return list(zip(*cells, strict=True))


def _cells(points: xr.Dataset, name: str) -> list[str]:
    undefined = points["undefined"].sel(metric=name).values.tolist()
    return [
        failures.with_undefined(fraction(value), missing)
        for value, missing in zip(estimates(points[name], "point"), undefined, strict=True)
    ]


def print_price(console: Console, name: str, results: analysis.Results) -> None:
    """What a choice by accuracy alone costs, and whom, and what the choices were made on."""
    if analysis.controls(results).all():
        return print_lines(console, [f"{name}: {budgets.ONLY_CONTROLS}"])
    price = analysis.price_of_accuracy(results)
    rows = [
        (str(technique), *price_cells(price.sel(technique=technique)))
        for technique in price["technique"].values
    ]
    title = f"{name}: what accuracy alone would choose, and who pays for it"
    print_rows(console, title, PRICE, rows)
    on = analysis.judged_on(results)
    said = price_in_words(price, on.split), budgets.unequal(results), caveats.chosen_on(on)
    return print_lines(console, filter(None, said))


def print_calibration(console: Console, known: analysis.Uncertainty) -> None:
    """What P(on frontier) is of, and how far it is right."""
    print_lines(console, filter(None, [caveats.on_frontier(known)]))


def print_accuracy_alone(console: Console, name: str, table: xr.Dataset) -> None:
    """What accuracy alone would choose, at several tolerances, and which class pays most there."""
    title = f"{name}: by accuracy alone, of all techniques"
    print_rows(console, title, ACCURACY_ALONE, accuracy_alone_rows(table))


def print_split(console: Console, results: xr.DataTree) -> None:
    """Which images numbers are of, where they are not the test images."""
    print_lines(console, filter(None, [caveats.of_split(analysis.split_of(results))]))


def print_caveats(
    console: Console,
    results: xr.DataTree,
    confidence: float,
    columns: Sequence[str] = (),
    by_class: bool = False,
    over: Over | None = None,
) -> None:
    """What a reader has to know of the numbers above: intervals, unfinished and diverged ones.

    Args:
        console: where it is printed.
        results: of the study.
        confidence: of the intervals.
        columns: metrics of which there are intervals above.
        by_class: whether there are intervals of classes too.
        over: what intervals were asked over; None for the widest that each can have.
    """
    print_split(console, results)
    for node in results.leaves:
        known = caveats.by_interval(node, columns, over, by_class)
        line = caveats.brackets(confidence, known or [(analysis.uncertainty(node, over), [])])
        print_lines(console, [" ".join([f"{node.path.strip('/')}:", line, *failures.state(node)])])
