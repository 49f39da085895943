"""Calibration: whether pruned networks know how often they are right, by class and by group."""

import numpy as np
import xarray as xr

from prune_fair import fairness
from prune_fair.analysis.per_network import SPARSITY, check_dense, failed_all
from prune_fair.analysis.resampling import SEEDS, SPLIT, Results, as_dataset
from prune_fair.analysis.sets import networks_of_sets, of_technique
from prune_fair.analysis.tables import CONFIDENCE, check_confidence, labelled
from prune_fair.data import VALIDATION
from prune_fair.errors import check
from prune_fair.store import MEMBERS

RELIABILITY = "reliability"
TOTALS = ("images", "hits", "probability")
ROWS = {"": "", "class_": "", "group_": "group_"}  # of a figure's name, that of what was counted


def calibration(
    results: Results, technique: str | None = None, confidence: float = CONFIDENCE
) -> xr.Dataset:
    """How well calibrated networks are, and how pruning changes that, against the same seed.

    Args:
        results: one task's results, of a study with calibration.
        technique: this one only; all where it is not given.
        confidence: of the intervals, in (0, 1): of each figure over all images; of those by class,
            or by group, all of them together (Bonferroni).

    Returns:
        By technique, level and estimate, of the test images:

        - `ece`, the expected calibration error over 15 equal-width bins of the top probability;
          `classwise_ece`, that of each class's own probability, the mean over classes;
        - `gap`, mean confidence minus accuracy; `brier`, in [0, 2]; `nll`, in nats;
        - `temperature`, which logits are best divided by on the validation images, and
          `scaled_nll`, the NLL of the test images with it: where there are validation images.

        Each also as `…_change`, minus that of the dense network of the same seed. Each but the last
        two by class too, as `class_ece` (…, true), and by group, as `group_ece` (…, group) without
        the class-wise one. Of a class, `ece` and `gap` are of the images that truly are of it:
        even a calibrated network has them, since the truth is not known to it, so read their
        change; `class_classwise_ece` is 0 of a calibrated one. Then `networks`, `failures`,
        `control` and `sparsity` as `multiplicity` has them; `class_images`, `group_images`.

        Intervals are Student's, over seeds alone: all networks have the same test images, and what
        other images would show is not in them. NaN below 3 seeds. A network that failed, and has
        nothing right, counts as certain and always wrong: ECE and gap 1, Brier score 2, of the
        class-wise ECE 2 over the number of classes. Its NLL has no bound and it has no temperature:
        there is no mean then, NaN, as wherever a figure of a finished network is undefined.

    Raises:
        InputError: for results without calibration or finite dense networks, an unknown technique,
            or a confidence outside (0, 1).

    Source: Guo et al. 2017; Kull et al. 2019; Brier 1950. docs/method.md has the formulas, and what
    a temperature from a grid leaves open.

    Example:
        >>> from prune_fair import InputError, open_example
        >>> try:
        ...     calibration(open_example()["digits/mlp"])
        ... except InputError as error:
        ...     print(str(error).partition(";")[0])
        this study has no calibration, which is counted where it is asked for
    """
    check_confidence(confidence)
    test = of_technique(with_calibration(results), technique)
    figures = network_calibration(test)
    if SPLIT in results.dims:
        judged = of_technique(as_dataset(results, VALIDATION), technique)
        figures |= _scaled(judged, test)
    columns = {}
    for name, each in figures.items():
        own = each.transpose("seed", "technique", "level", ...)
        change = own - own.isel(level=0, drop=True)
        columns[name] = _estimated(test, own, confidence, None if name.endswith("gap") else 0.0)
        columns[f"{name}_change"] = _estimated(test, change, confidence)
    sizes = {
        f"{prefix}images": test[row].sel(score="images", drop=True).max(MEMBERS)
        for prefix, row in (("class_", "scores"), ("group_", "group_scores"))
        if row in test
    }
    return xr.Dataset({**columns, **networks_of_sets(test), **sizes})


def network_calibration(results: Results) -> dict[str, xr.DataArray]:
    """Every figure of each network by name, (technique, seed, level) and its part's axis.

    The figures are those of `calibration`, on test images, but for the scaled ones.

    Raises:
        InputError: for results without calibration or finite dense networks.

    Source: as `calibration`.

    Example:
        >>> from prune_fair import InputError, open_example
        >>> try:
        ...     network_calibration(open_example()["digits/mlp"])
        ... except InputError as error:
        ...     print(str(error).partition(";")[0])
        this study has no calibration, which is counted where it is asked for
    """
    test = with_calibration(results)
    return {name: _failing(test, name, each) for name, each in _figures(test).items()}


def with_calibration(results: Results) -> xr.Dataset:
    """The results on test images, of a study with calibration and finite dense networks."""
    table = as_dataset(results)
    check(
        RELIABILITY in table,
        "this study has no calibration, which is counted where it is asked for; run it with "
        "--calibration (in Python, StudyConfig(calibration=True)) and another --out; an audit does "
        "not count it",
    )
    check_dense(table)
    return table


def sums_of(values: xr.DataArray) -> fairness.Reliability:
    """What `reliability` holds as arrays whose last axis is the bins; other axes as they are."""
    parts = values.astype(float).transpose(..., "bin", "total")
    return fairness.Reliability(*(parts.sel(total=each).values for each in TOTALS))


def _figures(test: xr.Dataset) -> dict[str, xr.DataArray]:
    """Every figure of each network: (technique, seed, level), and its part's axis."""
    found = {}
    for prefix, row in ROWS.items():
        if f"{row}{RELIABILITY}" not in test:
            continue
        binned, scores = test[f"{row}{RELIABILITY}"], test[f"{row}scores"].astype(float)
        if not prefix:
            binned, scores = (each.sum("true", skipna=False) for each in (binned, scores))
        like, sums = scores.isel(score=0, drop=True), sums_of(binned)
        images = scores.sel(score="images").values
        found |= {
            f"{prefix}ece": like.copy(data=fairness.calibration_error(sums)),
            f"{prefix}gap": like.copy(data=fairness.confidence_gap(sums)),
        }
        for name in ("brier", "nll"):
            total = scores.sel(score=name).values
            found[prefix + name] = like.copy(data=fairness.mean_score(total, images))
    by_class = test[f"class_{RELIABILITY}"].rename(predicted="true")
    like, sums = by_class.isel(bin=0, total=0, drop=True), sums_of(by_class)
    own = like.assign_coords(true=test["true"]).copy(data=fairness.calibration_error(sums))
    return found | {"class_classwise_ece": own, "classwise_ece": own.mean("true", skipna=False)}


def _failing(test: xr.Dataset, name: str, values: xr.DataArray) -> xr.DataArray:
    """A figure, in which networks that failed have what stands for them."""
    lost = xr.zeros_like(test[SPARSITY].transpose(*MEMBERS), bool).copy(data=failed_all(test))
    if name.endswith("classwise_ece"):  # certain of the class after the true one
        images = test["confusion"].sum("predicted")
        shares = (images + images.roll(true=1, roll_coords=False)) / images.sum("true")
        worst = shares if name.startswith("class_") else shares.mean("true")
    else:
        worst = fairness.WORST.get(name.rpartition("_")[2], np.nan)
    known = values.notnull().any(MEMBERS)  # of a class without images nothing is
    return values.where(~lost, worst).where(known)


def _scaled(judged: xr.Dataset, test: xr.Dataset) -> dict[str, xr.DataArray]:
    """Each network's best temperature on validation images, and the NLL of test images with it."""
    lost = failed_all(test)
    images = test["scores"].sel(score="images", drop=True).sum("true").transpose(*MEMBERS)
    losses, reported = (
        each["temperature_nll"].astype(float).transpose(*MEMBERS, "temperature").values
        for each in (judged, test)
    )
    best = np.where(lost, np.nan, fairness.best_temperature(losses))
    total = fairness.at_temperature(reported, best)
    return {
        "temperature": images.copy(data=best),
        "scaled_nll": images.copy(data=fairness.mean_score(total, images.values)),
    }


def _estimated(
    test: xr.Dataset, values: xr.DataArray, confidence: float, least: float | None = None
) -> xr.DataArray:
    """Mean and interval over seeds, of values by seed first; NaN where one is undefined."""
    parts = values[0, 0, 0].size
    found = fairness.student_interval(values.values, 1 - (1 - confidence) / parts)
    if least is not None:
        found = found._replace(low=np.maximum(found.low, least))
    missing = (~(abs(values) < np.inf) & test[SPARSITY].notnull()).any("seed")
    enough = test.sizes["seed"] >= fairness.FEWEST_SEEDS
    return (
        labelled(values.isel(seed=0, drop=True), found)
        .where(~missing)
        .assign_attrs(over=SEEDS if enough else "")
    )
