"""Treatments: what the surviving weights train from after pruning.

To add one, write its start here and add its row to `TREATMENTS`.
"""

from collections.abc import Callable
from typing import NamedTuple

from prune_fair.types import Variables


class Treatment(NamedTuple):
    """How a pruned network is retrained.

    Attributes:
        start: from (initial, trained, fresh) variables, running statistics included, to those that
            training starts from.
        full_learning_rate: the recipe's whole learning rate, or its fine-tuning share of it.
    """

    start: Callable[[Variables, Variables, Variables], Variables]
    full_learning_rate: bool


def finetune(initial: Variables, trained: Variables, fresh: Variables) -> Variables:
    """The trained weights, at the recipe's lower fine-tuning learning rate.

    Source: Han et al. 2015, arXiv 1506.02626.
    """
    return trained


def rewind(initial: Variables, trained: Variables, fresh: Variables) -> Variables:
    """The weights of the network's own initialisation, at the full learning rate.

    Source: Frankle & Carbin 2019, arXiv 1803.03635.
    """
    return initial


def reinit(initial: Variables, trained: Variables, fresh: Variables) -> Variables:
    """Weights of a new initialisation, another at each level, at the full learning rate.

    Source: Frankle & Carbin 2019, arXiv 1803.03635, the random reinitialisation control.
    """
    return fresh


TREATMENTS: dict[str, Treatment] = {
    "finetune": Treatment(finetune, full_learning_rate=False),
    "rewind": Treatment(rewind, full_learning_rate=True),
    "reinit": Treatment(reinit, full_learning_rate=True),
}
