"""What of a regression over classes holds if classes are shuffled, or one is left out."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from prune_fair.analysis.class_model import Model, indicators, telling
from prune_fair.analysis.covariates import Cells, Gathered
from prune_fair.analysis.mixed import Mixed, generalised
from prune_fair.fairness import MOST_PERMUTATIONS, Permuted, permute_units

RANGE = "least", "least_without", "most", "most_without", "needs"


def permuted(
    gathered: Gathered, model: Model, name: str, most: int = MOST_PERMUTATIONS
) -> Permuted:
    """The test of a covariate, beside tasks and the other covariates.

    Where rarity's rotation varies it within classes, beside classes too: each is compared with
    itself in other tasks.
    """
    cells = gathered.cells
    others = [model.tasks, *(v for other, v in model.covariates.items() if other != name)]
    if name in model.slopes:
        others.append(indicators(cells.unit))

    def by_task(values: Float[np.ndarray, "rows *any"]) -> Float[np.ndarray, "tasks units *any"]:
        table = np.full((len(gathered.tasks), len(gathered.units), *values.shape[1:]), np.nan)
        table[cells.task, cells.unit] = values
        return table

    return permute_units(
        by_task(cells.change),
        by_task(model.covariates[name]),
        by_task(np.column_stack(others)),
        np.unique(gathered.datasets, return_inverse=True)[1],
        most,
    )


def leave_one_out(
    gathered: Gathered, model: Model, fitted: Mixed
) -> Float[np.ndarray, "units covariates"]:
    """Estimates without each class, components as they are; NaN where what is left cannot tell."""
    cells, names = gathered.cells, [*model.covariates]
    found = np.full((len(gathered.units), len(names)), np.nan)
    variances = {name: value**2 for name, value in fitted.components.items()}
    for unit in range(len(gathered.units)):
        rows = cells.unit != unit
        some = Cells(*(column[rows] for column in cells))
        kept, _ = telling(some, names) if rows.any() else ([], [])
        if kept:
            fixed = [indicators(some.task), *(model.covariates[name][rows] for name in kept)]
            slopes = {name: column[rows] for name, column in model.slopes.items()}
            estimate, _ = generalised(
                some.change, np.column_stack(fixed), some.unit, slopes, variances
            )
            found[unit, [names.index(name) for name in kept]] = estimate[-len(kept) :]
    return found


def range_of(
    left_out: Float[np.ndarray, "units covariates"], names: Sequence[str]
) -> dict[str, list[float] | list[str]]:
    """By covariate, the least and the most of the estimates without one class, and which it is.

    Args:
        left_out: estimates without each class, NaN where what is left cannot tell.
        names: of the classes.

    Returns:
        `least`, `least_without`, `most`, `most_without`, and `needs`, the classes without which
        the others cannot tell the covariate's effect.
    """
    columns: dict[str, list] = {name: [] for name in RANGE}
    for own in left_out.T:
        known = np.flatnonzero(np.isfinite(own))
        ends = [int(known[pick(own[known])]) for pick in (np.argmin, np.argmax) if len(known)]
        least, most = [(float(own[row]), names[row]) for row in ends] or [(np.nan, "")] * 2
        needs = ", ".join(name for name, value in zip(names, own, strict=True) if np.isnan(value))
        for name, value in zip(RANGE, (*least, *most, needs), strict=True):
            columns[name].append(value)
    return columns
