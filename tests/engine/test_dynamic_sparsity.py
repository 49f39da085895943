"""Dynamic sparse training: masks that change while networks train, and keep their counts."""

import dataclasses
import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_spans import LEVEL, make_engine, make_task, pruned, same, solo, start

from prune_fair import run_study
from prune_fair.engine import level, network
from prune_fair.engine.dynamic import make_update, train_dynamically
from prune_fair.engine.optimizer import make_optimizer
from prune_fair.engine.plan import Plan
from prune_fair.engine.population import Population
from prune_fair.engine.spans import check_steps, drop_shares, update_steps
from prune_fair.engine.steps import make_gradient
from prune_fair.engine.task import epoch_keys, network_key, shuffled_batches
from prune_fair.errors import InputError
from prune_fair.pruning import TREATMENTS, Schedule, Technique, apply_mask, kernels
from prune_fair.pruning.updates import exchange
from prune_fair.types import Variables

DYNAMIC = [name for name, row in TREATMENTS.items() if row.mask_update]
EXCHANGING = [name for name in DYNAMIC if not TREATMENTS[name].mask_update.keeps_dense]
WHOLE = jnp.array([0, 12])


def of(treatment, **settings):
    often = {"mask_interval": 3} if treatment == "straight_through" else {"mask_updates": 3}
    return Technique(treatment=treatment, output=True, **often, **settings)


def updates(technique, steps=12):
    """As a level hands them to the training."""
    at = jnp.array(update_steps(technique, steps), jnp.int32)
    return at, jnp.array(drop_shares(technique, steps), jnp.float32)


def counts(task, mask):
    return [int(kernel.sum()) for kernel in kernels(mask, task.model.layers)]


def exchanged(weights, kept, worth, share):
    """In plain NumPy: the indices in the order of a stable sort."""
    out, ones = np.zeros(kept.shape, bool).ravel(), kept.sum()
    dropped = int(np.floor(np.float32(share) * np.float32(ones)))
    held = np.flatnonzero(kept)
    held = held[np.argsort(-np.abs(weights).ravel()[held], kind="stable")][: ones - dropped]
    out[held] = True
    others = np.flatnonzero(~out)
    worth = np.nan_to_num(worth.ravel()[others], nan=-np.inf)
    out[others[np.argsort(-worth, kind="stable")][:dropped]] = True
    return out.reshape(kept.shape)


SIZE = 24
VALUES = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, -1.0, -3.0]), min_size=SIZE, max_size=SIZE)


@settings(max_examples=200, deadline=None)
@given(
    weights=VALUES,
    kept=st.lists(st.booleans(), min_size=SIZE, max_size=SIZE),
    worth=st.lists(st.sampled_from([0.0, 1.0, 2.0, np.nan]), min_size=SIZE, max_size=SIZE),
    share=st.floats(0.0078125, 1, width=32),
)
def test_an_exchange_keeps_the_count_and_equals_a_sort(weights, kept, worth, share):
    weights, kept, worth = (np.array(each).reshape(6, 4) for each in (weights, kept, worth))
    weights, worth = (np.float32(each) for each in (weights * kept, worth))
    ours = np.asarray(jax.jit(exchange)(weights, kept, worth, jnp.float32(share)))
    assert ours.sum() == kept.sum()
    assert (ours == exchanged(weights, kept, worth, share)).all()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("treatment", DYNAMIC)
def test_every_update_keeps_counts_and_what_comes_back_begins_at_zero(treatment, optimizer):
    """Of drawn networks, masks, gradients and moments, at each update."""
    task, _ = make_task(optimizer=optimizer)
    technique, seed = of(treatment), jnp.int32(3)
    row, shares = technique.retraining.mask_update, updates(technique)[1]
    variables, *_ = solo(task)
    moments = make_optimizer(task.recipe, 12).init(variables.params)
    update = make_update(task, technique, LEVEL, seed, shares)
    make = jax.jit(lambda at, carry, gradient: update(at, carry, lambda: gradient))
    for draw in range(20):
        rng = np.random.default_rng(draw)

        def drawn(leaf, rng=rng):
            noise = rng.choice([-1.0, 0.0, 0.5, 2.0], leaf.shape) * rng.random(leaf.shape)
            return noise.astype(leaf.dtype) if leaf.ndim else leaf

        mask = jax.tree.map(lambda leaf, rng=rng: rng.random(leaf.shape) < rng.random(), variables)
        mask = {
            layer: {**leaves, "bias": np.ones_like(leaves["bias"])}
            for layer, leaves in mask.params.items()
        }
        params, own = jax.tree.map(drawn, (variables.params, moments))
        params = params if row.keeps_dense else apply_mask(params, mask)
        gradient = jax.tree.map(drawn, params)
        carry = network.Carry(Variables(params, {}), own, mask, ())
        at = draw % len(shares)
        (after, _), later, new, _ = make(jnp.int32(at), carry, gradient)
        if not row.keeps_dense:
            assert counts(task, new) == counts(task, mask)
        assert sum(counts(task, new)) == sum(counts(task, mask))
        trees = [(params, after), *zip(by_parameter(own), by_parameter(later), strict=True)]
        assert len(trees) == {"sgd": 2, "adam": 3}[optimizer]
        held = jax.tree.map(lambda old, now: row.keeps_dense | (old & np.asarray(now)), mask, new)
        for before, since in trees:
            assert same(since, apply_mask(before, held))
        assert jax.tree.all(jax.tree.map(np.array_equal, _scalars(own), _scalars(later)))


def _scalars(tree):
    return [leaf for leaf in jax.tree.leaves(tree) if np.ndim(leaf) == 0]


def by_parameter(moments):
    """Of an optimiser's state what has a value for each parameter."""
    parts = jax.tree.leaves(moments, is_leaf=lambda part: isinstance(part, dict))
    return [part for part in parts if isinstance(part, dict)]


def next_mask(task, technique, params, mask, worth, share):
    """The next mask of all layers, in plain NumPy."""
    layers = task.model.layers
    weights, kept = (list(map(np.asarray, kernels(tree, layers))) for tree in (params, mask))
    if technique.retraining.mask_update.keeps_dense:
        flat, kept_all = (np.concatenate([each.ravel() for each in of]) for of in (weights, kept))
        best = np.argsort(-np.abs(flat), kind="stable")[: kept_all.sum()]
        parts = np.split(np.isin(np.arange(flat.size), best), [weights[0].size])
    else:
        worths = map(np.asarray, kernels(worth, layers))
        parts = [exchanged(*each, share) for each in zip(weights, kept, worths, strict=True)]
    shaped = [jnp.asarray(part.reshape(each.shape)) for part, each in zip(parts, kept, strict=True)]
    return {
        layer: {**mask[layer], "kernel": kernel}
        for layer, kernel in zip(layers, shaped, strict=True)
    }


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("treatment", DYNAMIC)
def test_training_equals_plain_steps_between_updates(treatment, optimizer, wide):
    """A loop in Python, its updates in NumPy."""
    task, data = make_task(wide=wide, optimizer=optimizer, learning_rate=0.02)
    variables, mask, seed, share = solo(task, wide)
    mask = {layer: {**leaves, "bias": leaves["bias"] | True} for layer, leaves in mask.items()}
    technique = of(treatment, loss="balanced_softmax")
    row, (steps, shares) = technique.retraining.mask_update, updates(technique)
    run = jax.jit(partial(train_dynamically, task, technique))
    ours, last = run(data, LEVEL, WHOLE, (steps, shares), variables, mask, seed, share)

    arranged = task.model.arranged
    common = task, technique.loss, data, LEVEL, seed
    gradient = jax.jit(make_gradient(*common))
    step = network.make_step(task, make_gradient(*common), share, keeps_dense=row.keeps_dense)
    take_step = jax.jit(step)
    begun = variables.params if row.keeps_dense else apply_mask(variables.params, mask)
    moments = make_optimizer(task.recipe, 12).init(arranged(begun))
    carry = network.Carry(arranged(Variables(begun, {})), moments, arranged(mask), ())
    epochs = [shuffled_batches(task, key) for key in epoch_keys(task, LEVEL, seed)]
    masks = [mask]
    for number, rows in enumerate(jnp.concatenate(epochs)):
        if number in steps:
            at = steps.tolist().index(number)
            slope, _ = gradient(carry.variables.params, carry, rows, jnp.int32(number))
            worth = jax.tree.map(np.abs, arranged(slope))
            if treatment == "set":
                key = jax.random.fold_in(network_key(seed, LEVEL, "updates"), at)
                flat, unravel = jax.flatten_util.ravel_pytree(worth)
                worth = unravel(jax.random.uniform(key, flat.shape, flat.dtype))
            params, old = arranged((carry.variables.params, carry.mask))
            masks.append(next_mask(task, technique, params, old, worth, shares[at]))
            carry = carry._replace(mask=arranged(masks[-1]))
            if not row.keeps_dense:
                held = arranged(jax.tree.map(jnp.logical_and, old, masks[-1]))
                params = apply_mask(carry.variables.params, held)
                moments = jax.tree.map(
                    lambda part, held=held: (
                        apply_mask(part, held) if isinstance(part, dict) else part
                    ),
                    carry.moments,
                    is_leaf=lambda part: isinstance(part, dict),
                )
                carry = carry._replace(variables=Variables(params, {}), moments=moments)
        carry = take_step(carry, rows, jnp.int32(number))
    expected = apply_mask(arranged(carry.variables.params), masks[-1])
    assert same(last, masks[-1])
    assert same(ours.params, expected, atol=1e-8)
    assert all(not same(one, other) for one, other in itertools.pairwise(masks))
    if not row.keeps_dense:
        assert {tuple(counts(task, each)) for each in masks} == {tuple(counts(task, mask))}


def test_rigl_equals_its_definition_in_numpy(wide):
    """Forward, gradient, SGD, update and schedule written out, for a network of two layers."""
    task, data = make_task(wide=wide, learning_rate=0.05, weight_decay=1e-3)
    variables, mask, seed, share = solo(task, wide)
    mask = {layer: {**leaves, "bias": leaves["bias"] | True} for layer, leaves in mask.items()}
    technique = of("rigl", drop_share=0.4)
    given = data, LEVEL, WHOLE, updates(technique), variables, mask, seed, share
    ours, last = jax.jit(partial(train_dynamically, task, technique))(*given)

    images = np.asarray(task.pixels.normalise(data.train_images)).reshape(200, -1)
    labels = np.eye(10)[np.asarray(data.train_labels)]
    hidden, out = task.model.layers
    names = [(layer, kind) for layer in (hidden, out) for kind in ("kernel", "bias")]
    kept = {(layer, kind): np.asarray(mask[layer][kind]) for layer, kind in names}
    w = {name: np.asarray(variables.params[name[0]][name[1]]) * kept[name] for name in names}
    momentum = {name: np.zeros_like(each) for name, each in w.items()}

    def slope(rows):
        x, y = images[rows], labels[rows]
        before = x @ w[hidden, "kernel"] + w[hidden, "bias"]
        after = np.maximum(before, 0)
        logits = after @ w[out, "kernel"] + w[out, "bias"]
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        d = (e / e.sum(axis=1, keepdims=True) - y) / len(rows)
        back = (d @ w[out, "kernel"].T) * (before > 0)
        return dict(zip(names, (x.T @ back, back.sum(0), after.T @ d, d.sum(0)), strict=True))

    epochs = [shuffled_batches(task, key) for key in epoch_keys(task, LEVEL, seed)]
    for step, rows in enumerate(np.asarray(jnp.concatenate(epochs))):
        if step in (2, 4, 6):  # quarters of the first 9 of 12 steps, rounded down
            dense = slope(rows)
            fraction = np.float32(0.4 / 2 * (1 + np.cos(np.pi * step / 9)))
            for name in ((hidden, "kernel"), (out, "kernel")):
                new = exchanged(w[name], kept[name], np.abs(dense[name]), fraction)
                for tree in (w, momentum):
                    tree[name] = tree[name] * (kept[name] & new)
                kept[name] = new
        gradient = slope(rows)
        rate = 0.05 * (1 + np.cos(np.pi * step / 12)) / 2
        for name in names:
            momentum[name] = 0.9 * momentum[name] + gradient[name] + 1e-3 * w[name]
            w[name] = (w[name] - rate * momentum[name]) * kept[name]
    for layer, kind in names:
        assert (np.asarray(last[layer][kind]) == kept[layer, kind]).all()
        assert np.abs(np.asarray(ours.params[layer][kind]) - w[layer, kind]).max() < 1e-8
    assert not same(last, mask)


def test_update_steps_and_drop_shares_by_hand():
    rigl = Technique(treatment="rigl", mask_updates=2, drop_share=0.4)
    assert update_steps(rigl, 12) == (3, 6)
    assert drop_shares(rigl, 12) == pytest.approx((0.3, 0.1))
    later = dataclasses.replace(rigl, rewind_step=100)
    assert update_steps(later, 112) == (103, 106)
    assert drop_shares(later, 112) == pytest.approx((0.3, 0.1))
    evolved = Technique(treatment="set", mask_updates=3)
    assert update_steps(evolved, 12) == (3, 6, 9)
    assert drop_shares(evolved, 12) == (0.3, 0.3, 0.3)
    often = Technique(treatment="straight_through", mask_interval=5, rewind_step=2)
    assert update_steps(often, 18) == (7, 12, 17)
    assert drop_shares(often, 18) == (0.3,) * 3


@pytest.mark.parametrize(("treatment", "most"), [("set", 11), ("rigl", 8)])
def test_training_too_short_to_update_so_often_is_refused(treatment, most):
    check_steps(Technique(treatment=treatment, mask_updates=most), 12)
    check_steps(Technique(treatment=treatment, mask_updates=most, rewind_step=3), 15)
    with pytest.raises(InputError, match=f"mask_updates {most + 1}: expected at most {most}, one"):
        check_steps(Technique(treatment=treatment, mask_updates=most + 1), 12)
    seldom = Technique(treatment="straight_through", mask_interval=11)
    check_steps(seldom, 12)
    with pytest.raises(InputError, match="mask_interval 11: expected below 11, the steps of its"):
        check_steps(seldom, 11)


@pytest.mark.parametrize("treatment", DYNAMIC)
def test_other_steps_of_many_networks_pay_nothing(treatment):
    """The update of a population is a conditional still, which is no choice of both sides."""
    task, data = make_task()
    technique = of(treatment)
    run = partial(train_dynamically, task, technique, data, LEVEL, WHOLE, updates(technique))
    traced = str(jax.make_jaxpr(jax.vmap(run))(*start(task, [5, 6])))
    assert traced.count(" cond[") == 1
    plain = partial(network.train, task, "cross_entropy", data, LEVEL, WHOLE)
    assert " cond[" not in str(jax.make_jaxpr(jax.vmap(plain))(*start(task, [5, 6])))


@pytest.mark.parametrize("treatment", DYNAMIC)
@pytest.mark.parametrize("model", ["mlp", "vgg11"])
def test_member_equals_its_solo_run(model, treatment, wide):
    task, data = make_task(model, wide, learning_rate=0.01)
    technique = of(treatment)
    members, given = start(task, [3, 1, 4], wide), updates(technique)
    population = Population(Plan(2, 2, 4, "native"))
    lifted = population.lift(partial(train_dynamically, task, technique))
    together = lifted((population.share(data), LEVEL, np.array([0, 12]), given), *members)
    one = jax.tree.map(lambda leaf: jnp.asarray(leaf[1]), members)
    alone = jax.jit(partial(train_dynamically, task, technique))(data, LEVEL, WHOLE, given, *one)
    assert same(jax.tree.map(lambda leaf: leaf[1], together), alone, atol=1e-8)


def test_what_starts_alone_differs_trains_together():
    names = (
        "random-erk-rigl", "magnitude-layerwise-rigl", "random-erk-rigl@5", "random-erk-set",
        "random-erk-straight_through", "magnitude-erk-straight_through",
        "magnitude-global-straight_through", "random-erk-rewind",
    )  # fmt: skip
    techniques = [Technique.parse(name) for name in names]
    groups = level._groups(techniques, make_task()[0])
    assert [[names.index(each.name) for each in group] for group in groups] == [
        [0, 1], [2], [3], [4, 5], [6], [7],
    ]  # fmt: skip


def test_layers_keep_the_counts_of_the_static_mask():
    """Of one seed and criterion `rewind` is the static control: the same mask at the start."""
    engine = make_engine()
    techniques = [
        dataclasses.replace(of(each), criterion="random", scope="erk", output=False)
        if each in DYNAMIC
        else Technique("random", "erk", treatment=each)
        for each in ("rewind", *DYNAMIC)
    ]
    found = pruned(engine, techniques, [0, 1])
    static, *others = found.results["layer_sparsity"]
    masks = [networks.mask for networks in found.networks.values()]
    for layer_sparsity, mask in zip(others, masks[1:], strict=True):
        assert (layer_sparsity == static).all()
        assert not same(mask, masks[0])
    for (params, _), mask in found.networks.values():
        assert jax.tree.all(jax.tree.map(lambda leaf, kept: not leaf[~kept].any(), params, mask))


def test_a_study_of_all_three(toy_config, tmp_path):
    techniques = (
        "random-erk-set@4", "random-erk-rigl@4,0.5,5", "magnitude-global-straight_through@3",
        "random-erk-rewind",
    )  # fmt: skip
    schedule = Schedule("geometric", rate=0.6, levels=2)
    config = dataclasses.replace(toy_config, techniques=techniques, schedule=schedule, seeds=2)
    results = run_study(dataclasses.replace(config, controls=True), tmp_path)
    found = results["digits/mlp"].to_dataset()
    assert found.finished.all()
    assert not found.diverged.any()
    names = found.technique.values.tolist()
    assert names == [*techniques, "dense-rewind", "dense-rewind@5", "dense-long"]
    layers = found.layer_sparsity
    for name in techniques[:2]:
        assert (layers.sel(technique=name) == layers.sel(technique=techniques[3])).all()
    weights = 64 * 20 + 20 * 10
    for at, sparsity in ((1, 0.6), (2, 0.84)):
        removed = round(sparsity * weights) / weights
        assert np.allclose(found.sparsity.sel(technique=techniques[2], level=at), removed)
    alike = found.retraining.values
    assert alike[0] == alike[2] == alike[3] == alike[4]
    assert alike[1] == alike[5]
