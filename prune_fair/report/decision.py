"""What was decided among a task's operating points, as plain values."""

from collections.abc import Mapping
from typing import NamedTuple

import xarray as xr

from prune_fair import analysis
from prune_fair.report.answers import SHOWN, Answers
from prune_fair.store import DENSE
from prune_fair.words.numbers import Estimate, estimates

POINT = ("technique", "level", "diverged", "collapsed", "qualifies", "control", "steps")


class Point(NamedTuple):
    """An operating point: a technique at a level, or the dense network.

    Attributes:
        technique: its name, `dense` for the dense network.
        level: of the schedule; 0 is dense.
        values: sparsity and metrics by name.
        undefined: by metric, for how many networks it is undefined.
        diverged: how many of its networks diverged.
        collapsed: how many others lost a layer.
        qualifies: whether it holds every constraint.
        control: whether it is a control's, which prunes nothing.
        steps: of training, with those of the networks that it comes from; NaN where not known.
    """

    technique: str
    level: int
    values: Mapping[str, Estimate]
    undefined: Mapping[str, int]
    diverged: int
    collapsed: int
    qualifies: bool
    control: bool
    steps: float

    @property
    def sparsity(self) -> Estimate:
        """Measured, over seeds."""
        return self.values[analysis.SPARSITY]

    @property
    def pruned(self) -> bool:
        """Whether it is neither the dense network nor a control's."""
        return self.technique != DENSE and not self.control


class Decision(NamedTuple):
    """The choice, what it was made from, and the point whose classes the card shows.

    Attributes:
        columns: what tables of points show: always the same few, and what was asked.
        points: all operating points, the dense network first.
        chosen: that was chosen; None where nothing qualifies.
        accuracy_alone: what accuracy alone would choose; None for nothing.
        nearest: of each constraint, where nothing qualifies.
        shown: the pruned point whose classes are shown; None where none is finished.
    """

    columns: tuple[str, ...]
    points: tuple[Point, ...]
    chosen: Point | None
    accuracy_alone: Point | None
    nearest: tuple[analysis.Nearest, ...]
    shown: Point | None

    @property
    def dense(self) -> Point:
        """The dense network."""
        return self.points[0]

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


def decision(answers: Answers) -> Decision:
    """The decision that answers hold."""
    choice = answers.choice
    points = _points(choice.points)
    chosen, accuracy_alone, shown = (
        None if place is None else points[place]
        for place in (choice.chosen, choice.accuracy_alone, answers.shown)
    )
    columns = (*SHOWN, *sorted(choice.rule.names() - {*SHOWN}))
    return Decision(columns, points, chosen, accuracy_alone, choice.nearest, shown)


def _points(table: xr.Dataset) -> tuple[Point, ...]:
    undefined = table["undefined"].transpose("point", "metric")
    metrics = [str(name) for name in undefined["metric"].values]
    values = {name: estimates(table[name], "point") for name in metrics}
    columns = {name: table[name].values.tolist() for name in POINT}
    return tuple(
        Point(
            str(columns["technique"][place]),
            columns["level"][place],
            {name: column[place] for name, column in values.items()},
            dict(zip(metrics, map(int, missing), strict=True)),
            *(columns[name][place] for name in POINT[2:]),
        )
        for place, missing in enumerate(undefined.values)
    )
