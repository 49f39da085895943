"""Treatments: what the surviving weights train from after pruning, and whether they train at all.

To add one, write its start here and add its row to `TREATMENTS`.
"""

from collections.abc import Callable
from typing import NamedTuple

from prune_fair.pruning.updates import MaskUpdate, grown_at_random, grown_by_gradient, taken_anew
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
        mask_update: how its mask changes while it trains; None where it does not, or is pruned.
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
    mask_update: MaskUpdate | None = None
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


def sparse_evolution(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """As `rewind`, and at times each layer's smallest weights are exchanged for random others.

    Source: Mocanu et al. 2018, arXiv 1707.04780, sparse evolutionary training (SET): the
    technique's `drop_share` of the weights, at `mask_updates` steps over the whole training.
    """
    return rewound


def rigged_lottery(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """As `rewind`, and at times each layer's smallest weights are exchanged for others by gradient.

    Source: Evci et al. 2020, arXiv 1911.11134, RigL: the technique's `drop_share` of the weights,
    which falls as half a cosine, at `mask_updates` steps over three quarters of the training.
    """
    return rewound


def straight_through(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """As `rewind`, but removed weights train on by the masked network's gradient and may come back.

    Source: Bengio et al. 2013, arXiv 1308.3432, the straight-through estimator, as dynamic pruning
    with feedback has it (Lin et al. 2020, arXiv 2006.07253): the mask is taken anew from the
    magnitudes every `mask_interval` steps of the technique. Unseen weights get no feedback, so that
    long intervals let them grow until the next mask is another network's.
    """
    return rewound


def none(rewound: Variables, trained: Variables, fresh: Variables) -> Variables:
    """The trained weights as they are, not retrained: what does retraining repair?

    Source: the control of every treatment, as in Hoefler et al. 2021, arXiv 2102.00554.
    """
    return trained


STEP, UPDATES, DROP = "rewind_step", "mask_updates", "drop_share"
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
    "set": Treatment(
        sparse_evolution,
        rewinds=True,
        unpruned="rewind",
        mask_update=MaskUpdate(grown_at_random),
        takes=(UPDATES, DROP, STEP),
    ),
    "rigl": Treatment(
        rigged_lottery,
        rewinds=True,
        unpruned="rewind",
        mask_update=MaskUpdate(grown_by_gradient, until=0.75, decays=True),
        takes=(UPDATES, DROP, STEP),
    ),
    "straight_through": Treatment(
        straight_through,
        rewinds=True,
        unpruned="rewind",
        mask_update=MaskUpdate(taken_anew, keeps_dense=True, at_intervals=True, asks_scope=True),
        takes=("mask_interval", STEP),
    ),
    "none": Treatment(none, trains=False),
}
