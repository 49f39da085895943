"""What the change of a class's recall goes with: a regression whose units are classes."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from prune_fair.analysis.class_changes import DENSE_MARGIN
from prune_fair.analysis.class_model import COVARIATES, Model, make_model
from prune_fair.analysis.covariates import Gathered, gather
from prune_fair.analysis.mixed import Mixed, fit_mixed
from prune_fair.analysis.resampling import Results
from prune_fair.analysis.robustness import leave_one_out, permuted, range_of
from prune_fair.analysis.tables import CONFIDENCE, check_confidence
from prune_fair.errors import check, lookup

DEFAULT_COMPLEXITY = "balanced_neighbour_disagreement"
BASELINE = ("share", "complexity")


def attribute(
    results: Results,
    complexity: str = DEFAULT_COMPLEXITY,
    sparsity: float | None = None,
    confidence: float = CONFIDENCE,
    covariates: Sequence[str] = BASELINE,
    techniques: Sequence[str] = (),
) -> xr.Dataset:
    """How the change of recall under pruning goes with what was known of a class before.

    A mixed model of each class's mean change in each task, in points, on covariates of the class
    and fixed effects of tasks. Classes are what is drawn: each has an intercept of its own and,
    where rarity was rotated, slopes of its own. So intervals and p say what other classes would
    give, and networks are as many as it takes to know each class's mean. docs/method.md has more.

    Args:
        results: a study, or one task's results.
        complexity: a measure of the results, or `dense_margin`.
        sparsity: of the changes; None for the study's sparsest level up to 0.95.
        confidence: of the intervals, in (0, 1).
        covariates: some of `share`, `complexity` and `dense_recall`. A rare class has a lower
            dense recall: with it, the coefficient of share is what remains at equal dense recall.
            It is taken from every second seed, and changes from the others.
        techniques: whose networks to average; empty for all but controls.

    Returns:
        By `term`, a covariate: `estimate`, the change of recall in points that goes with
        `meaning`; `low` and `high`, its interval; `standard_error`; `p` of the permutation over
        classes; `least` and `most` of the estimates with one class left out, and which that is,
        `least_without` and `most_without`; `needs`, classes without which there is no estimate.
        NaN where there are too few classes. In attrs:
        `classes`, their number; `exact`, whether p is of all permutations, and `permutations`;
        `rarity`, what was varied, and `rare_classes`; `components`, standard deviations of the
        random effects; `converged`; `tasks`, `seeds` (by task), `techniques`, `sparsity`,
        `complexity`, `confidence`, and `notes`, a list of lines.

    Raises:
        InputError: for unknown names, values outside their ranges, results without pruned networks
            or with fewer than 3 seeds, or where no recall changed.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> effects = attribute(results)
        >>> effects.estimate.sel(term="share").round(1).item(), effects.units
        (4.1, 'points of recall')
    """
    check_confidence(confidence)
    for name in covariates:
        lookup(COVARIATES, name, "covariate")
    of_networks = "dense_recall" in covariates or complexity == DENSE_MARGIN
    gathered = gather(results, complexity, techniques, sparsity, apart=of_networks)
    cells = gathered.cells
    check(bool(np.ptp(cells.change) > 0), "all recalls changed alike: nothing to attribute")
    model, notes = make_model(gathered, covariates)
    kept = [*model.covariates]
    fitted = fit_mixed(cells.change, model.fixed, cells.unit, model.slopes)
    if fitted.failure:
        notes.append(
            f"the mixed model did not converge ({fitted.failure}): estimates weigh tasks by where "
            "it stopped, and have no interval; p does not rest on it"
        )
    tested = [permuted(gathered, model, name) for name in kept]
    columns = range_of(leave_one_out(gathered, model, fitted), gathered.class_names)
    columns["p"] = [each.p for each in tested]
    table = _table(gathered, model, fitted, confidence)
    return table.assign({name: ("term", each) for name, each in columns.items()}).assign_attrs(
        complexity=complexity,
        confidence=confidence,
        permutations=max((each.permutations for each in tested), default=0),
        exact=all(each.exact for each in tested),
        notes=[*gathered.notes, *notes],
    )


def _table(gathered: Gathered, model: Model, fitted: Mixed, confidence: float) -> xr.Dataset:
    """Estimates with intervals of t, a degree of freedom for each class but those that effects
    of datasets and covariates take.
    """
    from scipy.stats import t  # slow to import

    names, classes = [*model.covariates], len(gathered.units)
    own = slice(model.fixed.shape[1] - len(names), None)
    estimate, error = fitted.estimate[own], fitted.error[own]
    left = classes - len(set(gathered.datasets)) - len(names)
    error = np.full(len(names), np.nan) if left < 1 or fitted.failure else error
    reach = t.ppf((1 + confidence) / 2, max(left, 1)) * error
    numbers = {"estimate": estimate, "low": estimate - reach, "high": estimate + reach}
    variables = {name: ("term", values) for name, values in numbers.items()}
    variables["standard_error"] = "term", error
    variables["meaning"] = "term", np.array([COVARIATES[name][1] for name in names], object)
    attrs = {
        "units": "points of recall",
        "classes": classes,
        "degrees_of_freedom": left,
        "tasks": list(gathered.tasks),
        "seeds": list(gathered.seeds),
        "techniques": list(gathered.techniques),
        "sparsity": gathered.sparsity,
        "rarity": gathered.rarity.kind,
        "rare_classes": list(gathered.rarity.classes),
        "components": fitted.components,
        "converged": not fitted.failure,
    }
    return xr.Dataset(variables, {"term": names}, attrs)
