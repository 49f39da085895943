"""What was decided among a task's operating points, as plain values."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from prune_fair import analysis
from prune_fair.fairness import EVERY_CLASS
from prune_fair.report.estimate import Estimate, estimates
from prune_fair.store import DENSE

SHOWN = (analysis.SPARSITY, "accuracy", "recall_group_min", EVERY_CLASS)
TOLD = (*SHOWN, "accuracy_change")


class Point(NamedTuple):
    """An operating point: a technique at a level, or the dense network.

    Attributes:
        technique: its name, `dense` for the dense network.
        level: of the schedule; 0 is dense.
        values: sparsity and metrics by name.
        undefined: by metric, for how many networks it is undefined.
        diverged: how many of its networks diverged.
        qualifies: whether it holds every constraint.
    """

    technique: str
    level: int
    values: Mapping[str, Estimate]
    undefined: Mapping[str, int]
    diverged: int
    qualifies: bool

    @property
    def sparsity(self) -> Estimate:
        """Measured, over seeds."""
        return self.values[analysis.SPARSITY]

    @property
    def pruned(self) -> bool:
        """Whether it is not the dense network."""
        return self.technique != DENSE


class Decision(NamedTuple):
    """The choice, what it was made from, and the point whose classes the card shows.

    Attributes:
        rule: what was asked.
        accuracy_rule: what is left of it without fairness.
        confidence: that constraints were held with; None for the mean.
        intervals: confidence of the intervals shown.
        points: all operating points, the dense network first.
        chosen: that was chosen; None where nothing qualifies.
        accuracy_alone: what `accuracy_rule` chooses; None for nothing.
        nearest: of each constraint, where nothing qualifies.
        shown: the pruned point whose classes are shown; None where none is finished.
        shown_as: why that: "chosen", "accuracy_alone", "nearest" or "last".
    """

    rule: analysis.Rule
    accuracy_rule: analysis.Rule
    confidence: float | None
    intervals: float
    points: tuple[Point, ...]
    chosen: Point | None
    accuracy_alone: Point | None
    nearest: tuple[analysis.Nearest, ...]
    shown: Point | None
    shown_as: str

    @property
    def dense(self) -> Point:
        """The dense network."""
        return self.points[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """What tables of points show: always the same few, and what was asked."""
        return (*SHOWN, *sorted(self.rule.names() - {*SHOWN}))

    def levels(self, technique: str) -> tuple[Point, ...]:
        """The dense network and the finished levels of a technique."""
        own = (point for point in self.points if point.technique in (DENSE, technique))
        return tuple(point for point in own if point.sparsity.known)

    def best_by_technique(self) -> dict[str, Point | None]:
        """Of each technique the sparsest pruned level that qualifies; None for none."""
        pruned = [point for point in self.points if point.pruned]
        best: dict[str, Point | None] = {point.technique: None for point in pruned}
        for point in pruned:
            before = best[point.technique]
            if point.qualifies and (before is None or point.sparsity.mean > before.sparsity.mean):
                best[point.technique] = point
        return best


def decide(
    results: xr.Dataset, require: Sequence[str], maximise: str, confidence: float | None
) -> tuple[Decision, analysis.Choice]:
    """The decision for stated values, and the choice that it tells of.

    Raises:
        InputError: as `analysis.select`.
    """
    choice = analysis.select(results, require, maximise, confidence=confidence)
    names = {*TOLD, *choice.rule.names(), *choice.accuracy_rule.names()}
    intervals = confidence or analysis.CONFIDENCE
    table = analysis.operating_points(results, sorted(names), intervals, by_class=False)
    points = _points(table, sorted(names), choice.points["qualifies"].values)
    chosen, accurate = (
        None if place is None else points[place] for place in (choice.chosen, choice.accuracy_alone)
    )
    nearest = [points[each.point] for each in choice.nearest]
    shown, shown_as = _shown(points, chosen, accurate, nearest)
    return Decision(
        choice.rule,
        choice.accuracy_rule,
        confidence,
        intervals,
        points,
        chosen,
        accurate,
        choice.nearest,
        shown,
        shown_as,
    ), choice


def _points(table: xr.Dataset, names: Sequence[str], qualifies: np.ndarray) -> tuple[Point, ...]:
    columns = {name: estimates(table[name], "point") for name in names}
    undefined = table["undefined"].transpose("point", "metric")
    metrics = [str(name) for name in undefined["metric"].values]
    columns_of_points = (table[name].values for name in ("technique", "level", "diverged"))
    rows = zip(*columns_of_points, undefined.values, strict=True)
    return tuple(
        Point(
            str(technique),
            int(level),
            {name: column[place] for name, column in columns.items()},
            dict(zip(metrics, map(int, missing), strict=True)),
            int(diverged),
            bool(qualifies[place]),
        )
        for place, (technique, level, diverged, missing) in enumerate(rows)
    )


def _shown(
    points: Sequence[Point],
    chosen: Point | None,
    accuracy_alone: Point | None,
    nearest: Sequence[Point],
) -> tuple[Point | None, str]:
    """The first of these that is pruned: chosen, by accuracy alone, the nearest, the sparsest."""
    finished = [point for point in points if point.pruned and point.sparsity.known]
    last = max(finished, key=lambda point: point.sparsity.mean, default=None)
    for point, why in (
        (chosen, "chosen"),
        (accuracy_alone, "accuracy_alone"),
        *((each, "nearest") for each in nearest),
        (last, "last"),
    ):
        if point is not None and point.pruned and point.sparsity.known:
            return point, why
    return None, ""
