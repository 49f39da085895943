"""What intervals are taken over: the seeds of a study, its test images, or both."""

from collections.abc import Sequence
from typing import NamedTuple, get_args

import xarray as xr

from prune_fair.analysis.resampling import (
    BOTH,
    IMAGES,
    NOTHING,
    RESAMPLED,
    SEEDS,
    Results,
    as_dataset,
    networks,
    split_of,
)
from prune_fair.data import SPLITS, TEST
from prune_fair.errors import InputError, unknown
from prune_fair.fairness import FEWEST_SEEDS, Over


class Uncertainty(NamedTuple):
    """What the intervals of some results are, and what they are not.

    Attributes:
        over: `seeds`, `images` (of the test set), `both` or `nothing`.
        seeds: how many there are.
        images: how many there are; 0 where intervals are not over them.
        split: which images these are.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> print(uncertainty(results).counted, "|", uncertainty(results, "both").counted)
        16 seeds | 16 seeds and 540 test images
    """

    over: str
    seeds: int
    images: int
    split: str = TEST

    @property
    def covers(self) -> str:
        """What the intervals tell, a sentence."""
        images = f"{self.images:,} {self.split} images"
        whose = "this one network" if self.seeds == 1 else "these networks"
        return {
            SEEDS: f"Intervals are bootstraps over {self.seeds} seeds: how far the mean over "
            "networks, trained again from other seeds, may be from the one shown.",
            BOTH: f"Intervals are over {self.seeds} seeds and {images}: how far "
            "the mean over networks may be from the one shown, with other seeds and other images "
            "of the same kind.",
            IMAGES: f"Intervals are over the {images}: how far other {self.split} "
            f"images of the same kind may move the numbers of {whose}.",
            NOTHING: f"There are no intervals: {self.seeds} network(s) of each kind, at least "
            f"{FEWEST_SEEDS} are needed, or one whose predictions are kept.",
        }[self.over]

    @property
    def leaves_out(self) -> str:
        """What the intervals do not tell, a sentence."""
        return {
            SEEDS: "They do not tell what other test images would show, nor how much a single "
            "network may differ from the mean.",
            BOTH: "They do not tell how much a single network may differ from the mean.",
            IMAGES: "They do not tell what training again would give: another seed may lose other "
            "classes, and one network cannot show it.",
            NOTHING: "How far any number here may be from that of another seed, or of other test "
            "images, is not known.",
        }[self.over]

    @property
    def counted(self) -> str:
        """What intervals are over, such as "32 seeds"; nothing where there are none."""
        parts = {
            f"{self.seeds:,} seeds": self.over in (SEEDS, BOTH),
            f"{self.images:,} {self.split} images": self.over in (IMAGES, BOTH),
        }
        return " and ".join(part for part, is_counted in parts.items() if is_counted)


def uncertainty(results: Results, over: Over | None = None) -> Uncertainty:
    """What the intervals of these results are taken over.

    Args:
        results: one task's results.
        over: `seeds`, `images` or `both`; None for what a number of networks has unless more is
            asked for: with 3 seeds and more it is seeds. A single network whose predictions were
            kept leaves only its test images: intervals of classes and accuracy are score intervals
            then, others percentile bootstraps, paired: a resample holds the same images for the
            dense network and all that were pruned from it.

    Raises:
        InputError: for an `over` that these results cannot give.

    Source: Efron & Tibshirani 1993, chapters 6 and 13, for both.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> uncertainty(results).over, uncertainty(results).seeds
        ('seeds', 16)
    """
    results = as_dataset(results)
    seeds, images, possible = len(networks(results).seed), _images(results), _possible(results)
    if over is None:
        over = next((each for each in (SEEDS, IMAGES) if each in possible), None)
    elif over not in possible:
        raise _not_possible(over, seeds, possible, split_of(results))
    images = images if over in (IMAGES, BOTH) else 0
    return Uncertainty(over or NOTHING, seeds, images, split_of(results))


def over_classes(results: Results, over: Over | None = None) -> Over | None:
    """What intervals of a class's numbers are taken over: seeds and test images, where they can.

    None where there are no intervals.

    Args:
        results: one task's results.
        over: what is asked for, None for the widest that these results can give.

    Raises:
        InputError: for an `over` that they cannot give.

    Example:
        >>> from prune_fair import open_example
        >>> over_classes(open_example()["digits/mlp"])
        'both'
    """
    if over is not None:
        uncertainty(results, over)
        return over
    return next(iter(reversed(_possible(as_dataset(results)))), None)


def _possible(results: xr.Dataset) -> list[Over]:
    """What intervals of these results may be over."""
    seeds, kept = len(networks(results).seed), _images(results) > 0
    several = seeds >= FEWEST_SEEDS
    may: dict[Over, bool] = {
        SEEDS: several,
        IMAGES: kept and (several or seeds == 1),
        BOTH: kept and several,
    }
    return [over for over, is_possible in may.items() if is_possible]


def _images(results: xr.Dataset) -> int:
    """How many test images intervals may be over; 0 where their predictions were not kept."""
    if RESAMPLED in results.coords:
        return int(results[RESAMPLED])
    return results.sizes["image"] if "predictions" in results else 0


def _not_possible(over: str, seeds: int, possible: Sequence[str], split: str) -> InputError:
    if over not in get_args(Over):
        return unknown("over", over, get_args(Over))
    lacking, then = f"have {seeds} seed(s)", ", or a study run with --predictions"
    if split not in SPLITS:
        lacking, then = f"are of {split}, where predictions are never kept", ""
    elif seeds >= FEWEST_SEEDS:
        lacking = "were kept without predictions"
    return InputError(
        f"intervals over {over!r}: these results {lacking}; expected "
        f"{' or '.join(possible) or 'at least 3 seeds'}{then}"
    )
