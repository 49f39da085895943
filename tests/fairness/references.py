"""Every metric once more, as its definition is read: plain loops over lists of Python numbers."""

import math
import statistics
from collections.abc import Callable, Sequence

NAN = float("nan")


def quotient(part: float, whole: float) -> float:
    return part / whole if whole else NAN


def known(function: Callable[..., float]) -> Callable[..., float]:
    """NaN wherever one of the rates is."""

    def checked(rates: Sequence[float], *others: float) -> float:
        return NAN if any(map(math.isnan, rates)) else function(rates, *others)

    return checked


def outcomes(confusion: list[list[int]], c: int) -> tuple[int, int, int, int]:
    """True positives, false negatives, false positives and true negatives of a class."""
    count = {(is_c, said_c): 0 for is_c in (True, False) for said_c in (True, False)}
    for true, row in enumerate(confusion):
        for predicted, images in enumerate(row):
            count[true == c, predicted == c] += images
    return count[True, True], count[True, False], count[False, True], count[False, False]


RATES: dict[str, Callable[[int, int, int, int], float]] = {
    "recall": lambda tp, fn, fp, tn: quotient(tp, tp + fn),
    "precision": lambda tp, fn, fp, tn: quotient(tp, tp + fp),
    "fpr": lambda tp, fn, fp, tn: quotient(fp, fp + tn),
    "fnr": lambda tp, fn, fp, tn: quotient(fn, tp + fn),
    "selection_rate": lambda tp, fn, fp, tn: quotient(tp + fp, tp + fn + fp + tn),
    "accuracy": lambda tp, fn, fp, tn: quotient(tp + tn, tp + fn + fp + tn),
    "balanced_accuracy": lambda tp, fn, fp, tn: (quotient(tp, tp + fn) + quotient(tn, tn + fp)) / 2,
}


def rates(name: str, confusion: list[list[int]]) -> list[float]:
    return [RATES[name](*outcomes(confusion, c)) for c in range(len(confusion))]


def overall(name: str, confusion: list[list[int]]) -> float:
    by_class = [outcomes(confusion, c) for c in range(len(confusion))]
    return RATES[name](*(sum(counts) for counts in zip(*by_class, strict=True)))


def ratio_to(rate: float, whole: float) -> float:
    if rate == whole == 0:
        return NAN
    return rate / whole if rate <= whole else whole / rate


def gini(x: Sequence[float]) -> float:
    pairs = sum(abs(a - b) for a in x for b in x)
    return quotient(pairs, 2 * len(x) ** 2 * statistics.fmean(x))


def entropy(x: Sequence[float], alpha: float) -> float:
    mean = statistics.fmean(x)
    if mean == 0 or (alpha <= 0 and 0 in x):
        return NAN
    shares = [a / mean for a in x]
    if alpha == 0:
        return -statistics.fmean(math.log(b) for b in shares)
    if alpha == 1:
        return statistics.fmean(b * math.log(b) if b else 0.0 for b in shares)
    return sum(b**alpha - 1 for b in shares) / (len(x) * alpha * (alpha - 1))


AGGREGATORS: dict[str, Callable[[Sequence[float], float], float]] = {
    "group_min": lambda x, whole: min(x),
    "group_max": lambda x, whole: max(x),
    "difference": lambda x, whole: max(abs(a - b) for a in x for b in x),
    "ratio": lambda x, whole: quotient(min(x), max(x)),
    "difference_to_overall": lambda x, whole: max(abs(a - whole) for a in x),
    "ratio_to_overall": lambda x, whole: (
        min(ratio_to(a, whole) for a in x) if whole or any(x) else NAN
    ),
    "std": lambda x, whole: statistics.pstdev(x),
    "cv": lambda x, whole: quotient(statistics.pstdev(x), statistics.fmean(x)),
    "gini": lambda x, whole: gini(x),
    "theil": lambda x, whole: entropy(x, 1),
    "entropy": lambda x, whole: entropy(x, 2),
}


def products(confusion: list[list[int]]) -> dict[str, float]:
    """Every rate under every aggregator."""
    return {
        f"{name}_{suffix}": known(aggregator)(by_class, whole)
        for name in RATES
        for by_class, whole in [(rates(name, confusion), overall(name, confusion))]
        for suffix, aggregator in AGGREGATORS.items()
    }


def accuracy(confusion: list[list[int]]) -> float:
    return quotient(sum(confusion[c][c] for c in range(len(confusion))), sum(map(sum, confusion)))


def balanced_accuracy(confusion: list[list[int]]) -> float:
    return known(statistics.fmean)(rates("recall", confusion))


WHOLE: dict[str, Callable[[list[list[int]]], float]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
}


def changes(rate: str, pruned: list[list[int]], dense: list[list[int]]) -> list[float]:
    pairs = zip(rates(rate, pruned), rates(rate, dense), strict=True)
    return [after - before for after, before in pairs]


def error_points(pruned: list[list[int]], dense: list[list[int]]) -> list[tuple[float, float]]:
    """Relative changes of fpr and fnr of each class, in percent."""
    relative = [
        [
            100 * quotient(change, before)
            for change, before in zip(changes(rate, pruned, dense), rates(rate, dense), strict=True)
        ]
        for rate in ("fpr", "fnr")
    ]
    return list(zip(*relative, strict=True))


def cev(pruned: list[list[int]], dense: list[list[int]]) -> float:
    points = error_points(pruned, dense)
    centre = [statistics.fmean(coordinate) for coordinate in zip(*points, strict=True)]
    return statistics.fmean(math.dist(point, centre) ** 2 for point in points)


def sde(pruned: list[list[int]], dense: list[list[int]]) -> float:
    """By the projection on the diagonal, instead of by the formula."""
    middles = [(x, y, (x + y) / 2) for x, y in error_points(pruned, dense)]
    return statistics.fmean(math.dist((x, y), (middle, middle)) for x, y, middle in middles)


def intensification(pruned: list[list[int]], dense: list[list[int]]) -> float:
    after = [rate - accuracy(pruned) for rate in rates("recall", pruned)]
    before = [rate - accuracy(dense) for rate in rates("recall", dense)]
    if any(map(math.isnan, after + before)) or len(set(rates("recall", dense))) == 1:
        return NAN
    return statistics.linear_regression(before, after).slope


def normalised_recall_differences(pruned: list[list[int]], dense: list[list[int]]) -> list[float]:
    after, before = accuracy(pruned), accuracy(dense)
    return [
        (p - after) - (d - before)
        for p, d in zip(rates("recall", pruned), rates("recall", dense), strict=True)
    ]


AGAINST_DENSE: dict[str, Callable[[list[list[int]], list[list[int]]], float]] = {
    "accuracy_change": lambda p, d: accuracy(p) - accuracy(d),
    "recall_change_min": lambda p, d: known(min)(changes("recall", p, d)),
    "mean_recall_change_min": lambda p, d: min(
        (change for change in changes("recall", p, d) if change == change), default=NAN
    ),
    "recall_change_max": lambda p, d: known(max)(changes("recall", p, d)),
    "normalised_recall_difference_min": lambda p, d: known(min)(
        normalised_recall_differences(p, d)
    ),
    "cev": cev,
    "sde": sde,
    "intensification": intensification,
    "excessive_error_max": lambda p, d: known(max)(changes("fnr", p, d)),
    "excessive_error_difference": lambda p, d: known(AGGREGATORS["difference"])(
        changes("fnr", p, d), NAN
    ),
}

Groups = list[list[list[int]]]


def between_groups(rate: str, groups: Groups) -> float:
    by_class = zip(*(rates(rate, group) for group in groups), strict=True)
    return known(max)([known(AGGREGATORS["difference"])(x, NAN) for x in by_class])


def error_rises(pruned: Groups, dense: Groups) -> list[float]:
    """Tran et al.'s R(g) with the 0/1 error."""
    pairs = zip(pruned, dense, strict=True)
    return [(1 - accuracy(after)) - (1 - accuracy(before)) for after, before in pairs]


WITHIN: dict[str, Callable[[list[list[int]]], float]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
}
BETWEEN_GROUPS: dict[str, Callable[[Groups, Groups], float]] = {
    **{
        f"by_group_{name}_{suffix}": lambda p, d, rate=rate, suffix=suffix: known(
            AGGREGATORS[suffix]
        )([rate(group) for group in p], NAN)
        for name, rate in WITHIN.items()
        for suffix in ("group_min", "difference", "ratio")
    },
    "by_group_recall_difference_max": lambda p, d: between_groups("recall", p),
    "by_group_equalised_odds_difference": lambda p, d: known(max)(
        [between_groups("recall", p), between_groups("fpr", p)]
    ),
    "by_group_accuracy_change_min": lambda p, d: -known(max)(error_rises(p, d)),
    "by_group_accuracy_change_difference": lambda p, d: known(AGGREGATORS["difference"])(
        error_rises(p, d), NAN
    ),
}
