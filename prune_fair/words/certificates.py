"""What is certified of a chosen point, and what cannot be."""

import math

from prune_fair import analysis
from prune_fair.analysis import Choice, CrossFit, Rule
from prune_fair.words import caveats
from prune_fair.words.metrics import constraint, described, told
from prune_fair.words.numbers import Estimate, counted, estimate, of_confidence

SIDES = {"low": "at least", "high": "at most"}


def certificate(choice: Choice) -> list[str]:
    """The bounds of the chosen point, and which classes have too few images for any.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> choice = analysis.select(results, ["accuracy_change>=-0.05"], certify=True)
        >>> print(certificate(choice)[0].partition(": ")[0])
        Certified over 540 test images and 16 seeds
    """
    if choice.certified is None:
        return []
    lines = []
    for stated in choice.rule.constraints:
        if choice.chosen and stated.name != analysis.SPARSITY:  # 0 is dense, which holds what it is
            value = float(choice.certified.bounds[stated][choice.chosen])
            bound = told(stated.name, Estimate(value, math.nan, math.nan))
            lines.append(
                f"Certified over {certified_over(choice)}: {constraint(stated)} "
                f"({of_confidence(choice.confidence)}, for all techniques, points and classes "
                f"together). By itself this point's bound is {SIDES[stated.bad_end()]} {bound}."
            )
    too_few = choice.certified.too_few
    return [*lines, caveats.too_few(too_few)] if too_few else lines


def cross_fitted(found: CrossFit, rule: Rule) -> str:
    """What a rule gives on images that had no part in the choice.

    Args:
        found: by `cross_fit`.
        rule: that was asked.

    Example:
        >>> from prune_fair import open_example
        >>> results = open_example()["digits/mlp"]
        >>> choice = analysis.select(results)
        >>> said = cross_fitted(analysis.cross_fit(results), choice.rule)
        >>> print(said.rpartition("is ")[2])
        −3.2 points [−6.7, −0.7].
    """
    if not any(level for _, level in found.chosen):
        return f"Cross-fitted over {found.folds} folds of the images: none chose a pruned point."
    stated = (each for each in rule.constraints if each.name != analysis.SPARSITY)
    values = "; ".join(
        f"{described(each.name)} is {told(each.name, estimate(found.reported[each.name]))}"
        for each in stated
    )
    sparsity = told(analysis.SPARSITY, estimate(found.reported[analysis.SPARSITY]))
    return (
        f"Cross-fitted over {found.folds} folds of the images, each reported at the point that the "
        f"others chose (mean sparsity {sparsity}): {values or 'nothing was asked'}."
    )


def certified_over(choice: Choice) -> str:
    """What certified bounds are over."""
    images = counted(choice.judged_on.images, f"{choice.judged_on.split} image")
    return f"{images} and {counted(choice.seeds, 'seed')}" if choice.seeds > 1 else images
