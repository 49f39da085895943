"""What all commands share: how a study is named, and what flags may be."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import tyro
import xarray as xr

from prune_fair.errors import InputError

StudyPath = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="STUDY")]


def tasks_of(results: xr.DataTree) -> list[tuple[str, xr.Dataset]]:
    """A study's tasks, each by its name, with every split."""
    return [(node.path.strip("/"), node.to_dataset()) for node in results.leaves]


def flag_registry() -> tyro.constructors.ConstructorRegistry:
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
