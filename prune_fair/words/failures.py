"""What is unfinished, diverged, undefined or without images."""

from collections.abc import Sequence

from prune_fair import analysis
from prune_fair.words.numbers import counted, percent

NOTHING_PRUNED = "No pruned network is finished yet."
FAILED = "is counted as a failure of every class", "are counted as failures of every class"
DISAGREE = "is counted as agreeing with no other", "are counted as agreeing with no other"
MISVOTED = "votes for a wrong class on every image", "vote for a wrong class on every image"


def level(number: int, diverged: int, collapsed: int = 0) -> str:
    """A level, and how many of its networks failed where some did.

    Example:
        >>> level(3, 0), level(4, 2), level(4, 2, 1)
        ('3', '4 (2 diverged)', '4 (2 diverged, 1 collapsed)')
    """
    kinds = {"diverged": diverged, "collapsed": collapsed}
    lost = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    return f"{number} ({lost})" if lost else str(number)


def with_undefined(text: str, networks: int) -> str:
    """A value, and for how many networks it is undefined where it is for some.

    Example:
        >>> with_undefined("0.750", 0), with_undefined("undefined", 2)
        ('0.750', 'undefined (2 networks)')
    """
    return f"{text} ({counted(networks, 'network')})" if networks else text


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
        collapsed(analysis.count_collapsed(results)),
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
    """How many networks lost a layer, and what that does; nothing of none."""
    if not networks:
        return ""
    return (
        f"{counted(networks, 'network')} lost every weight of a layer: no point with one is chosen "
        "or on a frontier, and one that gives all images one class fails every class."
    )


def undefined(name: str, points: int) -> str:
    """At how many points a metric is undefined for some networks."""
    return (
        f"{name} is undefined for some networks at {counted(points, 'point')}: there is no mean "
        "there, and no bound on it holds."
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
