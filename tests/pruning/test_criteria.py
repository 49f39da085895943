"""Contract of every criterion, and one golden case each."""

import jax
import jax.numpy as jnp
import pytest

from prune_fair.pruning import CRITERIA
from prune_fair.types import Batch, Network

KEY = jax.random.key(1)
criteria = pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)


def close(a, b) -> bool:
    return jax.tree.all(jax.tree.map(lambda x, y: jnp.allclose(x, y, atol=1e-6), a, b))


@criteria
def test_scores_have_the_parameters_tree_and_shapes_and_are_finite(
    criterion, apply, params, mask, batch
):
    score = jax.jit(lambda params: criterion(Network(apply, params, mask), batch, KEY))
    scores = score(params)
    assert jax.tree.structure(scores) == jax.tree.structure(params)
    pairs = zip(jax.tree.leaves(scores), jax.tree.leaves(params), strict=True)
    assert all(score.shape == leaf.shape for score, leaf in pairs)
    assert jax.tree.all(jax.tree.map(lambda score: jnp.isfinite(score).all(), scores))


@criteria
def test_jit_equals_eager_and_the_key_decides(criterion, apply, params, mask, batch):
    def score(params, key):
        return criterion(Network(apply, params, mask), batch, key)

    jitted, eager = jax.jit(score)(params, KEY), score(params, KEY)
    assert close(jitted, eager)
    assert close(score(params, KEY), eager)


@criteria
def test_vmap_equals_a_loop(criterion, model, apply, mask, batch):
    keys = jax.random.split(jax.random.key(2), 3)
    members = jax.jit(jax.vmap(model.init))(keys).params

    def score(params, key):
        return criterion(Network(apply, params, mask), batch, key)

    batched, score = jax.jit(jax.vmap(score))(members, keys), jax.jit(score)
    for row in range(3):
        member, expected = (
            jax.tree.map(lambda leaf, row=row: leaf[row], t) for t in (members, batched)
        )
        assert close(score(member, keys[row]), expected)


@pytest.fixture
def linear():
    """Two inputs, two classes, no bias: everything can be worked by hand."""

    def apply(params, images):
        return images.reshape(len(images), -1) @ params["output"]["kernel"]

    params = {"output": {"kernel": jnp.array([[1.0, -2.0], [0.0, 0.5]])}}
    mask = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, bool), params)
    batch = Batch(jnp.array([[1.0, 2.0]]).reshape(1, 1, 2, 1), jnp.array([0]))
    return Network(apply, params, mask), batch


def test_magnitude_by_hand(linear):
    scores = CRITERIA["magnitude"](*linear, jax.random.key(0))
    assert scores["output"]["kernel"].tolist() == [[1, 2], [0, 0.5]]


def test_saliency_by_hand(linear):
    # logits 1 and -1; p = softmax = (0.880797, 0.119203); dL/dlogits = (p0 - 1, p1)
    # dL/dW = x (p - y)^T, times W: rows x1 = 1 and x2 = 2
    scores = CRITERIA["saliency"](*linear, jax.random.key(0))
    expected = jnp.array([[0.119203, 2 * 0.119203], [0.0, 0.119203]])
    assert jnp.allclose(scores["output"]["kernel"], expected, atol=1e-5)


def test_random_is_uniform_and_differs_by_key(apply, params, mask, batch):
    network = Network(apply, params, mask)
    first, second = (CRITERIA["random"](network, batch, jax.random.key(k)) for k in (0, 1))
    assert not close(first, second)
    leaves = jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(first)])
    assert ((leaves >= 0) & (leaves < 1)).all()
    assert abs(leaves.mean() - 0.5) < 0.1
