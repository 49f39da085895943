"""Spans: which steps of the recipe a training takes at one go, and between which it is pruned."""

from collections.abc import Iterable

from prune_fair.config import RecipeConfig
from prune_fair.errors import check
from prune_fair.pruning import Treatment


def needs_spans(recipe: RecipeConfig, treatments: Iterable[Treatment]) -> bool:
    """Whether some training takes other steps at one go than all of them."""
    return any(row.gradual or first_step(recipe, row) > 0 for row in treatments)


def first_step(recipe: RecipeConfig, treatment: Treatment) -> int:
    """The step from which networks so treated train."""
    return recipe.rewind_step if treatment.rewinds else 0


def pruning_steps(recipe: RecipeConfig, steps: int) -> tuple[int, ...]:
    """The step before which each pruning of a gradual training of so many steps falls.

    Example:
        >>> pruning_steps(RecipeConfig(gradual_prunings=3, gradual_share=0.75), 8)
        (2, 4, 6)
    """
    last, prunings = _last_pruning(recipe, steps), recipe.gradual_prunings
    return tuple(number * last // prunings for number in range(1, prunings + 1))


def check_steps(recipe: RecipeConfig, treatments: Iterable[Treatment], steps: int) -> None:
    """Raises `InputError` where a training of so many steps is too short for what is asked of it.

    A `rewind_step` must leave something to train, and between two prunings at least a step lies.
    """
    step = recipe.rewind_step
    check(step < steps, f"rewind_step {step}: expected below {steps}, the steps of a training")
    last, prunings = _last_pruning(recipe, steps), recipe.gradual_prunings
    check(
        prunings <= last or not any(row.gradual for row in treatments),
        f"gradual_prunings {prunings}: expected at most {last}, the steps in the gradual_share "
        f"{recipe.gradual_share} of a training's {steps}; prune less often or train longer",
    )


def _last_pruning(recipe: RecipeConfig, steps: int) -> int:
    return min(round(recipe.gradual_share * steps), steps - 1)
