"""Controls and budgets: what prunes nothing, whose noise floor it is, and how long all trained."""

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from prune_fair.analysis.resampling import Results, as_dataset
from prune_fair.errors import check

BUDGET_TOLERANCE = 0.05
FIRST_CONTROL = "dense-long"  # the only one of studies that do not say which techniques are some


def controls(results: Results) -> xr.DataArray:
    """Which techniques are controls: (technique) bool.

    A control is retrained as others are and prunes nothing, so that it shows what retraining does
    by itself. It is never chosen, and never ranked.

    Example:
        >>> from prune_fair import open_example
        >>> controls(open_example()["digits/mlp"]).values.tolist()
        [False, False, False]
    """
    results = as_dataset(results)
    if "control" in results:
        return results["control"].drop_attrs()
    names = results["technique"]
    return names.copy(data=[str(n).partition("+")[0] == FIRST_CONTROL for n in names.values])


def candidates(results: Results) -> xr.Dataset:
    """The results without the controls: what may be chosen, ranked or compared.

    Raises:
        InputError: where all techniques are controls.

    Example:
        >>> from prune_fair import open_example
        >>> candidates(open_example()["digits/mlp"]).sizes["technique"]
        3
    """
    results = as_dataset(results)
    prunes = ~controls(results).values
    names = ", ".join(map(str, results["technique"].values))
    check(
        bool(prunes.any()), f"techniques {names}: all prune nothing; expected one that prunes, too"
    )
    return results if prunes.all() else results.isel(technique=prunes)


def floors(results: Results) -> xr.DataArray:
    """The name of each technique's control, its noise floor: (technique); empty where none is.

    That is the one that is retrained alike, by the same treatment and settings; of a control it is
    the control.

    Example:
        >>> from prune_fair import open_example
        >>> floors(open_example()["digits/mlp"]).values.tolist()
        ['', '', '']
    """
    results = as_dataset(results)
    own = controls(results)
    kinds = np.arange(own.size)  # where nothing is known, a control is its own alone
    if "retraining" in results:
        kinds = results["retraining"].values
    names = own["technique"].values.astype(str)
    by_kind = dict(zip(kinds[own.values].tolist(), names[own.values].tolist(), strict=True))
    return own.copy(data=np.array([by_kind.get(kind, "") for kind in kinds.tolist()]))


def training_steps(results: Results) -> xr.DataArray:
    """The steps that each network has taken in all, with those it comes from: (technique, level).

    NaN for studies of earlier versions, which do not say. What is handed over to an audit has
    taken none.

    Example:
        >>> from prune_fair import open_example
        >>> training_steps(open_example()["digits/mlp"]).dims
        ('technique', 'level')
    """
    results = as_dataset(results)
    like = results["sparsity"].isel(seed=0, drop=True).transpose("technique", "level")
    steps = results.get("training_steps", xr.full_like(like, -1)).astype(float)
    return steps.where(steps >= 0).drop_attrs().rename("training_steps")


def steps_at(results: Results, sparsity: float) -> xr.DataArray:
    """The steps that each technique takes to a sparsity: those of its first level that reaches it.

    By technique; those of its last level where the mean over networks does not reach it.
    """
    results = as_dataset(results)
    steps = training_steps(results)
    mean = results["sparsity"].mean("seed").transpose("technique", "level").values
    reached = mean >= sparsity - 1e-6
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), mean.shape[1] - 1)
    return steps.isel(level=xr.DataArray(first, dims="technique"), drop=True).drop_vars(
        "level", errors="ignore"
    )


def budgets_differ(
    one: Float[np.ndarray, "*n"], other: Float[np.ndarray, "*n"]
) -> Bool[np.ndarray, "*n"]:
    """Whether two numbers of steps differ by more than `BUDGET_TOLERANCE` of the larger.

    Unknown ones do not.

    Example:
        >>> budgets_differ(np.array([100.0, 100.0]), np.array([96.0, 94.0])).tolist()
        [False, True]
    """
    return np.asarray(np.abs(one - other) > BUDGET_TOLERANCE * np.maximum(one, other))


def by_point(results: Results) -> dict[str, xr.DataArray]:
    """What operating points are known by: whether they are of a control, whose is theirs, steps.

    Returns:
        `control`, `floor` (the name of the technique that is retrained alike and prunes nothing,
        empty for none) and `steps`, each (technique, level). The dense level has no control.
    """
    results = as_dataset(results)
    own, steps = controls(results), training_steps(results)
    pruned = (results["level"] > 0).broadcast_like(steps)
    floor = floors(results).astype(object)
    return {
        "control": own & pruned,
        "floor": xr.where(pruned, floor, "").astype(str),
        "steps": steps,
    }


def floor_of(points: xr.Dataset, point: int) -> int | None:
    """Where, among operating points, that of the same level of a point's control is.

    Example:
        >>> from prune_fair import analysis, open_example
        >>> points = analysis.operating_points(open_example()["digits/mlp"], ["accuracy"])
        >>> floor_of(points, 3) is None  # that study has no controls
        True
    """
    name, level = (points[key].values[point] for key in ("floor", "level"))
    here = (points["technique"].values == name) & (points["level"].values == level)
    return int(here.argmax()) if name and here.any() else None
