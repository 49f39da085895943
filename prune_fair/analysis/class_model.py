"""The columns of the regression over classes: which covariates the classes can tell apart."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from prune_fair.analysis.covariates import Cells, Gathered
from prune_fair.analysis.rarity import ROTATED

COVARIATES = {  # name: least difference between classes that can carry an effect, and its meaning
    "share": (0.1, "a doubling of the class's share of the training images"),
    "complexity": (1e-9, "one standard deviation more complexity among the classes"),
    "dense_recall": (0.5, "one point more recall of the dense networks"),
}
MOVED = ("share", "dense_recall")  # what differs between a class's tasks where rarity is rotated
SAME = 1e-6  # share of a covariate's variance below which the others already have it
ENTANGLED = 0.1


class Model(NamedTuple):
    """Columns of the regression: fixed effects of tasks, covariates, and slopes by class."""

    tasks: Float[np.ndarray, "rows tasks"]
    covariates: dict[str, Float[np.ndarray, " rows"]]
    slopes: dict[str, Float[np.ndarray, " rows"]]

    @property
    def fixed(self) -> Float[np.ndarray, "rows columns"]:
        """The matrix of fixed effects, covariates last."""
        return np.column_stack([self.tasks, *self.covariates.values()])


def telling(cells: Cells, covariates: Sequence[str]) -> tuple[list[str], list[str]]:
    """The covariates whose effects these classes can tell apart, and notes on the others."""
    tasks = indicators(cells.task)
    kept, notes = [], []
    for name in covariates:
        least, _ = COVARIATES[name]
        values = getattr(cells, name)
        spread = max(np.ptp(values[column > 0]) for column in tasks.T)
        if spread < least:
            notes.append(f"{name}: hardly differs between classes; left out")
            continue
        before = np.column_stack([tasks, *(getattr(cells, other) for other in kept)])
        if _unexplained(before, values) < SAME * _unexplained(tasks, values):
            told = " and ".join(kept) or "the task"
            count = len(cells.change)
            notes.append(f"{name}: {count} classes cannot tell it from {told}; left out")
            continue
        kept.append(name)
    for name in kept:
        values = getattr(cells, name)
        others = [tasks, *(getattr(cells, other) for other in kept if other != name)]
        own = _unexplained(np.column_stack(others), values) / _unexplained(tasks, values)
        if own < ENTANGLED:
            notes.append(
                f"{name}: the other covariates have {1 - own:.0%} of its variance between classes; "
                "their effects are hard to tell apart"
            )
    return kept, notes


def make_model(gathered: Gathered, covariates: Sequence[str]) -> tuple[Model, list[str]]:
    """The columns that these classes can tell apart, and notes on the others.

    Where rarity was rotated, covariates that this varies within a class have slopes by class.
    """
    cells = gathered.cells
    kept, notes = telling(cells, covariates)
    moved = [name for name in kept if name in MOVED and gathered.rarity.kind == ROTATED]
    columns = {name: getattr(cells, name) for name in kept}
    within = {
        name: columns[name] - _class_means(columns[name], cells)[cells.unit] for name in moved
    }
    return Model(indicators(cells.task), columns, within), notes


def _class_means(values: Float[np.ndarray, " rows"], cells: Cells) -> Float[np.ndarray, " units"]:
    return np.bincount(cells.unit, values) / np.bincount(cells.unit)


def indicators(positions: np.ndarray) -> Float[np.ndarray, "rows values"]:
    """A column for each value, 1 where a row has it."""
    return (positions[:, None] == np.unique(positions)).astype(float)


def _unexplained(columns: Float[np.ndarray, "n columns"], values: Float[np.ndarray, " n"]) -> float:
    """Sum of squares of what the columns leave of the values."""
    return float(((values - columns @ np.linalg.lstsq(columns, values)[0]) ** 2).sum())
