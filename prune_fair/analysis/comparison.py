"""Techniques against each other at one sparsity, paired over seeds."""

from itertools import combinations

import numpy as np
import xarray as xr
from jaxtyping import Int

from prune_fair.analysis.controls import budgets_differ, candidates, steps_at
from prune_fair.analysis.per_network import SPARSITY, network_metrics
from prune_fair.analysis.resampling import (
    Results,
    networks,
    resample_weights,
    with_resamples,
)
from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES, over_seeds
from prune_fair.errors import check, unknown
from prune_fair.fairness import (
    FEWEST_SEEDS,
    METRICS,
    PairedDifference,
    holm,
    mean_interval,
    paired_difference,
    seeds_needed,
)

POWER = 0.8
ROUNDING = 1e-9


def compare(
    results: Results,
    metric: str = "recall_group_min",
    sparsity: float | None = None,
    confidence: float = CONFIDENCE,
    effect: float | None = None,
    equal_budget: bool = False,
) -> xr.Dataset:
    """Every pair of techniques at the same sparsity: is one of them better?

    Each network's metric is interpolated between its own levels (`at_sparsity`), and differences
    are of networks of one seed, which share initialisation and batches. Controls are left out.

    Args:
        results: one task's results, of at least two techniques.
        metric: a name of METRICS.
        sparsity: at which they are compared; by default `common_sparsity`.
        confidence: of the intervals.
        effect: the difference that `seeds_needed` is for; by default the one that was observed.
        equal_budget: leave out pairs whose numbers of training steps to that sparsity differ by
            more than 5 % of the larger.

    Returns:
        By technique: `value` (and estimate); `undefined`, for how many networks that reach the
        sparsity the metric is undefined there: where it is for any, that technique's values are
        NaN; and `steps` of training that it takes to the sparsity, with those of every network
        before it: of the first level that reaches it, NaN where the study does not say. By pair,
        with coordinates `first` and `second`:
        `difference` (and estimate) of first minus second; `p` of the paired t-test, and `p_holm`
        over all pairs; `sd` of the differences over seeds; `seeds` that were compared;
        `seeds_needed` to find the effect with power 0.8 at the level 1 - confidence, without
        regard to the other pairs. Attributes: `metric`, `sparsity`, and `left_out`, the pairs that
        are left out for their steps. NaN for a technique that does not reach the sparsity.

    Raises:
        InputError: for an unknown metric, a single technique, an effect of 0, a sparsity that no
            two techniques reach, or equal budgets in a study that does not say what they are.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> pair = compare(results).isel(pair=1)  # at the sparsest that all reach
        >>> pair["first"].item(), pair["second"].item()
        ('magnitude-global-rewind', 'random-global-rewind')
        >>> pair.difference.round(2).values.tolist(), bool(pair.p_holm < 0.05)
        ([0.42, 0.35, 0.47], True)
    """
    results = candidates(with_resamples(results))
    if metric not in METRICS:
        raise unknown("metric", metric, METRICS)
    names = results["technique"].values
    check(
        len(names) > 1, f"only one technique, {str(names[0])!r}: expected two at least to compare"
    )
    check(effect is None or effect != 0, "effect 0: expected a difference to be found")
    sparsity = common_sparsity(results) if sparsity is None else sparsity
    values = at_sparsity(results, metric, sparsity)
    _check_reached(results, sparsity)
    undefined = _undefined(results, values, sparsity)
    values = values.where(undefined == 0)
    pairs = np.array([*combinations(range(len(names)), 2)])
    steps = steps_at(results, sparsity)
    kept, left_out = _of_equal_budget(pairs, steps) if equal_budget else (pairs, pairs[:0])
    one, other = kept.T
    value = over_seeds(values, confidence)
    by_seed = values.transpose("seed", "technique")
    tested = networks(by_seed).values
    found = paired_difference(tested[:, one], tested[:, other], confidence)
    if by_seed.sizes["seed"] > len(tested):  # one network: no test, but its images' interval
        differences = by_seed.values[:, one] - by_seed.values[:, other]
        mean = mean_interval(differences, confidence, resample_weights(by_seed))
        found = found._replace(mean=mean)
    coords = {"first": ("pair", names[one]), "second": ("pair", names[other])}
    columns = {"value": value, "undefined": undefined, "steps": steps}
    columns |= _pairs(found, confidence, effect)
    attrs = {"metric": metric, SPARSITY: float(sparsity), "left_out": names[left_out].tolist()}
    return xr.Dataset(columns, {**coords, "estimate": list(ESTIMATES)}, attrs)


def at_sparsity(results: Results, metric: str, sparsity: float) -> xr.DataArray:
    """A metric of each network at a sparsity: (technique, seed).

    Linear in the logarithm of density (what is not pruned) between the network's own two nearest
    levels, so exact at a level; of levels with one sparsity the last counts. NaN where the
    network's levels, as far as they are finished, do not reach the sparsity.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> at_sparsity(results, "accuracy", 0.9).mean("seed").round(3).values.tolist()
        [0.957, 0.949, 0.937]
    """
    names = dict.fromkeys((SPARSITY, metric))
    table = network_metrics(results, [*names]).transpose("technique", "seed", "level")
    values = interpolate(table[SPARSITY].values, table[metric].values, sparsity)
    return table[metric].isel(level=0, drop=True).copy(data=values)


def common_sparsity(results: Results) -> float:
    """The sparsest that all techniques reach: of the last level that 3 seeds or more have finished.

    (Or all seeds, where there are fewer.) Of these networks the least sparse one counts. Controls
    have no say.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> round(common_sparsity(results), 3)
        0.972
    """
    sparsities = candidates(results)[SPARSITY].transpose("level", "seed", "technique").values
    finished: np.ndarray = np.logical_not(np.isnan(sparsities).any(axis=2))
    enough = finished.sum(axis=1) >= min(FEWEST_SEEDS, finished.shape[1])
    check(bool(enough.any()), "no level is finished by enough seeds: let the study run on")
    last = np.flatnonzero(enough)[-1]
    return float(sparsities[last][finished[last]].min())


def _of_equal_budget(
    pairs: Int[np.ndarray, "pairs 2"], steps: xr.DataArray
) -> tuple[Int[np.ndarray, "kept 2"], Int[np.ndarray, "others 2"]]:
    """The pairs of techniques that train for as many steps, and those that do not."""
    check(
        bool(steps.notnull().all()),
        "equal budget: this study is of an earlier version and does not say how many steps its "
        "techniques train; run it again in another directory, or leave it out",
    )
    apart = budgets_differ(*steps.values[pairs.T])
    return pairs[~apart], pairs[apart]


def _undefined(results: xr.Dataset, values: xr.DataArray, sparsity: float) -> xr.DataArray:
    """How many networks of each technique reach the sparsity and have no value there."""
    reached = at_sparsity(results, SPARSITY, sparsity).notnull()
    return networks(reached & values.isnull()).sum("seed")


def _check_reached(results: xr.Dataset, sparsity: float) -> None:
    reached = at_sparsity(results, SPARSITY, sparsity).notnull().any("seed").sum().item()
    common = np.floor(1e4 * common_sparsity(results)) / 1e4  # rounded, it might not be reached
    expected = f"expected one that two techniques reach; all reach those from 0 to {common:.4f}"
    check(reached > 1, f"sparsity {sparsity}: {expected}")


def interpolate(sparsities: np.ndarray, values: np.ndarray, sparsity: float) -> np.ndarray:
    """Values (technique, seed, level) between the levels of each network."""
    flat = (array.reshape(-1, array.shape[-1]).astype(float) for array in (sparsities, values))
    found = [_at(own, row, sparsity) for own, row in zip(*flat, strict=True)]
    return np.array(found).reshape(values.shape[:-1])


def _at(sparsities: np.ndarray, values: np.ndarray, sparsity: float) -> float:
    order = np.argsort(sparsities, kind="stable")  # NaN last
    order = order[: np.count_nonzero(sparsities < 1)]
    if not len(order) or not 0 <= sparsity < 1:
        return np.nan
    pruned = -np.log1p(-sparsities[order])
    asked = -np.log1p(-sparsity)
    if pruned[0] - ROUNDING <= asked <= pruned[-1] + ROUNDING:
        return float(np.interp(asked, pruned, values[order]))
    return np.nan


def _pairs(found: PairedDifference, confidence: float, effect: float | None) -> dict[str, tuple]:
    seen = np.abs(found.mean.estimate) if effect is None else np.full_like(found.sd, effect)
    return {
        "difference": (("pair", "estimate"), np.stack(found.mean, axis=-1)),
        "p": ("pair", found.p),
        "p_holm": ("pair", holm(found.p)),
        "sd": ("pair", found.sd),
        "seeds": ("pair", found.pairs),
        "seeds_needed": ("pair", seeds_needed(seen, found.sd, POWER, 1 - confidence)),
    }
