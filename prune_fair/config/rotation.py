"""Rarity rotated over classes: of one task several, in each of which other classes are rare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from prune_fair import datasets
from prune_fair.config.task import TaskConfig
from prune_fair.errors import InputError, check, lookup
from prune_fair.values import check_folder_name, check_whole

Places = tuple[int, ...]  # the classes that take the pattern's fractions, in the fractions' order
TRIES = 500


@dataclass(frozen=True)
class Rotation:
    """Whether the rare classes of a task are rotated, and how.

    Attributes:
        rotate_rare: make several tasks of one, in each of which other classes take the fractions
            of `keep`: one for each class, so that every class takes every fraction once.
        rotations: how many tasks, of classes that are drawn; 0 for one for each class.
        rotation_seed: of the draw.

    Raises:
        InputError: for values outside their ranges, or a draw without `rotate_rare`.

    Example:
        >>> from prune_fair import DataConfig
        >>> task = TaskConfig(DataConfig("digits", keep={"8": 0.2}))
        >>> len(Rotation().tasks(task)), len(Rotation(rotate_rare=True).tasks(task))
        (1, 10)
    """

    rotate_rare: bool = False
    rotations: int = 0
    rotation_seed: int = 0

    def __post_init__(self) -> None:
        check_whole("rotations", self.rotations, least=0)
        check_whole("rotation_seed", self.rotation_seed, least=0)
        check(
            self.rotate_rare or not self.rotations,
            f"rotations {self.rotations} without rotate_rare: expected both, or none",
        )

    def tasks(self, task: TaskConfig) -> tuple[TaskConfig, ...]:
        """The task itself, or what `rotate_rare` makes of it."""
        if not self.rotate_rare:
            return (task,)
        return rotate_rare(task, rotations=self.rotations, seed=self.rotation_seed)


def rotate_rare(task: TaskConfig, *, rotations: int = 0, seed: int = 0) -> tuple[TaskConfig, ...]:
    """Tasks that differ from one in which classes are rare, so that rarity is not of one class.

    The fractions of `keep` move to other classes. With `rotations` 0 they move by one class, then
    by two, and so on: there is a task for each class (tasks that come out alike are made once), and
    every class takes each fraction equally often. Otherwise the classes are drawn: each task takes
    those that were rare least often so far, so that their numbers differ by 1 at most where
    different tasks can be had so.

    A task is named after the one it came from and its rare classes, in the order of the fractions,
    such as `digits/mlp/rare-3-8`; by number (`digits/mlp/rotation-1`) where the classes' names
    make no names of folders. The dataset is loaded for the names of its classes, unless
    `classes` says them.

    Args:
        task: one whose `keep` has a fraction at least.
        rotations: number of tasks; 0 for one for each class.
        seed: of the draw.

    Returns:
        The tasks, to go into one `StudyConfig`.

    Raises:
        InputError: for a task without fractions, with a long tail as well, or in which all classes
            are kept alike, or more rotations than there are different ones.

    Source: a Latin square (Fisher 1935): each treatment once in each task and for each class.

    Example:
        >>> from prune_fair import DataConfig
        >>> task = TaskConfig(DataConfig("digits", keep={"3": 0.35, "8": 0.2}))
        >>> [other.node for other in rotate_rare(task)][:2]
        ['digits/mlp/rare-3-8', 'digits/mlp/rare-4-9']
    """
    data = task.data
    check(
        bool(data.keep),
        "rotate_rare: no class is made rare; expected keep with a fraction, such as keep 8=0.2",
    )
    check(
        data.imbalance_factor == 1,
        f"rotate_rare moves the fractions of keep, and imbalance_factor {data.imbalance_factor:g} "
        "makes classes rare that stay where they are; expected one of both",
    )
    names = data.classes or datasets.load(data.name).class_names
    positions = {name: place for place, name in enumerate(names)}
    start = tuple(lookup(positions, name, "class") for name in data.keep)
    fractions = tuple(data.keep.values())
    places = _drawn(fractions, len(names), rotations, seed) if rotations else _moved(start, names)
    places = [*_different(places, fractions)]
    check(len(places) > 1, "rotate_rare: all classes are kept alike; there is nothing to rotate")
    labels = _labels([[names[place] for place in each] for each in places])
    return tuple(
        replace(
            task,
            data=replace(data, keep={names[p]: f for p, f in zip(each, fractions, strict=True)}),
            name=f"{task.node}/{label}",
        )
        for each, label in zip(places, labels, strict=True)
    )


def _moved(start: Places, names: Sequence[str]) -> list[Places]:
    """The places moved by no class, by one, and so on."""
    classes = len(names)
    return [tuple((place + by) % classes for place in start) for by in range(classes)]


def _different(places: Sequence[Places], fractions: Sequence[float]) -> Iterator[Places]:
    """Those that do not keep the same classes by the same fractions as one before."""
    seen = set()
    for each in places:
        kept = _kept(each, fractions)
        if kept not in seen:
            seen.add(kept)
            yield each


def _kept(places: Places, fractions: Sequence[float]) -> frozenset[tuple[int, float]]:
    return frozenset(pair for pair in zip(places, fractions, strict=True) if pair[1] < 1)


def _drawn(fractions: Sequence[float], classes: int, rotations: int, seed: int) -> list[Places]:
    """Different places, drawn so that all classes are rare about equally often."""
    rng, count = np.random.default_rng(seed), np.zeros(classes, int)
    found: list[Places] = []
    while len(found) < rotations:
        tries = (_draw(rng, count * (i < TRIES), len(fractions)) for i in range(2 * TRIES))
        seen = {_kept(each, fractions) for each in found}
        fresh = next((each for each in tries if _kept(each, fractions) not in seen), None)
        if fresh is None:
            raise InputError(
                f"rotations {rotations}: expected at most {len(found)}; no more were found "
                f"that differ, with {len(fractions)} of {classes} classes rare"
            )
        found.append(fresh)
        count[[*fresh]] += 1
    return found


def _draw(rng: np.random.Generator, count: np.ndarray, size: int) -> Places:
    """So many classes of the smallest count, ties and their order by chance."""
    least = np.lexsort((rng.random(len(count)), count))[:size]
    return tuple(rng.permutation(least).tolist())


def _labels(rare: Sequence[Sequence[str]]) -> list[str]:
    """A name of a folder for each task: by its rare classes, else by number."""
    labels = [f"rare-{'-'.join(each)}".replace("/", "_").replace("\\", "_") for each in rare]
    try:
        for label in labels:
            check_folder_name(label, "task")
    except InputError:
        labels = []
    if len({label.casefold() for label in labels}) == len(rare):
        return labels
    return [f"rotation-{number}" for number in range(1, len(rare) + 1)]
