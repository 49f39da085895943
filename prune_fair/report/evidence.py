"""What surrounds a decision: the ranking of techniques, exemplars, and the limits of it all."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from prune_fair import analysis
from prune_fair.data import GIVEN
from prune_fair.errors import InputError
from prune_fair.provenance import digest
from prune_fair.report.classes import test_count
from prune_fair.report.decision import Decision, Point
from prune_fair.report.estimate import Estimate, estimate


class Rank(NamedTuple):
    """A technique's hypervolumes and ranks, without fairness and with it."""

    technique: str
    performance: Estimate
    performance_rank: float
    with_fairness: Estimate
    fairness_rank: float


class Ranking(NamedTuple):
    """The order of techniques by hypervolume, and whether it changes once fairness counts."""

    ranks: tuple[Rank, ...]
    tau: Estimate
    first_place_changes: float
    reference: Mapping[str, float]

    @property
    def ordered(self) -> list[Rank]:
        """The techniques that have both ranks."""
        known = np.isfinite
        return [row for row in self.ranks if known(row.performance_rank + row.fairness_rank)]


class Exemplars(NamedTuple):
    """Images on which pruned and dense networks disagree, at the shown point.

    Attributes:
        networks: of each kind, that voted.
        number: modal exemplars against the dense networks of the same seeds.
        images: test images.
        across: their number between pruned and dense networks of other seeds.
        chance: the same between dense networks alone; NaN where half the seeds are none.
        over: classes that are exemplars more often than their share of test images, worst first,
            with the ratio and its interval, where the interval lies above 1.
        pixels: the dataset's test images; None where they cannot be shown.
        why_not: why there are none.
    """

    networks: int
    number: int
    images: int
    across: float
    chance: float
    over: tuple[tuple[str, Estimate], ...]
    pixels: np.ndarray | None
    why_not: str


class Limits(NamedTuple):
    """What the numbers do not say.

    Attributes:
        uncertainty: what intervals cover and leave out.
        seeds: networks of each kind.
        looked_at: pruned operating points among which one was chosen.
        test_images: on which networks were measured.
        smallest: the class with the fewest test images, and how many.
        finished: share of the networks that are finished.
        diverged: networks with a parameter or an output that is not finite.
        collapsed: networks with a layer that has no weight left.
        undefined: by metric, at how many points it is undefined for some networks.
    """

    uncertainty: analysis.Uncertainty
    seeds: int
    looked_at: int
    test_images: int
    smallest: tuple[str, int]
    finished: float
    diverged: int
    collapsed: int
    undefined: Mapping[str, int]


def ranking(results: xr.Dataset, confidence: float) -> Ranking | None:
    """The change of ranks; None for a single technique."""
    if results.sizes["technique"] < 2:
        return None
    found = analysis.ranking_change(results, confidence=confidence)
    names = found["technique"].values
    rows = [
        Rank(
            str(name),
            estimate(found["hypervolume"].isel(ranking=0, technique=m)),
            float(found["rank"].values[0, m]),
            estimate(found["hypervolume"].isel(ranking=1, technique=m)),
            float(found["rank"].values[1, m]),
        )
        for m, name in enumerate(names)
    ]
    rows.sort(key=lambda row: (np.isnan(row.fairness_rank), row.fairness_rank))
    changes = float(found["first_place_changes"])
    return Ranking(tuple(rows), estimate(found["tau"]), changes, found.attrs["reference"])


def exemplars(
    results: xr.Dataset, shown: Point | None, data: Mapping[str, Any], data_sha256: str
) -> Exemplars | None:
    """The exemplars of the shown point; None where no votes were counted or nothing is shown."""
    if "votes" not in results or shown is None:
        return None
    own = results.sel(technique=[shown.technique]).sel(level=[0, shown.level])
    table = analysis.exemplars(own).isel(technique=0)
    row = table.sel(level=shown.level)
    over = [
        (str(name), estimate(row["over_index"].isel(true=c)))
        for c, name in enumerate(row["true"].values)
    ]
    sure = sorted((each for each in over if each[1].low > 1), key=lambda each: -each[1].mean)
    pixels, why_not = test_images(data, data_sha256)
    return Exemplars(
        int(row["seeds"]),
        int(row["number"]),
        results.sizes["image"],
        float(row["across"]),
        float(table["across"].sel(level=0)),
        tuple(sure),
        pixels,
        why_not,
    )


def test_images(data: Mapping[str, Any], data_sha256: str) -> tuple[np.ndarray | None, str]:
    """The test images of a task by its config; or None and why they cannot be shown."""
    from prune_fair.config import DataConfig  # brings Flax

    if data["name"].startswith(GIVEN):
        return None, "The images were handed over as arrays, and the study does not keep them."
    try:
        dataset = DataConfig(**{**data, "classes": tuple(data["classes"])}).load()
    except (InputError, OSError) as error:
        return None, f"The dataset cannot be loaded here: {error}"
    if digest(dataset) != data_sha256:
        return None, "The dataset that is here now is not the one that the study began with."
    return dataset.test_images, ""


def limits(results: xr.Dataset, decision: Decision) -> Limits:
    """What the numbers of a task do not say."""
    test = test_count(results)
    smallest = int(test.values.argmin())
    undefined = {
        name: sum(bool(point.undefined.get(name)) for point in decision.points)
        for name in decision.columns
    }
    return Limits(
        analysis.uncertainty(results),
        results.sizes["seed"],
        sum(point.pruned and point.sparsity.known for point in decision.points),
        int(test.sum()),
        (str(test["true"].values[smallest]), int(test.values[smallest])),
        float(results["finished"].mean()),
        analysis.count_networks(analysis.diverged(results)),
        analysis.count_networks(results["collapsed"]),
        {name: number for name, number in undefined.items() if number},
    )
