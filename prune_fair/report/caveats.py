"""What the numbers of a card do not say, as text."""

from prune_fair.report.card import TaskCard
from prune_fair.report.figures import counted

FEW_SEEDS = 16
MANY_IMAGES = 200  # of a class, from which on intervals of one network are about right


def limits_in_words(task: TaskCard) -> list[str]:
    """What the numbers of a task do not say, a sentence or two each."""
    limits, decision = task.limits, task.decision
    known = limits.uncertainty
    lines = [f"{known.covers} {known.leaves_out}"]
    tested = any(row.p == row.p for row in task.classes)  # p is NaN where there is no test
    if known.over == "seeds" and known.units < FEW_SEEDS:
        lines.append(
            f"With fewer than {FEW_SEEDS} seeds bootstrap intervals are too narrow: 95 % intervals "
            "of 8 seeds cover the truth in about 88 % of simulated studies."
        )
    if known.over == "images" and limits.smallest[1] < MANY_IMAGES:
        lines.append(
            "The worst of all classes' changes looks worse than it is where classes have few test "
            "images: its 95 % intervals covered the truth in 81 % of simulated test sets of 50 "
            "images a class, in 93 % of those of 200."
        )
    lines += [
        f"The point was chosen by looking at {counted(limits.looked_at, 'pruned point')}: the best "
        "of many is also the luckiest, and no interval here allows for that.",
        "The same test images were used to choose and to report. What is shown for the chosen "
        "point is no measurement on images that had no part in the choice.",
        f"Each interval is of one figure. Among {counted(len(task.sizes), 'class')} some lie "
        "off by chance; "
        + ("only the p of the table of classes allow" if tested else "nothing here allows")
        + " for looking at all of them.",
        _grain(limits.smallest),
    ]
    if decision.confidence is None and decision.rule.constraints:
        lines.append(
            "Constraints were held by means, whose intervals may reach past the bound; the flag "
            "--confidence asks the bad end of each interval to hold them."
        )
    return lines + _state(task)


def _grain(smallest: tuple[str, int]) -> str:
    name, images = smallest
    if not images:
        return f"Class {name} has no test image: nothing is known of it."
    return (
        f"Class {name} has {counted(images, 'test image')}: one image of it is "
        f"{100 / images:.1f} points of the recall of one network."
    )


def _state(task: TaskCard) -> list[str]:
    """What is unfinished, broken or undefined."""
    limits, lines = task.limits, []
    if limits.finished < 1:
        lines.append(
            f"The study is still running: {100 * limits.finished:.0f} % of its networks are "
            "finished, and only those are counted."
        )
    if limits.diverged:
        lines.append(
            f"{counted(limits.diverged, 'network')} diverged (a parameter or an output is not "
            "finite) and are counted as failures of every class."
        )
    if limits.collapsed:
        lines.append(
            f"{counted(limits.collapsed, 'network')} lost every weight of a layer and are counted "
            "as they are."
        )
    for name, points in limits.undefined.items():
        lines.append(
            f"{name} is undefined for some networks at {counted(points, 'point')}; means there are "
            "over the others."
        )
    return lines
