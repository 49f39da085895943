"""What analysis says of one task, each answer computed once: text and pictures read it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from prune_fair import analysis
from prune_fair.analysis.rules import OF_ACCURACY
from prune_fair.fairness import EVERY_CLASS
from prune_fair.store import DENSE

SHOWN = (analysis.SPARSITY, "accuracy", "recall_group_min", EVERY_CLASS)
TOLD = (*SHOWN, "accuracy_change")


class Answers(NamedTuple):
    """What is known of one task.

    Attributes:
        results: the task's results on test images.
        confidence: of the intervals.
        choice: what was chosen; its points have every metric that the card shows.
        metric: that was decided by, beside sparsity and accuracy.
        frontier: of sparsity and that metric.
        classes: tests of every class at every level, with `recall` and `recall_change`.
        shown: position of the pruned point whose classes are shown; None where none is finished.
        shown_as: why that: "chosen", "accuracy_alone", "nearest" or "last".
        ranking: of techniques; None for a single one beside controls.
        exemplars: of the shown technique, at level 0 and the shown one; None where no
            predictions were kept or nothing is shown.
        multiplicity: of the shown technique at every level, and of techniques that prune nothing;
            None as `exemplars`.
        uncertainty: what intervals of numbers of networks cover and leave out.
        of_classes: the same of numbers of classes.
        groups: accuracy of each group of images at every level; None without groups.
        alone: by tolerance, what accuracy alone would choose, and who would pay.
        cross_fit: of a choice that had no images of its own; None where it had, or where single
            images are not known.
        calibration: of the shown technique at every level, and of techniques that prune nothing;
            None where it was not counted or nothing is shown.

    Example:
        >>> Answers._fields[:3]
        ('results', 'confidence', 'choice')
    """

    results: xr.Dataset
    confidence: float
    choice: analysis.Choice
    metric: str
    frontier: xr.Dataset
    classes: xr.Dataset
    shown: int | None
    shown_as: str
    ranking: xr.Dataset | None
    exemplars: xr.Dataset | None
    multiplicity: xr.Dataset | None
    uncertainty: analysis.Uncertainty
    of_classes: analysis.Uncertainty
    groups: xr.Dataset | None
    alone: xr.Dataset
    cross_fit: analysis.CrossFit | None
    calibration: xr.Dataset | None

    def at(self, point: int) -> tuple[str, int]:
        """Technique and level of a point."""
        points = self.choice.points
        return str(points["technique"].values[point]), int(points["level"].values[point])

    def classes_at(self, point: int) -> xr.Dataset:
        """The classes at a point, by `true`."""
        technique, level = self.at(point)
        row = 0 if level == 0 else self.classes["technique"].values.tolist().index(technique)
        return self.classes.isel(technique=row).sel(level=level)

    def recalls(self) -> xr.Dataset:
        """Recall `dense` and `pruned`, and its `change`, at the shown point, by class."""
        assert self.shown is not None
        here, dense = self.classes_at(self.shown), self.classes_at(0)
        columns = {
            "dense": dense["recall"],
            "pruned": here["recall"],
            "change": here["recall_change"],
        }
        return xr.Dataset(
            {name: values.reset_coords(drop=True) for name, values in columns.items()}
        )


def answer(
    results: analysis.Results,
    require: Sequence[str],
    maximise: str,
    confidence: float = analysis.CONFIDENCE,
    certify: bool = False,
) -> Answers:
    """Every answer that a card needs of one task.

    Raises:
        InputError: as `analysis.select`.
    """
    choice = analysis.select(results, require, maximise, confidence=confidence, certify=certify)
    alone = analysis.accuracy_alone(results, confidence=confidence)
    given, metric = results, decided_by(choice.rule)
    results = analysis.as_dataset(given)
    frontier = analysis.frontier(results, (analysis.SPARSITY, metric), confidence, by_class=False)
    points = _with_metrics(results, choice.points, frontier, confidence)
    choice = choice._replace(points=points)
    shown, shown_as = _shown(choice)
    tests = analysis.class_tests(results, confidence)
    several = int((~analysis.controls(results)).sum()) > 1
    exemplars = multiplicity = calibration = None
    if shown is not None and "reliability" in results:
        technique = points["technique"].values[shown]
        calibration = analysis.calibration(_with_controls(given, technique), None, confidence)
    if shown is not None and "predictions" in results:
        technique, level = (points[name].values[shown] for name in ("technique", "level"))
        own = results.sel(technique=[technique]).sel(level=[0, level])
        exemplars = analysis.exemplars(own).isel(technique=0)
        multiplicity = analysis.multiplicity(_with_controls(results, technique), None, confidence)
    return Answers(
        results,
        confidence,
        choice,
        metric,
        frontier,
        tests.assign(recall=analysis.recall_of_classes(results, confidence)),
        shown,
        shown_as,
        analysis.ranking_change(results, confidence=confidence) if several else None,
        exemplars,
        multiplicity,
        analysis.uncertainty(results),
        analysis.uncertainty(results, analysis.over_classes(results)),
        analysis.group_changes(results, confidence) if "group" in results.dims else None,
        alone,
        analysis.cross_fit_of(results, choice),
        calibration,
    )


def _with_controls(results: analysis.Results, technique: str) -> xr.Dataset:
    """The results of a technique, and of those that prune nothing; every split."""
    results = results.to_dataset() if isinstance(results, xr.DataTree) else results
    idle = results[analysis.SPARSITY].max(("seed", "level")) == 0
    return results.isel(technique=((results["technique"] == technique) | idle).values)


def decided_by(rule: analysis.Rule) -> str:
    """The metric to look at: the first that was asked beside sparsity and accuracy."""
    asked = (stated.name for stated in rule.constraints if stated.name not in OF_ACCURACY)
    return next(asked, "recall_group_min")


def _with_metrics(
    results: xr.Dataset, points: xr.Dataset, frontier: xr.Dataset, confidence: float
) -> xr.Dataset:
    """A choice's points with all that a card shows; what is there is not computed again."""
    tables = [points, frontier.drop_vars(["on_frontier", "probability"])]
    known = {str(name) for table in tables for name in table["undefined"]["metric"].values}
    if missing := [name for name in TOLD if name not in known]:
        tables.append(analysis.operating_points(results, missing, confidence, by_class=False))
    for table in tables[1:]:
        names = [str(name) for name in table["undefined"]["metric"].values if name not in points]
        undefined = [points["undefined"], table["undefined"].sel(metric=names)]
        columns = {name: table[name] for name in names}
        columns["undefined"] = xr.concat(undefined, "metric")
        points = points.drop_vars(["undefined", "metric"]).assign(columns)
    return points


def _shown(choice: analysis.Choice) -> tuple[int | None, str]:
    """The first of these that is pruned: chosen, by accuracy alone, the nearest, the sparsest."""
    points = choice.points
    sparsity = points[analysis.SPARSITY].sel(estimate="mean").values
    fit = (points["technique"].values != DENSE) & np.isfinite(sparsity) & ~points["control"].values
    last = int(np.argmax(np.where(fit, sparsity, -np.inf)))
    for point, why in (
        (choice.chosen, "chosen"),
        (choice.accuracy_alone, "accuracy_alone"),
        *((near.point, "nearest") for near in choice.nearest),
        (last, "last"),
    ):
        if point is not None and fit[point]:
            return point, why
    return None, ""
