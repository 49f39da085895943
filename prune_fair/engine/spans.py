"""Which steps of the recipe a technique trains, and before which it prunes."""

import math
from collections.abc import Iterable

from prune_fair.config import RecipeConfig
from prune_fair.errors import check
from prune_fair.pruning import Schedule, Technique


def rewound_step(technique: Technique) -> int:
    """The step of the dense training whose weights its networks go back to; 0 if to none."""
    return technique.rewind_step if technique.retraining.rewinds else 0


def rewound_steps(techniques: Iterable[Technique]) -> set[int]:
    """The steps whose weights their networks go back to."""
    return {rewound_step(technique) for technique in techniques}


def retraining_steps(technique: Technique, steps: int) -> int:
    """How many steps each of its retrainings takes, of a training's.

    Example:
        >>> retraining_steps(Technique(rewind_step=100), 500)
        400
        >>> retraining_steps(Technique(treatment="none"), 500)
        0
    """
    return steps - technique.rewind_step if technique.retraining.trains else 0


def cumulative_steps(
    technique: Technique, schedule: Schedule, steps: int, dense_steps: int
) -> tuple[int, ...]:
    """The steps that a technique's network of each level has taken in all, the dense ones first.

    Every network that it comes from counts, back to the initialisation: in an iterative schedule
    those of all levels before, in one-shot the dense network alone.

    Args:
        technique: of the networks.
        schedule: of the study.
        steps: of a whole training by the recipe.
        dense_steps: that the dense networks have taken; 0 where they were handed over.

    Example:
        >>> cumulative_steps(Technique(rewind_step=100), Schedule(levels=2), 500, 500)
        (500, 900, 1300)
        >>> cumulative_steps(Technique(), Schedule("one-shot", sparsities=(0.5, 0.9)), 500, 500)
        (500, 1000, 1000)
    """
    taken = [dense_steps]
    for level in range(1, len(schedule.sparsity_by_level())):
        taken.append(taken[schedule.parents(level)] + retraining_steps(technique, steps))
    return tuple(taken)


def pruning_steps(technique: Technique, steps: int) -> tuple[int, ...]:
    """The step before which each pruning of a gradual training of so many steps falls.

    Example:
        >>> asked = {"gradual_prunings": 3, "gradual_share": 0.75}
        >>> pruning_steps(Technique(treatment="gradual", **asked), 8)
        (2, 4, 6)
    """
    first, prunings = technique.rewind_step, technique.gradual_prunings
    last = _last_pruning(technique, steps - first)
    return tuple(first + number * last // prunings for number in range(1, prunings + 1))


def update_steps(technique: Technique, steps: int) -> tuple[int, ...]:
    """The step before which each mask update of a training of so many steps falls.

    Every so many steps, or as many times, with as many steps before the first and, of those that
    updates are spread over, after the last.

    Example:
        >>> update_steps(Technique(treatment="rigl", mask_updates=2), 12)
        (3, 6)
    """
    first, parts = technique.rewind_step, technique.mask_updates + 1
    update = technique.retraining.mask_update
    if update is not None and update.at_intervals:
        return tuple(range(first + technique.mask_interval, steps, technique.mask_interval))
    end = _updating(technique, steps - first)
    return tuple(first + number * end // parts for number in range(1, parts))


def drop_shares(technique: Technique, steps: int) -> tuple[float, ...]:
    """The share of each layer's weights that each mask update drops.

    Source: Evci et al. 2020, arXiv 1911.11134: s/2 (1 + cos(pi t / T)), where the share decays.

    Example:
        >>> shares = drop_shares(Technique(treatment="rigl", mask_updates=2, drop_share=0.4), 12)
        >>> [round(share, 3) for share in shares]
        [0.3, 0.1]
    """
    first, share = technique.rewind_step, technique.drop_share
    end, update = _updating(technique, steps - first), technique.retraining.mask_update
    if update is None or not update.decays:
        return (share,) * len(update_steps(technique, steps))
    ways = [(step - first) / end for step in update_steps(technique, steps)]
    return tuple(share / 2 * (1 + math.cos(math.pi * way)) for way in ways)


def learning_rate_share(technique: Technique) -> float:
    """Of the recipe's learning rate that its networks train with."""
    full = technique.retraining.full_learning_rate
    return 1.0 if full else technique.finetune_learning_rate


def loss_of(technique: Technique, recipe: RecipeConfig) -> str:
    """The loss that its networks train with: its own or the recipe's."""
    return technique.loss or recipe.loss


def check_steps(technique: Technique, steps: int) -> None:
    """Raises `InputError` where a training of so many steps is too short for a technique.

    A `rewind_step` must leave something to train, and between two prunings or mask updates at
    least a step lies.
    """
    refused, step = f"technique {technique.name!r}: ", technique.rewind_step
    check(
        step < steps,
        f"{refused}rewind_step {step}: expected below {steps}, the steps of a training",
    )
    left, prunings = steps - step, technique.gradual_prunings
    last = _last_pruning(technique, left)
    check(
        prunings <= last or not technique.retraining.gradual,
        f"{refused}gradual_prunings {prunings}: expected at most {last}, the steps in the "
        f"gradual_share {technique.gradual_share} of a training's {left}; prune less often or "
        "train longer",
    )
    update, most = technique.retraining.mask_update, _updating(technique, left) - 1
    if update is not None and update.at_intervals:
        check(
            technique.mask_interval < left,
            f"{refused}mask_interval {technique.mask_interval}: expected below {left}, the steps "
            "of its training",
        )
        return
    check(
        update is None or technique.mask_updates <= most,
        f"{refused}mask_updates {technique.mask_updates}: expected at most {most}, one step less "
        f"than {technique.treatment} spreads them over, of a training's {left}; update less often "
        "or train longer",
    )


def _last_pruning(technique: Technique, steps: int) -> int:
    return min(round(technique.gradual_share * steps), steps - 1)


def _updating(technique: Technique, steps: int) -> int:
    """The steps that mask updates are spread over."""
    update = technique.retraining.mask_update
    return round(steps * update.until) if update is not None else steps
