"""`prune-fair across`."""

import json as plain_json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro
import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.flags import opened, tasks_of
from prune_fair.data import GIVEN, TEST
from prune_fair.errors import check, unknown

StudyPaths = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="STUDY")]


def across(
    studies: StudyPaths = (),
    metric: str = "recall_group_min",
    at: float | None = None,
    objectives: tuple[str, ...] = tuple(analysis.DEFAULT_OBJECTIVES),
    techniques: tuple[str, ...] = (),
    normalise: str = "dense",
    out: Path | None = None,
    json: bool = False,
    confidence: float = analysis.CONFIDENCE,
    split: str = TEST,
) -> None:
    """Which technique is better over several tasks, and do the tasks agree on it?

    Args:
        studies: directories that experiments wrote, of two tasks at least in all.
        metric: what a network scores: of `prune-fair list`, or hypervolume.
        at: sparsity, of which the nearest level of each technique is taken; by default the
            sparsest that all techniques of all tasks reach.
        objectives: of the hypervolume.
        techniques: these only; two at least.
        normalise: dense for changes since the seed's own dense network, none for scores as they
            are.
        out: a directory for two pictures, performance profiles and the critical difference.
        json: print one JSON document.
        confidence: of the intervals, in (0, 1); tests are at the level that is left to 1.
        split: whose images numbers are of: test, validation, or a shift such as noise@3.
    """
    check(bool(studies), "no study: expected directories that experiments wrote")
    studied = [opened(path, split) for path in studies]
    nodes = _named(studied)
    _check_techniques(nodes.values(), techniques)
    tasks = {name: _chosen(node, techniques) for name, node in nodes.items()}
    scores = analysis.task_scores(tasks, metric, at, normalise, objectives)
    found = analysis.across(scores, confidence)
    if json:
        document: dict[str, Any] = {"studies": [_identity(results) for results in studied]}
        document |= {} if split == TEST else {"split": split}
        console.print_json({**document, **console.across_document(found)})
    else:
        screen = console.make_console()
        console.print_across(screen, found, tasks)
        console.print_split(screen, studied[0])
    if out is not None:
        _draw(found, out, quiet=json)


def _named(studies: Sequence[xr.DataTree]) -> dict[str, xr.Dataset]:
    """The tasks of all studies, by their names, behind the study's where two have one name."""
    found = [(results.attrs["path"], *each) for results in studies for each in tasks_of(results)]
    seen: dict[str, str] = {}
    for path, name, node in found:
        here, task = f"{name} of {path}", _essence(path, node)
        check(
            task not in seen,
            f"{here} is the same task as {seen.get(task)}: expected each task once, since its "
            "networks would count twice",
        )
        seen[task] = here
    common = Counter(name for _, name, _ in found)
    folders = Counter((Path(path).name, name) for path, name, _ in found)
    named = {}
    for path, name, node in found:
        study = Path(path).name if folders[Path(path).name, name] == 1 else path
        named[name if common[name] == 1 else f"{study}: {name}"] = node
    return named


def _essence(path: str, node: xr.Dataset) -> str:
    """What makes a task another: not its name, nor what is tested; of given networks its study."""
    config = plain_json.loads(node.attrs["config"])
    config["data"].pop("shift", None)
    given = config["model"]["name"].startswith(GIVEN)
    where = str(Path(path).resolve()) if given else ""
    return where + plain_json.dumps({**config, "name": ""}, sort_keys=True)


def _chosen(node: xr.Dataset, techniques: Sequence[str]) -> xr.Dataset:
    names = [*map(str, node["technique"].values)]
    return node.sel(technique=[name for name in techniques or names if name in names])


def _check_techniques(nodes: Iterable[xr.Dataset], techniques: Sequence[str]) -> None:
    known = dict.fromkeys(str(name) for node in nodes for name in node["technique"].values)
    for name in techniques:
        if name not in known:
            raise unknown("technique", name, known)
    check(len({*techniques}) == len(techniques), "techniques: expected each once")


def _identity(results: xr.DataTree) -> dict[str, Any]:
    return {key: results.attrs[key] for key in ("path", "fingerprint", "complete")}


def _draw(found: xr.Dataset, folder: Path, quiet: bool) -> None:
    """Both pictures; prints where they are, but for a JSON document."""
    from prune_fair import plots  # brings matplotlib

    drawn = {
        "performance-profiles": plots.performance_profiles(found),
        "critical-difference": plots.critical_difference(found),
    }
    for name, axes in drawn.items():
        path = plots.save(axes, folder / f"{name}.png")
        if not quiet:
            console.print_lines(console.make_console(), [f"picture  {path}"])
