"""What is unfinished, diverged, undefined or without images."""

from collections.abc import Sequence

from prune_fair import analysis
from prune_fair.words.numbers import counted, percent

NOTHING_PRUNED = "No pruned network is finished yet."
FAILED = "is counted as a failure of every class", "are counted as failures of every class"
MISVOTED = "votes for a wrong class on every image", "vote for a wrong class on every image"


def level(number: int, diverged: int) -> str:
    """A level, and how many of its networks diverged where some did.

    Example:
        >>> level(3, 0), level(4, 2)
        ('3', '4 (2 diverged)')
    """
    return f"{number} ({diverged} diverged)" if diverged else str(number)


def with_undefined(text: str, networks: int) -> str:
    """A value, and for how many networks it is undefined where it is for some.

    Example:
        >>> with_undefined("0.750", 0), with_undefined("0.750", 2)
        ('0.750', '0.750 (2 undefined)')
    """
    return f"{text} ({networks} undefined)" if networks else text


def state(results: analysis.Results, treated: tuple[str, str] = FAILED) -> list[str]:
    """What is unfinished, diverged or without images, a sentence each.

    Args:
        results: one task's results.
        treated: what a diverged network does in the numbers that are shown, and what several do.
    """
    results = analysis.as_dataset(results)
    lines = [
        unfinished(results["finished"].mean().item()),
        diverged(analysis.count_networks(analysis.diverged(results)), treated),
        without_images(analysis.classes_without_images(results)),
    ]
    return [line for line in lines if line]


def unfinished(finished: float) -> str:
    """How far a study is that still runs; nothing of one that does not."""
    if finished >= 1:
        return ""
    return (
        f"The study is still running: {percent(finished)} of its networks are finished, and only "
        "those are counted."
    )


def diverged(networks: int, treated: tuple[str, str] = FAILED) -> str:
    """How many networks diverged, and what they do in the numbers; nothing of none."""
    if not networks:
        return ""
    return (
        f"{counted(networks, 'network')} diverged and {treated[networks > 1]} (a parameter or an "
        "output is not finite)."
    )


def collapsed(networks: int) -> str:
    """How many networks lost a layer; nothing of none."""
    if not networks:
        return ""
    treated = "is counted as it is" if networks == 1 else "are counted as they are"
    return f"{counted(networks, 'network')} lost every weight of a layer and {treated}."


def undefined(name: str, points: int) -> str:
    """At how many points a metric is undefined for some networks."""
    return (
        f"{name} is undefined for some networks at {counted(points, 'point')}; means there are "
        "over the others."
    )


def without_images(names: Sequence[str]) -> str:
    """The classes of which nothing is known; nothing where there are none.

    Example:
        >>> without_images(["8"])
        'Class 8 has no test image: nothing is known of its recall.'
    """
    if not names:
        return ""
    if len(names) == 1:
        return f"Class {names[0]} has no test image: nothing is known of its recall."
    return f"Classes {', '.join(names)} have no test image: nothing is known of their recall."
