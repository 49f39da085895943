"""What the results of a task look like: axes, variables, pieces, and where each chunk lies.

The store knows of technique, seed and level; all other axes are the caller's.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from prune_fair.data import MEMBERS, Variable
from prune_fair.errors import printable

DENSE = "dense"
FINISHED = "finished"


COMMIT = Variable(MEMBERS, "bool", False, "true or false", "the network's piece is finished")


class Layout(NamedTuple):
    """The axes and variables of a task's results.

    Attributes:
        labels: of axes whose places have names; `technique` is one of them.
        sizes: of axes that are counted; `seed` and `level` are two of them.
        seeds_per_piece: how many seeds a block has; the last one may have fewer.
        variables: by name; `finished` is added to them.
        facts: what else is known of the task, as JSON types; `data_sha256` is one of it.

    Example:
        >>> whole = Variable(MEMBERS, "float64", math.nan, "fraction", "of weights removed")
        >>> layout = Layout({"technique": ["m"]}, {"seed": 5, "level": 2}, 2, {"sparsity": whole})
        >>> layout.blocks, layout.shape(whole), layout.chunk("sparsity", block=1, level=0)
        (range(0, 5, 2), (1, 5, 2), 'sparsity/c/0/1/0')
    """

    labels: Mapping[str, Sequence[str]]
    sizes: Mapping[str, int]
    seeds_per_piece: int
    variables: Mapping[str, Variable]
    facts: Mapping[str, Any] = {}

    @property
    def blocks(self) -> range:
        """The first seed of each block."""
        return range(0, self.sizes["seed"], self.seeds_per_piece)

    @property
    def levels(self) -> range:
        """The dense level and those of the schedule."""
        return range(self.sizes["level"])

    @property
    def all_variables(self) -> dict[str, Variable]:
        """The variables, and after them `finished`, which says what of them is there."""
        return {**self.variables, FINISHED: COMMIT}

    def coords(self) -> dict[str, np.ndarray]:
        """The labels of all axes; control characters in names are escaped."""
        named = {dim: np.array([*map(printable, each)], str) for dim, each in self.labels.items()}
        counted = {dim: np.arange(size) for dim, size in self.sizes.items()}
        return {**named, **counted}

    def size(self, dim: str) -> int:
        """How long an axis is."""
        return len(self.labels[dim]) if dim in self.labels else self.sizes[dim]

    def shape(self, variable: Variable) -> tuple[int, ...]:
        """Of the whole array."""
        return tuple(map(self.size, variable.dims))

    def bytes(self, variable: Variable) -> int:
        """Of the whole array, before it is compressed."""
        return math.prod(self.shape(variable)) * np.dtype(variable.dtype).itemsize

    def chunks(self, variable: Variable) -> tuple[int, ...]:
        """Of the part of it that a piece has."""
        own = {"seed": self.seeds_per_piece, "level": 1} if variable.by_piece else {}
        return tuple(own.get(dim) or max(1, self.size(dim)) for dim in variable.dims)

    def place(self, variable: Variable, block: int, level: int) -> tuple[int | slice, ...]:
        """Where a piece's part of it lies; the axis of levels is gone there."""
        first = self.blocks[block]
        seeds = slice(first, min(first + self.seeds_per_piece, self.sizes["seed"]))
        own: dict[str, int | slice] = {"seed": seeds, "level": level}
        return tuple(own.get(dim, slice(None)) for dim in variable.dims)

    def chunk(self, name: str, block: int = 0, level: int = 0) -> str:
        """The file of a piece's part of it, from the folder of the task."""
        own = {"seed": block, "level": level}
        dims = self.all_variables[name].dims
        return "/".join([name, "c", *(str(own.get(dim, 0)) for dim in dims)])

    def chunks_of(self, block: int, level: int) -> Iterator[str]:
        """All files of a piece, `finished` last."""
        for name, variable in self.all_variables.items():
            if variable.by_piece and math.prod(self.shape(variable)):
                yield self.chunk(name, block, level)

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON types: what is not a number is null."""
        variables = {
            name: {**each._asdict(), "missing": None if np.isnan(each.missing) else each.missing}
            for name, each in self.variables.items()
        }
        return {**self._asdict(), "facts": dict(self.facts), "variables": variables}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Layout":
        """The layout that `as_json` gave."""
        variables = {
            name: Variable(
                **{
                    **each,
                    "dims": tuple(each["dims"]),
                    "missing": math.nan if each["missing"] is None else each["missing"],
                }
            )
            for name, each in content["variables"].items()
        }
        return cls(**{**content, "variables": variables})


def block_name(first_seed: int) -> str:
    """What is kept of a block of seeds is called."""
    return f"seeds-{first_seed:05d}"


def piece_name(first_seed: int, level: int) -> str:
    """What the networks of a piece are called.

    Example:
        >>> piece_name(32, 4)
        'seeds-00032.level-004'
    """
    return f"{block_name(first_seed)}.level-{level:03d}"


def in_words(layout: Layout, task: str, block: int, level: int) -> str:
    """A piece as messages name it: "digits/mlp, seeds 0 to 31, level 4"."""
    first = layout.blocks[block]
    last = min(first + layout.seeds_per_piece, layout.sizes["seed"]) - 1
    return f"{task}, seeds {first} to {last}, level {level}"
