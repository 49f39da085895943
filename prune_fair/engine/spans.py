"""Which steps of the recipe a technique trains, and before which it prunes."""

from collections.abc import Iterable

from prune_fair.config import RecipeConfig
from prune_fair.errors import check
from prune_fair.pruning import Technique


def first_step(technique: Technique) -> int:
    """The step from which its networks train."""
    return technique.rewind_step if technique.retraining.rewinds else 0


def first_steps(techniques: Iterable[Technique]) -> set[int]:
    """The steps from which their networks train."""
    return {first_step(technique) for technique in techniques}


def pruning_steps(technique: Technique, steps: int) -> tuple[int, ...]:
    """The step before which each pruning of a gradual training of so many steps falls.

    Example:
        >>> asked = {"gradual_prunings": 3, "gradual_share": 0.75}
        >>> pruning_steps(Technique(treatment="gradual", **asked), 8)
        (2, 4, 6)
    """
    last, prunings = _last_pruning(technique, steps), technique.gradual_prunings
    return tuple(number * last // prunings for number in range(1, prunings + 1))


def learning_rate_share(technique: Technique) -> float:
    """Of the recipe's learning rate that its networks train with."""
    full = technique.retraining.full_learning_rate
    return 1.0 if full else technique.finetune_learning_rate


def loss_of(technique: Technique, recipe: RecipeConfig) -> str:
    """The loss that its networks train with: its own or the recipe's."""
    return technique.loss or recipe.loss


def check_steps(technique: Technique, steps: int) -> None:
    """Raises `InputError` where a training of so many steps is too short for a technique.

    A `rewind_step` must leave something to train, and between two prunings at least a step lies.
    """
    refused, step = f"technique {technique.name!r}: ", first_step(technique)
    check(
        step < steps,
        f"{refused}rewind_step {step}: expected below {steps}, the steps of a training",
    )
    last, prunings = _last_pruning(technique, steps), technique.gradual_prunings
    check(
        prunings <= last or not technique.retraining.gradual,
        f"{refused}gradual_prunings {prunings}: expected at most {last}, the steps in the "
        f"gradual_share {technique.gradual_share} of a training's {steps}; prune less often or "
        "train longer",
    )


def _last_pruning(technique: Technique, steps: int) -> int:
    return min(round(technique.gradual_share * steps), steps - 1)
