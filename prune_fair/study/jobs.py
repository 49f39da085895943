"""The pure list of what is to be done: which levels of which seeds, and what each goes on from."""

from collections.abc import Sequence
from typing import NamedTuple

from prune_fair.config import StudyConfig


class Job(NamedTuple):
    """Levels of a block of seeds that are computed at one go and saved one by one.

    Attributes:
        levels: one; several where no training parts them.
        parents: the level whose networks they prune; None for the dense networks themselves.
    """

    levels: tuple[int, ...]
    parents: int | None


def blocks(config: StudyConfig) -> list[range]:
    """The seeds that are worked at together, block by block.

    Example:
        >>> blocks(StudyConfig(seeds=5, seeds_per_piece=3))
        [range(0, 3), range(3, 5)]
    """
    size, seeds = config.seeds_per_piece, config.seeds
    return [range(first, min(first + size, seeds)) for first in range(0, seeds, size)]


def first_unfinished(finished: Sequence[bool], kept: Sequence[bool]) -> int:
    """The level that a block goes on with.

    Where a piece is missing in the middle, the networks before it were dropped: the block goes on
    from the dense ones, and the same results come about once more.

    Args:
        finished: whether the results of each level are there.
        kept: whether the networks of each level are.

    Example:
        >>> first_unfinished([True, True, False, True], [True, False, False, True])
        1
    """
    levels = len(finished)
    level = [*finished, False].index(False)
    if 1 < level < levels and not kept[level - 1] and kept[0]:
        return 1
    return level


def jobs(config: StudyConfig, level: int, together: int) -> list[Job]:
    """What is left to do of a block of seeds.

    Args:
        config: of the study.
        level: the first unfinished one.
        together: levels computed at one go, where no technique trains and each level prunes the
            dense networks.

    Example:
        >>> from prune_fair.pruning import Schedule
        >>> jobs(StudyConfig(schedule=Schedule(levels=2)), level=0, together=1)
        [Job(levels=(0,), parents=None), Job(levels=(1,), parents=0), Job(levels=(2,), parents=1)]
    """
    levels = range(len(config.schedule.sparsity_by_level()))
    dense = [Job((0,), None)] if level == 0 else []
    rest = levels[max(1, level) :]
    parts = [rest[first : first + together] for first in range(0, len(rest), together)]
    return dense + [Job(tuple(part), config.schedule.parents(part[0])) for part in parts]
