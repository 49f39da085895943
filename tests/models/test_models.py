import jax
import jax.numpy as jnp
import pytest

from prune_fair.errors import InputError
from prune_fair.models import LOWERINGS, MODELS, build


def parameters(model) -> int:
    params = jax.eval_shape(model.init, jax.random.key(0))
    return sum(leaf.size for leaf in jax.tree.leaves(params))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [(28, 28, 1), (17, 13, 3)])
def test_contract_of_every_architecture(name, shape):
    model = build(name, shape, classes=7)
    init, apply = jax.jit(model.init), jax.jit(model.apply)
    params = init(jax.random.key(0))
    images = jax.random.normal(jax.random.key(1), (4, *shape))
    logits = apply(params, images)
    assert logits.shape == (4, 7)
    assert jnp.allclose(model.apply(params, images), logits, atol=1e-5)
    assert set(model.layers) == set(params)
    assert params[model.layers[-1]]["kernel"].shape[-1] == 7
    again = init(jax.random.key(0))
    assert jax.tree.all(jax.tree.map(jnp.array_equal, params, again))
    one_by_one = jnp.concatenate([apply(params, image[None]) for image in images])
    assert jnp.allclose(one_by_one, logits, atol=1e-5)


def test_parameter_counts_by_hand():
    lenet_300_100 = build("mlp", (28, 28, 1), 10)
    assert parameters(lenet_300_100) == 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10
    lenet5 = build("lenet5", (28, 28, 1), 10)
    convolutions = 25 * 6 + 6 + 25 * 6 * 16 + 16
    assert parameters(lenet5) == convolutions + 400 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10


def test_layers_are_in_forward_order_however_many():
    model = build("mlp", (8, 8, 1), 10, widths=[5] * 12)
    assert model.layers == (*(f"dense_{i}" for i in range(12)), "output")


@pytest.mark.parametrize("name", MODELS)
def test_lowerings_agree_in_values_and_gradients(name):
    native, matmul = (build(name, (28, 28, 1), 10, lowering=row) for row in LOWERINGS)
    params = jax.jit(native.init)(jax.random.key(0))
    images = jax.random.normal(jax.random.key(1), (3, 28, 28, 1))

    def gradient(model):
        return jax.jit(jax.value_and_grad(lambda p: (model.apply(p, images) ** 2).sum()))(params)

    close = jax.tree.map(
        lambda a, b: jnp.allclose(a, b, rtol=1e-3, atol=1e-4), gradient(native), gradient(matmul)
    )
    assert jax.tree.all(close)


@pytest.mark.parametrize("name", MODELS)
def test_bfloat16_computes_roughly_the_same(name):
    full, short = (build(name, (28, 28, 1), 10, dtype=dtype) for dtype in ("float32", "bfloat16"))
    params = jax.jit(full.init)(jax.random.key(0))
    images = jax.random.normal(jax.random.key(1), (3, 28, 28, 1))
    logits = [jax.jit(model.apply)(params, images) for model in (full, short)]
    assert logits[1].dtype == jnp.float32
    assert 0 < float(jnp.abs(logits[0] - logits[1]).max()) < 0.1


def test_refusals():
    with pytest.raises(InputError, match="images of 8x8 are too small for lenet5"):
        build("lenet5", (8, 8, 1), 10)
    with pytest.raises(InputError, match=r"widths \(5,\): those of lenet5 are fixed"):
        build("lenet5", (28, 28, 1), 10, widths=[5])
    with pytest.raises(InputError, match="unknown model 'lenet': did you mean 'lenet5'"):
        build("lenet", (28, 28, 1), 10)
