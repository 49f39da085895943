"""Metrics worked by hand, and what is undefined."""

import numpy as np
import pytest

from prune_fair.fairness import (
    BASE_RATES,
    METRICS,
    normalised_recall_difference,
    overall,
    recall,
    undefined,
)

DENSE = np.array([[8, 2, 0], [1, 8, 1], [0, 0, 10]])
PRUNED = np.array([[6, 4, 0], [2, 8, 0], [0, 1, 9]])
BY_HAND = {
    "accuracy": 23 / 30,
    "balanced_accuracy": 23 / 30,
    # recall 0.6, 0.8, 0.9
    "recall_group_min": 0.6,
    "recall_group_max": 0.9,
    "recall_difference": 0.3,
    "recall_ratio": 2 / 3,
    "recall_difference_to_overall": 23 / 30 - 0.6,
    "recall_ratio_to_overall": 0.6 / (23 / 30),
    "recall_std": (0.14 / 9) ** 0.5,
    "recall_cv": (0.14 / 9) ** 0.5 / (23 / 30),
    "recall_gini": (0.2 + 0.3 + 0.1) / (9 * 23 / 30),
    "recall_entropy": 0.14 / 9 / (23 / 30) ** 2 / 2,
    # precision 6/8, 8/13, 1
    "precision_group_min": 8 / 13,
    # fpr 2/20, 5/20, 0
    "fpr_group_max": 0.25,
    "fpr_ratio": 0.0,
    "fpr_difference_to_overall": 0.25 - 7 / 60,
    "fnr_group_max": 0.4,
    "selection_rate_difference": (13 - 8) / 30,
    "selection_rate_difference_to_overall": 13 / 30 - 1 / 3,
    # one-vs-rest: 24, 23 and 29 of 30
    "accuracy_group_min": 23 / 30,
    "accuracy_difference_to_overall": 29 / 30 - 76 / 90,
    "balanced_accuracy_group_min": (0.6 + 0.9) / 2,
    # dense: accuracy 26/30, recall 0.8, 0.8, 1.0
    "accuracy_change": -0.1,
    "recall_change_min": -0.2,
    "recall_change_max": 0.0,
    "normalised_recall_difference_min": -0.1,
    "excessive_error_max": 0.2,
    "excessive_error_difference": 0.2,
    # dense recalls against their mean -1/15, -1/15, 2/15; pruned 0.6, 0.8, 0.9
    "intensification": 1.0,
    "cev": np.nan,  # dense class 2 has no false negatives
    "sde": np.nan,
}


def without(counts, index):
    """The counts, none of them there."""
    counts = counts.copy()
    counts[index] = 0
    return counts


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name):
    value = float(METRICS[name].function(PRUNED, DENSE))
    assert value == pytest.approx(BY_HAND[name], abs=1e-6, nan_ok=True)


def test_theil_by_hand():
    """Recalls 0.25 and 0.75: shares 0.5 and 1.5 of the mean."""
    counts = np.array([[1, 3], [1, 3]])
    expected = (0.5 * np.log(0.5) + 1.5 * np.log(1.5)) / 2
    assert float(METRICS["recall_theil"].function(counts, counts)) == pytest.approx(expected)


def test_cev_and_sde_by_hand():
    """Two classes of 10: class 0's fnr from 0.2 to 0.4, so class 1's fpr too; the rest stays.

    The points (change of fpr, change of fnr) are (0, 100) and (100, 0), their mean (50, 50).
    """
    dense, pruned = np.array([[8, 2], [2, 8]]), np.array([[6, 4], [2, 8]])
    assert float(METRICS["cev"].function(pruned, dense)) == pytest.approx(5000, rel=1e-5)
    assert float(METRICS["sde"].function(pruned, dense)) == pytest.approx(100 / 2**0.5, rel=1e-5)


def test_normalised_recall_difference_is_of_each_class():
    ours = normalised_recall_difference(PRUNED, DENSE)
    assert np.allclose(ours, [-0.2 + 0.1, 0.0 + 0.1, -0.1 + 0.1], atol=1e-6)


GROUPS = np.array([[[4, 0], [1, 3]], [[2, 2], [0, 4]]])
DENSE_GROUPS = np.array([[[4, 0], [0, 4]], [[4, 0], [1, 3]]])
GROUPS_BY_HAND = {
    "by_group_accuracy_group_min": 0.75,
    "by_group_accuracy_difference": 0.125,
    "by_group_accuracy_ratio": 0.75 / 0.875,
    "by_group_balanced_accuracy_group_min": 0.75,
    "by_group_balanced_accuracy_difference": 0.125,
    "by_group_balanced_accuracy_ratio": 0.75 / 0.875,
    "by_group_recall_difference_max": 0.5,  # class 0: 1.0 and 0.5
    "by_group_equalised_odds_difference": 0.5,
    "by_group_accuracy_change_min": -0.125,  # of both
    "by_group_accuracy_change_difference": 0.0,
}


@pytest.mark.parametrize("name", GROUPS_BY_HAND)
def test_groups_by_hand(name):
    value = float(METRICS[name].function(GROUPS, DENSE_GROUPS))
    assert value == pytest.approx(GROUPS_BY_HAND[name], abs=1e-6)


def test_the_overall_of_every_rate():
    expected = {
        "recall": 23 / 30,
        "precision": 23 / 30,
        "fpr": 7 / 60,
        "fnr": 7 / 30,
        "selection_rate": 1 / 3,
        "accuracy": 76 / 90,
        "balanced_accuracy": (23 / 30 + 53 / 60) / 2,
    }
    ours = {name: float(overall(row.function, PRUNED)) for name, row in BASE_RATES.items()}
    assert ours == pytest.approx(expected)


@pytest.mark.parametrize(
    ("empty", "where", "which"),
    [
        ("recall", "row", [1]),
        ("fnr", "row", [1]),
        ("balanced_accuracy", "row", [1]),
        ("precision", "column", [1]),
        ("fpr", "others", [1]),
        ("selection_rate", "all", [0, 1, 2]),
        ("accuracy", "all", [0, 1, 2]),
    ],
)
@pytest.mark.parametrize("weight", [1, 0.1])
def test_undefined_rates_are_nan_and_counted(empty, where, which, weight):
    index = {"row": 1, "column": (slice(None), 1), "others": [0, 2], "all": ...}[where]
    rates = BASE_RATES[empty].function(without(PRUNED, index) * weight)
    assert np.flatnonzero(np.isnan(rates)).tolist() == which
    assert int(undefined(rates)) == len(which)


def test_a_class_without_images_is_never_dropped():
    counts = without(PRUNED, 1)
    assert float(METRICS["accuracy"].function(counts, DENSE)) == pytest.approx(15 / 20)
    for name in ("balanced_accuracy", "recall_group_min", "recall_gini", "recall_change_max"):
        assert np.isnan(METRICS[name].function(counts, DENSE)), name
    assert not np.isnan(METRICS["fpr_group_max"].function(counts, DENSE))


@pytest.mark.parametrize("suffix", ["ratio", "ratio_to_overall", "cv", "gini", "theil", "entropy"])
def test_nothing_right_has_no_ratio(suffix):
    nothing_right = np.array([[0, 3], [2, 0]])
    assert np.isnan(METRICS[f"recall_{suffix}"].function(nothing_right, nothing_right))


def test_equal_dense_recalls_have_no_slope():
    """1/3 of each class: their mean need not be 1/3."""
    dense = np.array([[1, 1, 1], [2, 2, 2], [3, 3, 3]])
    assert np.isnan(METRICS["intensification"].function(PRUNED, dense))


def test_one_class_alone():
    only = np.array([[5]])
    defined = {"accuracy": 1.0, "recall_group_min": 1.0, "recall_gini": 0.0, "recall_std": 0.0}
    for name, expected in defined.items():
        assert float(METRICS[name].function(only, only)) == expected
    assert np.isnan(METRICS["fpr_group_max"].function(only, only))


def test_recall_of_a_missing_class():
    assert np.isnan(recall(without(PRUNED, 2))[2])
