"""Spans of one training: one after the other they are the whole, and what is pruned stays so."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair.config import RecipeConfig
from prune_fair.datasets import load
from prune_fair.engine import level as level_module
from prune_fair.engine import network
from prune_fair.engine.images import DeviceData, Pixels
from prune_fair.engine.level import advance, rewound
from prune_fair.engine.members import Engine, begin_block, dense_parents
from prune_fair.engine.optimizer import make_optimizer
from prune_fair.engine.plan import Plan
from prune_fair.engine.population import Population
from prune_fair.engine.spans import check_steps, pruning_steps
from prune_fair.engine.steps import make_gradient
from prune_fair.engine.task import Task, epoch_keys, shuffled_batches, steps_per_epoch
from prune_fair.errors import InputError
from prune_fair.models import build
from prune_fair.pruning import Schedule, Technique, apply_mask, kernels, quota, ramp
from prune_fair.types import Variables

LEVEL = jnp.int32(1)
GRADUAL = Technique(treatment="gradual", output=True)


def as_it_is(tree):
    return tree


def make_task(model="mlp", wide=as_it_is, **recipe) -> tuple[Task, DeviceData]:
    """A task and its images; in float64 with what casts to it."""
    data = load("digits")
    data = data._replace(train_images=data.train_images[:200], train_labels=data.train_labels[:200])
    settings = {"epochs": 2, "batch_size": 32, "learning_rate": 0.1, **recipe}
    options = {"widths": (16,)} if model == "mlp" else {"width": 1 / 16}
    pixels = wide(Pixels.of(data))
    model = build(model, (8, 8, 1), 10, dtype=str(pixels.mean.dtype), **options)
    task = Task(model, pixels, RecipeConfig(**settings), tuple(data.train_count().tolist()))
    assert steps_per_epoch(task) == 6
    return task, jax.tree.map(jnp.asarray, DeviceData.of(data))


def start(task, seeds, wide=as_it_is):
    initialise = jax.jit(partial(network.initialise, task))
    networks = [initialise(np.int32(0), jnp.int32(seed)) for seed in seeds]
    variables = jax.tree.map(lambda *leaves: np.stack(leaves), *networks)
    rng = np.random.default_rng(0)
    mask = jax.tree.map(
        lambda leaf: np.broadcast_to(rng.random(leaf.shape[1:]) < 0.8, leaf.shape), variables.params
    )
    return wide((variables, mask, np.array(seeds, np.int32), np.ones(len(seeds), np.float32)))


def same(one, other, **tolerance) -> bool:
    close = partial(np.allclose, rtol=0, **tolerance) if tolerance else np.array_equal
    return jax.tree.all(jax.tree.map(close, one, other))


def train(task, data, span, variables, mask, seed, share):
    trainer = jax.jit(partial(network.train, task, "cross_entropy"))
    return trainer(data, LEVEL, jnp.array(span), variables, mask, seed, share)


def solo(task, wide=as_it_is):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), start(task, [5], wide))


@pytest.mark.parametrize("recipe", [{}, {"augment": ("flip",)}], ids=["plain", "augment"])
def test_spans_one_after_the_other_are_the_whole_training(recipe, wide):
    """Cut within epochs, between them, and into nothing; without moments, which start anew."""
    task, data = make_task(wide=wide, momentum=0.0, **recipe)
    variables, mask, seed, share = solo(task, wide)
    whole, trained = train(task, data, (0, 12), variables, mask, seed, share), variables
    for span in ((0, 4), (4, 4), (4, 6), (6, 9), (9, 12)):
        trained = train(task, data, span, trained, mask, seed, share)
    assert same(trained, whole, atol=1e-8)
    assert not same(whole, variables, atol=1e-2)


def test_span_of_no_steps_changes_nothing_but_removes():
    task, data = make_task()
    variables, mask, seed, share = solo(task)
    kept = jax.tree.map(lambda leaf, kept: leaf * kept, variables.params, mask)
    for step in (0, 3, 6, 12):
        trained = train(task, data, (step, step), variables, mask, seed, share)
        assert same(trained.params, kept)


@pytest.mark.parametrize("model", ["mlp", "vgg11"])
def test_member_equals_its_solo_run(model, wide):
    task, data = make_task(model, wide, learning_rate=0.01)
    population = Population(Plan(2, 2, 4, "native"))
    members = start(task, [3, 1, 4, 1, 5], wide)
    lifted = population.lift(partial(network.train, task, "cross_entropy"))
    span = np.array([3, 11], np.int32)
    together = lifted((population.share(data), LEVEL, span), *members)
    alone = train(task, data, span, *jax.tree.map(lambda leaf: jnp.asarray(leaf[2]), members))
    of = [jax.tree.map(lambda leaf, row=row: leaf[row], together) for row in range(5)]
    assert same(of[2], alone, atol=1e-8)
    assert same(of[1], of[3], atol=1e-8)
    assert not same(of[1], of[2], atol=1e-2)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("loss", ["cross_entropy", "balanced_softmax"])
def test_gradual_equals_plain_steps_between_prunings(optimizer, loss, wide):
    """A loop in Python: a step of one image batch, and before some steps a pruning."""
    task, data = make_task(wide=wide, optimizer=optimizer, learning_rate=0.01)
    variables, mask, seed, share = solo(task, wide)
    technique = dataclasses.replace(GRADUAL, gradual_prunings=3, gradual_share=0.7, loss=loss)
    steps, layers = pruning_steps(technique, 12), technique.shapes(task.model)
    quotas = [quota("global", sparsity, layers) for sparsity in ramp(0.2, 0.8, 3)]
    prunings = np.array(steps, np.int32), np.stack(quotas)
    whole = jnp.array([0, 12])
    run = jax.jit(partial(network.train_gradually, task, technique))
    ours, last = run(data, LEVEL, whole, prunings, variables, mask, variables, seed, share)

    gradient = make_gradient(task, loss, data, LEVEL, seed)
    take_step = jax.jit(network.make_step(task, gradient, share))
    prune = jax.jit(partial(network.prune, task, technique, data, LEVEL))
    epochs = [shuffled_batches(task, key) for key in epoch_keys(task, LEVEL, seed)]
    arranged, params = task.model.arranged, apply_mask(variables.params, mask)
    moments = make_optimizer(task.recipe, 12).init(arranged(params))
    carry = network.Carry(arranged(Variables(params, {})), moments, arranged(mask), ())
    for number, rows in enumerate(jnp.concatenate(epochs)):
        if number in steps:
            at = steps.index(number)
            now, mask = arranged((carry.variables, carry.mask))
            mask = prune(now, mask, variables, seed, jnp.asarray(quotas[at]), jnp.int32(at))
            now = now._replace(params=apply_mask(now.params, mask))
            carry = carry._replace(variables=arranged(now), mask=arranged(mask))
        carry = take_step(carry, rows, jnp.int32(number))
    assert same(last, arranged(carry.mask))
    assert same(ours, arranged(carry.variables), atol=1e-8)


def make_engine(schedule=None, **recipe) -> Engine:
    task, data = make_task(**recipe)
    population = Population(Plan(2, 1, 4, "native"))
    schedule = schedule or Schedule("one-shot", sparsities=(0.8,))
    return Engine(population, task, population.share(data), schedule, {})


def pruned(engine, techniques, seeds, level=1):
    """The level of networks that are pruned from their initialisations."""
    block = begin_block(engine, np.array(seeds, np.int32))
    parents = dict.fromkeys((each.name for each in techniques), dense_parents(block))
    weights, heard = rewound(engine, block, techniques), []
    [found] = advance(engine, [level], block, techniques, parents, weights, heard.append)
    assert sum(heard) == len(seeds) * len(techniques)
    return found


def test_gradual_ends_at_the_level_s_sparsity_with_nothing_revived():
    technique = dataclasses.replace(GRADUAL, gradual_prunings=4, gradual_share=0.7)
    engine = make_engine()
    found = pruned(engine, [technique], [2, 0, 1])
    (params, _), mask = found.networks[technique.name]
    weights, layers = 64 * 16 + 16 * 10, engine.task.model.layers
    removed = sum((~kernel).sum(axis=(1, 2)) for kernel in kernels(mask, layers))
    assert removed.tolist() == [round(0.8 * weights)] * 3
    assert jax.tree.all(jax.tree.map(lambda leaf, kept: not leaf[~kept].any(), params, mask))
    assert found.results["sparsity"].tolist() == [[round(0.8 * weights) / weights] * 3]


def test_gradual_member_equals_its_solo_run():
    """Bit for bit: it is the same program, which one member runs through after the other."""
    technique = dataclasses.replace(GRADUAL, gradual_prunings=3)
    many, one = (
        pruned(make_engine(), [technique], seeds).networks[technique.name]
        for seeds in ([8, 9, 7], [9])
    )
    pick = jax.tree.map(lambda leaf: leaf[1], many)
    assert same(pick, jax.tree.map(lambda leaf: leaf[0], one))


def test_gradual_goes_on_from_the_sparsity_of_the_level_before(monkeypatch):
    asked, ramp_of = [], level_module.ramp
    monkeypatch.setattr(level_module, "ramp", lambda *given: asked.append(given) or ramp_of(*given))
    engine = make_engine(Schedule("linear", sparsity=0.8, levels=2))
    technique = dataclasses.replace(GRADUAL, gradual_prunings=2)
    for level in (1, 2):
        pruned(engine, [technique], [0, 1], level)
    assert asked == [(0.0, 0.4, 2), (0.4, 0.8, 2)]


def test_each_pruning_scores_on_images_of_its_own():
    task, data = make_task()
    variables, mask, *_ = solo(task)
    prune = jax.jit(partial(network.prune, task, Technique("random"), data, LEVEL, variables, mask))
    masks = [prune(variables, jnp.int32(0), jnp.array([300]), n) for n in (0, 1, 1, None)]
    assert same(masks[1], masks[2])
    assert not same(masks[0], masks[1])
    assert not same(masks[0], masks[3])


@pytest.mark.parametrize("granularity", ["channel", "channel_l2"])
def test_channels_go_gradually_too(granularity):
    technique = Technique("magnitude", "layerwise", granularity, "gradual", gradual_prunings=3)
    (params, _), mask = pruned(make_engine(), [technique], [0, 1]).networks[technique.name]
    dead = ~mask["dense_0"]["bias"]
    assert dead.sum(axis=1).tolist() == [13, 13]  # of 16 channels, the nearest to 80 %
    assert (params["dense_0"]["bias"][dead] == 0).all()


def test_ramp_by_hand():
    """1 - (1 - t/4)^3 = 37/64, 56/64, 63/64, 1 of the way."""
    assert ramp(0.0, 0.64, 4) == pytest.approx((0.37, 0.56, 0.63, 0.64))
    assert ramp(0.5, 0.9, 2) == pytest.approx((0.85, 0.9))
    assert ramp(0.3, 0.51, 1) == (0.51,)
    assert ramp(0.3, 0.657, 7)[-1] == 0.657


def test_pruning_steps_by_hand():
    technique = dataclasses.replace(GRADUAL, gradual_prunings=3, gradual_share=0.75)
    assert pruning_steps(technique, 12) == (3, 6, 9)
    assert pruning_steps(technique, 14) == (3, 6, 10)
    assert pruning_steps(technique, 4) == (1, 2, 3)
    once = dataclasses.replace(GRADUAL, gradual_prunings=1, gradual_share=0.99)
    assert pruning_steps(once, 10) == (9,)


def test_training_too_short_to_prune_so_often_is_refused():
    often = dataclasses.replace(GRADUAL, gradual_prunings=7, gradual_share=0.5)
    check_steps(Technique(), 12)
    check_steps(often, 14)
    with pytest.raises(InputError, match="gradual_prunings 7: expected at most 6, the steps in"):
        check_steps(often, 12)
    with pytest.raises(InputError, match="rewind_step 12: expected below 12"):
        check_steps(Technique(rewind_step=12), 12)


def heard(engine: Engine, calls: list) -> Engine:
    """Notes the spans that the training program is called with."""
    train = engine.lifted(network.train, "cross_entropy")

    def noted(shared, *members, **options):
        calls.append((shared[2].tolist(), len(members[-1])))
        return train(shared, *members, **options)

    return engine._replace(programs={**engine.programs, (network.train, "cross_entropy"): noted})


def test_networks_that_train_the_same_steps_do_so_together():
    calls = []
    names = (
        "magnitude-global-rewind@4", "magnitude-global-finetune", "magnitude-global-rewind",
        "magnitude-global-none", "dense-long",
    )  # fmt: skip
    techniques = [Technique.parse(name) for name in names]
    engine = heard(make_engine(), calls)
    found = pruned(engine, techniques, [0, 1])
    assert calls == [([0, 4], 2), ([4, 12], 2), ([0, 12], 6)]
    assert list(found.networks) == list(names)
    early, _, late, untouched, long = found.networks.values()
    assert not same(early.variables, late.variables)
    kept = dense_parents(begin_block(engine, np.arange(2, dtype=np.int32))).variables.params
    held = jax.tree.map(lambda leaf, mask: leaf * mask, kept, untouched.mask)
    assert same(untouched.variables.params, held)
    assert found.results["sparsity"][names.index("dense-long")].tolist() == [0, 0]
    assert jax.tree.all(jax.tree.map(np.all, long.mask))
