"""What was pruned, how, and what it takes to run it again: from study.json, as plain values."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from prune_fair.data import GIVEN
from prune_fair.errors import InputError
from prune_fair.losses import LOSSES
from prune_fair.provenance import command_line, summary_and_source
from prune_fair.pruning import CRITERIA, GRANULARITIES, SCHEDULES, SCOPES, TREATMENTS, Technique

TAKES = {  # what a schedule reads of its config
    "geometric": ("rate", "levels"),
    "linear": ("sparsity", "levels"),
    "cubic": ("sparsity", "levels"),
    "one-shot": ("sparsities",),
}


class Part(NamedTuple):
    """One part of a technique, or a schedule: what it does and where it is from."""

    kind: str
    name: str
    summary: str
    source: str


class TechniqueParts(NamedTuple):
    """A technique's name and its parts; no parts where the name is not one of ours."""

    name: str
    parts: tuple[Part, ...]


class Run(NamedTuple):
    """One process that worked at the study."""

    started: str
    seconds: float
    command: str
    commit: str
    machine: str
    python: str
    packages: Mapping[str, str]
    plan: str


class Origin(NamedTuple):
    """Where a whole study comes from.

    Attributes:
        fingerprint: SHA-256 of the config and the schema version.
        schema_version: of the results.
        config: the whole config, JSON text.
        python: lines that run the same study; empty where networks or images were handed over.
        runs: every process that worked at it.
        schedule: as a part.
        complete: whether every network is finished.
    """

    fingerprint: str
    schema_version: int
    config: str
    python: str
    runs: tuple[Run, ...]
    schedule: Part
    complete: bool


def origin(study: Mapping[str, Any]) -> Origin:
    """Where a study comes from, by its study.json."""
    config = study["config"]
    schedule = config["schedule"]
    name = schedule["name"]
    taken = [f"{field} {_shown(schedule[field])}" for field in TAKES.get(name, ())]
    return Origin(
        study["fingerprint"],
        study["schema_version"],
        _readable(config),
        python_lines(config),
        tuple(map(_run, study["runs"])),
        _part("schedule", name, SCHEDULES.get(name))._replace(name=", ".join([name, *taken])),
        study["complete"],
    )


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _readable(config: Mapping[str, Any]) -> str:
    """A config as JSON text, its lists of plain values on a line each."""
    text = json.dumps(config, indent=1, ensure_ascii=False)
    lists = r"\[\n[^\[\]{}]*\]"
    return re.sub(lists, lambda found: re.sub(r"\n\s*", " ", found[0]), text)


def technique_parts(name: str) -> TechniqueParts:
    """A technique's parts in words."""
    try:
        technique = Technique.parse(name)
    except InputError:
        return TechniqueParts(name, ())
    treatment = _part("treatment", technique.treatment, TREATMENTS[technique.treatment].start)
    trained = treatment, *_loss(technique)
    if not technique.prunes:
        nothing = Part("criterion", technique.criterion, "Nothing is pruned", "")
        return TechniqueParts(name, (nothing, *trained))
    scope = SCOPES.get(technique.scope)
    parts = [
        _part("criterion", technique.criterion, CRITERIA[technique.criterion]),
        _part("scope", technique.scope, scope, "Layers have sparsities that were set by hand"),
        _part("granularity", technique.granularity, GRANULARITIES[technique.granularity]),
        *trained,
    ]
    if technique.output:
        parts.append(Part("output layer", "output", "pruned too", ""))
    if not technique.first:
        parts.append(Part("first layer", "skipfirst", "not pruned", ""))
    return TechniqueParts(name, tuple(parts))


def _loss(technique: Technique) -> list[Part]:
    """The loss that it has instead of the recipe's."""
    row = LOSSES.get(technique.loss.partition("@")[0])
    return [] if row is None else [_part("loss", technique.loss, row)]


def _part(kind: str, name: str, documented: Any, otherwise: str = "") -> Part:
    if documented is None:
        return Part(kind, name, otherwise, "")
    return Part(kind, name, *spoken(documented))


def spoken(documented: Any) -> tuple[str, str]:
    """The first line of a docstring and its source, as plain text."""
    summary, source = summary_and_source(documented)
    return without_marks(summary).rstrip("."), without_marks(source).rstrip(".")


def without_marks(text: str) -> str:
    """Text without the marks that docstrings put around code."""
    return text.replace("`", "")


def _run(run: Mapping[str, Any]) -> Run:
    hardware = run["hardware"]
    devices = hardware["devices"]
    kinds = ", ".join(f"{devices.count(kind)} x {kind}" for kind in sorted({*devices}))
    machine = (
        f"{hardware['system']} {hardware['machine']}, {hardware['cores']} cores, "
        f"{hardware['backend']} ({kinds})"
    )
    started = datetime.fromtimestamp(run["started"], UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Run(
        started,
        float(run["seconds"]),
        command_line(run["command"]),
        run["git_commit"] or "no checkout",
        machine,
        run["python"],
        run["packages"],
        json.dumps(run["plan"]),
    )


def python_lines(config: Mapping[str, Any]) -> str:
    """Lines of Python that run the study of a config; none where parts of it were handed over.

    Example:
        >>> python_lines({"tasks": [{"data": {"name": "given:mine"}, "model": {"name": "mlp"}}]})
        ''
    """
    for task in config["tasks"]:
        if any(task[part]["name"].startswith(GIVEN) for part in ("data", "model")):
            return ""
    tasks = [_task_lines(task) for task in config["tasks"]]
    rest = {key: config[key] for key in config if key not in ("tasks", "techniques", "schedule")}
    lines = [
        "from prune_fair import (",
        "    DataConfig, ModelConfig, RecipeConfig, Schedule, StudyConfig, TaskConfig, run_study,",
        ")",
        "",
        "study = StudyConfig(",
        "    tasks=(",
        *tasks,
        "    ),",
        f"    techniques={_literal(config['techniques'])},",
        f"    schedule=Schedule({_arguments(config['schedule'])}),",
        f"    {_arguments(rest)},",
        ")",
        'run_study(study, "studies/again")',
    ]
    return "\n".join(lines)


def _task_lines(task: Mapping[str, Any]) -> str:
    names = {"data": "DataConfig", "model": "ModelConfig", "recipe": "RecipeConfig"}
    lines = [f"            {name}({_arguments(task[part])})," for part, name in names.items()]
    return "\n".join(["        TaskConfig(", *lines, "        ),"])


def _arguments(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_literal(value)}" for name, value in fields.items())


def _literal(value: Any) -> str:
    """A JSON value as Python; lists are tuples in configs."""
    return repr(tuple(value) if isinstance(value, list) else value)
