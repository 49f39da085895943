"""The card's pictures: drawn by `plots`, held as data that a page can carry within itself."""

import base64
from typing import Any, NamedTuple

from prune_fair import plots
from prune_fair.analysis import CONFIDENCE, Choice
from prune_fair.analysis.rules import OF_ACCURACY
from prune_fair.report.card import TaskCard
from prune_fair.report.figures import described

MEDIA = {"svg": "image/svg+xml", "png": "image/png"}
EXEMPLARS = 12


class Picture(NamedTuple):
    """A picture as a `data:` address, and what it shows, for who cannot see it."""

    address: str
    text: str


def draw(task: TaskCard) -> dict[str, Picture]:
    """The pictures of a task by name; those that it has nothing to show for are left out."""
    results, decision = task.results, task.decision
    metric = decided_by(task.choice)
    pictures = {
        "frontier": _picture(
            plots.frontier(results, metric, chosen=task.choice, confidence=decision.intervals),
            f"{described(metric)} against sparsity, a line for each technique with its interval; "
            "the chosen point and that of accuracy alone are marked",
        )
    }
    shown = decision.shown
    if shown is None:
        return pictures
    at, intervals = (shown.technique, shown.level), decision.intervals
    pictures["who_is_hurt"] = _picture(
        plots.who_is_hurt(results, *at, confidence=intervals),
        "change of each class's recall against its share of the training images",
    )
    pictures["recall_change"] = _picture(
        plots.recall_change(results, shown.technique, confidence=intervals),
        "change of recall of every class at every level, in points",
    )
    pictures["recall"] = _picture(
        plots.recall(results, shown.technique, confidence=intervals),
        "recall of every class against sparsity",
    )
    pictures["layer_sparsities"] = _picture(
        plots.layer_sparsities(results, shown.technique, confidence=intervals),
        "sparsity of each layer against that of the whole network",
    )
    ranked = task.ranking is not None and len(task.ranking.ordered) > 1
    if ranked and decision.intervals == CONFIDENCE:  # it has no others
        pictures["ranking"] = _picture(
            plots.ranking(results), "ranks of the techniques without and with fairness"
        )
    if task.exemplars is not None and task.exemplars.pixels is not None and task.exemplars.number:
        grid = plots.exemplars(results, task.exemplars.pixels, *at, count=EXEMPLARS)
        text = "test images, each with its true class, the dense and the pruned modal label"
        pictures["exemplars"] = _picture(grid, text, "png")
    return pictures


def decided_by(choice: Choice) -> str:
    """The metric to look at: the first that was asked beside sparsity and accuracy."""
    asked = (stated.name for stated in choice.rule.constraints if stated.name not in OF_ACCURACY)
    return next(asked, "recall_group_min")


def _picture(drawn: Any, text: str, form: str = "svg") -> Picture:
    data = base64.b64encode(plots.encode(drawn, form)).decode()
    return Picture(f"data:{MEDIA[form]};base64,{data}", text)
