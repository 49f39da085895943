import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from prune_fair.fairness import confusion_counts

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
