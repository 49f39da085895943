"""What study.json holds, and that a file of that name holds it."""

from collections.abc import Iterator, Mapping
from typing import Any

from prune_fair.data import SCHEMA_VERSION
from prune_fair.errors import InputError, check
from prune_fair.values import MOST, check_folder_name, is_whole, shortened

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

# By name what stands there: a type or some; a range of whole numbers; a list of what its one entry
# says; an object with these names, "*" for any, "?" after those that may be absent.
TASK = {
    "techniques": [str],
    "levels": range(1, MOST["levels"] + 2),  # and the dense one
    "layers": [str],
    "classes": [str],
    "train_count": [MANY],
    "data_sha256": str,
    "groups?": [str],
    "images?": MANY,
    "image_shape?": [MANY],
    "complexity?": {"*": [(*NUMBER, type(None))]},
}
RUN = {
    "started": NUMBER,
    "seconds?": NUMBER,
    "plan?": {"shuffling": str, "dtype": str},
    "command?": [str],
    "git_commit?": (str, type(None)),
    "hardware?": {"devices": [str]},
    "packages?": {"*": str},
    "python?": str,
}
NAMED = {"name": str}
STUDY = {
    "schema_version": range(SCHEMA_VERSION, SCHEMA_VERSION + 1),
    "fingerprint": str,
    "complete": bool,
    "config": {
        "tasks": [{"data?": NAMED, "model?": NAMED, "recipe?": dict}],
        "seeds": range(1, MOST["seeds"] + 1),
        "techniques?": [str],
        "schedule?": NAMED,
    },
    "tasks": {"*": TASK},
    "runs": [RUN],
}


def check_study(study: Any, source: str) -> None:
    """Raises `InputError` unless that is what a study's study.json holds.

    Args:
        study: what JSON gave.
        source: the study, for the message.

    Raises:
        InputError: for another schema version, content that is missing or of another kind, axes
            that contradict each other, or names of tasks that leave the study's directory.

    Example:
        >>> from prune_fair.store import read_study
        >>> from prune_fair.store.results import EXAMPLE
        >>> check_study(read_study(EXAMPLE), "the example")  # as it should be: nothing happens
    """
    if isinstance(study, dict) and (version := study.get("schema_version")) != SCHEMA_VERSION:
        raise InputError(
            f"{source}: results of schema version {shortened(version)}, this prune_fair reads "
            f"{SCHEMA_VERSION}; open it with the version that wrote it"
        )
    found = next(_misfits(study, STUDY, "it"), None) or next(_contradictions(study), None)
    check(found is None, f"{source}: study.json is damaged: {found}; restore it from a copy")
    for task in study["tasks"]:
        for part in task.split("/"):
            check_folder_name(part, f"{source}: study.json is damaged: name of a task")


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
    elif not isinstance(value, form) or (isinstance(value, bool) and form is not bool):
        kinds = form if isinstance(form, tuple) else (form,)
        expected = " or ".join(JSON_NAMES[kind] for kind in kinds)
        yield f"{where} is {shortened(value)} where {expected} was expected"


def _contradictions(study: Mapping[str, Any]) -> Iterator[str]:
    """What is of the right kind, and cannot be so together."""
    if len(study["tasks"]) > len(study["config"]["tasks"]):
        yield f"it has {len(study['tasks'])} tasks, its config {len(study['config']['tasks'])}"
    for task, axes in study["tasks"].items():
        rows = {"train_count": axes["train_count"], **axes.get("complexity", {})}
        for name, row in rows.items():
            if len(row) != len(axes["classes"]):
                classes = len(axes["classes"])
                yield f"task {task!r} has {len(row)} numbers of {name} for {classes} classes"
        for name in ("techniques", "layers", "classes", "groups"):
            if len({*axes.get(name, ())}) < len(axes.get(name, ())):
                yield f"task {task!r} has {name} twice"
