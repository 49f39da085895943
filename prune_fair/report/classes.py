"""Who is hurt: each class at the point that the card shows, as plain values."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import xarray as xr

from prune_fair import analysis
from prune_fair.report.answers import Answers
from prune_fair.words.classes import RECALLS
from prune_fair.words.numbers import Estimate, estimates


class ClassSize(NamedTuple):
    """How much there is of a class.

    Attributes:
        name: of the class.
        train: its training images.
        share: of all training images, in percent.
        test: its test images.
        rare: whether it has less than half the training images of the median class.
        complexity: how hard its training images look; NaN where it was not measured.
    """

    name: str
    train: int
    share: float
    test: int
    rare: bool
    complexity: float


class ClassRow(NamedTuple):
    """One class at the shown point.

    Attributes:
        size: how much there is of it.
        dense: recall of the dense networks.
        pruned: recall at the shown point.
        change: since dense of the same seed, at the shown point.
        p: Holm-adjusted, that it is hit otherwise than all classes together; NaN for no test.
        accuracy_alone: change where accuracy alone would go; None where it goes nowhere.
        chosen: change at the chosen point; None where one of the two is missing, as `spared`.
        spared: change at the chosen point minus that of accuracy alone.
    """

    size: ClassSize
    dense: Estimate
    pruned: Estimate
    change: Estimate
    p: float
    accuracy_alone: Estimate | None
    chosen: Estimate | None
    spared: Estimate | None


def class_rows(answers: Answers) -> tuple[ClassRow, ...]:
    """The classes in the order of the dataset; empty where no pruned network is finished."""
    if answers.shown is None:
        return ()
    choice, recalls = answers.choice, answers.recalls()
    shown = [estimates(recalls[name], "true") for name in RECALLS]
    p, sizes = answers.classes_at(answers.shown)["p_holm"].values, class_sizes(answers.results)
    columns: list[Sequence[Estimate | None]] = [[None] * len(sizes)] * 3
    if choice.accuracy_alone is not None:
        alone = answers.classes_at(choice.accuracy_alone)["recall_change"]
        columns[0] = estimates(alone, "true")
    if choice.price is not None:
        columns[1:] = [estimates(choice.price[name], "true") for name in ("chosen", "spared")]
    rows = zip(sizes, *shown, map(float, p), *columns, strict=True)
    return tuple(ClassRow(*row) for row in rows)


def class_sizes(results: xr.Dataset) -> list[ClassSize]:
    """The sizes of the classes in the order of the dataset."""
    train, test = results["train_count"].values, test_count(results).values
    rare = analysis.rare_classes(results).values
    return [
        ClassSize(
            str(name),
            int(train[c]),
            100 * float(train[c]) / max(1, train.sum()),
            int(test[c]),
            bool(rare[c]),
            _complexity(results, c),
        )
        for c, name in enumerate(results["true"].values)
    ]


def test_count(results: xr.Dataset) -> xr.DataArray:
    """Test images of each class, as any finished network counted them."""
    return results["confusion"].sum("predicted").max(("technique", "seed", "level"))


def _complexity(results: xr.Dataset, c: int) -> float:
    if "complexity" not in results:
        return math.nan
    measure = analysis.DEFAULT_COMPLEXITY
    return float(results["complexity"].sel(measure=measure).values[c])
