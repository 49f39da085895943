"""What speaks against a chosen point: a sentence's end."""

from prune_fair import analysis
from prune_fair.analysis import Choice, Constraint
from prune_fair.analysis.rules import OF_ACCURACY
from prune_fair.fairness import METRICS
from prune_fair.words.numbers import Estimate, estimate, of_confidence


def reservation(choice: Choice) -> str:
    """What the headline has to say of a chosen point, beside where it is; nothing where all holds.

    Example:
        >>> from prune_fair import open_example
        >>> reservation(analysis.select(open_example()["digits/mlp"]))
        '; an interval reaches past the bound'
    """
    assert choice.chosen is not None
    lacking = choice.judged_on.lacking
    if lacking and any(_of_classes(stated.name) for stated in choice.rule.constraints):
        more = f" and {len(lacking) - 1} more" * (len(lacking) > 1)
        return f"; it is not shown for class {lacking[0]}{more}, which the choice has no image of"
    here = choice.points.isel(point=choice.chosen)
    reported = [(stated, estimate(here[stated.name])) for stated in choice.rule.constraints]
    if any(not analysis.holds(stated.slack(value.mean)) for stated, value in reported):
        return "; on test images it does not hold what was asked"
    past = any(not all_holds(stated, value) for stated, value in reported)
    if choice.certified:
        more = "; an interval on test images reaches past the bound" * past
        return f", certified at {of_confidence(choice.confidence)}{more}"
    if any(not value.bounded and stated.name != analysis.SPARSITY for stated, value in reported):
        return "; without an interval, how far that may be off is not known"
    return "; an interval reaches past the bound" * past


def _of_classes(name: str) -> bool:
    """Whether a metric looks at each class."""
    return name in METRICS and METRICS[name].over == "class" and name not in OF_ACCURACY


def all_holds(stated: Constraint, value: Estimate) -> bool:
    """Whether all of an interval holds a constraint; the mean where nothing varies."""
    worst = value.low if stated.bad_end() == "low" else value.high
    return bool(analysis.holds(stated.slack(worst if value.bounded else value.mean)))
