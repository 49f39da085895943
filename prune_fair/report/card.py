"""The pruning card as plain values: everything that it tells, gathered from results."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from prune_fair import analysis
from prune_fair.data import GIVEN
from prune_fair.errors import check, of_one
from prune_fair.pruning import TREATMENTS, Technique
from prune_fair.report.answers import Answers, answer
from prune_fair.report.classes import ClassRow, ClassSize, class_rows, class_sizes
from prune_fair.report.decision import Decision, decision
from prune_fair.report.evidence import Exemplars, Limits, Rank, exemplars, limits, ranks
from prune_fair.report.origin import Origin, TechniqueParts, origin, technique_parts
from prune_fair.store import open_study, read_study


class TaskCard(NamedTuple):
    """What the card tells of one task.

    Attributes:
        name: dataset/model.
        answers: of analysis, for sentences and pictures.
        data, model: fields of the config.
        recipe: fields of the config; empty where networks were not trained.
        seeds: networks of each kind.
        levels: pruned ones.
        layers: that have weights.
        data_sha256: digest of the images and labels.
        techniques: in parts.
        sizes: of the classes, in the order of the dataset.
        decision: what was decided, and from which points.
        classes: at the shown point.
        ranks: of techniques; empty for one.
        exemplars: None where no predictions were kept.
        limits: what the numbers do not say.

    Example:
        >>> TaskCard._fields[-2:]
        ('exemplars', 'limits')
    """

    name: str
    answers: Answers
    data: Mapping[str, Any]
    model: Mapping[str, Any]
    recipe: Mapping[str, Any]
    seeds: int
    levels: int
    layers: tuple[str, ...]
    data_sha256: str
    techniques: tuple[TechniqueParts, ...]
    sizes: tuple[ClassSize, ...]
    decision: Decision
    classes: tuple[ClassRow, ...]
    ranks: tuple[Rank, ...]
    exemplars: Exemplars | None
    limits: Limits


class Card(NamedTuple):
    """A study's card: its tasks, where it comes from, and what was asked.

    Example:
        >>> Card._fields
        ('study', 'tasks', 'origin', 'require', 'maximise', 'confidence', 'certify')
    """

    study: str
    tasks: tuple[TaskCard, ...]
    origin: Origin
    require: tuple[str, ...]
    maximise: str
    confidence: float
    certify: bool


def make_card(
    path: str | Path,
    require: Sequence[str] = analysis.DEFAULT_REQUIRE,
    maximise: str = analysis.SPARSITY,
    confidence: float = analysis.CONFIDENCE,
    certify: bool = False,
) -> Card:
    """Everything that the card of a study tells, as plain values.

    Args:
        path: the study's directory.
        require: constraints, such as "recall_group_min>=0.8".
        maximise: the metric to be best in, or `sparsity`.
        confidence: of the intervals, in (0, 1).
        certify: one-sided bounds over seeds and images hold the constraints; else the means.

    Raises:
        InputError: if the path is no study, one of which no dense network is finished, or as
            `analysis.select`.

    Example:
        >>> from prune_fair import open_example
        >>> card = make_card(open_example().attrs["path"], ["mean_recall_change_min>=-0.05"])
        >>> card.tasks[0].decision.chosen.technique
        'magnitude-global-rewind'
    """
    study, results = read_study(path), open_study(path)
    asked = tuple(require), maximise, confidence, certify
    tasks = []
    for node in results.leaves:
        with of_one(name := node.path.strip("/"), len(results.leaves)):
            tasks.append(_task(name, node.to_dataset(), study, *asked))
    return Card(Path(path).expanduser().absolute().name, tuple(tasks), origin(study), *asked)


def _task(
    name: str,
    results: xr.Dataset,
    study: Mapping[str, Any],
    require: Sequence[str],
    maximise: str,
    confidence: float,
    certify: bool,
) -> TaskCard:
    check(
        bool(results["finished"].isel(technique=0, level=0).any()),
        "no dense network is finished yet; let the study run on",
    )
    config, facts = json.loads(results.attrs["config"]), study["tasks"][name]["facts"]
    answers = answer(results, require, maximise, confidence, certify)
    results, decided = answers.results, decision(answers)
    techniques = tuple(technique_parts(str(technique)) for technique in results["technique"].values)
    untrained = config["model"]["name"].startswith(GIVEN) and all(
        not TREATMENTS[Technique.parse(str(name)).treatment].trains
        for name in results["technique"].values
    )
    return TaskCard(
        name,
        answers,
        config["data"],
        config["model"],
        {} if untrained else config["recipe"],
        results.sizes["seed"],
        results.sizes["level"] - 1,
        tuple(map(str, results["layer"].values)),
        facts["data_sha256"],
        techniques,
        tuple(class_sizes(results)),
        decided,
        class_rows(answers),
        ranks(answers),
        exemplars(answers, config["data"], facts["data_sha256"]),
        limits(answers, decided),
    )
