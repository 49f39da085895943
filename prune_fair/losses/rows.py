"""The losses by name. To add one, write it here or beside, and add its row to `LOSSES`."""

from prune_fair.losses.against_dense import (
    constrained,
    distillation,
    group_constrained,
    of_classes,
    of_groups,
)
from prune_fair.losses.loss import (
    DENSE_ACCURACY,
    DENSE_LOGITS,
    GROUPS,
    Loss,
    Setting,
    loss_name,
    read_loss,
)
from prune_fair.losses.reweighting import (
    balanced_softmax,
    class_balanced,
    cross_entropy,
    focal,
    inverse_frequency,
    ldam,
    logit_adjustment,
)
from prune_fair.losses.robust import alike_classes, alike_groups, class_dro, group_dro

_TO_100 = (lambda value: 0 <= value <= 100), "a number from 0 to 100"
_RATE = Setting("rate", 0.01, lambda value: 0 < value <= 10, "a number above 0, at most 10")
_CONSTRAINED = (
    Setting("tolerance", 0.01, lambda value: 0 <= value < 1, "a share in [0, 1)"),
    _RATE,
    Setting("last", 40.0, lambda value: value in range(1, 10_001), "a whole number, 1 to 10,000"),
)

LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(cross_entropy),
    "inverse_frequency": Loss(inverse_frequency),
    "class_balanced": Loss(
        class_balanced,
        takes=(Setting("beta", 0.999, lambda value: 0 <= value < 1, "a number in [0, 1)"),),
    ),
    "balanced_softmax": Loss(balanced_softmax),
    "logit_adjustment": Loss(logit_adjustment, takes=(Setting("tau", 1.0, *_TO_100),)),
    "ldam": Loss(ldam, takes=(Setting("margin", 2.0, *_TO_100),)),
    "focal": Loss(focal, takes=(Setting("gamma", 2.0, *_TO_100),)),
    "class_dro": Loss(class_dro, alike_classes, takes=(_RATE,)),
    "group_dro": Loss(group_dro, alike_groups, takes=(_RATE,), asks=(GROUPS,)),
    "distillation": Loss(
        distillation,
        takes=(
            Setting("temperature", 4.0, lambda value: 0.1 <= value <= 100, "0.1 to 100"),
            Setting("share", 0.9, lambda value: 0 <= value <= 1, "a share in [0, 1]"),
        ),
        asks=(DENSE_LOGITS,),
    ),
    "constrained": Loss(constrained, of_classes, takes=_CONSTRAINED, asks=(DENSE_ACCURACY,)),
    "group_constrained": Loss(
        group_constrained, of_groups, takes=_CONSTRAINED, asks=(GROUPS, DENSE_ACCURACY)
    ),
}


def called(name: str) -> Loss:
    """The loss of a name, such as `focal` or, with another gamma, `focal@3`.

    Raises:
        InputError: for an unknown row, or settings that it does not have or take.

    Example:
        >>> called("focal@3").function.keywords
        {'gamma': 3.0}
    """
    word, settings = read_loss(name, LOSSES)
    return LOSSES[word].with_settings(settings)


def canonical(name: str) -> str:
    """The one name of a loss: settings that are the defaults are left out.

    Raises:
        InputError: as `called`.

    Example:
        >>> canonical("focal@2"), canonical("distillation@4,0.50")
        ('focal', 'distillation@4,0.5')
    """
    return loss_name(name, LOSSES)
