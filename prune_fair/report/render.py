"""The card as HTML and as Markdown, from one set of sentences and numbers. Only here Jinja2."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from prune_fair import analysis
from prune_fair.errors import check, printable
from prune_fair.outputs import check_replaceable, write_file
from prune_fair.report import definitions, sentences, tables
from prune_fair.report.card import Card, make_card
from prune_fair.report.pictures import draw
from prune_fair.words import budgets, choices, comparisons, failures, metrics, numbers

NUMBER = r"[+\N{MINUS SIGN}]?\d+(?:\.\d+)?"
INTERVAL = rf"\[{NUMBER}, {NUMBER}\](?![(\[:])"  # no link, with or without a backslash
MARKDOWN_SPECIAL = re.compile(rf"({INTERVAL})|([\\`*_{{}}\[\]#|~!])")
HTML_SPECIAL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
MOST_CLASSES = 20  # that are shown without unfolding


class Written(NamedTuple):
    """Where a card was written, and its card as plain values.

    Example:
        >>> Written._fields
        ('html', 'markdown', 'card')
    """

    html: Path
    markdown: Path
    card: Card


class Verbatim(str):
    """Text of a code block in Markdown, which is not escaped but fenced."""


def write_card(
    path: str | Path,
    require: Sequence[str] = analysis.DEFAULT_REQUIRE,
    maximise: str = analysis.SPARSITY,
    confidence: float = analysis.CONFIDENCE,
    out: str | Path | None = None,
    certify: bool = False,
) -> Written:
    """Writes a study's pruning card as one HTML file, and its Markdown twin beside it.

    Cards that an earlier call wrote are replaced; other files and cards that somebody changed are
    not.

    Args:
        path: the study's directory.
        require: constraints, such as "recall_group_min>=0.8".
        maximise: the metric to be best in, or `sparsity`.
        confidence: of the intervals, in (0, 1).
        out: the HTML file; None for `report.html` in the study's directory.
        certify: one-sided bounds over seeds and images hold the constraints; else the means.

    Raises:
        InputError: as `make_card` and `card_files`, or where the files cannot be written.

    Example:
        >>> import tempfile
        >>> from prune_fair import open_example
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = open_example().attrs["path"]
        ...     written = write_card(path, out=f"{folder}/card.html")
        ...     sorted(file.name for file in Path(folder).iterdir())
        ['card.html', 'card.md']
    """
    files = card_files(path, out)
    card = make_card(path, require, maximise, confidence, certify)
    for file, text in zip(files, (as_html(card), as_markdown(card)), strict=True):
        write_file(file, text.encode())
    return Written(*files, card)


def card_files(path: str | Path, out: str | Path | None = None) -> tuple[Path, Path]:
    """The HTML file and the Markdown file of a study's card, both free to be written.

    Raises:
        InputError: for a name that does not end in .html, or where one of the two is there and is
            no card, or one that was changed.

    Example:
        >>> [file.name for file in card_files("studies/none")]
        ['report.html', 'report.md']
    """
    html = Path(path, "report.html") if out is None else Path(out)
    html = Path(os.path.expanduser(html))
    check(
        html.suffix in (".html", ".htm"),
        f"out {html}: expected a name that ends in .html; its Markdown twin goes beside it",
    )
    files = html, html.with_suffix(".md")
    for file in files:
        check_replaceable(file)
    return files


def as_html(card: Card) -> str:
    """The card as one HTML page that loads nothing and runs nothing."""
    pictures = {task.name: draw(task) for task in card.tasks}
    template = _environment(autoescape=True, finalize=shown).get_template("card.html")
    return template.render(card=card, pictures=pictures)


def as_markdown(card: Card) -> str:
    """The card as Markdown, without pictures."""
    return _environment(finalize=escape_markdown).get_template("card.md").render(card=card)


def shown(value: Any) -> Any:
    """Text without control characters, for a page that escapes it itself.

    Example:
        >>> shown("cat"), shown(3)
        ('cat', 3)
    """
    return printable(value, "\n") if type(value) is str else value


def escape_markdown(value: Any) -> Any:
    r"""Text as Markdown that shows it as it is, on one line.

    Example:
        >>> print(escape_markdown("<b>|_x_ [0.9, 1.0]"))
        &lt;b&gt;\|\_x\_ [0.9, 1.0]
    """
    if isinstance(value, Verbatim):
        return Verbatim(printable(value, "\n"))
    if not isinstance(value, str):
        return value
    line = printable(" ".join(value.split())).translate(HTML_SPECIAL)
    return MARKDOWN_SPECIAL.sub(lambda found: found[1] or f"\\{found[2]}", line)


def fenced(text: str, language: str = "") -> Verbatim:
    """A code block whose fence is longer than any in the text.

    Example:
        >>> print(fenced("```", "text"))
        ````text
        ```
        ````
    """
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return Verbatim(f"{fence}{language}\n{text}\n{fence}")


def _environment(**options: Any) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("prune_fair.report"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    for module in (metrics, numbers, sentences, tables, definitions):
        public = {name: word for name, word in vars(module).items() if name[0] != "_"}
        environment.globals |= {name: word for name, word in public.items() if callable(word)}
    environment.globals |= {
        "choices": choices,
        "comparisons": comparisons,
        "failures": failures,
        "budgets": budgets,
    }
    environment.globals |= {"fenced": fenced, "verbatim": Verbatim, "MOST_CLASSES": MOST_CLASSES}
    return environment
