"""Every metric against independent references, and the contract of the table."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import references
from fairlearn import metrics as fairlearn
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sklearn

from prune_fair.fairness import AGGREGATORS, BASE_RATES, METRICS, overall

OF_CLASSES = [name for name, row in METRICS.items() if row.over == "class"]
OF_GROUPS = [name for name, row in METRICS.items() if row.over == "group"]
CASES = 1000
DAMAGES = (*[None] * 15, "row", "column", "perfect", "same", "empty")


@st.composite
def pairs_of_counts(draw, classes=(2, 4), groups=None):
    """Counts of a network and of its dense reference, often with undefined rates.

    From bytes at once: drawing count by count takes longer than all that is done with them.
    """
    size = draw(st.sampled_from(classes))
    shape = (2, *([groups] if groups else []), size, size)
    length = 9 + math.prod(shape)
    drawn = np.frombuffer(draw(st.binary(min_size=length, max_size=length)), np.uint8)
    counts = (drawn[9:] % 10).astype(np.int32).reshape(shape)
    matrices = counts.reshape(-1, size, size)
    for kind, which, c in drawn[:9].reshape(3, 3).tolist():
        inflict(DAMAGES[kind % len(DAMAGES)], matrices[which % len(matrices)], c % size)
    return counts


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


@cache
def compiled(names: tuple[str, ...]):
    """All these metrics in one program."""

    def rows(pruned, dense):
        return jnp.stack([METRICS[name].function(pruned, dense) for name in names])

    return jax.jit(rows)


def check(counts: np.ndarray, expected: Mapping[str, Any], rtol: float = 2e-5, atol: float = 2e-6):
    """Float32 rounds by 6e-8, and no row rounds more than some 30 times, sums of 4 terms included;
    a count more or less changes rates of at most 40 images by 2e-2.
    """
    ours = np.asarray(compiled(tuple(expected))(*map(jnp.asarray, counts)))
    assert not np.isinf(ours).any()
    theirs = np.array([*expected.values()])
    wrong = ~np.isclose(ours, theirs, rtol, atol, equal_nan=True)
    assert not wrong.any(), [
        (name, value, float(ours[i]))
        for i, (name, value) in enumerate(expected.items())
        if wrong[i]
    ]


@settings(max_examples=CASES, deadline=None)
@given(counts=pairs_of_counts())
def test_rows_of_classes_equal_plain_loops(counts):
    """One test, since drawing a case takes longer than checking all rows on it."""
    pruned, dense = counts.tolist()
    products = references.products(pruned)
    whole = {
        "accuracy": references.accuracy(pruned),
        "balanced_accuracy": references.balanced_accuracy(pruned),
    }
    check(counts, whole | {name: products[name] for name in products if name in METRICS})
    against = {name: row(pruned, dense) for name, row in references.AGAINST_DENSE.items()}
    check(counts, against, rtol=1e-4, atol=2e-4)


@settings(max_examples=CASES, deadline=None)
@given(counts=pairs_of_counts(classes=(2, 3), groups=3))
def test_rows_of_groups_equal_plain_loops(counts):
    pruned, dense = counts.tolist()
    check(counts, {name: row(pruned, dense) for name, row in references.BETWEEN_GROUPS.items()})


def test_every_row_has_a_reference():
    products = {f"{rate}_{name}" for rate in references.RATES for name in references.AGGREGATORS}
    directionless = {"selection_rate_group_min", "selection_rate_group_max"}
    whole = {"accuracy", "balanced_accuracy"}
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
        assert np.allclose(row.function(jnp.asarray(confusion)), frame.by_group[rate])
        assert np.isclose(overall(row.function, jnp.asarray(confusion)), frame.overall[rate])


@settings(max_examples=100, deadline=None)
@given(positive((4, 4)))
def test_rates_equal_scikit_learn_on_all_classes_together(confusion):
    true, predicted = labels_of(confusion)
    counted = jnp.asarray(confusion)
    averages: dict[str, Any] = {
        "recall": sklearn.recall_score,
        "precision": sklearn.precision_score,
    }
    for name, theirs in averages.items():
        ours = BASE_RATES[name].function
        assert np.allclose(ours(counted), theirs(true, predicted, average=None))
        assert np.isclose(overall(ours, counted), theirs(true, predicted, average="micro"))
        assert np.isclose(overall(ours, counted), sklearn.accuracy_score(true, predicted))
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
    """All rows of the table, compiled."""
    of_classes, of_groups = compiled(tuple(OF_CLASSES)), compiled(tuple(OF_GROUPS))
    return np.concatenate([of_classes(*counts), of_groups(*groups)])


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
def test_leading_axes_jit_and_vmap_agree(name, rng):
    row = METRICS[name]
    inner = (4, 4) if row.over == "class" else (3, 4, 4)
    counts = rng.integers(0, 9, (2, 2, 3, *inner), dtype=np.int32)
    counts[:, 0, 0, ..., 1, :] = 0
    pruned, dense = map(jnp.asarray, counts)
    value = row.function(pruned, dense)
    assert value.shape == (2, 3)
    assert value.dtype == jnp.float32
    assert not np.isinf(value).any()
    alone = row.function(pruned[1, 2], dense[1, 2])
    assert alone.shape == ()
    assert np.isclose(value[1, 2], alone, 1e-5, 1e-5, equal_nan=True)
    lifted = jax.jit(jax.vmap(jax.vmap(row.function)))(pruned, dense)
    assert np.allclose(value, lifted, 1e-5, 1e-5, equal_nan=True)


def test_rows_have_words_and_the_right_direction():
    for name, row in METRICS.items():
        assert row.description, name
        assert "\n" not in row.description + row.source, name
        assert row.source, name
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


def test_against_itself_nothing_has_changed():
    same = jnp.array([[6, 2, 1], [2, 6, 2], [3, 1, 6]])
    for name in references.AGAINST_DENSE:
        value = float(METRICS[name].function(same, same))
        assert value == pytest.approx(1 if name == "intensification" else 0, abs=1e-6), name


@pytest.mark.parametrize("name", METRICS)
def test_many_networks_at_once_are_each_as_alone(name, rng):
    """XLA's minimum of a large array passes over NaN on CPU: undefined networks among many."""
    groups = () if METRICS[name].over == "class" else (2,)
    counts = rng.integers(0, 9, (2, 4, 32, 13, *groups, 10, 10))
    counts[:, :, ::3] = 0
    counts[:, :, 1::3, ..., 4, :] = 0
    value = np.asarray(METRICS[name].function(*jnp.asarray(counts)))
    alone = [METRICS[name].function(*jnp.asarray(counts[:, 1, seed, 2])) for seed in range(6)]
    np.testing.assert_allclose(value[1, :6, 2], alone, rtol=1e-4, atol=1e-6)
    assert np.isnan(value[:, ::3]).all()
