"""Configs as JSON, to and from plain values without loss, and what differs from the defaults."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from prune_fair.errors import check, lookup
from prune_fair.values import shortened

Config = TypeVar("Config")
WORDS = {
    bool: "true or false",
    dict: "an object",
    float: "a number",
    int: "a whole number",
    list: "a list",
    str: "text",
}


def to_json(value: Any) -> Any:
    """A config with every field, or a value of one, as JSON types.

    Example:
        >>> from prune_fair.pruning import Schedule
        >>> to_json(Schedule("one-shot", sparsities=(0.5, 0.9)))["sparsities"]
        [0.5, 0.9]
    """
    if dataclasses.is_dataclass(value):
        hints = get_type_hints(type(value))
        fields = (field.name for field in dataclasses.fields(value))
        return {name: _of_kind(hints[name], to_json(getattr(value, name))) for name in fields}
    if isinstance(value, Mapping):
        return {str(name): to_json(each) for name, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(each) for each in value]
    return value.item() if hasattr(value, "item") else value  # NumPy's numbers as Python's


def _of_kind(kind: Any, value: Any) -> Any:
    """Whole numbers, and -0, as the number that a field of floats has: 1.0 and 1 are one config."""
    if isinstance(value, (int, float)):
        return float(value) + 0.0 if float in {kind, *get_args(kind)} else value
    if isinstance(value, list):
        return [_of_kind(get_args(kind)[0], each) for each in value]
    if isinstance(value, dict) and get_args(kind):
        return {name: _of_kind(get_args(kind)[1], each) for name, each in value.items()}
    return value


def from_json(kind: type[Config], content: Any, where: str = "config") -> Config:
    """The config of that class that `to_json` made these values of; fields may be left out.

    Args:
        kind: a config's class.
        content: what JSON or TOML gave.
        where: what it is called in a message.

    Raises:
        InputError: for fields that the class has not, values of another type, or values that the
            class refuses.

    Example:
        >>> from prune_fair.pruning import Schedule
        >>> from_json(Schedule, {"name": "linear", "levels": 3}).sparsity
        0.95
    """
    return _read(kind, content, where)


def changed(config: Any) -> dict[str, Any]:
    """The fields of a config that differ from those of its class's defaults, as JSON types.

    A config that is a field of another goes by the same rule, so that a field that comes later, or
    is not given, changes nothing.

    Example:
        >>> from prune_fair.pruning import Schedule
        >>> changed(Schedule(levels=3)), changed(Schedule())
        ({'levels': 3}, {})
    """
    plain, fields = to_json(config), {}
    for field in dataclasses.fields(config):
        if plain[field.name] != to_json(_default(field)):
            fields[field.name] = _changes(getattr(config, field.name), plain[field.name])
    return fields


def _changes(value: Any, plain: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return changed(value)
    if isinstance(value, tuple):
        return [_changes(each, as_json) for each, as_json in zip(value, plain, strict=True)]
    return plain


def _default(field: dataclasses.Field[Any]) -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()


def _read(kind: Any, content: Any, where: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        _expect(dict, content, where)
        hints = get_type_hints(kind)
        for name in content:
            lookup(hints, name, f"field of {where}")
        return kind(  # pyright: ignore[reportCallIssue]
            **{name: _read(hints[name], each, f"{where}.{name}") for name, each in content.items()}
        )
    if origin in (Union, types.UnionType):
        if content is None:
            return None
        (kind,) = (each for each in inner if each is not type(None))
        return _read(kind, content, where)
    if origin is tuple:
        _expect(list, content, where)
        return tuple(_read(inner[0], each, f"{where}[{i}]") for i, each in enumerate(content))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _expect(dict, content, where)
        return {name: _read(inner[1], each, f"{where}.{name}") for name, each in content.items()}
    _expect(kind, content, where)
    return float(content) if kind is float else content


def _expect(kind: type, content: Any, where: str) -> None:
    """Raises `InputError` unless a value has the type: whole numbers are numbers, truths not."""
    kinds = (int, float) if kind is float else kind
    fits = isinstance(content, kinds) and (kind is bool or not isinstance(content, bool))
    check(fits, f"{where} is {shortened(content)}: expected {WORDS[kind]}")
