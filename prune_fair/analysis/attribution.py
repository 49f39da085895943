"""What the change of a class's recall goes with: a regression over pruned networks and classes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from prune_fair.analysis.covariates import Gathered, Rows, gather
from prune_fair.analysis.resampling import Results
from prune_fair.analysis.tables import CONFIDENCE, check_confidence
from prune_fair.errors import check, lookup

DEFAULT_COMPLEXITY = "balanced_neighbour_disagreement"
DEFAULT_SPARSITY = 0.95
COMPRESSION = "compression"
COVARIATES = {  # name: least difference between classes that can carry an effect, and its meaning
    "share": (0.1, "a doubling of the class's share of the training images"),
    "complexity": (1e-9, "one standard deviation more complexity among the classes"),
    "dense_recall": (0.5, "one point more recall of the dense networks of other seeds"),
}
DOUBLED = "a doubling of compression"
LEAST_COMPRESSION = 0.1  # doublings between the least and the most pruned network
BASELINE = ("share", "complexity")
CLUSTERS = ("dense_network", "network")
FEW_CLUSTERS = 20
SAME = 1e-6  # share of a covariate's variance below which the others already have it
ENTANGLED = 0.1


class Design(NamedTuple):
    """Columns of a regression by name, what each means, and what was left out."""

    columns: dict[str, Float[np.ndarray, " rows"]]
    meanings: dict[str, str]
    notes: list[str]


def attribute(
    results: Results,
    complexity: str = DEFAULT_COMPLEXITY,
    sparsity: float | None = None,
    confidence: float = CONFIDENCE,
    covariates: Sequence[str] = BASELINE,
    cluster: str = "dense_network",
    techniques: Sequence[str] = (),
) -> xr.Dataset:
    """How the change of recall under pruning goes with what was known of a class before.

    Ordinary least squares over (task, technique, seed, level, class) of the recall less that of the
    dense network of the same seed, in points, on covariates of the class, log2 compression, the
    product of each with it, and fixed effects of techniques and tasks.
    Compression counts from the given sparsity, so coefficients of covariates are effects there.
    Intervals are of t with as many degrees of freedom as clusters less one. They say what other
    seeds would give for the same classes, not what other classes would. docs/method.md has more.

    Args:
        results: a study, or one task's results.
        complexity: a measure of the results, or `dense_margin`.
        sparsity: where covariates' effects are given; None for the study's sparsest up to 0.95.
        confidence: of the intervals, in (0, 1).
        covariates: some of `share`, `complexity` and `dense_recall`. A rare class has a lower
            dense recall: with it, the coefficient of share is what remains at equal dense recall.
        cluster: `dense_network`, a dense network with all that was pruned from it, or `network`,
            which takes the pruned networks of one seed for independent, which they are not.
        techniques: whose networks to regress; empty for all but controls, whose effects are then
            taken for equal.

    Returns:
        By `term`: `estimate`, `low`, `high`, `standard_error`, `p`, `kind` (covariate, interaction
        or fixed effect) and `meaning`: the estimate is the change of recall in points for that. In
        attrs: `rows`, `clusters`, `r_squared`, `sparsity`, `complexity`, `confidence`, `cluster`,
        `techniques`, and `notes`, a list of lines.

    Raises:
        InputError: for unknown names, values outside their ranges, results without pruned networks
            or with fewer than 3 seeds, or where no recall changed.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> effects = attribute(results)
        >>> effects.estimate.sel(term="share").round(1).item(), effects.units
        (4.7, 'points of recall')
    """
    check_confidence(confidence)
    lookup(dict.fromkeys(CLUSTERS), cluster, "cluster")
    for name in covariates:
        lookup(COVARIATES, name, "covariate")
    gathered = gather(results, complexity, techniques)
    rows = gathered.rows
    check(bool(np.ptp(rows.change) > 0), "all recalls changed alike: nothing to attribute")
    sparsity = _reference(rows, sparsity)
    design = make_design(gathered, covariates, sparsity)
    clusters = _clusters(rows, cluster)
    table = _fit(rows.change, design, clusters, confidence)
    notes = [*gathered.notes, *design.notes]
    count = int(clusters.max()) + 1
    if count < FEW_CLUSTERS:
        notes.append(f"{count} clusters: with fewer than {FEW_CLUSTERS}, intervals are too narrow")
    asked: dict[str, Any] = {"complexity": complexity, "confidence": confidence, "cluster": cluster}
    asked["techniques"] = [gathered.techniques[index] for index in np.unique(rows.technique)]
    numbers = {"rows": len(rows.change), "clusters": count, "sparsity": sparsity}
    return table.assign_attrs(**asked, **numbers, notes=notes)


def make_design(gathered: Gathered, covariates: Sequence[str], sparsity: float) -> Design:
    """The regression's columns; a term that the rows cannot tell is left out, and noted."""
    rows = gathered.rows
    columns = _fixed_effects(gathered)
    meanings = dict.fromkeys(columns, "")
    kept, notes = _telling(rows, covariates)
    for name in kept:
        columns[name], meanings[name] = getattr(rows, name), COVARIATES[name][1]
    if np.ptp(rows.compression) < LEAST_COMPRESSION:
        notes.append("compression: one sparsity only; it and its interactions are left out")
        return Design(columns, meanings, notes)
    columns[COMPRESSION] = rows.compression + np.log2(1 - sparsity)
    meanings[COMPRESSION] = DOUBLED
    for name in kept:
        term = f"{name}:{COMPRESSION}"
        columns[term] = columns[name] * columns[COMPRESSION]
        meanings[term] = f"{COVARIATES[name][1]}, on top for {DOUBLED}"
    same = _dependent(np.stack(list(columns.values()), axis=1))
    for name in [name for name, dependent in zip(columns, same, strict=True) if dependent]:
        notes.append(f"{name}: cannot be told from the terms before it; left out")
        del columns[name], meanings[name]
    return Design(columns, meanings, notes)


def _fixed_effects(gathered: Gathered) -> dict[str, Float[np.ndarray, " rows"]]:
    """The intercept, and an indicator of every technique and task but the first that has rows."""
    rows = gathered.rows
    columns = {"intercept": np.ones(len(rows.change))}
    for kind, names, position in (
        ("technique", gathered.techniques, rows.technique),
        ("task", gathered.tasks, rows.task),
    ):
        for index in np.unique(position)[1:]:
            columns[f"{kind} {names[index]}"] = (position == index).astype(float)
    return columns


def _telling(rows: Rows, covariates: Sequence[str]) -> tuple[list[str], list[str]]:
    """The covariates whose effects these classes can tell apart, and notes on the others.

    A class is one value of each covariate, however many networks there are. So this is judged on
    the classes' means: the dense recall differs a little from seed to seed, which tells nothing.
    """
    classes = rows.task * (rows.label.max() + 1) + rows.label
    _, first, position = np.unique(classes, return_index=True, return_inverse=True)
    count = np.bincount(position)
    tasks = (rows.task[first][:, None] == np.unique(rows.task)).astype(float)
    kept, notes, means = [], [], {}
    for name in covariates:
        least, _ = COVARIATES[name]
        mean = np.bincount(position, getattr(rows, name)) / count
        spread = max(np.ptp(mean[column > 0]) for column in tasks.T)
        if spread < least:
            notes.append(f"{name}: hardly differs between classes; left out")
            continue
        if _dependent(np.column_stack([tasks, *means.values(), mean]))[-1]:
            told = " and ".join(kept) or "the task"
            notes.append(f"{name}: {len(count)} classes cannot tell it from {told}; left out")
            continue
        kept.append(name)
        means[name] = mean
    for name in kept:
        others = [tasks, *(means[other] for other in kept if other != name)]
        own = _unexplained(np.column_stack(others), means[name])
        own /= _unexplained(tasks, means[name])
        if own < ENTANGLED:
            notes.append(
                f"{name}: the other covariates have {1 - own:.0%} of its variance between classes; "
                "their effects are hard to tell apart"
            )
    return kept, notes


def _dependent(columns: Float[np.ndarray, "n columns"]) -> list[bool]:
    """Which columns are linear in those before them."""
    scale = np.linalg.norm(columns, axis=0)
    triangle = np.linalg.qr(columns / np.where(scale > 0, scale, 1), mode="r")
    own = np.zeros(columns.shape[1])
    own[: len(triangle)] = np.abs(np.diagonal(triangle)) ** 2
    return (own < SAME).tolist()


def _unexplained(columns: Float[np.ndarray, "n columns"], values: Float[np.ndarray, " n"]) -> float:
    """Sum of squares of what the columns leave of the values."""
    return float(((values - columns @ np.linalg.lstsq(columns, values)[0]) ** 2).sum())


def _reference(rows: Rows, asked: float | None) -> float:
    """The sparsity at which effects are given: as asked, or the sparsest level's up to 0.95."""
    levels = np.unique(rows.level)
    by_level = [1 - 2 ** -float(np.median(rows.compression[rows.level == la])) for la in levels]
    if asked is None:
        return max((s for s in by_level if s <= DEFAULT_SPARSITY), default=min(by_level))
    least, most = (1 - 2 ** -float(c) for c in (rows.compression.min(), rows.compression.max()))
    check(
        bool(least - 1e-6 <= asked <= most + 1e-6),
        f"sparsity {asked}: expected one between those of the study, {least:.4g} and {most:.4g}",
    )
    return asked


def _clusters(rows: Rows, cluster: str) -> Int[np.ndarray, " rows"]:
    """The cluster of each row, numbered from 0."""
    code = rows.task * (rows.seed.max() + 1) + rows.seed
    if cluster == "network":
        code = code * (rows.technique.max() + 1) + rows.technique
        code = code * (rows.level.max() + 1) + rows.level
    return np.unique(code, return_inverse=True)[1]


def _fit(
    change: Float[np.ndarray, " rows"],
    design: Design,
    clusters: Int[np.ndarray, " rows"],
    confidence: float,
) -> xr.Dataset:
    """Least squares with cluster-robust standard errors (statsmodels' small-sample correction)."""
    from statsmodels.regression.linear_model import OLS  # slow to import

    matrix = np.stack(list(design.columns.values()), axis=1)
    options = {"groups": clusters}
    fitted = OLS(change, matrix).fit(method="qr", cov_type="cluster", cov_kwds=options, use_t=True)
    low, high = fitted.conf_int(1 - confidence).T
    numbers = {"estimate": fitted.params, "low": low, "high": high}
    numbers |= {"standard_error": fitted.bse, "p": fitted.pvalues}
    variables = {name: ("term", np.asarray(values)) for name, values in numbers.items()}
    words = {"kind": [_kind(t) for t in design.columns], "meaning": [*design.meanings.values()]}
    variables |= {name: ("term", values) for name, values in words.items()}
    attrs = {"r_squared": float(fitted.rsquared), "units": "points of recall"}
    return xr.Dataset(variables, {"term": list(design.columns)}, attrs)


def _kind(term: str) -> str:
    if term in COVARIATES or term == COMPRESSION:
        return "covariate"
    return "interaction" if term.endswith(f":{COMPRESSION}") else "fixed effect"
