"""Do claims hold on other images? Points chosen on one half of the test images, seen on the other.

Purpose   how often "every class loses at most 5 points" breaks on images that had no part in it
Command   python experiments/benchmarks/half_split.py STUDY [--splits N] [--tolerance 0.05] [--json]
Hardware  1 CPU core and 1 GiB of memory
Time      a minute for 200 splits of 16 seeds of 8 techniques
Expected  see docs/method.md: of the quickstart 0.145 by the means, 0.005 certified

The test images of each class are cut into two halves at random. On one half the sparsest point is
chosen as `prune-fair select` does it, by the classes' means or with `--certify`; it breaks where a
class's mean recall on the other half falls by more than the tolerance. Networks are the same in
both halves, and all splits are of one study: they are no sample of studies.
"""

import json as json_format
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tyro
import xarray as xr
from rich.console import Console
from rich.table import Table

from prune_fair import open_study
from prune_fair.analysis import Constraint, Rule, operating_points
from prune_fair.analysis.by_image import check_predictions
from prune_fair.analysis.certifying import certify_points
from prune_fair.analysis.controls import candidates
from prune_fair.analysis.cross_fitting import on_images
from prune_fair.analysis.judging import judge
from prune_fair.cli.endings import one_line_errors
from prune_fair.cli.flags import StudyPath, tasks_of
from prune_fair.errors import check, lookup
from prune_fair.fairness import EVERY_CLASS

COLUMNS = ("sparsity", "accuracy", EVERY_CLASS)
RULES = ("by the mean", "certified")


class Chosen(NamedTuple):
    """A point that was chosen on one half, and whether it breaks the rule on the other."""

    name: str
    sparsity: float
    breaks: bool


def main(
    study: StudyPath = Path("studies/quickstart"),
    task: str = "",
    splits: int = 200,
    tolerance: float = 0.05,
    confidence: float = 0.95,
    json: bool = False,
) -> None:
    """How often a choice breaks on the other half of the test images.

    Args:
        study: with predictions.
        task: of the study; by default its first.
        splits: of the test images into halves.
        tolerance: how much of its mean recall each class may lose.
        confidence: of what certifies, of all techniques together.
        json: print one JSON document.
    """
    check(splits >= 1, f"splits {splits}: expected at least 1")
    tasks = dict(tasks_of(open_study(study)))
    results = candidates(lookup(tasks, task or next(iter(tasks)), "task")).load()
    check_predictions(results)
    rule = Rule((Constraint(EVERY_CLASS, ">=", -tolerance),), {"sparsity": 1.0})
    chosen = [on_one_half(results, rule, confidence, split) for split in range(splits)]
    found = {name: summary([each[place] for each in chosen]) for place, name in enumerate(RULES)}
    if json:
        print(json_format.dumps(found, indent=1))
    else:
        show(found, f"{splits} splits, every class within {100 * tolerance:g} points")


def on_one_half(
    results: xr.Dataset, rule: Rule, confidence: float, split: int
) -> tuple[Chosen, ...]:
    """What one half chooses, by the means and by what certifies."""
    shown = half(results["image_label"].values, split)
    seen, points = points_of(results, shown)
    fresh = points_of(results, ~shown)[1][EVERY_CLASS].sel(estimate="mean").values
    bounds = certify_points(seen, points, rule.constraints, confidence).bounds
    best = (judge(points, rule, each).best for each in (None, bounds))
    return tuple(_chosen(points, fresh, rule, each or 0) for each in best)


def half(labels: np.ndarray, split: int) -> np.ndarray:
    """Which images are of the half that is chosen on: half of each class, at random."""
    rng, shown = np.random.default_rng((9, split)), np.zeros(len(labels), bool)
    for true in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == true))
        shown[own[: len(own) // 2]] = True
    return shown


def points_of(results: xr.Dataset, shown: np.ndarray) -> tuple[xr.Dataset, xr.Dataset]:
    """Results on these images, and their operating points, with no interval over images."""
    part = on_images(results, shown)
    return part, operating_points(part.drop_dims("image"), COLUMNS, by_class=False)


def _chosen(points: xr.Dataset, fresh: np.ndarray, rule: Rule, place: int) -> Chosen:
    """The point at a place; the dense network, at 0, where none qualified."""
    sparsity = float(points["sparsity"].sel(estimate="mean").values[place])
    name = f"{points['technique'].values[place]} at {sparsity:.2f}"
    return Chosen(name, sparsity, bool(fresh[place] < rule.constraints[0].bound))


def summary(chosen: list[Chosen]) -> dict[str, float | dict[str, float]]:
    """How often choices break, how sparse they are, and the share of splits that choose each."""
    sparsity = [each.sparsity for each in chosen]
    names = Counter(each.name for each in chosen)
    return {
        "breaks": float(np.mean([each.breaks for each in chosen])),
        "sparsity, mean": round(float(np.mean(sparsity)), 3),
        "least": round(min(sparsity), 3),
        "most": round(max(sparsity), 3),
        "chosen": {name: count / len(chosen) for name, count in names.most_common()},
    }


def show(found: dict[str, dict], title: str) -> None:
    """A row a rule, then the points that each chose."""
    table = Table(title=title)
    for name in ("rule", *(name for name in found[RULES[0]] if name != "chosen")):
        table.add_column(name)
    for rule, row in found.items():
        table.add_row(rule, *(f"{value:.3f}" for name, value in row.items() if name != "chosen"))
    console = Console(width=100)
    console.print(table)
    for rule, row in found.items():
        shares = (f"{name} in {share:.3f}" for name, share in row["chosen"].items())
        console.print(f"Chosen {rule}: {'; '.join(shares)}.")


if __name__ == "__main__":
    with one_line_errors():
        tyro.cli(main)
