"""Multiplicity: how far networks of other seeds, and pruned and dense ones, say different things.

The set of models is always the finished networks of one technique at one level, one a seed.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Int, UInt

from prune_fair import fairness
from prune_fair.analysis.per_network import SPARSITY, failed, network_metrics
from prune_fair.analysis.resampling import Results
from prune_fair.analysis.sets import networks_of_sets
from prune_fair.analysis.tables import CONFIDENCE, ESTIMATES, check_confidence
from prune_fair.analysis.votes import with_predictions
from prune_fair.store import MEMBERS

GROUP, GROUP_OF_IMAGE = "group", "image_group"
COUNTED = ("lost", "won", "discrepancy", "dense_discrepancy")


class Part(NamedTuple):
    """A way to part the test images: all together, by class or by group.

    Attributes:
        prefix: of what is told by it.
        dims: the axis of the parts; none for all together.
        of: the part of each image, below 0 for none.
        parts: how many there are.
    """

    prefix: str
    dims: tuple[str, ...]
    of: Int[np.ndarray, " images"]
    parts: int

    def images(self) -> Int[np.ndarray, " parts"]:
        """How many images each part has."""
        return np.bincount(self.of[self.of >= 0], minlength=self.parts)


class Pair(NamedTuple):
    """What a technique's networks of a level say, and the dense networks of the same seeds."""

    said: UInt[np.ndarray, "networks images"]
    dense: UInt[np.ndarray, "networks images"]
    labels: Int[np.ndarray, " images"]
    classes: int
    is_dense: bool


def multiplicity(
    results: Results, technique: str | None = None, confidence: float = CONFIDENCE
) -> xr.Dataset:
    """How many predictions pruning changes, and on how many images equally good networks disagree.

    The set of models is the finished networks of one technique and level, one a seed; beside it
    stand the dense networks of the same seeds. A network that failed (`failed`) agrees with none.

    Args:
        results: one task's results, of a study with predictions.
        technique: this one only; all where it is not given.
        confidence: of the intervals, in (0, 1): of each figure over all images; of those by class,
            or by group, all of them together (Bonferroni).

    Returns:
        By technique and level, NaN where no network is finished. Shares of the test images:

        - `flip_rate` (estimate): on how many a network says another class than the dense network
          of its seed; `lost` of them were right before, `won` are right now;
        - `churn` (estimate): on how many two networks of other seeds differ, the mean over pairs;
          `dense_churn` that of the dense networks of the same seeds, what seeds alone make;
        - `beyond_seeds` (estimate): `flip_rate` minus `dense_churn`, NaN at level 0;
          `churn_change` (estimate): `churn` minus `dense_churn`;
        - `ambiguity` (estimate): on how many not all networks agree; `dense_ambiguity`. Their
          intervals take the networks as given, and are over images alone;
        - `discrepancy`: on how many the two networks that differ most do; `dense_discrepancy`.

        Each also by class, as `class_flip_rate` (…, true), and by group, as `group_flip_rate`
        (…, group), where it is known of which group each image is. Then `networks`, how many there
        are, and `failures` among them; `accuracy_range`, the best minus the worst accuracy of
        those, which is the epsilon of Marx et al.'s level set; `control`, whether none of them is
        pruned though the level is not 0; `sparsity`, the mean; `class_images` (true) and
        `group_images` (group).

    Raises:
        InputError: for results without predictions, an unknown technique, or a confidence outside
            (0, 1).

    Source: Marx, Calmon & Ustun 2020, of ambiguity and discrepancy; Milani Fard et al. 2016, of
    churn. docs/method.md says what is other here.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> last = multiplicity(results, "magnitude-global-rewind").isel(technique=0, level=-1)
        >>> shares = (last[name].sel(estimate="mean") for name in ("flip_rate", "dense_churn"))
        >>> [round(share.item(), 3) for share in shares]
        [0.036, 0.026]
    """
    check_confidence(confidence)
    results = with_predictions(results, technique)
    lost = failed(results)
    accuracy = network_metrics(results, ["accuracy"])["accuracy"]
    parts, levels = _parts(results), results.sizes["level"]
    rows = [
        xr.concat(
            [_row(results, lost, parts, confidence, place, level) for level in range(levels)],
            results["level"],
        )
        for place in range(results.sizes["technique"])
    ]
    table = xr.concat(rows, results["technique"])
    sizes = {f"{part.prefix}images": (part.dims, part.images()) for part in parts if part.dims}
    return table.assign(
        {
            **networks_of_sets(results),
            "accuracy_range": accuracy.max("seed") - accuracy.min("seed"),
            **sizes,
        }
    )


def _parts(results: xr.Dataset) -> list[Part]:
    labels = results["image_label"].values
    parts = [
        Part("", (), np.zeros_like(labels), 1),
        Part("class_", ("true",), labels, results.sizes["true"]),
    ]
    if GROUP_OF_IMAGE in results:
        groups = results[GROUP_OF_IMAGE].values
        parts.append(Part("group_", (GROUP,), groups, results.sizes[GROUP]))
    return parts


def _row(
    results: xr.Dataset,
    lost: xr.DataArray,
    parts: list[Part],
    confidence: float,
    technique: int,
    level: int,
) -> xr.Dataset:
    """A technique's level: every figure, over all images and by part."""
    pair = _pair(results, lost, technique, level)
    columns = {}
    for part in parts:
        level_of_each = 1 - (1 - confidence) / part.parts
        coords = {dim: results[dim] for dim in part.dims} | {"estimate": list(ESTIMATES)}
        for name, values in _figures(pair, part, level_of_each).items():
            dims = part.dims if name in COUNTED else (*part.dims, "estimate")
            shape = [len(coords[dim]) for dim in dims]
            columns[part.prefix + name] = xr.DataArray(
                values.reshape(shape), {dim: coords[dim] for dim in dims}, dims
            )
    return xr.Dataset(columns)


def _pair(results: xr.Dataset, lost: xr.DataArray, technique: int, level: int) -> Pair:
    """The networks of a set, those that failed with labels that are no class."""
    known = results[SPARSITY].notnull().transpose(*MEMBERS).values[technique, :, level]
    classes, labels = results.sizes["true"], results["image_label"].values
    said = results["predictions"].transpose(*MEMBERS, "image").values[technique][known]
    flags = lost.transpose(*MEMBERS).values[technique][known]
    none = np.iinfo(said.dtype).max  # no class: that is what the dtype is chosen for
    pruned, dense = (np.where(flags[:, at, None], none, said[:, at]) for at in (level, 0))
    return Pair(pruned, dense, labels, classes, level == 0)


def _figures(pair: Pair, part: Part, confidence: float) -> Mapping[str, np.ndarray]:
    """Every figure by part, (parts, estimates) or (parts)."""
    flipped = fairness.flips(pair.said, pair.dense, pair.labels, pair.classes)
    own = part.of, part.parts
    found = {
        **_rates(pair, flipped.all, part, confidence),
        "lost": fairness.rate_intervals(flipped.lost, *own).estimate,
        "won": fairness.rate_intervals(flipped.won, *own).estimate,
    }
    for prefix, said in (("", pair.said), ("dense_", pair.dense)):
        varies = fairness.ambiguous(said, pair.classes)[None][: len(said) - 1]  # of one nothing
        found[f"{prefix}ambiguity"] = fairness.rate_intervals(varies, *own, confidence)
        found[f"{prefix}discrepancy"] = fairness.discrepancy(said, *own, pair.classes)
    return {
        name: values if isinstance(values, np.ndarray) else np.stack(values, axis=-1)
        for name, values in found.items()
    }


def _rates(
    pair: Pair, flipped: Bool[np.ndarray, "networks images"], part: Part, confidence: float
) -> dict[str, fairness.Interval]:
    """Flips and churn with their intervals, and how they differ from what seeds alone make."""
    churn, dense = (
        fairness.influence(fairness.disagreement(said, pair.classes))
        for said in (pair.said, pair.dense)
    )
    rates = {"flip_rate": flipped, "churn": churn, "dense_churn": dense}
    changes = {"beyond_seeds": flipped - dense, "churn_change": churn - dense}
    asked = part.of, part.parts, confidence
    found = {name: fairness.rate_intervals(each, *asked) for name, each in rates.items()}
    found |= {name: fairness.change_intervals(each, *asked) for name, each in changes.items()}
    if pair.is_dense:  # by definition nothing is flipped or changed
        for name, of in (("flip_rate", "flip_rate"), ("churn_change", "churn")):
            found[name] = fairness.Interval(*[0 * found[of].estimate] * 3)
        found["beyond_seeds"] = fairness.Interval(*[np.full(part.parts, np.nan)] * 3)
    return found
