"""A mixed model of classes: what the effects of covariates are, if classes were drawn."""

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

CLASSES = "class"
REMAINDER = "remainder"
OPTIMIZERS = "bfgs", "lbfgs", "powell"  # the last finds variances of 0, where gradients stop short


class Mixed(NamedTuple):
    """Fixed effects, and the scatter of what is random.

    Attributes:
        estimate: of each column of the fixed effects.
        error: standard error of each; NaN where nothing is left to estimate it from.
        components: standard deviation of each random effect, and of the remainder.
        failure: what statsmodels said where it did not converge, else empty.
    """

    estimate: Float[np.ndarray, " columns"]
    error: Float[np.ndarray, " columns"]
    components: dict[str, float]
    failure: str


def fit_mixed(
    change: Float[np.ndarray, " rows"],
    fixed: Float[np.ndarray, "rows columns"],
    unit: Int[np.ndarray, " rows"],
    slopes: Mapping[str, Float[np.ndarray, " rows"]],
) -> Mixed:
    """Restricted maximum likelihood: each unit has an intercept and slopes of its own.

    Random effects are independent of each other. Where each unit has one row, its intercept is part
    of the remainder, and the model is that of least squares.

    Args:
        change: the response.
        fixed: columns of the fixed effects, of full rank.
        unit: of each row, numbered from 0.
        slopes: columns whose effects differ from unit to unit, by name.
    """
    if len(np.unique(unit)) == len(unit):
        left = len(change) - fixed.shape[1]
        residual = change - fixed @ np.linalg.lstsq(fixed, change)[0]
        variances = {REMAINDER: float((residual**2).sum()) / left if left else np.nan}
        failure = ""
    else:
        columns = {CLASSES: np.ones(len(change)), **slopes}
        variances, failure = _variances(change, fixed, unit, columns)
    estimate, error = generalised(change, fixed, unit, slopes, variances)
    components = {name: float(np.sqrt(value)) for name, value in variances.items()}
    return Mixed(estimate, error, components, failure)


def generalised(
    change: Float[np.ndarray, " rows"],
    fixed: Float[np.ndarray, "rows columns"],
    unit: Int[np.ndarray, " rows"],
    slopes: Mapping[str, Float[np.ndarray, " rows"]],
    variances: Mapping[str, float],
) -> tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " columns"]]:
    """Generalised least squares with known variances: estimates and standard errors."""
    own = dict(variances)
    remainder = own.pop(REMAINDER)
    if not remainder > 0:
        estimate = np.linalg.lstsq(fixed, change)[0]
        return estimate, np.full(len(estimate), np.nan if np.isnan(remainder) else 0.0)
    columns = {CLASSES: np.ones(len(change)), **slopes}
    white = np.empty((len(change), fixed.shape[1] + 1))
    for each in np.unique(unit):
        rows = unit == each
        cover = remainder * np.eye(int(rows.sum()))
        for name, value in own.items():
            cover += value * np.outer(columns[name][rows], columns[name][rows])
        together = np.column_stack([fixed[rows], change[rows]])
        white[rows] = np.linalg.solve(np.linalg.cholesky(cover), together)
    estimate = np.linalg.lstsq(white[:, :-1], white[:, -1])[0]
    inverse = np.linalg.pinv(white[:, :-1].T @ white[:, :-1])
    return estimate, np.sqrt(np.diagonal(inverse))


def _variances(
    change: Float[np.ndarray, " rows"],
    fixed: Float[np.ndarray, "rows columns"],
    unit: Int[np.ndarray, " rows"],
    columns: Mapping[str, Float[np.ndarray, " rows"]],
) -> tuple[dict[str, float], str]:
    """Variances of the random effects and the remainder by statsmodels, and why they may be off."""
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec  # slow to import

    order = np.argsort(unit, kind="stable")  # statsmodels takes units in their order
    units = [np.flatnonzero(unit[order] == each) for each in np.unique(unit)]
    shaped = [[column[order][rows][:, None] for rows in units] for column in columns.values()]
    names = [[[name]] * len(units) for name in columns]
    model = MixedLM(
        change[order], fixed[order], unit[order], exog_vc=VCSpec([*columns], names, shaped)
    )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            fitted = model.fit(reml=True, method=[*OPTIMIZERS])
        except (np.linalg.LinAlgError, ValueError) as error:
            rough = np.linalg.lstsq(fixed, change)[0]
            variance = float(np.var(change - fixed @ rough))
            return {**dict.fromkeys(columns, variance), REMAINDER: variance}, str(error)
    found = dict(zip(columns, fitted.vcomp.astype(float), strict=True))
    found[REMAINDER] = float(fitted.scale)
    said = [str(each.message).split(".")[0] for each in told]
    reason = next((each for each in reversed(said) if "failed" in each), "no reason given")
    return found, "" if fitted.converged else reason
