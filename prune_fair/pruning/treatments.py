"""Treatments: what the surviving weights train from after pruning, and whether they train at all.

To add one, write its start here and add its row to `TREATMENTS`.
"""

from collections.abc import Callable
from typing import NamedTuple

from prune_fair.types import Variables


class Treatment(NamedTuple):
    """How a pruned network is retrained.

    Attributes:
        start: from (rewound, trained, fresh) variables, running statistics included, to those that
            training starts from.
        full_learning_rate: the recipe's whole learning rate, or the technique's share of it.
        trains: whether it is retrained at all.
        rewinds: whether it starts from the weights of the technique's `rewind_step`.
        gradual: whether it is pruned little by little while it trains, and not before.
        begins_anew: whether it starts from fresh variables, which are drawn for no other.
        unpruned: the treatment that it is where nothing is pruned; empty for itself.
        takes: the settings of `Technique` that it reads, in the order of their values in a name.

    Example:
        >>> TREATMENTS["rewind"].rewinds, TREATMENTS["none"].trains
        (True, False)
    """

    start: Callable[[Variables, Variables, Variables], Variables]
    full_learning_rate: bool = True
    trains: bool = True
    rewinds: bool = False
    gradual: bool = False
    begins_anew: bool = False
    unpruned: str = ""
    takes: tuple[str, ...] = ()


def finetune(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """The trained weights, at a share of the recipe's learning rate.

    Source: Han et al. 2015, arXiv 1506.02626. The rate falls as the recipe's does; Renda et al.
    2020 hold the schedule's last rate instead.
    """
    return trained


def lr_rewind(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """The trained weights, at the full learning rate: its schedule is rewound, they are not.

    Source: Renda et al. 2020, arXiv 2003.02389, learning rate rewinding, to the technique's
    `rewind_step`.
    """
    return trained


def rewind(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """The weights of the network's own initialisation or an early step, at the full learning rate.

    Source: Frankle & Carbin 2019, arXiv 1803.03635; to the technique's `rewind_step`, from which
    the schedule goes on, Frankle et al. 2020, arXiv 1912.05671. The optimiser's moments start at
    zero, and batches are others than those after that step of the dense training.
    """
    return rewound


def reinit(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """Weights of a new initialisation, another at each level, at the full learning rate.

    Source: Frankle & Carbin 2019, arXiv 1803.03635, the random reinitialisation control; its
    masks come from such networks, not from rewound ones.
    """
    return fresh


def gradual(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """The trained weights, at the full learning rate, pruned little by little while they train.

    Source: Zhu & Gupta 2017, arXiv 1710.01878, gradual magnitude pruning, from the sparsity of the
    networks that the level prunes: the technique's `gradual_prunings` along `schedules.ramp`.
    """
    return trained


def none(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """The trained weights as they are, not retrained: what does retraining repair?

    Source: the control of every treatment, as in Hoefler et al. 2021, arXiv 2102.00554.
    """
    return trained


STEP = "rewind_step"
TREATMENTS: dict[str, Treatment] = {
    "finetune": Treatment(
        finetune, full_learning_rate=False, takes=("finetune_learning_rate", STEP)
    ),
    "lr_rewind": Treatment(lr_rewind, takes=(STEP,)),
    "rewind": Treatment(rewind, rewinds=True, takes=(STEP,)),
    "reinit": Treatment(reinit, begins_anew=True, takes=(STEP,)),
    "gradual": Treatment(
        gradual,
        gradual=True,
        unpruned="lr_rewind",
        takes=("gradual_prunings", "gradual_share", STEP),
    ),
    "none": Treatment(none, trains=False),
}
