"""What a statistic is: a pure function of a batch, and what others must know of it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from jaxtyping import Array, Int

from prune_fair.fairness import all_wrong
from prune_fair.types import Logits

Total: TypeAlias = Any  # an array of a statistic's axes


class Outputs(NamedTuple):
    """A batch of images of a split, and what a network makes of them.

    Attributes:
        labels: positions of the true classes; -1 for what a batch is filled up with.
        logits: of the network.
        predicted: the class of the largest logit.
        groups: of the images, where they have groups; None without.
        group_count: how many groups there are.
    """

    labels: Int[Array, " n"]
    logits: Logits
    predicted: Int[Array, " n"]
    groups: Int[Array, " n"] | None = None
    group_count: int = 0


def as_it_is(total: Total, images: Int[Array, " classes"]) -> Total:
    """The total itself."""
    return total


def wrong(total: Total, images: Int[Array, " classes"]) -> Total:
    """A confusion in which every class's images stand under the next class."""
    return all_wrong(total)


class Statistic(NamedTuple):
    """A row of `statistics.STATISTICS`.

    Attributes:
        of_batch: of one batch, an array of `axes`; added up over the batches of a split.
        axes: names of its axes: `true`, `predicted`, `group`, or keys of `labels`.
        unit: of its values.
        description: one line for people.
        dtype: of the results.
        missing: its value where no network is finished.
        finish: from the total, and the images of each class, to the value.
        failed: what stands for a diverged network, a failure of every class: from its value and the
            images of each class.
        needs: `groups` where only images with groups have it, `calibration` where only studies
            that ask for it do; empty for all.
        labels: of axes of its own, what stands along each.

    Example:
        >>> from prune_fair.engine.statistics import STATISTICS
        >>> STATISTICS["confusion"].axes, STATISTICS["margin"].unit
        (('true', 'predicted'), 'probability')
    """

    of_batch: Callable[[Outputs], Array]
    axes: tuple[str, ...]
    unit: str
    description: str
    dtype: str = "int32"
    missing: float = 0
    finish: Callable[[Total, Int[Array, " classes"]], Total] = as_it_is
    failed: Callable[[Total, Int[Array, " classes"]], Total] = as_it_is
    needs: tuple[str, ...] = ()
    labels: Mapping[str, tuple[Any, ...]] = MappingProxyType({})
