"""Every metric against scikit-learn or fairlearn, and the contract of the table."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score, recall_score

from prune_fair.fairness import METRICS, accuracy, recall

counts = hnp.arrays(np.int32, (4, 4), elements=st.integers(0, 30)).map(
    lambda c: c + np.eye(4, dtype=np.int32)
)


def labels_of(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    true, predicted = np.nonzero(confusion)
    times = confusion[true, predicted]
    return np.repeat(true, times), np.repeat(predicted, times)


@settings(max_examples=60, deadline=None)
@given(counts)
def test_against_scikit_learn_and_fairlearn(confusion):
    true, predicted = labels_of(confusion)
    counted = jnp.asarray(confusion)
    assert np.allclose(recall(counted), recall_score(true, predicted, average=None))
    assert np.isclose(accuracy(counted), accuracy_score(true, predicted))
    # the recall of a class is the accuracy within the group of its images
    frame = MetricFrame(
        metrics=accuracy_score, y_true=true, y_pred=predicted, sensitive_features=true
    )
    theirs = {
        "recall_group_min": frame.group_min(),
        "recall_difference": frame.difference(method="between_groups"),
        "recall_ratio": frame.ratio(method="between_groups"),
        "accuracy": frame.overall,
    }
    assert theirs.keys() == METRICS.keys()
    for name, expected in theirs.items():
        assert np.isclose(METRICS[name].function(counted, counted), expected, atol=1e-6), name


@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=20, deadline=None)
@given(counts, counts)
def test_contract_of_every_metric(name, confusion, dense):
    function = METRICS[name].function
    pair = jnp.asarray(confusion), jnp.asarray(dense)
    value = function(*pair)
    assert value.shape == ()
    assert np.isclose(jax.jit(function)(*pair), value)
    stacked = tuple(jnp.stack([part, part]) for part in pair)
    assert np.allclose(function(*stacked), value)
    assert np.allclose(jax.vmap(function)(*stacked), value)
    order = np.array([2, 0, 3, 1])
    shuffled = (part[order][:, order] for part in pair)
    assert np.isclose(function(*shuffled), value)
    assert METRICS[name].description


def test_by_hand_and_undefined():
    confusion = jnp.array([[8, 2, 0], [1, 3, 0], [0, 0, 5]])
    values = {name: float(row.function(confusion, confusion)) for name, row in METRICS.items()}
    assert values["accuracy"] == pytest.approx(16 / 19)
    assert values["recall_group_min"] == pytest.approx(0.75)
    assert values["recall_difference"] == pytest.approx(0.25)
    assert values["recall_ratio"] == pytest.approx(0.75)
    assert np.isnan(recall(confusion.at[2].set(0))[2])
    nothing_right = jnp.array([[0, 1], [1, 0]])
    assert np.isnan(METRICS["recall_ratio"].function(nothing_right, nothing_right))
