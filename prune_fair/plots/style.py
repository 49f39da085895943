"""What all pictures share: their size and colours, the axis of sparsity, text from data."""

import io
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import Patch

from prune_fair import analysis
from prune_fair.errors import check, unknown
from prune_fair.outputs import write_file
from prune_fair.words.caveats import interval

# Okabe & Ito 2008, safe for colour-blind eyes; black and yellow left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES = ("-", "--", ":", "-.")
GREY = "#9A9A9A"
DARK_GREY = "#5A5A5A"
WIDTH = 5.2  # inches: between one column of a paper and a page
TEXT, SMALL = 8, 7  # points
DPI = 160
ENDINGS = ("eps", "jpeg", "jpg", "pdf", "png", "ps", "svg")  # that keep a line at the end
SCREEN_DPI = 96


class Picture(Figure):
    """A figure that a notebook shows, with no window and no global state."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=DPI)
        return file.getvalue()


def canvas(axes: Axes | None, height: float) -> Axes:
    """The Axes to draw into: those given, or those of a new picture of that height in inches."""
    if axes is None:
        axes = Picture(figsize=(WIDTH, height), layout="constrained").subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#E5E5E5", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=TEXT)
    return axes


def save(picture: Axes | Figure, path: str | Path) -> Path:
    """Writes a plot or a figure in the format that the path's ending names; makes its folder.

    A picture that an earlier call wrote is replaced, any other file is not.

    Args:
        picture: the Axes that a plot gave, whose whole figure is written, or a figure.
        path: such as "figures/frontier.png", or .pdf, or .svg.

    Returns:
        The path.

    Raises:
        InputError: for an ending that is no format of pictures, or a file that is there and was not
            written by this function.

    Example:
        >>> import tempfile
        >>> from prune_fair import open_example, plots
        >>> axes = plots.ranking(open_example()["digits/mlp"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(axes, f"{folder}/ranking.png").name
        'ranking.png'
    """
    path = Path(os.path.expanduser(path))
    figure = figure_of(picture) if isinstance(picture, Axes) else picture
    ending = path.suffix.lower().removeprefix(".")
    check(ending in ENDINGS, f"{path}: expected a path that ends in one of {', '.join(ENDINGS)}")
    file = io.BytesIO()
    figure.savefig(file, format=ending, dpi=DPI)
    write_file(path, file.getvalue())
    return path


def encode(picture: Axes | Figure, form: str = "svg") -> bytes:
    """A plot or a figure as the content of a file, the same for the same picture.

    Args:
        picture: the Axes that a plot gave, whose whole figure is encoded, or a figure.
        form: `svg`, with text as outlines, or `png`, at twice the resolution of a screen.

    Example:
        >>> from prune_fair import open_example, plots
        >>> encode(plots.layer_sparsities(open_example()["digits/mlp"]), "png")[1:4]
        b'PNG'
    """
    figure = figure_of(picture) if isinstance(picture, Axes) else picture
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "prune_fair", "svg.fonttype": "path"}):
        dated = {"Date": None} if form == "svg" else {}
        figure.savefig(file, format=form, dpi=2 * SCREEN_DPI, metadata=dated)
    return file.getvalue()


def figure_of(axes: Axes) -> Figure:
    """The whole figure that Axes belong to."""
    return cast(Figure, axes.get_figure(root=True))


def width_of(axes: Axes) -> float:
    """About how wide the Axes are, in points."""
    usual = 0.775  # of a figure's width, before a layout that makes more of it
    return 72 * 0.87 * figure_of(axes).get_figwidth() * axes.get_position().width / usual


def plain(text: object, longest: int = 28) -> str:
    r"""Text from data as it is to be read: no mathematics, one line, not too long.

    Example:
        >>> print(plain("5 $"))
        5 \$
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    short = line if len(line) <= longest else line[: longest - 1] + "…"
    return short.replace("$", r"\$")


def darker(colour: str) -> str:
    """The colour for text: on white, light ones cannot be read."""
    red, green, blue = to_rgb(colour)
    return to_hex((0.72 * red, 0.72 * green, 0.72 * blue))


def one_technique(results: analysis.Results, technique: str | None) -> tuple[str, xr.Dataset]:
    """A technique's name and its results, with an axis of one technique; None for the first."""
    results = analysis.as_dataset(results)
    names = [str(name) for name in results["technique"].values]
    if technique is not None and technique not in names:
        raise unknown("technique", technique, names)
    row = 0 if technique is None else names.index(technique)
    return names[row], results.isel(technique=[row])


def at_level(results: xr.Dataset, level: int | None) -> int:
    """The level that is asked for, of results of one technique.

    None is the sparsest at which mean accuracy is within 1 point of the dense networks': what a
    look at accuracy alone would accept. Where that is none, level 1; of a control the last one.
    """
    last = check_pruned(results)
    if level is None and analysis.controls(results).all():
        return last
    if level is None:
        return max(1, int(analysis.price_of_accuracy(results)["accuracy_level"].values[0]))
    check(0 <= level <= last, f"level {level}: expected 0 to {last}")
    return level


def check_pruned(results: xr.Dataset) -> int:
    """The last level; raises `InputError` where that is the dense one."""
    last = results.sizes["level"] - 1
    check(last > 0, "only the dense level: expected results with a pruned one")
    return last


def band(
    axes: Axes, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, alpha: float
) -> None:
    """An interval along a line; nothing where there is none."""
    if (np.isfinite(low) & np.isfinite(high)).any():
        axes.fill_between(x, low, high, color=colour, alpha=alpha, linewidth=0)


def interval_words(results: xr.Dataset, table: xr.DataArray, confidence: float) -> str:
    """What an interval is, such as "95 % interval over 32 seeds"; nothing where there is none."""
    if not table.sel(estimate="low").notnull().any():
        return ""
    over = table.attrs.get("over") or None
    return interval(confidence, analysis.uncertainty(results, over))


def band_key(words: str) -> list[Artist]:
    """The explanation of a band, for a legend; none without words."""
    return [Patch(facecolor=GREY, alpha=0.35, label=f"band: {words}")] if words else []


def explain(axes: Axes, handles: Sequence[Artist], title: str | None = None) -> Legend:
    """A legend above the Axes."""
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.3}
    look = _legend_look(handles, width_of(axes))
    return axes.legend(handles=handles, title=title, title_fontsize=TEXT, **look, **place)


def explain_all(figure: Figure, more: Sequence[Artist] = ()) -> Legend:
    """One legend above all panels, in place of theirs: what that of the first says, and more."""
    legends = [axes.get_legend() for axes in figure.axes]
    own = [legend for legend in legends if legend is not None]
    handles = [*own[0].legend_handles, *more]
    for legend in own:
        legend.remove()
    look = _legend_look(handles, 72 * figure.get_figwidth())
    return figure.legend(handles=handles, loc="outside upper left", **look)


def _legend_look(handles: Sequence[Artist], room: float) -> dict[str, Any]:
    """Two columns where they find room, in points."""
    half = -(-len(handles) // 2)
    columns = handles[:half], handles[half:]
    longest = [max([len(str(each.get_label())) for each in c], default=0) for c in columns]
    needed = sum(32 + 0.54 * SMALL * letters for letters in longest)
    look = {"ncols": 2 if needed <= room else 1, "frameon": False, "alignment": "left"}
    return {**look, "fontsize": SMALL}


def technique_styles(techniques: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour and dashes of each technique's line; after six the colours come again, dashed."""
    pairs = itertools.product(DASHES, COLOURS)
    chosen = zip(techniques, itertools.cycle(pairs), strict=False)
    return {name: {"color": colour, "linestyle": dash} for name, (dash, colour) in chosen}
