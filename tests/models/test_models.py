import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair.errors import InputError
from prune_fair.models import MLP, MODELS, build, from_flax
from prune_fair.pruning import kernels

SCALED = {"alexnet", "vgg11", "resnet18", "vit"}
FITTING = [
    (name, shape)
    for name in MODELS
    for shape in ((8, 8, 1), (28, 28, 1), (32, 32, 3), (17, 13, 3))
    if not (name == "lenet5" and shape[0] == 8) and not (name in SCALED and shape[0] == 17)
]
WITH_STATE = {"vgg11", "resnet18"}


def parameters(model) -> int:
    params = jax.eval_shape(model.init, jax.random.key(0)).params
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def small(name, shape, **options):
    """At an eighth of the width, where the architecture has one."""
    return build(name, shape, classes=7, width=1 / 8 if name in SCALED else 1.0, **options)


def exact(name, shape, wide, **options):
    """A small architecture and its variables, in float64."""
    model = small(name, shape, dtype="float64", **options)
    return model, wide(jax.jit(model.init)(jax.random.key(0)))


def close(one, other, atol=1e-10) -> bool:
    """In float64, where rounding is 1e-16 and 20 layers make 1e-13 of it."""
    near = lambda a, b: jnp.allclose(a, b, rtol=0, atol=atol)  # noqa: E731
    return jax.tree.all(jax.tree.map(near, one, other))


@pytest.mark.parametrize(("name", "shape"), FITTING)
def test_contract_of_every_architecture(name, shape, wide):
    model, variables = exact(name, shape, wide)
    images = jax.random.normal(jax.random.key(1), (4, *shape))
    init, apply = jax.jit(model.init), jax.jit(model.apply)
    logits = apply(variables, images)
    assert logits.shape == (4, 7)
    assert jnp.isfinite(logits).all()
    assert close(wide(init(jax.random.key(0))), variables, atol=0)
    assert parameters(model) == model.parameters
    found = kernels(variables.params, model.layers)
    assert len({*model.layers}) == len(found)
    assert sum(leaf.ndim > 1 for leaf in jax.tree.leaves(variables.params)) - len(found) == (
        name == "vit"  # its positions are no kernel
    )
    assert found[-1].shape[-1] == 7
    one_by_one = jnp.concatenate([apply(variables, image[None]) for image in images])
    assert close(one_by_one, logits)


@pytest.mark.parametrize("name", MODELS)
def test_jit_equals_eager_and_vmap_equals_a_loop(name, wide):
    model, _ = exact(name, (12, 12, 1), wide)
    keys = jax.random.split(jax.random.key(2), 2)
    images = jax.random.normal(jax.random.key(1), (4, 12, 12, 1))

    def run(variables):
        return model.apply(variables, images), model.apply_train(variables, images)

    drawn = jax.jit(jax.vmap(model.init))(keys)
    together, solo = jax.jit(jax.vmap(run))(wide(drawn)), jax.jit(run)
    for row, key in enumerate(keys):
        one, own, member = (
            jax.tree.map(lambda leaf, row=row: leaf[row], tree)
            for tree in (drawn, wide(drawn), together)
        )
        # drawn in float32: numbers below 1, and the logarithms in them may round some times
        assert close(jax.jit(model.init)(key), one, atol=1e-5)
        assert close(solo(own), member)
    eager = model.apply(jax.tree.map(lambda leaf: leaf[0], wide(drawn)), images)
    assert close(eager, together[0][0])


@pytest.mark.parametrize("name", MODELS)
def test_running_statistics_move_in_training_and_not_in_evaluation(name, wide):
    model, variables = exact(name, (16, 16, 1), wide)
    images = jax.random.normal(jax.random.key(1), (4, 16, 16, 1))
    logits, state = jax.jit(model.apply_train)(variables, images)
    batch = jax.jit(model.statistics)(variables, images)
    assert bool(jax.tree.leaves(state)) is (name in WITH_STATE)
    assert jax.tree.structure(state) == jax.tree.structure(variables.state)
    moved = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, variables.state, batch)
    assert close(moved, state)
    if name in WITH_STATE:
        assert not jax.tree.all(jax.tree.map(jnp.array_equal, state, variables.state))
        by_these = jax.jit(model.apply)(variables._replace(state=batch), images)
        assert close(by_these, logits)
    else:
        assert close(jax.jit(model.apply)(variables, images), logits)


def test_layers_of_columns_are_those_of_flax(wide):
    class Plain(nn.Module):
        @nn.compact
        def __call__(self, images):
            hidden = nn.relu(nn.Dense(7, name="dense_0")(images.reshape(len(images), -1)))
            return nn.Dense(3, name="output")(hidden)

    ours, theirs = (
        from_flax(module, (4, 4, 1), "float64") for module in (MLP(3, widths=(7,)), Plain())
    )
    images = jax.random.normal(jax.random.key(1), (5, 4, 4, 1))
    variables = ours.init(jax.random.key(0))
    assert jax.tree.all(jax.tree.map(np.array_equal, variables, theirs.init(jax.random.key(0))))
    assert close(ours.apply(variables, images), theirs.apply(variables, images))


def test_parameter_counts_by_hand():
    lenet_300_100 = build("mlp", (28, 28, 1), 10)
    assert parameters(lenet_300_100) == 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10
    lenet5 = build("lenet5", (28, 28, 1), 10)
    convolutions = 25 * 6 + 6 + 25 * 6 * 16 + 16
    assert parameters(lenet5) == convolutions + 400 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10


def convolution(kernel, inputs, outputs):
    return kernel**2 * inputs * outputs


def test_parameter_counts_of_deep_architectures_by_hand():
    """Those of 3x32x32 images and 10 classes, with the scale and shift of BatchNorm."""
    alexnet = [(11, 3, 64), (5, 64, 192), (3, 192, 384), (3, 384, 256), (3, 256, 256)]
    count = sum(convolution(*layer) + layer[2] for layer in alexnet) + 256 * 10 + 10
    assert parameters(build("alexnet", (32, 32, 3), 10)) == count == 2_472_266

    channels = [3, 64, 128, 256, 256, 512, 512, 512, 512]
    vgg11 = [(3, *pair) for pair in itertools.pairwise(channels)]
    count = sum(convolution(*layer) + 3 * layer[2] for layer in vgg11) + 512 * 10 + 10
    assert parameters(build("vgg11", (32, 32, 3), 10)) == count == 9_231_114

    stages = [(64, 64), (64, 128), (128, 256), (256, 512)]
    resnet18 = [(3, 3, 64)]
    for inputs, outputs in stages:
        resnet18 += [(3, inputs, outputs)] + [(3, outputs, outputs)] * 3
    resnet18 += [(1, *stage) for stage in stages[1:]]
    count = sum(convolution(*layer) + 2 * layer[2] for layer in resnet18) + 512 * 10 + 10
    assert parameters(build("resnet18", (32, 32, 3), 10)) == count == 11_173_962

    attention, dense = 4 * (192 * 192 + 192), 192 * 768 + 768 + 768 * 192 + 192
    count = 48 * 192 + 192 + 64 * 192 + 6 * (attention + dense + 4 * 192) + 2 * 192 + 1930
    assert parameters(build("vit", (32, 32, 3), 10)) == count == 2_693_194


def test_nested_layers_are_in_forward_order():
    layers = build("resnet18", (8, 8, 1), 10, width=1 / 16).layers
    assert layers[:3] == ("conv_0", "block_0/conv_0", "block_0/conv_1")
    assert layers[5:8] == ("block_2/conv_0", "block_2/conv_1", "block_2/shortcut")
    assert len(layers) == 1 + 16 + 3 + 1
    layers = build("vit", (8, 8, 1), 10, width=1 / 16).layers
    block = ("query", "key", "value", "attended", "dense_0", "dense_1")
    assert layers == ("patches", *(f"block_{i}/{la}" for i in range(6) for la in block), "output")


def test_layers_are_in_forward_order_however_many():
    model = build("mlp", (8, 8, 1), 10, widths=[5] * 12)
    assert model.layers == (*(f"dense_{i}" for i in range(12)), "output")


@pytest.mark.parametrize(
    ("name", "lowering"), [*itertools.product(MODELS, ["matmul"]), ("resnet18", "mixed")]
)
def test_lowerings_agree_in_values_and_gradients(name, lowering, wide):
    native, variables = exact(name, (28, 28, 1), wide)
    other, _ = exact(name, (28, 28, 1), wide, lowering=lowering)
    images = jax.random.normal(jax.random.key(1), (3, 28, 28, 1))

    def gradient(model):
        apply = model.in_evaluation(variables.state)
        loss = jax.value_and_grad(lambda params: (apply(params, images) ** 2).sum())
        return jax.jit(loss)(variables.params)

    assert close(gradient(native), gradient(other), atol=1e-8)  # of a sum of squares, up to 1e3


@pytest.mark.parametrize("name", MODELS)
def test_bfloat16_computes_roughly_the_same(name):
    full, short = (small(name, (28, 28, 1), dtype=dtype) for dtype in ("float32", "bfloat16"))
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
    with pytest.raises(InputError, match="width 0.5: lenet5 has no width to multiply; leave out"):
        build("lenet5", (28, 28, 1), 10, width=0.5)
    with pytest.raises(InputError, match="Forgetful has BatchNorm and no field momentum"):
        from_flax(Forgetful(), (4, 4, 1))


class Forgetful(nn.Module):
    @nn.compact
    def __call__(self, images, train=False):
        return nn.Dense(2)(nn.BatchNorm(not train)(images.reshape(len(images), -1)))
