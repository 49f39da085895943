"""Experiments: from flags to a study, its pictures and who pays for sparsity."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any

import tyro
import xarray as xr

from prune_fair import analysis, console
from prune_fair.cli.endings import one_line_errors
from prune_fair.cli.flags import flag_registry, tasks_of, wrong_flags_in_a_line
from prune_fair.config import StudyConfig
from prune_fair.engine.plan import PlanConfig
from prune_fair.fairness import EVERY_CLASS
from prune_fair.outputs import check_replaceable
from prune_fair.study import run_study

PICTURED = ("accuracy_change", EVERY_CLASS)  # in one unit, with the noise floor of retraining


def experiment(
    configure: Callable[..., tuple[StudyConfig, Path]],
    arguments: Sequence[str] | None = None,
    prog: str | None = None,
) -> None:
    """Runs an experiment: from flags to a study, its pictures, the table and the paths.

    Args:
        configure: gives the study and its directory; its parameters become the flags.
        arguments: the command line; None for the process's own.
        prog: what the command is called in its help; None for the script's name.
    """
    with one_line_errors():
        with wrong_flags_in_a_line():
            (config, out), plan = tyro.cli(
                _planned(configure), args=arguments, registry=flag_registry(), prog=prog
            )
        for picture in _pictures(config.task_names, out):
            check_replaceable(picture)
        with console.progress(config.networks) as progress:
            results = run_study(config, out, plan=plan, progress=progress)
        _show(results, out)


def _planned(configure: Callable[..., Any]) -> Callable[..., tuple[Any, PlanConfig]]:
    """The same flags, and those of the plan."""

    @wraps(configure)
    def planned(*arguments: Any, plan: PlanConfig = PlanConfig(), **options: Any) -> Any:
        return configure(*arguments, **options), plan

    asked = Parameter("plan", Parameter.KEYWORD_ONLY, default=PlanConfig(), annotation=PlanConfig)
    own = signature(configure, eval_str=True).parameters.values()
    planned.__signature__ = Signature([*own, asked])  # pyright: ignore[reportAttributeAccessIssue]
    planned.__annotations__ = {**configure.__annotations__, "plan": PlanConfig}
    return planned


def _show(results: xr.DataTree, out: Path) -> None:
    """An experiment's last words."""
    screen = console.make_console()
    choices = {name: _choice(node) for name, node in tasks_of(results)}
    for name, node in tasks_of(results):
        console.print_price(screen, name, node)
        console.print_accuracy_alone(screen, name, analysis.accuracy_alone(node))
        console.print_decision(screen, choices[name])
    told = ("accuracy_change", analysis.SPARSITY)
    console.print_caveats(screen, results, analysis.CONFIDENCE, told, True)
    for picture in _draw(results, choices, out):
        screen.print(f"picture  {picture}", soft_wrap=True)
    screen.print(f"study    {out}", soft_wrap=True)


def _draw(
    results: xr.DataTree, choices: Mapping[str, analysis.Choice], out: Path
) -> Iterator[Path]:
    """Draws the pictures of every task."""
    from prune_fair import plots  # brings matplotlib, which most commands do without

    tasks = tasks_of(results)
    places = iter(_pictures([name for name, _ in tasks], out))
    for name, node in tasks:
        shown = plots.overview(node, PICTURED, chosen=choices[name])
        for figure in (shown, plots.recalls(node)):
            yield plots.save(figure, next(places))


def _choice(node: xr.Dataset) -> analysis.Choice:
    """The certified point where one can be, else the one whose means hold the rule."""
    if analysis.over_classes(node) in ("both", "images"):
        certified = analysis.select(node, certify=True)
        if certified.chosen:
            return certified
    return analysis.select(node)


def _pictures(tasks: Sequence[str], out: Path) -> list[Path]:
    """The files of the pictures; those of a single task have no task in their name."""
    suffixes = [f"-{name.replace('/', '-')}" if len(tasks) > 1 else "" for name in tasks]
    kinds = "frontier", "recall"
    folder = Path(os.path.expanduser(out), "figures")
    return [folder / f"{kind}{suffix}.png" for suffix in suffixes for kind in kinds]
