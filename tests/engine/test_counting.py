import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from prune_fair.config import RecipeConfig
from prune_fair.engine.images import Pixels
from prune_fair.engine.results import removed_by
from prune_fair.engine.statistics import confusion_counts, group_confusion_counts
from prune_fair.engine.task import Task
from prune_fair.models import build
from prune_fair.pruning import Technique

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@settings(deadline=None)
@given(labels)
def test_equals_scikit_learn(pairs):
    true, predicted = np.array(pairs).T
    ours = confusion_counts(jnp.asarray(true), jnp.asarray(predicted), 5)
    assert ours.dtype == jnp.int32
    assert np.array_equal(ours, confusion_matrix(true, predicted, labels=range(5)))


def test_padding_is_not_counted_and_members_batch():
    true = jnp.array([[0, 1, -1], [1, 1, 0]])
    counts = jax.vmap(lambda t: confusion_counts(t, jnp.array([0, 1, 1]), 2))(true)
    assert counts.tolist() == [[[1, 0], [0, 1]], [[0, 1], [1, 1]]]


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=40))
def test_groups_equal_scikit_learn_group_by_group(triples):
    true, predicted, group = np.array(triples).T
    ours = group_confusion_counts(*map(jnp.asarray, (true, predicted, group)), 4, 4)
    assert ours.dtype == jnp.int32
    for g in range(4):
        inside = group == g
        if inside.any():
            theirs = confusion_matrix(true[inside], predicted[inside], labels=range(4))
            assert np.array_equal(ours[g], theirs)
        else:
            assert not ours[g].any()


def test_padding_is_in_no_group():
    counts = group_confusion_counts(jnp.array([0, -1]), jnp.array([1, 1]), jnp.array([1, 0]), 2, 2)
    assert counts.tolist() == [[[0, 0], [0, 0]], [[0, 1], [0, 0]]]


def test_removed_weights_by_hand():
    model = build("mlp", (2, 2, 1), 3, widths=(5,))
    task = Task(model, Pixels.as_they_are(1), RecipeConfig(), (1, 1, 1))
    mask = jax.tree.map(lambda leaf: np.ones((2, *leaf.shape), bool), model.shapes)
    mask["dense_0"]["kernel"][1, :3] = False
    mask["dense_0"]["bias"][1, 0] = False
    mask["output"]["kernel"][0, 0, 0] = False
    removed = removed_by(task, Technique(), mask)
    assert removed.weights.tolist() == [[0, 1], [15, 0]]
    assert removed.sizes.tolist() == [20, 15]
    assert removed.prunable.tolist() == [True, False]
    assert removed.parameters.tolist() == [1, 16]
    assert removed.total == 20 + 5 + 15 + 3
