"""Exact counts, ties by index, nested masks, channels that are fully dead."""

import itertools
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from prune_fair.models import build, from_flax
from prune_fair.models.vgg11 import VGG11
from prune_fair.pruning import apply_mask, full_mask, kernels, quota
from prune_fair.pruning.masks import Prunable
from prune_fair.pruning.selection import GRANULARITIES, keep_top

values = st.floats(width=32, allow_infinity=True, allow_nan=True)


@settings(deadline=None)
@given(
    hnp.arrays(np.float32, 12, elements=values),
    hnp.arrays(np.bool_, 12),
    st.integers(0, 14),
)
def test_keep_top_equals_a_stable_sort(scores, alive, kept):
    chosen = np.asarray(jax.jit(keep_top)(scores, alive, kept))
    worth = np.where(np.isnan(scores), -np.inf, scores)
    nan_last = np.lexsort((np.arange(12), np.isnan(scores), -worth, ~alive))
    expected = np.zeros(12, bool)
    expected[nan_last[:kept]] = True
    assert np.array_equal(chosen, expected & alive)


def test_keep_top_with_all_tied_keeps_the_first():
    chosen = keep_top(jnp.zeros(5), jnp.array([True, False, True, True, True]), jnp.int32(2))
    assert chosen.tolist() == [True, False, True, False, False]


def test_keep_top_takes_a_count_of_its_own_for_each_member():
    scores = jnp.tile(jnp.arange(6.0), (3, 1))
    kept = jax.vmap(keep_top)(scores, jnp.ones((3, 6), bool), jnp.array([0, 2, 6]))
    assert kept.sum(axis=1).tolist() == [0, 2, 6]


RANKINGS = [
    (granularity, scope)
    for granularity in GRANULARITIES
    for scope in ("global", "layerwise")
    if scope == "layerwise" or ":" not in granularity
]


@pytest.mark.parametrize(("granularity", "scope"), RANKINGS)
@pytest.mark.parametrize("tied", [False, True])
def test_contract_of_every_selection(granularity, scope, tied, wide):
    model = build("mlp", (4, 2, 1), 4, widths=(8, 5))
    params = wide(jax.jit(model.init)(jax.random.key(0)).params)
    mask, select, layers = full_mask(params), GRANULARITIES[granularity].select, model.layers[:-1]
    prunable, shapes = Prunable(layers, "output"), {"dense_0": (8, 8), "dense_1": (8, 5)}
    scores = jax.tree.map(jnp.zeros_like if tied else jnp.abs, params)
    jitted = jax.jit(lambda mask, kept: select(scores, mask, prunable, kept))
    before = mask
    for sparsity in (0.0, 0.3, 0.6, 0.9):
        kept = jnp.asarray(quota(scope, sparsity, shapes))
        after = jitted(before, kept)
        assert jax.tree.structure(after) == jax.tree.structure(params)
        assert jax.tree.all(jax.tree.map(lambda a, b: bool((a <= b).all()), after, before))
        remaining = sum(int(kernel.sum()) for kernel in kernels(after, layers))
        if granularity == "unstructured":
            assert remaining == kept.sum()
        if sparsity == 0.6:
            eager = select(scores, before, prunable, kept)
            assert jax.tree.all(jax.tree.map(jnp.array_equal, after, eager))
        before = after


def test_unstructured_leaves_biases_and_other_layers(model, params, mask):
    scores = jax.tree.map(jnp.abs, params)
    prunable = Prunable(model.layers[:-1], "output")
    after = GRANULARITIES["unstructured"].select(scores, mask, prunable, jnp.array([3]))
    assert bool(after["output"]["kernel"].all())
    assert all(bool(after[layer]["bias"].all()) for layer in model.layers)


def test_global_by_hand():
    scores = {
        "a": {"kernel": jnp.array([[1.0, 9.0], [3.0, 4.0]])},
        "b": {"kernel": jnp.array([[5.0, 2.0], [6.0, 7.0]])},
    }
    mask, select = full_mask(scores), GRANULARITIES["unstructured"].select
    one = select(scores, mask, Prunable(("a", "b"), None), jnp.array([4]))
    assert one["a"]["kernel"].tolist() == [[False, True], [False, False]]
    assert one["b"]["kernel"].tolist() == [[True, False], [True, True]]
    each = select(scores, mask, Prunable(("a", "b"), None), jnp.array([2, 1]))
    assert each["a"]["kernel"].tolist() == [[False, True], [False, True]]
    assert each["b"]["kernel"].tolist() == [[False, False], [False, True]]


def fully_dead(mask, layers) -> bool:
    """Whether exactly the channels without weights lack a bias and readers."""
    for layer, after in itertools.pairwise(layers):
        alive = np.asarray(mask[layer]["kernel"]).any(
            axis=tuple(range(mask[layer]["kernel"].ndim - 1))
        )
        reader = np.asarray(mask[after]["kernel"])
        reads = reader.any(axis=(*range(reader.ndim - 2), reader.ndim - 1))
        repeated = np.tile(alive, len(reads) // len(alive))
        if not np.array_equal(mask[layer]["bias"], alive) or (reads & ~repeated).any():
            return False
    return True


@pytest.mark.parametrize("scope", ["global", "layerwise"])
@pytest.mark.parametrize("name", ["mlp", "lenet5"])
def test_removed_channels_are_fully_dead_and_near_the_sparsity(scope, name):
    model = build(name, (28, 28, 1), 10)
    params = jax.jit(model.init)(jax.random.key(0)).params
    layers = model.layers[:-1]
    shapes = {la: k.shape for la, k in zip(layers, kernels(params, layers), strict=True)}
    scores, mask = jax.tree.map(jnp.abs, params), full_mask(params)
    prunable, weights = Prunable(layers, "output"), sum(map(math.prod, shapes.values()))
    channel = GRANULARITIES["channel"].select
    select = jax.jit(lambda mask, kept: channel(scores, mask, prunable, kept))
    for sparsity in (0.5, 0.8):
        mask = select(mask, jnp.asarray(quota(scope, sparsity, shapes)))
        assert fully_dead(mask, model.layers)
        measured = 1 - sum(int(k.sum()) for k in kernels(mask, layers)) / weights
        assert measured == pytest.approx(sparsity, abs=0.02)


@pytest.mark.parametrize("scope", ["global", "layerwise"])
def test_removed_channels_are_zero_behind_their_batch_norm(scope):
    """In training and in evaluation, whatever the running statistics are."""
    module = VGG11(10, width=1 / 16)
    model = from_flax(module, (8, 8, 1))
    params, state = jax.jit(model.init)(jax.random.key(0))
    shifted = jax.tree.map(lambda leaf: leaf + 0.5, params)
    layers = model.layers[:-1]
    shapes = {la: k.shape for la, k in zip(layers, kernels(params, layers), strict=True)}
    kept, prunable = jnp.asarray(quota(scope, 0.7, shapes)), Prunable(layers, "output")
    scores = jax.tree.map(jnp.abs, params)
    channel = GRANULARITIES["channel"].select
    mask = jax.jit(lambda mask: channel(scores, mask, prunable, kept))(full_mask(params))
    masked = {"params": apply_mask(shifted, mask)}
    state = jax.tree.map(lambda leaf: leaf + 2.0, state)
    images = jax.random.normal(jax.random.key(1), (4, 8, 8, 1))
    dead = 0
    for train in (False, True):
        run = jax.jit(
            partial(
                module.apply,
                train=train,
                capture_intermediates=True,
                mutable=["intermediates", "batch_stats"],
            )
        )
        _, seen = run({**masked, "batch_stats": state}, images)
        for layer in layers:
            removed = ~np.asarray(mask[layer]["bias"])
            (output,) = seen["intermediates"][f"{layer}_norm"]["__call__"]
            assert np.array_equal(mask[f"{layer}_norm"]["scale"], ~removed)
            assert (np.asarray(output)[..., removed] == 0).all()
            dead += removed.sum()
    assert dead > 0
    assert fully_dead(mask, model.layers)


def test_what_reads_a_removed_channel_cannot_be_seen(model, apply, params, mask, batches):
    """With the channels at zero, the weights that read them change no logit."""
    layers = model.layers
    kept = jnp.asarray(quota("layerwise", 0.5, {"dense_0": (9, 6), "dense_1": (6, 5)}))
    prunable = Prunable(layers[:-1], "output")
    after = GRANULARITIES["channel"].select(jax.tree.map(jnp.abs, params), mask, prunable, kept)
    only_outputs = {**mask, **{la: {**after[la], "kernel": mask[la]["kernel"]} for la in layers}}
    for layer in layers[:-1]:
        alive = jnp.broadcast_to(after[layer]["bias"], mask[layer]["kernel"].shape)
        only_outputs[layer]["kernel"] = alive
    logits = (apply(apply_mask(params, m), batches.images[0]) for m in (after, only_outputs))
    assert jnp.allclose(*logits, atol=1e-6)


def test_channels_layerwise_equal_ln_structured_by_hand():
    # one prunable layer of four channels, L1 norms 4, 1, 3, 2: at sparsity 0.5 the two largest stay
    kernel = jnp.array([[2.0, -1.0, 3.0, 1.0], [-2.0, 0.0, 0.0, 1.0]])
    params = {
        "dense_0": {"kernel": kernel, "bias": jnp.ones(4)},
        "output": {"kernel": jnp.ones((4, 2)), "bias": jnp.ones(2)},
    }
    scores, mask = jax.tree.map(jnp.abs, params), full_mask(params)
    prunable = Prunable(("dense_0",), "output")
    after = GRANULARITIES["channel"].select(scores, mask, prunable, jnp.array([4]))
    kept = [True, False, True, False]
    assert after["dense_0"]["bias"].tolist() == kept
    assert after["dense_0"]["kernel"].tolist() == [kept, kept]
    assert after["output"]["kernel"].tolist() == [[k, k] for k in kept]
    assert after["output"]["bias"].tolist() == [True, True]


@pytest.mark.parametrize(
    ("granularity", "best_two"),
    [("channel", [0, 2]), ("channel_l2", [2, 3]), ("channel_linf", [2, 3])],
)
def test_channel_norms_by_hand(granularity, best_two):
    # channels (1.7, 1.7), (1, 0), (3, 0), (2.5, 0.4):
    # L1 3.4, 1, 3, 2.9; squared L2 5.78, 1, 9, 6.41; largest 1.7, 1, 3, 2.5
    kernel = jnp.array([[1.7, 1.0, 3.0, 2.5], [1.7, 0.0, 0.0, 0.4]])
    params = {
        "dense_0": {"kernel": kernel, "bias": jnp.ones(4)},
        "output": {"kernel": jnp.ones((4, 2))},
    }
    prunable = Prunable(("dense_0",), "output")
    after = GRANULARITIES[granularity].select(params, full_mask(params), prunable, jnp.array([4]))
    assert np.flatnonzero(after["dense_0"]["bias"]).tolist() == best_two


def test_two_of_four_by_hand_and_ties():
    kernel = jnp.array([[4.0, 1.0], [1.0, 1.0], [3.0, 1.0], [2.0, 1.0]])
    params, prunable = {"dense_0": {"kernel": kernel}}, Prunable(("dense_0",), None)
    after = GRANULARITIES["2:4"].select(params, full_mask(params), prunable, jnp.array([0]))
    columns = after["dense_0"]["kernel"].T.tolist()
    assert columns == [[True, False, True, False], [True, True, False, False]]


@pytest.mark.parametrize(("granularity", "n", "m"), [("2:4", 2, 4), ("4:8", 4, 8)])
@settings(deadline=None, max_examples=20)
@given(hnp.arrays(np.float32, (3, 8, 5), elements=values))
def test_n_of_m_keeps_exactly_n_everywhere(granularity, n, m, scores):
    params, prunable = {"conv_0": {"kernel": jnp.asarray(scores)}}, Prunable(("conv_0",), None)
    after = GRANULARITIES[granularity].select(params, full_mask(params), prunable, jnp.array([0]))
    groups = np.asarray(after["conv_0"]["kernel"]).reshape(-1, m, 5)
    assert (groups.sum(axis=1) == n).all()
    again = GRANULARITIES[granularity].select(params, after, prunable, jnp.array([0]))
    assert jnp.array_equal(again["conv_0"]["kernel"], after["conv_0"]["kernel"])


NO_BLOCKS = [name for name, row in GRANULARITIES.items() if row.block is None]


@pytest.mark.parametrize("granularity", NO_BLOCKS)
@pytest.mark.parametrize("quotas", [1, 2])
def test_layer_collapse_leaves_nothing_and_stays_so(granularity, quotas, model, params, mask):
    scores, prunable = jax.tree.map(jnp.abs, params), Prunable(model.layers[:-1], "output")
    nothing = jnp.zeros(quotas, jnp.int32)
    once = GRANULARITIES[granularity].select(scores, mask, prunable, nothing)
    after = GRANULARITIES[granularity].select(scores, once, prunable, nothing)
    assert not any(bool(kernel.any()) for kernel in kernels(after, model.layers[:-1]))
