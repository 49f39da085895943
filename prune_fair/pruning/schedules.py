"""Schedules: the sparsity of each level, and whether a level prunes the one before it.

To add one, write its function here and add its row to `SCHEDULES`.
"""

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from prune_fair.errors import check, lookup
from prune_fair.values import check_number, check_whole, shortened


@dataclass(frozen=True)
class Schedule:
    """The pruned levels of a study; level 0, the dense network, is always there.

    Attributes:
        name: `geometric`, `linear` or `cubic`, each level starting from the level before, or
            `one-shot`, where every level prunes the dense network.
        rate: of `geometric`: the fraction of the remaining weights a level removes, in (0, 1).
        levels: of all but `one-shot`: number of levels after the dense one, at least 1.
        sparsity: of `linear` and `cubic`: that of the last level, in (0, 1).
        sparsities: of `one-shot`: increasing sparsities in [0, 1), one a level.

    Raises:
        InputError: for values outside these ranges.

    Example:
        >>> Schedule("one-shot", sparsities=(0.5, 0.9)).sparsity_by_level()
        (0.0, 0.5, 0.9)
    """

    name: str = "geometric"
    rate: float = 0.3
    levels: int = 12
    sparsity: float = 0.95
    sparsities: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        row = lookup(SCHEDULES, self.name, "schedule")
        for field in dataclasses.fields(self)[1:]:
            value = getattr(self, field.name)
            check(
                field.name in row.takes or value == field.default,
                f"schedule {self.name!r} takes {' and '.join(row.takes)}, and no {field.name} "
                f"({shortened(value)}); leave that at its default, {field.default}",
            )
        row.sparsities(self)

    @property
    def iterative(self) -> bool:
        """Whether a level prunes the level before it rather than the dense network."""
        return SCHEDULES[self.name].iterative

    def parents(self, level: int) -> int:
        """The level whose networks a pruned level prunes: the one before, or the dense one.

        Example:
            >>> Schedule().parents(3), Schedule("one-shot", sparsities=(0.5,)).parents(1)
            (2, 0)
        """
        return level - 1 if self.iterative else 0

    def sparsity_by_level(self) -> tuple[float, ...]:
        """The sparsity asked of each level, 0 first.

        Example:
            >>> Schedule("geometric", rate=0.5, levels=2).sparsity_by_level()
            (0.0, 0.5, 0.75)
        """
        return (0.0, *SCHEDULES[self.name].sparsities(self))


def geometric(schedule: Schedule) -> tuple[float, ...]:
    """Each level removes `rate` of the weights that remain.

    Source: Frankle & Carbin 2019, arXiv 1803.03635, iterative pruning.
    """
    rate = schedule.rate
    check_number("rate", rate, _in_between, "a fraction of what remains, in (0, 1)")
    return tuple(1 - (1 - rate) ** level for level in _levels(schedule))


def linear(schedule: Schedule) -> tuple[float, ...]:
    """Each level removes as many weights as every other.

    Source: `linear_scheduler` of Torch-Pruning.
    """
    return _towards(schedule, power=1)


def cubic(schedule: Schedule) -> tuple[float, ...]:
    """Gradual magnitude pruning's curve, many weights at first and few at last.

    Source: Zhu & Gupta 2017, arXiv 1710.01878, from sparsity 0, one level a training.
    """
    return _towards(schedule, power=3)


def _towards(schedule: Schedule, power: int) -> tuple[float, ...]:
    """What is missing of the last level's sparsity falls as a power of the levels left."""
    last = schedule.sparsity
    check_number("sparsity", last, _in_between, "that of the last level, in (0, 1)")
    levels = _levels(schedule)
    return tuple(last * (1 - (1 - level / len(levels)) ** power) for level in levels)


def _levels(schedule: Schedule) -> range:
    check_whole("levels", schedule.levels)
    return range(1, schedule.levels + 1)


def one_shot(schedule: Schedule) -> tuple[float, ...]:
    """Each level prunes the dense network at once to a sparsity of its own.

    Source: Li et al. 2017, arXiv 1608.08710.
    """
    sparsities = schedule.sparsities
    check(
        bool(sparsities),
        "schedule 'one-shot' without sparsities: name at least one, as in --schedule.sparsities "
        "0.5 0.9",
    )
    for sparsity in sparsities:
        expected = "the fraction of weights to remove, in [0, 1)"
        check_number("sparsity", sparsity, lambda sparsity: 0 <= sparsity < 1, expected)
    check(
        all(low < high for low, high in itertools.pairwise(sparsities)),
        f"sparsities {sparsities}: expected them increasing, each once",
    )
    return tuple(sparsities)


def _in_between(number: Any) -> bool:
    return 0 < number < 1


def ramp(first: float, last: float, prunings: int) -> tuple[float, ...]:
    """The sparsities of several prunings within one training, many weights at first, few at last.

    Source: Zhu & Gupta 2017, arXiv 1710.01878: s_t = s_f + (s_i - s_f) (1 - t / n)^3, t = 1 to n.

    Args:
        first: sparsity before the first pruning.
        last: sparsity after the last one.
        prunings: how many.

    Example:
        >>> ramp(0.0, 0.8, 2)
        (0.7000000000000001, 0.8)
    """
    left = [(1 - number / prunings) ** 3 for number in range(1, prunings + 1)]
    return tuple(last + (first - last) * share for share in left)


class Spacing(NamedTuple):
    """A row of `SCHEDULES`.

    Attributes:
        sparsities: from a schedule to the sparsity of each level after the dense one.
        takes: the fields of `Schedule` that it reads; others stay at their defaults.
        iterative: whether a level prunes the level before it rather than the dense network.

    Example:
        >>> SCHEDULES["one-shot"].takes
        ('sparsities',)
    """

    sparsities: Callable[[Schedule], tuple[float, ...]]
    takes: tuple[str, ...]
    iterative: bool = True


SCHEDULES: dict[str, Spacing] = {
    "geometric": Spacing(geometric, ("rate", "levels")),
    "linear": Spacing(linear, ("sparsity", "levels")),
    "cubic": Spacing(cubic, ("sparsity", "levels")),
    "one-shot": Spacing(one_shot, ("sparsities",), iterative=False),
}
