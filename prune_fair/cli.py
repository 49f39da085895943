"""The command line: thin, it calls the library and prints.

Experiments run through `experiment`, the command `prune-fair` through `main`. A user's mistake is
one line on standard error and exit status 2.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from inspect import Parameter, Signature, getdoc, signature
from pathlib import Path
from typing import Annotated, Any

import tyro
import xarray as xr

from prune_fair import analysis, console
from prune_fair.config import StudyConfig
from prune_fair.datasets import DATASETS, PARAMETRIC
from prune_fair.errors import InputError
from prune_fair.fairness import METRICS
from prune_fair.models import MODELS
from prune_fair.pruning import CRITERIA, GRANULARITIES, SCHEDULES, SCOPES, TREATMENTS, name_pattern
from prune_fair.store import open_study
from prune_fair.study import run_study
from prune_fair.training.plan import PlanConfig

StudyPath = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="STUDY")]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `prune-fair`."""
    with _one_line_errors():
        tyro.extras.subcommand_cli_from_dict(
            {"list": list_rows, "metrics": metrics, "frontier": frontier},
            prog="prune-fair",
            description="See which classes pay for sparsity.",
            args=arguments,
        )


def experiment(
    configure: Callable[..., tuple[StudyConfig, Path]], arguments: Sequence[str] | None = None
) -> None:
    """Runs an experiment: from flags to a study, its pictures, the table and the paths.

    Args:
        configure: gives the study and its directory; its parameters become the flags.
        arguments: the command line; None for the process's own.
    """
    with _one_line_errors():
        (config, out), plan = tyro.cli(_planned(configure), args=arguments, registry=_flags())
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
    for name, node in _tasks(results):
        console.print_price(screen, name, analysis.price_of_accuracy(node))
    console.print_caveats(screen, results, confidence=0.95)
    for picture in _draw(results, out):
        screen.print(f"picture  {picture}", soft_wrap=True)
    screen.print(f"study    {out}", soft_wrap=True)


def _draw(results: xr.DataTree, out: Path) -> Iterator[Path]:
    """Draws the pictures of every task; those of a single task have no task in their name."""
    from prune_fair import plots  # brings matplotlib, which most commands do without

    tasks = _tasks(results)
    for name, node in tasks:
        suffix = f"-{name.replace('/', '-')}" if len(tasks) > 1 else ""
        yield plots.save(plots.frontier(node), out / "figures" / f"frontier{suffix}.png")
        yield plots.save(plots.recall(node), out / "figures" / f"recall{suffix}.png")


def list_rows(json: bool = False) -> None:
    """What a study can be made of, each with one line and its source.

    Args:
        json: print one JSON document.
    """
    described: dict[str, Mapping[str, Any]] = {
        "datasets": {**DATASETS, **PARAMETRIC},
        "models": MODELS,
        "criteria": CRITERIA,
        "treatments": {name: row.start for name, row in TREATMENTS.items()},
        "schedules": SCHEDULES,
        "scopes": SCOPES,
        "granularities": GRANULARITIES,
    }
    listing = {
        kind: {name: _summary_and_source(row) for name, row in rows.items()}
        for kind, rows in described.items()
    }
    listing["methods"] = {name_pattern(): _row("what --methods takes", "see the rows above")}
    listing["metrics"] = {name: _row(row.description, row.source) for name, row in METRICS.items()}
    if json:
        console.print_json(listing)
    else:
        console.print_listing(console.make_console(), listing)


def _summary_and_source(documented: Any) -> dict[str, str]:
    """The first line of a docstring, and its paragraph `Source:`."""
    text = getdoc(documented) or ""
    _, _, source = text.partition("Source: ")
    return _row(text.partition("\n")[0], " ".join(source.partition("\n\n")[0].split()))


def _row(summary: str, source: str) -> dict[str, str]:
    return {"summary": summary, "source": source}


def metrics(study: StudyPath, json: bool = False, confidence: float = 0.95) -> None:
    """Metrics of every method and level, with intervals over seeds.

    Args:
        study: directory that an experiment wrote.
        json: print one JSON document, with the recall of each class.
        confidence: of the intervals, in (0, 1).
    """
    results = open_study(study)
    columns = [analysis.SPARSITY, *METRICS]
    points = {
        name: analysis.operating_points(node, columns, confidence) for name, node in _tasks(results)
    }
    _print_points(results, points, columns, confidence, json)


def frontier(
    study: StudyPath,
    objectives: str = ",".join(analysis.DEFAULT_OBJECTIVES),
    json: bool = False,
    confidence: float = 0.95,
) -> None:
    """The operating points that no other dominates.

    Args:
        study: directory that an experiment wrote.
        objectives: names separated by commas: sparsity and metrics, each in its own direction.
        json: print one JSON document, with the dominated points too.
        confidence: of the intervals, in (0, 1).
    """
    results = open_study(study)
    columns = [name.strip() for name in objectives.split(",") if name.strip()]
    points = {name: analysis.frontier(node, columns, confidence) for name, node in _tasks(results)}
    if not json:
        points = {name: part.isel(point=part.on_frontier.values) for name, part in points.items()}
    _print_points(results, points, columns, confidence, json)


def _print_points(
    results: xr.DataTree,
    points: Mapping[str, xr.Dataset],
    columns: Sequence[str],
    confidence: float,
    json: bool,
) -> None:
    if json:
        head = {key: results.attrs[key] for key in ("path", "fingerprint", "complete")}
        tasks = {name: console.point_rows(part) for name, part in points.items()}
        return console.print_json({**head, "confidence": confidence, "tasks": tasks})
    screen = console.make_console()
    for name, part in points.items():
        console.print_points(screen, name, part, columns)
    return console.print_caveats(screen, results, confidence)


def _tasks(results: xr.DataTree) -> list[tuple[str, xr.Dataset]]:
    return [(node.path.strip("/"), node.to_dataset()) for node in results.leaves]


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def _flags() -> tyro.constructors.ConstructorRegistry:
    """Flags for the types that tyro does not know: `--data.keep 3=0.35 8=0.2`."""
    registry = tyro.constructors.ConstructorRegistry()

    @registry.primitive_rule
    def fractions(info: tyro.constructors.PrimitiveTypeInfo):
        if info.type != Mapping[str, float]:
            return None
        return tyro.constructors.PrimitiveConstructorSpec(
            nargs="*",
            metavar="[CLASS=FRACTION ...]",
            instance_from_str=_read_fractions,
            is_instance=lambda value: isinstance(value, Mapping),
            str_from_instance=lambda value: [f"{name}={part}" for name, part in value.items()],
        )

    return registry


def _read_fractions(words: Sequence[str]) -> dict[str, float]:
    try:
        pairs = [word.rsplit("=", 1) for word in words]
        return {name: float(fraction) for name, fraction in pairs}
    except ValueError:
        raise InputError(
            f"keep {' '.join(words)!r}: expected CLASS=FRACTION pairs, such as 3=0.35 8=0.2"
        ) from None
