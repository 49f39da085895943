"""Every metric against independent references, and the contract of the table."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
import references
from fairlearn import metrics as fairlearn
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sklearn

from prune_fair.fairness import AGGREGATORS, BASE_RATES, EVERY_CLASS, METRICS, overall

OF_CLASSES = [name for name, row in METRICS.items() if row.over == "class"]
OF_GROUPS = [name for name, row in METRICS.items() if row.over == "group"]
CASES, AT_ONCE = 1000, 20
DAMAGES = (*[None] * 15, "row", "column", "perfect", "same", "empty")


@st.composite
def pairs_of_counts(draw, classes=(2, 4), groups=None, networks=None):
    """Counts of a network, or of several, and of the dense reference, often with undefined rates.

    From bytes at once: drawing count by count takes longer than all that is done with them.
    """
    size, cases = draw(st.sampled_from(classes)), networks or 1
    shape = (cases, 2, *([groups] if groups else []), size, size)
    length = 9 * cases + math.prod(shape)
    drawn = np.frombuffer(draw(st.binary(min_size=length, max_size=length)), np.uint8)
    counts = (drawn[9 * cases :] % 10).astype(np.int32).reshape(shape)
    for case, damages in zip(counts, drawn[: 9 * cases].reshape(-1, 3, 3).tolist(), strict=True):
        matrices = case.reshape(-1, size, size)
        for kind, which, c in damages:
            inflict(DAMAGES[kind % len(DAMAGES)], matrices[which % len(matrices)], c % size)
    return counts.swapaxes(0, 1) if networks else counts[0]


def inflict(damage: str | None, matrix: np.ndarray, c: int) -> None:
    """A class without images, one never predicted, one without mistakes; equal classes; nothing."""
    own = int(matrix[c, c])
    if damage in ("row", "perfect"):
        matrix[c] = 0
    if damage in ("column", "perfect"):
        matrix[:, c] = 0
    if damage == "perfect":
        matrix[c, c] = own + 1
    if damage in ("same", "empty"):
        matrix[:] = damage == "same"


def values_of(names: Iterable[str], counts: np.ndarray) -> np.ndarray:
    pruned, dense = counts
    return np.array([METRICS[name].function(pruned, dense) for name in names])


def check(counts: np.ndarray, expected: Mapping[str, Any], rtol: float = 1e-9, atol: float = 1e-9):
    """A count more or less changes rates of at most 40 images by 2e-2."""
    ours = values_of(expected, counts)
    assert not np.isinf(ours).any()
    theirs = np.array([*expected.values()])
    wrong = ~np.isclose(ours, theirs, rtol, atol, equal_nan=True)
    assert not wrong.any(), [
        (name, value, ours[i].tolist())
        for i, (name, value) in enumerate(expected.items())
        if wrong[i].any()
    ]


@settings(max_examples=CASES // AT_ONCE, deadline=None)
@given(counts=pairs_of_counts(networks=AT_ONCE))
def test_rows_of_classes_equal_plain_loops(counts):
    """One test, since drawing a case takes longer than checking all rows on it."""
    check(counts, columns([of_classes(*pair) for pair in zip(*counts.tolist(), strict=True)]))


@settings(max_examples=CASES // AT_ONCE, deadline=None)
@given(counts=pairs_of_counts(classes=(2, 3), groups=3, networks=AT_ONCE))
def test_rows_of_groups_equal_plain_loops(counts):
    rows = [
        {name: row(*pair) for name, row in references.BETWEEN_GROUPS.items()}
        for pair in zip(*counts.tolist(), strict=True)
    ]
    check(counts, columns(rows))


def of_classes(pruned: list[list[int]], dense: list[list[int]]) -> dict[str, float]:
    """All references of one network without groups."""
    products = references.products(pruned)
    whole = {name: row(pruned) for name, row in references.WHOLE.items()}
    against = {name: row(pruned, dense) for name, row in references.AGAINST_DENSE.items()}
    return whole | against | {name: products[name] for name in products if name in METRICS}


def columns(rows: list[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_every_row_has_a_reference():
    products = {f"{rate}_{name}" for rate in references.RATES for name in references.AGGREGATORS}
    directionless = {"selection_rate_group_min", "selection_rate_group_max"}
    whole = {*references.WHOLE}
    assert {*OF_CLASSES} == (products - directionless) | whole | {*references.AGAINST_DENSE}
    assert {*OF_GROUPS} == {*references.BETWEEN_GROUPS}
    assert references.RATES.keys() == BASE_RATES.keys()
    assert references.AGGREGATORS.keys() == AGGREGATORS.keys()


def labels_of(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    true, predicted = np.nonzero(confusion)
    times = confusion[true, predicted]
    return np.repeat(true, times), np.repeat(predicted, times)


def positive(shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    """Counts without undefined rates, which the libraries give as 0 or leave out."""
    return hnp.arrays(np.int32, shape, elements=st.integers(1, 6), fill=st.nothing())


LIBRARY_RATES = {
    "recall": fairlearn.true_positive_rate,
    "precision": sklearn.precision_score,
    "fpr": fairlearn.false_positive_rate,
    "fnr": fairlearn.false_negative_rate,
    "selection_rate": fairlearn.selection_rate,
    "accuracy": sklearn.accuracy_score,
    "balanced_accuracy": sklearn.balanced_accuracy_score,
}


@settings(max_examples=25, deadline=None)
@given(positive((3, 3)))
def test_rates_and_aggregators_equal_fairlearn_on_one_task_a_class(confusion):
    """Every image once for each class, as "is it this class", with the class as its group."""
    true, predicted = labels_of(confusion)
    group = np.repeat(np.arange(3), len(true))
    is_class, said_class = np.tile(true, 3) == group, np.tile(predicted, 3) == group
    frame = fairlearn.MetricFrame(
        metrics=LIBRARY_RATES, y_true=is_class, y_pred=said_class, sensitive_features=group
    )
    tables = {
        "group_min": frame.group_min(),
        "group_max": frame.group_max(),
        "difference": frame.difference(method="between_groups"),
        "ratio": frame.ratio(method="between_groups"),
        "difference_to_overall": frame.difference(method="to_overall"),
        "ratio_to_overall": frame.ratio(method="to_overall"),
    }
    counts = np.stack([confusion, confusion])
    rows = {f"{rate}_{name}": table[rate] for name, table in tables.items() for rate in BASE_RATES}
    check(counts, {name: value for name, value in rows.items() if name in METRICS})
    for rate, row in BASE_RATES.items():
        assert np.allclose(row.function(confusion), frame.by_group[rate])
        assert np.isclose(overall(row.function, confusion), frame.overall[rate])


@settings(max_examples=100, deadline=None)
@given(positive((4, 4)))
def test_rates_equal_scikit_learn_on_all_classes_together(confusion):
    true, predicted = labels_of(confusion)
    averages: dict[str, Any] = {
        "recall": sklearn.recall_score,
        "precision": sklearn.precision_score,
    }
    for name, theirs in averages.items():
        ours = BASE_RATES[name].function
        assert np.allclose(ours(confusion), theirs(true, predicted, average=None))
        assert np.isclose(overall(ours, confusion), theirs(true, predicted, average="micro"))
        assert np.isclose(overall(ours, confusion), sklearn.accuracy_score(true, predicted))
    whole = {
        "accuracy": sklearn.accuracy_score(true, predicted),
        "balanced_accuracy": sklearn.balanced_accuracy_score(true, predicted),
    }
    check(np.stack([confusion, confusion]), whole)


@settings(max_examples=25, deadline=None)
@given(positive((2, 3, 3)))
def test_rows_of_groups_equal_fairlearn(groups):
    labels = [labels_of(confusion) for confusion in groups]
    true, predicted = map(np.concatenate, zip(*labels, strict=True))
    group = np.repeat([0, 1], [len(part) for part, _ in labels])
    frame = fairlearn.MetricFrame(
        metrics=sklearn.accuracy_score, y_true=true, y_pred=predicted, sensitive_features=group
    )
    tasks = [(true == c, predicted == c) for c in range(3)]
    opportunity, odds = (
        max(difference(*task, sensitive_features=group) for task in tasks)
        for difference in (
            fairlearn.equal_opportunity_difference,
            fairlearn.equalized_odds_difference,
        )
    )
    expected = {
        "by_group_accuracy_group_min": frame.group_min(),
        "by_group_accuracy_difference": frame.difference(),
        "by_group_accuracy_ratio": frame.ratio(),
        "by_group_recall_difference_max": opportunity,
        "by_group_equalised_odds_difference": odds,
    }
    check(np.stack([groups, groups]), expected)


def both(counts: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """All rows of the table."""
    return np.concatenate([values_of(OF_CLASSES, counts), values_of(OF_GROUPS, groups)])


@settings(max_examples=50, deadline=None)
@given(pairs_of_counts((4,)), pairs_of_counts((4,), 3), st.permutations(range(4)))
def test_the_order_of_classes_does_not_matter(counts, groups, order):
    shuffled = (part[..., order, :][..., order] for part in (counts, groups))
    assert np.allclose(both(counts, groups), both(*shuffled), 1e-4, 1e-4, equal_nan=True)


@settings(max_examples=50, deadline=None)
@given(pairs_of_counts((4,)), pairs_of_counts((4,), 3), st.sampled_from([0.1, 1 / 3, 2.5]))
def test_weighted_counts_give_the_same(counts, groups, weight):
    scaled = ((part * weight).astype(np.float32) for part in (counts, groups))
    integers = both(counts, groups)
    floats = both(*scaled)
    assert np.array_equal(np.isnan(integers), np.isnan(floats))
    assert np.allclose(integers, floats, 1e-3, 1e-3, equal_nan=True)


@pytest.mark.parametrize("name", METRICS)
def test_leading_axes_are_each_as_alone(name, rng):
    row = METRICS[name]
    inner = (4, 4) if row.over == "class" else (3, 4, 4)
    counts = rng.integers(0, 9, (2, 2, 3, *inner), dtype=np.int32)
    counts[:, 0, 0, ..., 1, :] = 0
    pruned, dense = counts
    value = row.function(pruned, dense)
    assert value.shape == (2, 3)
    assert value.dtype == np.float64
    assert not np.isinf(value).any()
    alone = row.function(pruned[1, 2], dense[1, 2])
    assert alone.shape == ()
    assert np.isclose(value[1, 2], alone, 1e-5, 1e-5, equal_nan=True)


def test_rows_have_words_and_the_right_direction():
    for name, row in METRICS.items():
        assert row.description, name
        assert "\n" not in row.description + row.source, name
        assert row.source, name
    assert len({row.label for row in METRICS.values()}) == len(METRICS)
    better_low = ("difference", "difference_to_overall", "std", "cv", "gini", "theil", "entropy")
    for rate in BASE_RATES:
        assert not any(METRICS[f"{rate}_{name}"].higher_is_better for name in better_low)
        assert METRICS[f"{rate}_ratio"].higher_is_better
        assert METRICS[f"{rate}_ratio_to_overall"].higher_is_better
    for rate in ("fpr", "fnr"):
        assert not METRICS[f"{rate}_group_max"].higher_is_better
        assert not METRICS[f"{rate}_group_min"].higher_is_better
    for rate in ("recall", "precision", "accuracy", "balanced_accuracy"):
        assert METRICS[f"{rate}_group_min"].higher_is_better
    for name in ("cev", "sde", "intensification", "excessive_error_max"):
        assert not METRICS[name].higher_is_better
    for name in ("accuracy", "accuracy_change", "recall_change_min", "by_group_accuracy_ratio"):
        assert METRICS[name].higher_is_better


def test_rows_say_what_they_need():
    against = {*references.AGAINST_DENSE} | {n for n in OF_GROUPS if "change" in n}
    assert {name for name, row in METRICS.items() if "dense" in row.needs} == against
    assert [name for name, row in METRICS.items() if "groups" in row.needs] == OF_GROUPS
    assert [name for name, row in METRICS.items() if "networks" in row.needs] == [EVERY_CLASS]


@settings(max_examples=100, deadline=None)
@given(pairs_of_counts((4,)), pairs_of_counts((4,), 3))
def test_values_are_within_their_bounds(counts, groups):
    values = dict(zip([*OF_CLASSES, *OF_GROUPS], both(counts, groups), strict=True))
    for name, value in values.items():
        low, high = METRICS[name].bounds
        assert np.isnan(value) or low - 1e-9 <= value <= high + 1e-9, name


def test_against_itself_nothing_has_changed():
    same = np.array([[6, 2, 1], [2, 6, 2], [3, 1, 6]])
    for name in references.AGAINST_DENSE:
        value = float(METRICS[name].function(same, same))
        assert value == pytest.approx(1 if name == "intensification" else 0, abs=1e-6), name


@pytest.mark.parametrize("name", METRICS)
def test_many_networks_at_once_are_each_as_alone(name, rng):
    """With undefined networks among them."""
    groups = () if METRICS[name].over == "class" else (2,)
    counts = rng.integers(0, 9, (2, 4, 32, 13, *groups, 10, 10))
    counts[:, :, ::3] = 0
    counts[:, :, 1::3, ..., 4, :] = 0
    value = METRICS[name].function(*counts)
    alone = [METRICS[name].function(*counts[:, 1, seed, 2]) for seed in range(6)]
    np.testing.assert_allclose(value[1, :6, 2], alone, rtol=1e-12, atol=1e-12)
    assert np.isnan(value[:, ::3]).all()
