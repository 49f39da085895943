"""`prune-fair frontier` and `prune-fair compare`: which technique, and is it more than chance?"""

from collections.abc import Mapping, Sequence

import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import StudyPath, by_task, opened, tasks_of
from prune_fair.data import TEST

NO_PAIR = 1


def frontier(
    study: StudyPath,
    objectives: tuple[str, ...] = tuple(analysis.DEFAULT_OBJECTIVES),
    reference: tuple[str, ...] = (),
    json: bool = False,
    confidence: float = analysis.CONFIDENCE,
    split: str = TEST,
) -> None:
    """The operating points that no other dominates, and which technique has the better ones.

    Args:
        study: directory that an experiment wrote.
        objectives: sparsity and metrics, each in its own direction.
        reference: point that hypervolumes are measured from, such as accuracy=0.5 sparsity=0.3;
            what is left out is sparsity 0, accuracy of chance, and the worst value of others.
        json: print one JSON document, with the dominated points too.
        confidence: of the intervals, in (0, 1).
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    results = opened(study, split)
    columns = list(objectives)
    point = analysis.named_numbers("reference", reference)
    points = by_task(
        results, lambda node: analysis.frontier(node, columns, confidence, by_class=False)
    )
    volumes = by_task(results, lambda node: analysis.hypervolumes(node, columns, point, confidence))
    rankings = by_task(results, lambda node: _ranking(node, columns, point, confidence))
    nodes = dict(tasks_of(results))
    if json:
        tasks = {name: console.point_rows(part) for name, part in points.items()}
        parts = {
            name: console.hypervolume_document(part, rankings[name])
            for name, part in volumes.items()
        }
        return console.print_answer(
            results, {"confidence": confidence, "tasks": tasks, "comparisons": parts}
        )
    screen = console.make_console()
    for name, part in points.items():
        on_frontier = part.isel(point=part.on_frontier.values)
        console.print_points(screen, name, on_frontier, [*columns, "probability"])
        console.print_calibration(screen, analysis.uncertainty(nodes[name]))
        console.print_hypervolumes(screen, name, volumes[name], rankings[name], nodes[name])
    told = [*(name for name in columns if name != analysis.SPARSITY), "hypervolume"]
    return console.print_caveats(screen, results, confidence, told)


def compare(
    study: StudyPath,
    metric: str = "recall_group_min",
    sparsity: float | None = None,
    effect: float | None = None,
    equal_budget: bool = False,
    json: bool = False,
    confidence: float = analysis.CONFIDENCE,
    split: str = TEST,
) -> None:
    """Every pair of techniques at one sparsity, paired over seeds: is one of them better?

    Controls, which prune nothing, are left out. The exit status is 1 where no pair of a task is
    left.

    Args:
        study: directory that an experiment wrote.
        metric: what they are compared by.
        sparsity: where, between levels too; by default the sparsest that all techniques reach.
        effect: the difference that the number of seeds is for; by default the one observed.
        equal_budget: leave out pairs whose numbers of training steps to that sparsity, from the
            initialisation on, differ by more than 5 % of the larger.
        json: print one JSON document.
        confidence: of the intervals, in (0, 1).
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    results = opened(study, split)
    asked = metric, sparsity, confidence, effect, equal_budget
    found = by_task(results, lambda node: analysis.compare(node, *asked))
    if json:
        tasks = {name: console.comparison_document(part) for name, part in found.items()}
        said = {"confidence": confidence, "effect": effect, "equal_budget": equal_budget}
        console.print_answer(results, {**said, "tasks": tasks})
    else:
        screen = console.make_console()
        for name, part in found.items():
            console.print_comparison(screen, name, part, effect)
        console.print_caveats(screen, results, confidence)
    if not all(part.sizes["pair"] for part in found.values()):
        raise SystemExit(NO_PAIR)


def _ranking(
    node: xr.Dataset, columns: Sequence[str], point: Mapping[str, float], confidence: float
) -> xr.Dataset | None:
    """The change of ranks; None with one technique, or with nothing to add to or to be added."""
    performance = [name for name in columns if name in analysis.PERFORMANCE]
    fairness = [name for name in columns if name not in analysis.PERFORMANCE]
    if analysis.candidates(node).sizes["technique"] < 2 or not performance or not fairness:
        return None
    return analysis.ranking_change(node, performance, fairness, point, confidence)
