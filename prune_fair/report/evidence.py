"""What surrounds a decision: the ranking of techniques, exemplars, and the limits of it all."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from prune_fair import analysis
from prune_fair.data import GIVEN
from prune_fair.errors import InputError
from prune_fair.provenance import digest
from prune_fair.report.answers import Answers
from prune_fair.report.classes import test_count
from prune_fair.report.decision import Decision
from prune_fair.words.numbers import Estimate, estimate


class Rank(NamedTuple):
    """A technique's hypervolumes and ranks, without fairness and with it."""

    technique: str
    performance: Estimate
    performance_rank: float
    with_fairness: Estimate
    fairness_rank: float


class Exemplars(NamedTuple):
    """Images on which pruned and dense networks disagree, at the shown point.

    Attributes:
        number: modal exemplars against the dense networks of the same seeds.
        pixels: the dataset's test images; None where they cannot be shown.
        why_not: why there are none.
    """

    number: int
    pixels: np.ndarray | None
    why_not: str


class Limits(NamedTuple):
    """What the numbers do not say.

    Attributes:
        looked_at: pruned operating points among which one was chosen.
        smallest: the class with the fewest test images, and how many.
        finished: share of the networks that are finished.
        diverged: networks with a parameter or an output that is not finite.
        collapsed: other networks with a layer that has no weight left.
        undefined: by metric, at how many points it is undefined for some networks.
    """

    looked_at: int
    smallest: tuple[str, int]
    finished: float
    diverged: int
    collapsed: int
    undefined: Mapping[str, int]


def ranks(answers: Answers) -> tuple[Rank, ...]:
    """The techniques, the best once fairness counts first; empty for a single one."""
    if answers.ranking is None:
        return ()
    volumes, places = (answers.ranking[name] for name in ("hypervolume", "rank"))
    rows = [
        Rank(
            str(name),
            estimate(volumes.isel(ranking=0, technique=m)),
            float(places.values[0, m]),
            estimate(volumes.isel(ranking=1, technique=m)),
            float(places.values[1, m]),
        )
        for m, name in enumerate(answers.ranking["technique"].values)
    ]
    return tuple(sorted(rows, key=lambda row: (np.isnan(row.fairness_rank), row.fairness_rank)))


def exemplars(answers: Answers, data: Mapping[str, Any], data_sha256: str) -> Exemplars | None:
    """The exemplars of the shown point; None where no predictions were kept or nothing is shown."""
    if answers.exemplars is None:
        return None
    number = int(answers.exemplars["number"].values[-1])
    return Exemplars(number, *test_images(data, data_sha256))


def test_images(data: Mapping[str, Any], data_sha256: str) -> tuple[np.ndarray | None, str]:
    """The test images of a task by its config; or None and why they cannot be shown."""
    from prune_fair.config import DataConfig, from_json  # brings Flax

    if data["name"].startswith(GIVEN):
        return None, "The images were handed over as arrays, and the study does not keep them."
    try:
        dataset = from_json(DataConfig, data).load()
    except (InputError, OSError) as error:
        return None, f"The dataset cannot be loaded here: {error}"
    if digest(dataset) != data_sha256:
        return None, "The dataset that is here now is not the one that the study began with."
    return dataset.test_images, ""


def limits(answers: Answers, decision: Decision) -> Limits:
    """What the numbers of a task do not say."""
    results, test = answers.results, test_count(answers.results)
    smallest = int(test.values.argmin())
    undefined = {
        name: sum(bool(point.undefined.get(name)) for point in decision.points)
        for name in decision.columns
    }
    return Limits(
        sum(point.pruned and point.sparsity.known for point in decision.points),
        (str(test["true"].values[smallest]), int(test.values[smallest])),
        float(results["finished"].mean()),
        analysis.count_networks(analysis.diverged(results)),
        analysis.count_collapsed(results),
        {name: number for name, number in undefined.items() if number},
    )
