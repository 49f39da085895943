"""What intervals are over, and what numbers do not say."""

from collections.abc import Sequence

from prune_fair import analysis
from prune_fair.analysis import JudgedOn, Results, TooFew, Uncertainty
from prune_fair.data import TEST, VALIDATION, shift_of
from prune_fair.fairness import METRICS, Over
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
SAME_SPLIT = (
    "The choice is optimistic: the same images of the split {} were used to choose and to report. "
    "Of images that had no part in the choice expect worse."
)
HELD_BY_MEANS = (
    "Constraints were held by means, whose intervals may reach past the bound; the flag "
    "--certify asks one-sided bounds over seeds and images to hold them."
)


def interval(confidence: float, known: Uncertainty) -> str:
    """What an interval is; nothing where there is none.

    Example:
        >>> interval(0.95, Uncertainty("seeds", 32, 0))
        '95 % interval over 32 seeds'
    """
    return f"{of_confidence(confidence)} interval over {known.counted}" if known.counted else ""


def by_interval(
    results: Results, columns: Sequence[str], over: Over | None = None, by_class: bool = False
) -> list[tuple[Uncertainty, list[str]]]:
    """What the intervals of several metrics are over, and which metrics that is said of.

    Args:
        results: one task's results.
        columns: metrics, or other numbers that networks have.
        over: what was asked for; None for the widest that each can have.
        by_class: whether there are intervals of classes too.
    """
    shown: dict[Over | None, list[str]] = {}
    for name in columns:
        asked = name if name in METRICS else analysis.SPARSITY  # hypervolumes: of networks, too
        shown.setdefault(analysis.interval_over(results, asked, over), []).append(name)
    if by_class:
        shown.setdefault(analysis.over_classes(results, over), []).append("classes")
    return [(analysis.uncertainty(results, way), names) for way, names in shown.items()]


def intervals(confidence: float, known: Sequence[tuple[Uncertainty, Sequence[str]]]) -> str:
    """What several intervals are, as `by_interval` gives it; nothing where there are none.

    Example:
        >>> seeds = Uncertainty("seeds", 16, 0)
        >>> both = Uncertainty("both", 16, 540)
        >>> intervals(0.9, [(both, ["accuracy"]), (seeds, ["cev"])]).partition("; ")[2]
        'of accuracy over 16 seeds and 540 test images; of cev over 16 seeds'
    """
    told = [(each, names) for each, names in known if each.counted]
    if len(told) <= 1:
        return interval(confidence, told[0][0]) if told else ""
    parts = (f"of {', '.join(names)} over {each.counted}" for each, names in told)
    return f"{of_confidence(confidence)} intervals; {'; '.join(parts)}"


def brackets(confidence: float, known: Sequence[tuple[Uncertainty, Sequence[str]]]) -> str:
    """What the brackets of a terminal's tables hold, or that there are none.

    Example:
        >>> brackets(0.9, [(Uncertainty("images", 1, 200), ["accuracy"])])
        '[low, high]: 90 % interval over 200 test images of one network.'
    """
    whose = " of one network" if len(known) == 1 and known[0][0].seeds == 1 else ""
    held = intervals(confidence, known)
    return f"[low, high]: {held}{whose}." if held else known[0][0].covers


def of_split(split: str) -> str:
    """Which images numbers are of, where they are not the test images; else nothing.

    Example:
        >>> print(of_split("noise@3").partition(". ")[0])
        Split noise@3: test images under noise of severity 3 of 5
        >>> of_split("validation"), of_split("test")
        ('Split validation: what is called test images are the validation images.', '')
    """
    if split == TEST:
        return ""
    if split == VALIDATION:
        return f"Split {split}: what is called test images are the validation images."
    return (
        f"Split {split}: test images under {shift(split)}. Of these no predictions of single "
        "images are kept, so that no interval is over images."
    )


def shift(split: str) -> str:
    """A shift in words.

    Example:
        >>> shift("noise@3")
        'noise of severity 3 of 5'
    """
    corruption, severity = shift_of(split)
    return f"{corruption} of severity {severity} of 5"


def on_frontier(known: Uncertainty) -> str:
    """What a probability of being on the frontier is of; nothing where there is none.

    Example:
        >>> on_frontier(Uncertainty("seeds", 32, 0)).partition(":")[0]
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
    if known.over == "seeds" and known.seeds < FEW_SEEDS:
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


def covered(of_networks: Uncertainty, of_classes: Uncertainty) -> list[str]:
    """What intervals cover and leave out: of numbers that networks have, and of classes.

    Example:
        >>> seeds, both = Uncertainty("seeds", 16, 0), Uncertainty("both", 16, 540)
        >>> covered(seeds, both)[1].partition(":")[0], len(covered(seeds, seeds))
        ('Of other numbers', 1)
    """
    if of_networks == of_classes:
        return [f"{of_networks.covers} {of_networks.leaves_out}"]
    return [
        "Of classes, of accuracy and of the smallest of the classes' mean changes: "
        f"{of_classes.covers} {of_classes.leaves_out}",
        f"Of other numbers: {of_networks.covers} {of_networks.leaves_out}",
    ]


def chosen_on(on: JudgedOn) -> str:
    """On which images an operating point was chosen, and what follows for those that are reported.

    Example:
        >>> print(chosen_on(JudgedOn("validation", 189, ("9",))).rpartition(". ")[2])
        Class 9 has no validation image: no choice looks at it.
    """
    if on.is_reported:
        return SAME_IMAGES if on.reported == TEST else SAME_SPLIT.format(on.reported)
    under = "" if on.reported == TEST else f" under {shift(on.reported)}"
    said = (
        f"Points are chosen on {counted(on.images, 'validation image')}; what is reported of them "
        f"is of the test images{under}, which had no part in the choice."
    )
    if on.lacking:
        said += (
            f" {_classes(on.lacking)} no validation image: no choice looks at {_them(on.lacking)}."
        )
    if on.unreported:
        said += (
            f" {_classes(on.unreported)} no test image: nothing that is reported looks at "
            f"{_them(on.unreported)}."
        )
    return said


def _classes(names: Sequence[str]) -> str:
    return f"Class {names[0]} has" if len(names) == 1 else f"Classes {', '.join(names)} have"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def too_few(classes: Sequence[TooFew]) -> str:
    """The classes that block certification.

    Example:
        >>> print(too_few([TooFew("8", 52, 72)]))
        Class 8 has 52 images: were none lost, that would not certify the bound; 72 are needed.
    """
    first, more = classes[0], len(classes) - 1
    others = f", and {more} of the others have too few" * (more > 0)
    return (
        f"Class {first.name} has {counted(first.images, 'image')}{others}: were none lost, that "
        f"would not certify the bound; {first.needed} are needed."
    )


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
