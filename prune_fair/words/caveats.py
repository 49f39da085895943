"""What intervals are over, and what numbers do not say."""

from prune_fair.analysis import JudgedOn, Uncertainty
from prune_fair.words.failures import without_images
from prune_fair.words.numbers import counted, fixed, of_confidence

FEW_SEEDS = 16
MANY_IMAGES = 200  # of a class, from which on intervals of one network are about right
CALIBRATED = "73 to 80 %"  # by experiments/benchmarks/frontier_calibration.py
NO_INTERVALS = "nothing, since there are no intervals"
SAME_IMAGES = (
    "The choice is optimistic: there is no validation split, and the same test images were used to "
    "choose and to report. Of images that had no part in the choice expect worse."
)
HELD_BY_MEANS = (
    "Constraints were held by means, whose intervals may reach past the bound; the flag "
    "--certify asks the bad end of each interval to hold them."
)


def interval(confidence: float, known: Uncertainty) -> str:
    """What an interval is; nothing where there is none.

    Example:
        >>> interval(0.95, Uncertainty("seeds", 32, "", ""))
        '95 % interval over 32 seeds'
    """
    return f"{of_confidence(confidence)} interval over {known.counted}" if known.counted else ""


def brackets(confidence: float, known: Uncertainty) -> str:
    """What the brackets of a terminal's tables hold, or that there are none.

    Example:
        >>> brackets(0.9, Uncertainty("images", 200, "", ""))
        '[low, high]: 90 % interval over 200 test images of one network (percentile bootstrap).'
    """
    if not known.counted:
        return known.covers
    whose = " of one network" if known.over == "images" else ""
    return f"[low, high]: {interval(confidence, known)}{whose} (percentile bootstrap)."


def on_frontier(known: Uncertainty) -> str:
    """What a probability of being on the frontier is of; nothing where there is none.

    Example:
        >>> on_frontier(Uncertainty("seeds", 32, "", "")).partition(":")[0]
        'P(on frontier) is of other seeds on these test images, which it is about right for'
    """
    if known.over == "seeds":
        return (
            "P(on frontier) is of other seeds on these test images, which it is about right for: "
            f"of other images it is too sure, and points told 0.8 to 0.95 were on the frontier in "
            f"{CALIBRATED} of simulated studies."
        )
    if known.over == "images":
        return "P(on frontier) is of other test images of this one network, not of other seeds."
    return ""


def narrow(known: Uncertainty, least_images: int) -> list[str]:
    """Where intervals are known to cover less than they should.

    Args:
        known: what the intervals are over.
        least_images: test images of the class that has the fewest.
    """
    if known.over == "seeds" and known.units < FEW_SEEDS:
        return [
            f"With fewer than {FEW_SEEDS} seeds bootstrap intervals are too narrow: 95 % intervals "
            "of 8 seeds cover the truth in about 88 % of simulated studies."
        ]
    if known.over == "images" and least_images < MANY_IMAGES:
        return [
            "The worst of all classes' changes looks worse than it is where classes have few test "
            "images: its 95 % intervals covered the truth in 81 % of simulated test sets of 50 "
            "images a class, in 93 % of those of 200."
        ]
    return []


def chosen_on(on: JudgedOn) -> str:
    """On which images an operating point was chosen, and what follows for those that are reported.

    Example:
        >>> print(chosen_on(JudgedOn("validation", 189, ("9",))).rpartition(". ")[2])
        Class 9 has no validation image: no choice looks at it.
    """
    if on.is_reported:
        return SAME_IMAGES
    said = (
        f"Points are chosen on {counted(on.images, 'validation image')}; what is reported of them "
        "is of the test images, which had no part in the choice."
    )
    if not on.lacking:
        return said
    verb = "Class {} has" if len(on.lacking) == 1 else "Classes {} have"
    looked = "it" if len(on.lacking) == 1 else "them"
    lacking = verb.format(", ".join(on.lacking))
    return f"{said} {lacking} no validation image: no choice looks at {looked}."


def looked_at(points: int) -> str:
    """That the best of many points was chosen."""
    return (
        f"The point was chosen by looking at {counted(points, 'pruned point')}: the best of many "
        "is also the luckiest, and no interval here allows for that."
    )


def many_intervals(classes: int, tested: bool) -> str:
    """That intervals are of one number each, and what allows for looking at many."""
    allows = "only the p of the table of classes allow" if tested else "nothing here allows"
    return (
        f"Each interval is of one figure. Among {counted(classes, 'class')} some lie off by "
        f"chance; {allows} for looking at all of them."
    )


def grain(name: str, images: int) -> str:
    """How much one test image of a class moves its recall."""
    if not images:
        return without_images([name])
    return (
        f"Class {name} has {counted(images, 'test image')}: one image of it is "
        f"{fixed(100 / images, 1)} points of the recall of one network."
    )
