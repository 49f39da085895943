"""The same weights give torch.nn.utils.prune's masks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair.models import build
from prune_fair.pruning import GRANULARITIES, full_mask, quota
from prune_fair.pruning.masks import Prunable

torch = pytest.importorskip("torch", reason="torch is in the extra `bench`")
prune = pytest.importorskip("torch.nn.utils.prune")


@pytest.fixture(scope="module")
def params():
    return jax.jit(build("mlp", (4, 4, 1), 3, widths=(12, 10)).init)(jax.random.key(3)).params


@pytest.fixture
def layers(params):
    """The hidden layers in torch: weights (out, in)."""
    modules = {}
    for name in ("dense_0", "dense_1"):
        weight = torch.tensor(np.asarray(params[name]["kernel"]).T.copy())
        modules[name] = torch.nn.Linear(*weight.shape[::-1], bias=False)
        modules[name].weight = torch.nn.Parameter(weight)
    return modules


def ours(granularity, params, names, kept):
    reader = {"dense_0": "dense_1", "dense_1": "output"}[names[-1]]
    scores, prunable = jax.tree.map(jnp.abs, params), Prunable(names, reader)
    return GRANULARITIES[granularity].select(scores, full_mask(params), prunable, jnp.asarray(kept))


def equal(module, kernel) -> bool:
    return np.array_equal(module.weight_mask.numpy().T.astype(bool), np.asarray(kernel))


@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.93])
def test_global_l1(sparsity, params, layers):
    prune.global_unstructured(
        [(module, "weight") for module in layers.values()], prune.L1Unstructured, amount=sparsity
    )
    shapes = {name: params[name]["kernel"].shape for name in layers}
    mask = ours("unstructured", params, tuple(layers), quota("global", sparsity, shapes))
    assert all(equal(module, mask[name]["kernel"]) for name, module in layers.items())


@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.93])
def test_layerwise_l1(sparsity, params, layers):
    for module in layers.values():
        prune.l1_unstructured(module, "weight", amount=sparsity)
    shapes = {name: params[name]["kernel"].shape for name in layers}
    mask = ours("unstructured", params, tuple(layers), quota("layerwise", sparsity, shapes))
    assert all(equal(module, mask[name]["kernel"]) for name, module in layers.items())


@pytest.mark.parametrize("removed", [3, 7])
@pytest.mark.parametrize(
    ("granularity", "norm"), [("channel", 1), ("channel_l2", 2), ("channel_linf", float("inf"))]
)
def test_ln_structured(granularity, norm, removed, params, layers):
    prune.ln_structured(layers["dense_0"], "weight", amount=removed, n=norm, dim=0)
    kept = np.array([(12 - removed) * 16])
    mask = ours(granularity, params, ("dense_0",), kept)
    assert equal(layers["dense_0"], mask["dense_0"]["kernel"])
