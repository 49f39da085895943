"""The card's pictures: drawn by `plots`, held as data that a page can carry within itself."""

import base64
from math import isfinite
from typing import Any, NamedTuple

from prune_fair import plots
from prune_fair.report.answers import Answers
from prune_fair.report.card import TaskCard
from prune_fair.words.metrics import described

MEDIA = {"svg": "image/svg+xml", "png": "image/png"}
EXEMPLARS = 12


class Picture(NamedTuple):
    """A picture as a `data:` address, and what it shows, for readers who cannot see it."""

    address: str
    text: str


def draw(task: TaskCard) -> dict[str, Picture]:
    """The pictures of a task by name; those that it has nothing to show for are left out."""
    answers = task.answers
    results = answers.results
    intervals: dict[str, Any] = {"confidence": answers.confidence}
    drawn = plots.frontier(
        results, answers.metric, chosen=answers.choice, table=answers.frontier, **intervals
    )
    pictures = {
        "frontier": _picture(
            drawn,
            f"{described(answers.metric)} against sparsity, a line for each technique with its "
            "interval; the chosen point and that of accuracy alone are marked",
        )
    }
    if answers.shown is None:
        return pictures
    pictures |= _of_point(answers, *answers.at(answers.shown), intervals)
    ordered = [row for row in task.ranks if isfinite(row.performance_rank + row.fairness_rank)]
    if len(ordered) > 1:
        pictures["ranking"] = _picture(
            plots.ranking(results, confidence=answers.confidence, table=answers.ranking),
            "ranks of the techniques without and with fairness",
        )
    if task.exemplars is not None and task.exemplars.pixels is not None and task.exemplars.number:
        at = answers.at(answers.shown)
        grid = plots.exemplars(results, task.exemplars.pixels, *at, count=EXEMPLARS)
        text = "test images, each with its true class, the dense and the pruned modal label"
        pictures["exemplars"] = _picture(grid, text, "png")
    return pictures


def _of_point(
    answers: Answers, technique: str, level: int, intervals: dict[str, Any]
) -> dict[str, Picture]:
    """The pictures of the technique and level that are shown."""
    results, known = answers.results, {"table": answers.classes, **intervals}
    pictures = {
        "who_is_hurt": _picture(
            plots.who_is_hurt(results, technique, level, **known),
            "change of each class's recall against its share of the training images",
        ),
        "recall_change": _picture(
            plots.recall_change(results, technique, **known),
            "change of recall of every class at every level, in points",
        ),
        "recall": _picture(
            plots.recall(results, technique, **known), "recall of every class against sparsity"
        ),
        "layer_sparsities": _picture(
            plots.layer_sparsities(results, technique, **intervals),
            "sparsity of each layer against that of the whole network",
        ),
    }
    if answers.multiplicity is not None:
        pictures["multiplicity"] = _picture(
            plots.multiplicity(results, technique, table=answers.multiplicity, **intervals),
            "share of test images on which pruned networks disagree with dense ones and with each "
            "other, against sparsity",
        )
    if answers.calibration is not None:
        pictures["reliability"] = _picture(
            plots.reliability(results, technique, level, table=answers.calibration, **intervals),
            "share of right images against confidence, of dense and pruned networks and of the "
            "class whose confidence pruning raises most above what is right",
        )
    return pictures


def _picture(drawn: Any, text: str, form: str = "svg") -> Picture:
    data = base64.b64encode(plots.encode(drawn, form)).decode()
    return Picture(f"data:{MEDIA[form]};base64,{data}", text)
