"""Labels that stand beside what they name and keep out of each other's way.

They are put into place when they are drawn, since only then the layout is known.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox, IdentityTransform
from scipy.optimize import isotonic_regression

from prune_fair.plots.style import SMALL

GAP = 1.12  # lines of text this many heights apart do not touch
RADII = (10.0, 16.0, 24.0, 34.0, 46.0)  # points from what is named
ANGLES = np.deg2rad([90, 270, 45, 135, 315, 225, 0, 180, 20, 160, 340, 200, 70, 110, 250, 290])

RING = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
CROWDED = 1e6  # what it costs to cover another label

Renderer: TypeAlias = Any  # that of SVG and PDF is no RendererBase


class Named(NamedTuple):
    """A label: what it says, where that is in the units of the axes, its colour."""

    text: str
    x: float
    y: float
    colour: str = "black"


class Label(Annotation):
    """A label whose group is arranged before the first of it is drawn."""

    arrange: Callable[[Renderer], None] | None = None

    def draw(self, renderer: Renderer) -> None:
        """Draws it, and arranges its group first where it is the first."""
        if self.arrange is not None:
            self.arrange(renderer)
        super().draw(renderer)

    def text_box(self, renderer: Renderer | None = None) -> Bbox:
        """The box of the text alone, without its leader, in pixels."""
        self.set_visible(True)
        if renderer is not None:
            self.update_positions(renderer)
        return Text.get_window_extent(self, renderer)


def beside(
    axes: Axes, named: Sequence[Named], side: str = "right", mark: float = 0.0
) -> list[Label]:
    """Labels right or left of the points they name, of that radius, moved up and down apart."""
    across = (5.0 + mark) * (1 if side == "right" else -1)
    style: dict[str, Any] = {"ha": "left" if across > 0 else "right", "va": "center"}
    named = sorted(named, key=lambda each: each.y)
    labels = [_add(axes, each, (across, 0.0), mark=mark, **style) for each in named]
    if labels:
        labels[0].arrange = lambda renderer: _spread(axes, labels, across, renderer)
    return labels


def around(axes: Axes, named: Sequence[Named], mark: float = 2.0) -> list[Label]:
    """Labels near the points they name, where least is in the way; the first named comes first.

    One that finds no free place is left out.

    Args:
        axes: to draw into.
        named: the labels.
        mark: the radius of what they name, in points.
    """
    style: dict[str, Any] = {"ha": "center", "va": "center"}
    labels = [_add(axes, each, (0.0, RADII[0]), mark=mark, **style) for each in named]
    for label in labels:
        label.set_in_layout(False)
    if labels:
        labels[0].arrange = lambda renderer: _scatter(axes, labels, renderer)
    return labels


def _add(
    axes: Axes, named: Named, offset: tuple[float, float], *, mark: float = 2.0, **style: Any
) -> Label:
    leader = {
        "arrowstyle": "-",
        "linewidth": 0.5,
        "color": named.colour,
        "shrinkA": 0,
        "shrinkB": mark,
    }
    label = Label(
        named.text,
        (named.x, named.y),
        offset,
        textcoords="offset points",
        annotation_clip=False,
        arrowprops=leader,
        color=named.colour,
        fontsize=SMALL,
        zorder=5,
        **style,
    )
    label.set_transform(IdentityTransform())
    axes.add_artist(label)
    label.set_clip_on(False)
    return label


def _at(axes: Axes, label: Annotation) -> Float[np.ndarray, "2"]:
    """Where what is named is, in pixels."""
    return np.asarray(axes.transData.transform(label.xy))


def spread(
    targets: Float[np.ndarray, " n"], gap: float, low: float, high: float
) -> Float[np.ndarray, " n"]:
    """Positions as near as can be to ascending targets, a gap apart, between two ends.

    Where there is no room for all they go on beyond the upper end.

    Example:
        >>> spread(np.array([1.0, 1.0, 5.0]), 2.0, 0.0, 9.0).tolist()
        [0.0, 2.0, 5.0]
    """
    steps = gap * np.arange(len(targets))
    moved = np.asarray(isotonic_regression(targets - steps).x)
    return np.clip(moved, low, max(low, high - steps[-1])) + steps


def _spread(axes: Axes, labels: list[Label], across: float, renderer: Renderer) -> None:
    targets = np.array([_at(axes, label)[1] for label in labels])
    order = np.argsort(targets, kind="stable")
    height = max(label.text_box(renderer).height for label in labels)
    ends = axes.bbox.y0 + height / 2, axes.bbox.y1 - height / 2
    places = spread(targets[order].astype(float), GAP * height, *ends)
    for row, place in zip(order, places, strict=True):
        labels[row].xyann = (across, (place - targets[row]) / renderer.points_to_pixels(1))


def _scatter(axes: Axes, labels: list[Label], renderer: Renderer) -> None:
    others = [text for text in axes.texts if not isinstance(text, Label)]
    placed = [text.get_window_extent(renderer) for text in others if text.get_text()]
    point = 1.0 * renderer.points_to_pixels(1)  # SVG gives an integer
    busy, inside = _busy(axes, point), axes.bbox.frozen()
    for label in labels:
        size = np.asarray(label.text_box(renderer).size)
        offsets = [offset * point for offset in _offsets(size / point)]
        boxes = [_box(_at(axes, label) + offset, size) for offset in offsets]
        costs = [_cost(inside, box, placed, busy) for box in boxes]
        best = int(np.argmin(costs))  # of equal ones the nearest
        label.set_visible(costs[best] < CROWDED or not placed)
        if label.get_visible():
            x, y = (offsets[best] / point).tolist()
            label.xyann = (x, y)
            if label.arrow_patch is not None:  # none is needed where the label is near
                label.arrow_patch.set_visible(best >= len(ANGLES))
            placed.append(boxes[best])


def _offsets(size: np.ndarray) -> list[np.ndarray]:
    """Where the middle of a text of that size may go, from what it names, in points."""
    return [
        np.array([np.cos(angle), np.sin(angle)]) * (radius + size / 2)
        for radius in RADII
        for angle in ANGLES
    ]


def _box(middle: np.ndarray, size: np.ndarray) -> Bbox:
    return Bbox([middle - size / 2, middle + size / 2])


def _cost(axes: Bbox, box: Bbox, placed: Sequence[Bbox], busy: np.ndarray) -> float:
    """How bad a place is: on another label, outside of the axes, on what is drawn."""
    outside = box.x0 < axes.x0 or box.x1 > axes.x1 or box.y0 < axes.y0 or box.y1 > axes.y1
    covered = ((busy > box.min) & (busy < box.max)).all(axis=1).sum()
    return CROWDED * (box.count_overlaps(placed) > 0) + 1000.0 * outside + float(covered)


def _busy(axes: Axes, point: float) -> Float[np.ndarray, "points 2"]:
    """Points along all that is drawn, in pixels, of which one point of a page has so many."""
    found = [np.empty((0, 2))]
    for line in axes.lines:
        path = line.get_transform().transform(np.column_stack(line.get_data(orig=False)))
        found.append(_along(path[:-1], path[1:]))
    for marks in axes.collections:
        if isinstance(marks, PathCollection):
            middles = marks.get_offset_transform().transform(np.asarray(marks.get_offsets()))
            radii = point * np.sqrt(marks.get_sizes())[:, None, None] / 2
            found.append((middles[:, None] + radii * RING).reshape(-1, 2))
        elif isinstance(marks, LineCollection):
            drawn = [each for each in marks.get_segments() if len(each) == 2]  # NaN is left out
            ends = np.array(drawn).reshape(-1, 2)
            bars = marks.get_transform().transform(ends)
            found.append(_along(bars[::2], bars[1::2]))
    points = np.concatenate(found)
    return points[np.isfinite(points).all(axis=1)]


def _along(
    start: Float[np.ndarray, "n 2"], end: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "points 2"]:
    """Points from the one end to the other."""
    between = np.linspace(0, 1, 12)[:, None, None]
    return (start * (1 - between) + end * between).reshape(-1, 2)
