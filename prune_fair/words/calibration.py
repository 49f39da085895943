"""Calibration: whether pruned networks are as sure of themselves as they are right."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from prune_fair.fairness import FEWEST_SEEDS, TEMPERATURES
from prune_fair.words import failures
from prune_fair.words.metrics import lost, told
from prune_fair.words.multiplicity import is_pruned
from prune_fair.words.numbers import (
    NONE,
    Estimate,
    change,
    counted,
    estimate,
    fixed,
    fraction,
    of_confidence,
    plain,
    written,
)

NAMED = 3  # classes or groups that a sentence names
HEADER = (
    "ECE", "its change\nsince dense", "confidence minus\naccuracy, points",
    "class-wise ECE,\nBrier score, NLL", "temperature",
)  # fmt: skip
BY_PART = (
    "confidence minus\naccuracy (dense)", "its change\nsince dense, points",
    "ECE\n(dense)", "its change\nsince dense", "change of\nBrier score", "change\nof NLL",
)  # fmt: skip
DIVERGED = (
    "counts as certain and always wrong: ECE 1, Brier score 2, without NLL and temperature",
    "count as certain and always wrong: ECE 1, Brier score 2, without NLL and temperature",
)
ALL_FAILED = "Every network there failed: what is counted stands for failure and is not measured."


def cells(row: xr.Dataset) -> Sequence[str]:
    """The figures of a technique and level, as `HEADER` names them."""
    others = (plain(estimate(row[name]).mean) for name in ("classwise_ece", "brier", "nll"))
    return (
        plain(estimate(row["ece"]).mean),
        _number(row["ece_change"], "+") if row["level"] > 0 else NONE,
        _points(row["gap"]),
        ", ".join(others),
        plain(estimate(row["temperature"]).mean, 2) if "temperature" in row else NONE,
    )


def part_cells(row: xr.Dataset, prefix: str) -> Sequence[str]:
    """The figures of a class or group, as `BY_PART` names them."""
    gap, ece = (estimate(row[prefix + name]) for name in ("gap", "ece"))
    dense_gap, dense_ece = _dense(row, f"{prefix}gap"), _dense(row, f"{prefix}ece")
    pair = f"{fixed(100 * gap.mean, 1, '+')} ({fixed(100 * dense_gap, 1, '+')})"
    moved = (estimate(row[f"{prefix}{name}_change"]).mean for name in ("brier", "nll"))
    return (
        pair if gap.known else NONE,
        _points(row[f"{prefix}gap_change"]),
        f"{fixed(ece.mean)} ({fixed(dense_ece)})" if ece.known else NONE,
        _number(row[f"{prefix}ece_change"], "+"),
        *(fixed(each, 3, "+") if np.isfinite(each) else NONE for each in moved),
    )


def class_rows(row: xr.Dataset) -> list[tuple[str, ...]]:
    """Each class, and its `part_cells`."""
    parts = (row.isel(true=place) for place in range(row.sizes["true"]))
    return [(str(own["true"].item()), *part_cells(own, "class_")) for own in parts]


def calibration_in_words(
    row: xr.Dataset, controls: Mapping[str, xr.Dataset] | None = None
) -> list[str]:
    """How sure pruned networks are beside dense ones, and of which classes too sure.

    Args:
        row: of a technique and level, as `analysis.calibration` gives it.
        controls: rows of networks that are not pruned, by technique.
    """
    if not is_pruned(row):
        return [failures.NOTHING_PRUNED]
    if int(row["failures"]) == int(row["networks"]):
        return [ALL_FAILED]
    lines = [_confidence(row), _errors(row)]
    if "temperature" in row and estimate(row["temperature"]).known:
        lines.append(_temperature(row))
    lines += [_control(name, own) for name, own in (controls or {}).items()]
    return [*lines, *_parts(row, "class", "true"), *_parts(row, "group", "group")]


def legend(networks: int, confidence: float) -> str:
    """What the columns are, and what their intervals are over."""
    over = (
        f"[low, high]: {of_confidence(confidence)} over {networks} seeds, all of which have the "
        "same test images, so that other images are not in them; those by class, or by group, hold "
        "together"
        if networks >= FEWEST_SEEDS
        else f"there are no intervals, of {counted(networks, 'seed')}"
    )
    return (
        "ECE: expected calibration error, 15 bins of the top probability, 0 is best; class-wise: "
        "of each class's probability, their mean; NLL: negative log-likelihood in nats; "
        "temperature: what logits are best divided by on the validation images. Of a class ECE and "
        "confidence minus accuracy are of the images that truly are of it, and are not 0 of a "
        f"calibrated network; {over}"
    )


def _confidence(row: xr.Dataset) -> str:
    gap, moved = estimate(row["gap"]), estimate(row["gap_change"])
    dense = Estimate(_dense(row, "gap"), np.nan, np.nan)
    if not gap.known:
        return "Of their confidence there is no mean."
    return (
        f"The mean confidence of these networks is {_apart(gap)} their accuracy, that of the dense "
        f"networks {_apart(dense)}: {_told(moved, change(moved) + ' points')}."
    )


def _errors(row: xr.Dataset) -> str:
    ece, brier, nll = (
        _told(estimate(each), _number(each, "+"))
        for each in (row[f"{name}_change"] for name in ("ece", "brier", "nll"))
    )
    return (
        f"The expected calibration error is {_number(row['ece'])}, of the dense networks "
        f"{fixed(_dense(row, 'ece'))}: {ece}. Brier score: {brier}. Negative log-likelihood, in "
        f"nats: {nll}."
    )


def _temperature(row: xr.Dataset) -> str:
    best, moved = estimate(row["temperature"]), row["temperature_change"]
    ends = " (an end of the grid: the best may lie beyond)" if _at_an_end(best.mean) else ""
    scaled, shown = row["scaled_nll"], _number(moved, "+", 2)
    return (
        f"Their logits are best divided by a temperature of {fraction(best, 2)}{ends}, those of "
        f"the dense networks by {fixed(_dense(row, 'temperature'), 2)}: "
        f"{_told(estimate(moved), shown)}. With it the negative log-likelihood of the test images "
        f"is {_number(scaled)}, without {_number(row['nll'])}."
    )


def _control(name: str, row: xr.Dataset) -> str:
    """What the same training does without pruning."""
    return (
        f"Control: {name} has pruned nothing at level {row['level'].item()}; its expected "
        f"calibration error changes by {_number(row['ece_change'], '+')}, its "
        f"confidence minus accuracy by {change(estimate(row['gap_change']))} points."
    )


def _parts(row: xr.Dataset, part: str, dim: str) -> list[str]:
    """The classes or groups whose confidence rises most above what is right."""
    if f"{part}_gap_change" not in row:
        return []
    moved = [row[f"{part}_gap_change"].isel({dim: place}) for place in range(row.sizes[dim])]
    known = [each for each in moved if estimate(each).known]
    known.sort(key=lambda each: -estimate(each).mean)
    named = ", ".join(f"{each[dim].item()} ({change(estimate(each))})" for each in known[:NAMED])
    bounded = bool(known) and estimate(known[0]).bounded
    together = f" Intervals hold for {counted(len(known), part)} together." if bounded else ""
    if bounded and not any(estimate(each).rises for each in known):
        return [f"That confidence minus accuracy rises is resolved of no {part}.{together}"]
    line = f"Confidence minus accuracy changes most, in points, of {part} {named}.{together}"
    return [line] if known else []


def _told(moved: Estimate, shown: str) -> str:
    """A change, and whether it is told from none."""
    if not moved.known:
        return "no mean, since it is not finite for some network"
    held = moved.bounded and not moved.rises and not moved.falls
    return f"a change of {shown}{', not resolved: its interval holds 0' if held else ''}"


def _apart(gap: Estimate) -> str:
    """How far confidence is above accuracy, or below."""
    if gap.mean >= 0:
        return f"{told('_difference', gap)} above"
    return f"{lost(gap)} below"


def _dense(row: xr.Dataset, name: str) -> float:
    """The mean of the dense networks of the same seeds."""
    return estimate(row[name]).mean - estimate(row[f"{name}_change"]).mean


def _at_an_end(temperature: float) -> bool:
    return bool(np.isclose(temperature, TEMPERATURES[[0, -1]]).any())


def _number(values: xr.DataArray, sign: str = "", digits: int = 3) -> str:
    value = estimate(values)
    return written(value, lambda each: fixed(each, digits, sign)).text if value.known else NONE


def _points(values: xr.DataArray) -> str:
    value = estimate(values)
    return change(value) if value.known else NONE
