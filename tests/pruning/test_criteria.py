"""Contract of every criterion, and one golden case each."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import optax
import pytest

from prune_fair import run_study
from prune_fair.models import build
from prune_fair.pruning import CRITERIA, full_mask
from prune_fair.pruning import criteria as criteria_module
from prune_fair.types import Batch, Network

KEY = jax.random.key(1)
criteria = pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)


def no_loss(logits, batch):
    return optax.softmax_cross_entropy_with_integer_labels(logits, batch.labels)


def close(a, b) -> bool:
    """In float64: the scores of these small networks are below 10, and round by 1e-14."""
    return jax.tree.all(jax.tree.map(lambda x, y: jnp.allclose(x, y, rtol=0, atol=1e-10), a, b))


@pytest.fixture
def params(params, wide):
    return jax.tree.map(jnp.asarray, wide(params))


@pytest.fixture
def batches(batches, wide):
    return wide(batches)


@pytest.fixture
def mask(params):
    return full_mask(params)


@pytest.fixture
def network(params, mask, initial, wide):
    apply = build("mlp", (3, 3, 1), 4, widths=(6, 5), dtype="float64").in_evaluation({})
    return Network(apply, params, mask, wide(initial.params), apply, no_loss)


@criteria
def test_scores_have_the_parameters_tree_and_shapes_and_are_finite(
    criterion, params, network, batches
):
    score = jax.jit(lambda params: criterion.scores(network._replace(params=params), batches, KEY))
    scores = score(params)
    assert jax.tree.structure(scores) == jax.tree.structure(params)
    pairs = zip(jax.tree.leaves(scores), jax.tree.leaves(params), strict=True)
    assert all(score.shape == leaf.shape for score, leaf in pairs)
    assert jax.tree.all(jax.tree.map(lambda score: jnp.isfinite(score).all(), scores))


@pytest.mark.parametrize("name", CRITERIA)
def test_the_initialisation_is_looked_at_by_those_that_say_so(name, network, batches):
    other = network._replace(
        initial=jax.tree.map(lambda leaf: leaf + 1.0, network.initial),
        apply_initial=lambda params, images: 2 * network.apply_initial(params, images),
    )
    scores = [CRITERIA[name].scores(each, batches, KEY) for each in (network, other)]
    assert close(*scores) == (not CRITERIA[name].asks_initial)


@pytest.mark.parametrize("name", CRITERIA)
def test_the_batches_and_the_loss_are_looked_at_by_those_that_say_so(name, network, batches):
    other = batches._replace(images=batches.images[::-1] + 1.0)
    scores = [CRITERIA[name].scores(network, each, KEY) for each in (batches, other)]
    assert close(*scores) == (not CRITERIA[name].asks_batches)
    squared = network._replace(loss=lambda logits, batch: no_loss(logits, batch) ** 2)
    scores = [CRITERIA[name].scores(each, batches, KEY) for each in (network, squared)]
    assert close(*scores) == (not CRITERIA[name].asks_batches)


@criteria
def test_jit_equals_eager_and_the_key_decides(criterion, params, network, batches):
    def score(params, key):
        return criterion.scores(network._replace(params=params), batches, key)

    jitted, eager = jax.jit(score)(params, KEY), score(params, KEY)
    assert close(jitted, eager)
    assert close(score(params, KEY), eager)


@criteria
def test_vmap_equals_a_loop(criterion, model, network, batches, wide):
    keys = jax.random.split(jax.random.key(2), 3)
    members = wide(jax.jit(jax.vmap(model.init))(keys).params)

    def score(params, key):
        return criterion.scores(network._replace(params=params), batches, key)

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
    initial = {"output": {"kernel": jnp.array([[0.5, 1.0], [1.0, -0.5]])}}
    mask = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, bool), params)
    batches = Batch(jnp.array([1.0, 2.0]).reshape(1, 1, 1, 2, 1), jnp.array([[0]]))
    return Network(apply, params, mask, initial, apply, no_loss), batches


# logits of (1, 2) are 1 and -1; p = softmax = (0.880797, 0.119203); dL/dlogits = (p0 - 1, p1);
# dL/dW = x (p - y)^T = G: rows x1 = 1 and x2 = 2
G = jnp.array([[-0.119203, 0.119203], [-0.238406, 0.238406]])
W = jnp.array([[1.0, -2.0], [0.0, 0.5]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("magnitude", [[1, 2], [0, 0.5]]),
        ("saliency", jnp.abs(W * G)),
        ("undecayed", jnp.abs(W * G)),
        # one image: w^2 G^2 / 2
        ("fisher", [[0.007105, 0.028419], [0, 0.007105]]),
        # w^2 - w0^2
        ("movement", [[1 - 0.25, 4 - 1], [0 - 1, 0.25 - 0.25]]),
        # squares 4, 1, 0.25, 0: 4/4, 1/5, 0.25/5.25, 0/5.25
        ("lamp", [[0.2, 1], [0, 0.047619]]),
        # at w0 the logits are 2.5 and 0; p = (0.924142, 0.075858); |w0 x (p - y)|
        ("snip", [[0.037929, 0.075858], [0.151717, 0.075858]]),
    ],
)
def test_by_hand(name, expected, linear):
    scores = CRITERIA[name].scores(*linear, jax.random.key(0))
    assert jnp.allclose(scores["output"]["kernel"], jnp.array(expected), atol=1e-5)


def test_saliency_is_of_the_decayed_objective(linear):
    # |w (G + 0.1 w)|
    decayed = CRITERIA["saliency"].scores(linear[0]._replace(weight_decay=0.1), linear[1], KEY)
    assert jnp.allclose(decayed["output"]["kernel"], jnp.abs(W * (G + 0.1 * W)), atol=1e-5)
    same = CRITERIA["undecayed"].scores(linear[0]._replace(weight_decay=0.1), linear[1], KEY)
    assert jnp.allclose(same["output"]["kernel"], jnp.abs(W * G), atol=1e-5)


def rare_class(network):
    """Gradients by class, G0 and G1, of three images of class 0 and one of class 1."""
    images = jnp.array([[1.0, 2.0], [1.0, 0.0], [0.0, 1.0], [2.0, -1.0]]).reshape(2, 2, 1, 2, 1)
    batches = Batch(images, jnp.array([[0, 0], [0, 1]]))
    x, y = images.reshape(4, 2), batches.labels.ravel()
    errors = jax.nn.softmax(x @ W) - jax.nn.one_hot(y, 2)
    by_image = x[:, :, None] * errors[:, None]
    return batches, by_image[:3].mean(axis=0), by_image[3], (x @ W).argmax(axis=1) != y


def test_balanced_saliency_counts_every_class_alike(linear):
    batches, often, rare, _ = rare_class(linear[0])
    scores = CRITERIA["balanced_saliency"].scores(linear[0], batches, KEY)["output"]["kernel"]
    assert jnp.allclose(scores, jnp.abs(W * (often + rare) / 2), atol=1e-6)


def test_worst_class_saliency_weighs_by_mistakes(linear):
    batches, often, rare, mistaken = rare_class(linear[0])
    # image (0, 1) has logits 0 and 0.5, (2, -1) has 2 and -4.5: one mistake of 3, and 1 of 1
    assert mistaken.tolist() == [False, False, True, True]
    weights = 2 / 5, 2 / 3
    expected = (weights[0] * often + weights[1] * rare) / sum(weights)
    scores = CRITERIA["worst_class_saliency"].scores(linear[0], batches, KEY)["output"]["kernel"]
    assert jnp.allclose(scores, jnp.abs(W * expected), atol=1e-6)


def kernel_scores(name, network, batches):
    return CRITERIA[name].scores(network, batches, KEY)["output"]["kernel"]


def test_class_share_adds_up_the_classes_shares(linear):
    batches, often, rare, _ = rare_class(linear[0])
    parts = [jnp.abs(W * gradient) for gradient in (often, rare)]
    expected = sum(part / part.sum() for part in parts)
    assert jnp.allclose(kernel_scores("class_share", linear[0], batches), expected, atol=1e-6)


def test_class_quota_takes_each_weights_best_rank(linear):
    batches, often, rare, _ = rare_class(linear[0])
    ranks = [jnp.argsort(jnp.argsort(jnp.abs(W * g).ravel())) for g in (often, rare)]
    expected = jnp.maximum(*ranks).reshape(2, 2) / 4
    assert jnp.allclose(kernel_scores("class_quota", linear[0], batches), expected)


def test_fisher_difference_is_for_the_class_that_is_mistaken_most(linear):
    """By Laplace's estimate that is the second: 2/3 of its one image, 2/5 of the others."""
    batches, *_ = rare_class(linear[0])
    x, y = batches.images.reshape(4, 2), batches.labels.ravel()
    errors = jax.nn.softmax(x @ W) - jax.nn.one_hot(y, 2)
    squares = (x[:, :, None] * errors[:, None]) ** 2
    expected = W**2 / 2 * (squares[3] - squares[:3].mean(axis=0) / 3)
    assert jnp.allclose(kernel_scores("fisher_difference", linear[0], batches), expected, atol=1e-6)


def test_fisher_squares_each_image_by_itself(linear):
    batches, *_ = rare_class(linear[0])
    x, y = batches.images.reshape(4, 2), batches.labels.ravel()
    errors = jax.nn.softmax(x @ W) - jax.nn.one_hot(y, 2)
    squares = ((x[:, :, None] * errors[:, None]) ** 2).mean(axis=0)
    scores = CRITERIA["fisher"].scores(linear[0], batches, KEY)["output"]["kernel"]
    assert jnp.allclose(scores, W**2 * squares / 2, atol=1e-6)


def test_the_recipe_for_a_new_criterion_is_short_and_true(monkeypatch, toy_config, tmp_path):
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    recipe = text.partition("```python\n")[2].partition("```")[0]
    assert len(recipe.splitlines()) <= 15
    monkeypatch.setitem(CRITERIA, "steepness", None)  # taken away again afterwards
    exec(recipe, vars(criteria_module))
    assert CRITERIA["steepness"].scores is criteria_module.steepness
    config = dataclasses.replace(toy_config, seeds=1, techniques=("steepness-global-rewind",))
    results = run_study(config, tmp_path / "study")["digits/mlp"].to_dataset()
    assert bool((results.sparsity.isel(level=2) > 0.8).all())


def test_random_is_uniform_and_differs_by_key(network, batches):
    first, second = (CRITERIA["random"].scores(network, batches, jax.random.key(k)) for k in (0, 1))
    assert not close(first, second)
    leaves = jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(first)])
    assert ((leaves >= 0) & (leaves < 1)).all()
    assert abs(leaves.mean() - 0.5) < 0.1
