"""What study.json and the record of a run hold, and that a file of that name holds it."""

from collections.abc import Iterator, Mapping
from typing import Any

from prune_fair.data import MEMBERS, SCHEMA_VERSION
from prune_fair.errors import check
from prune_fair.values import MOST, check_folder_name, check_task_name, is_whole, shortened

JSON_NAMES = {
    bool: "true or false",
    dict: "an object",
    float: "a number",
    int: "a whole number",
    str: "text",
    type(None): "null",
}
NUMBER = (float, int)
MANY = range(2**31)
DTYPES = ("bool", "uint8", "uint16", "int32", "int64", "float32", "float64")

# By name what stands there: a type or some; a range of whole numbers; a list of what its one entry
# says; an object with these names, "*" for any, "?" after those that may be absent.
VARIABLE = {
    "dims": [str],
    "dtype": str,
    "missing": (*NUMBER, bool, type(None)),
    "unit": str,
    "description": str,
}
TASK = {
    "labels": {"technique": [str], "*": [str]},
    "sizes": {
        "seed": range(1, MOST["seeds"] + 1),
        "level": range(1, MOST["levels"] + 2),  # and the dense one
        "*": MANY,
    },
    "seeds_per_piece": range(1, MOST["seeds_per_piece"] + 1),
    "variables": {"*": VARIABLE},
    "facts": {"data_sha256": str, "image_shape?": [MANY]},
}
RUN = {
    "started": NUMBER,
    "seconds": NUMBER,
    "plan": {"shuffling": str, "dtype": str},
    "command": [str],
    "git_commit": (str, type(None)),
    "hardware": {"devices": [str]},
    "packages": {"*": str},
    "python": str,
}
NAMED = {"name": str}
STUDY = {
    "schema_version": range(SCHEMA_VERSION, SCHEMA_VERSION + 1),
    "fingerprint": str,
    "config": {
        "tasks": [{"data?": NAMED, "model?": NAMED, "recipe?": dict}],
        "seeds": range(1, MOST["seeds"] + 1),
        "techniques?": [str],
        "schedule?": NAMED,
    },
    "tasks": {"*": TASK},
    "metadata": {"*": str},
}
LAST_OF_NETCDF = 4, "prune_fair 0.1.0"  # schemas up to this one, and what reads them


def check_version(study: Any, source: str) -> None:
    """Raises `InputError` unless results are of the schema version that this prune_fair reads.

    Args:
        study: what JSON gave; what is no object, or says no version, is damage and not looked at.
        source: the study, for the message.

    Raises:
        InputError: as said, with the version of prune_fair that reads them.

    Example:
        >>> check_version({"schema_version": 3}, "studies/old")
        Traceback (most recent call last):
            ...
        prune_fair.errors.InputError: studies/old: results of schema version 3, this prune_fair ...
    """
    version = study.get("schema_version") if isinstance(study, dict) else SCHEMA_VERSION
    last, reader = LAST_OF_NETCDF
    old = is_whole(version, 0, last)
    check(
        version == SCHEMA_VERSION,
        f"{source}: results of schema version {shortened(version)}, this prune_fair reads "
        f"{SCHEMA_VERSION}; open it with {reader if old else 'the version that wrote it'}, or run "
        "its command again in another directory",
    )


def check_study(study: Any, source: str) -> None:
    """Raises `InputError` unless that is what a study's study.json holds.

    Args:
        study: what JSON gave.
        source: the study, for the message.

    Raises:
        InputError: for content that is missing or of another kind, axes that contradict each other,
            or names of tasks and arrays that leave the study's directory.
    """
    found = next(_misfits(study, STUDY, "it"), None) or next(_contradictions(study), None)
    check(found is None, f"{source}: study.json is damaged: {found}; restore it from a copy")
    damaged = f"{source}: study.json is damaged: name of"
    for part in (part for file in study["metadata"] for part in file.split("/")):
        check_folder_name(part, f"{damaged} a file")
    for task, layout in study["tasks"].items():
        check_task_name(task, f"{damaged} a task")
        for name in (*layout["labels"], *layout["sizes"], *layout["variables"]):
            check_folder_name(name, f"{damaged} an array")


def check_run(run: Any, source: str) -> None:
    """Raises `InputError` unless that is what a process recorded of itself."""
    found = next(_misfits(run, RUN, "it"), None)
    check(found is None, f"{source}: the record of a run is damaged: {found}; move it away")


def _misfits(value: Any, form: Any, where: str) -> Iterator[str]:
    """Where a tree of JSON types is not of that form; what comes later is not looked at then."""
    if isinstance(form, dict):
        if not isinstance(value, dict):
            yield f"{where} is {shortened(value)} where an object was expected"
            return
        for name, inner in form.items():
            key = name.removesuffix("?")
            for each in value if key == "*" else [key]:
                if each in value:
                    inside = shortened(each) if where == "it" else f"{where}, {shortened(each)}"
                    yield from _misfits(value[each], inner, inside)
                elif key == name:
                    yield f"{where} has no {each!r}"
    elif isinstance(form, list):
        if not isinstance(value, list):
            yield f"{where} is {shortened(value)} where a list was expected"
            return
        for number, each in enumerate(value):
            yield from _misfits(each, form[0], f"{where}, entry {number}")
    elif isinstance(form, range):
        if not is_whole(value, form[0], form[-1]):
            expected = f"a whole number from {form[0]} to {form[-1]}"
            yield f"{where} is {shortened(value)} where {expected} was expected"
    else:
        kinds = form if isinstance(form, tuple) else (form,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            expected = " or ".join(JSON_NAMES[kind] for kind in kinds)
            yield f"{where} is {shortened(value)} where {expected} was expected"


def _contradictions(study: Mapping[str, Any]) -> Iterator[str]:
    """What is of the right kind, and cannot be so together."""
    if len(study["tasks"]) > len(study["config"]["tasks"]):
        yield f"it has {len(study['tasks'])} tasks, its config {len(study['config']['tasks'])}"
    for task, layout in study["tasks"].items():
        for name, labels in layout["labels"].items():
            if len({*labels}) < len(labels):
                yield f"task {task!r} has {name} twice"
        axes = {*layout["labels"], *layout["sizes"]}
        for name, variable in layout["variables"].items():
            for dim in {*variable["dims"]} - axes:
                yield f"task {task!r} has no axis {shortened(dim)} of {name!r}"
            if variable["dtype"] not in DTYPES:
                yield f"task {task!r} has {name!r} of dtype {shortened(variable['dtype'])}"
            if "seed" in variable["dims"] and not {*MEMBERS} <= {*variable["dims"]}:
                yield f"task {task!r} has {name!r} of axes {shortened(variable['dims'])}"
