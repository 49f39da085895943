"""Spans of one training: one after the other they are the whole, and what is pruned stays so."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from prune_fair.config import RecipeConfig
from prune_fair.datasets import load
from prune_fair.engine import network
from prune_fair.engine.optimizer import no_moments
from prune_fair.engine.plan import Plan
from prune_fair.engine.population import Population
from prune_fair.engine.programs import make_programs
from prune_fair.engine.retraining import Networks, Piece, retrain, train_to_rewind_step
from prune_fair.engine.spans import check_steps, needs_spans, pruning_steps
from prune_fair.errors import InputError
from prune_fair.models import build
from prune_fair.pruning import TREATMENTS, Schedule, Technique, ramp, removed_weights

LEVEL = jnp.int32(1)
TECHNIQUE = "magnitude-global-gradual-output"


def as_it_is(tree):
    return tree


def make_task(model="mlp", wide=as_it_is, **recipe) -> tuple[network.Task, network.DeviceData]:
    """A task and its images; in float64 with what casts to it."""
    data = load("digits")
    data = data._replace(train_images=data.train_images[:200], train_labels=data.train_labels[:200])
    settings = {"epochs": 2, "batch_size": 32, "learning_rate": 0.1, "score_batches": 2, **recipe}
    options = {"widths": (16,)} if model == "mlp" else {"width": 1 / 16}
    pixels = wide(network.Pixels.of(data))
    model = build(model, (8, 8, 1), 10, dtype=str(pixels.mean.dtype), **options)
    task = network.Task(model, pixels, RecipeConfig(**settings), 200, 10)
    assert network.steps_per_epoch(task) == 6
    return task, network.DeviceData(*(jnp.asarray(array) for array in data[:4]))


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


@pytest.mark.parametrize(
    "recipe",
    [
        {"weight_decay": 0.01},
        {"optimizer": "adam", "learning_rate": 0.01},
        {"augment": ("flip",), "decay": "constant"},
    ],
    ids=["sgd", "adam", "augment"],
)
def test_spans_one_after_the_other_are_the_whole_training(recipe, wide):
    """Cut within epochs, between them, and into nothing."""
    task, data = make_task(wide=wide, **recipe)
    variables, mask, seed, share = jax.tree.map(lambda leaf: leaf[0], start(task, [5], wide))
    whole = jax.jit(partial(network.train, task))(data, LEVEL, variables, mask, seed, share)
    train = jax.jit(partial(network.train_span, task, data, LEVEL))
    moments = wide(no_moments(task.recipe, task.model.shapes, 1))
    trained = network.Trained(variables, jax.tree.map(lambda leaf: leaf[0], moments))
    for span in ((0, 4), (4, 4), (4, 6), (6, 9), (9, 12)):
        trained = train(jnp.array(span), trained.variables, mask, seed, share, trained.moments)
    assert same(trained.variables, whole.variables, atol=1e-8)
    assert not same(whole.variables, variables, atol=1e-2)


def test_span_of_no_steps_changes_nothing_but_removes():
    task, data = make_task()
    variables, mask, seed, share = jax.tree.map(lambda leaf: leaf[0], start(task, [5]))
    moments = jax.tree.map(
        lambda leaf: np.ones(leaf.shape[1:], leaf.dtype),
        no_moments(task.recipe, task.model.shapes, 1),
    )
    for step in (0, 3, 6, 12):
        trained = jax.jit(partial(network.train_span, task))(
            data, LEVEL, jnp.array([step, step]), variables, mask, seed, share, moments
        )
        kept = jax.tree.map(lambda leaf, kept: leaf * kept, variables.params, mask)
        assert same(trained.variables.params, kept)
        momentum = trained.moments[1][0].trace
        assert same(momentum, jax.tree.map(np.float32, mask))


@pytest.mark.parametrize("model", ["mlp", "vgg11"])
def test_member_equals_its_solo_run(model, wide):
    task, data = make_task(model, wide, learning_rate=0.01)
    population = Population(Plan(2, 2, 4, "native"))
    members = start(task, [3, 1, 4, 1, 5], wide)
    moments = wide(no_moments(task.recipe, task.model.shapes, 5))
    train, span = population.lift(partial(network.train_span, task)), np.array([3, 11], np.int32)
    together = train((population.share(data), LEVEL, span), *members, moments)
    alone = jax.tree.map(lambda leaf: jnp.asarray(leaf[2]), (*members, moments))
    solo = jax.jit(partial(network.train_span, task))(data, LEVEL, span, *alone)
    of = [jax.tree.map(lambda leaf, row=row: leaf[row], together) for row in range(5)]
    assert same(of[2], solo, atol=1e-8)
    assert same(of[1], of[3], atol=1e-8)
    assert not same(of[1], of[2], atol=1e-2)


def make_piece(seeds, level=1, schedule=None, techniques=(TECHNIQUE,), **recipe) -> Piece:
    task, data = make_task(**recipe)
    population = Population(Plan(2, 1, 4, "native"))
    programs = make_programs(population, task, techniques)
    seeds = np.array(seeds, np.int32)
    initial = programs.initialise((np.int32(0),), seeds)
    schedule = schedule or Schedule("one-shot", sparsities=(0.8,))
    return Piece(programs, task, population.share(data), schedule, level, seeds, initial)


def gradually(piece, name=TECHNIQUE):
    mask = jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), piece.initial.params)
    starts, heard = {name: Networks(piece.initial, mask)}, []
    treatments = {name: TREATMENTS[Technique.parse(name).treatment]}
    retrained = retrain(piece, starts, treatments, heard.append)[name]
    assert sum(heard) == len(piece.seeds)
    return retrained


def heard(piece: Piece, calls: list) -> Piece:
    """Notes what the training program is called with, and what it gives."""

    def train(shared, *members, **options):
        trained = piece.programs.train(shared, *members, **options)
        calls.append((shared[2].tolist(), members, trained))
        return trained

    return piece._replace(programs=piece.programs._replace(train=train))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_masks_are_nested_and_exact_and_moments_of_the_removed_are_zero(optimizer):
    calls = []
    recipe = {"gradual_prunings": 4, "gradual_share": 0.7, "optimizer": optimizer}
    piece = heard(make_piece([2, 0, 1], learning_rate=0.01, **recipe), calls)
    recipe = piece.task.recipe
    retrained = gradually(piece)
    assert [span for span, *_ in calls] == [[0, 2], [2, 4], [4, 6], [6, 8], [8, 12]]
    layers, weights = piece.task.model.layers, 64 * 16 + 16 * 10
    masks = [members[1] for _, members, _ in calls]
    expected = [0, *(round(each * weights) for each in ramp(0.0, 0.8, 4))]
    for row in range(3):
        own = [jax.tree.map(lambda leaf, row=row: leaf[row], mask) for mask in masks]
        assert [int(removed_weights(mask, layers).sum()) for mask in own] == expected
    for before, after in itertools.pairwise(masks):
        nested = jax.tree.map(lambda old, new: not (new & ~old).any(), before, after)
        assert jax.tree.all(nested)
    for _, (_, mask, *_), trained in calls:
        like_params = partial(optax.tree_utils.tree_map_params, network.make_optimizer(recipe, 1))
        lost = like_params(lambda m, kept: m[~kept].any(), trained.moments, mask)
        left = like_params(lambda m, kept: m[kept].any(), trained.moments, mask)
        assert not any(each for each in jax.tree.leaves(lost) if each.dtype == bool)
        assert any(each for each in jax.tree.leaves(left) if each.dtype == bool)
    assert same(retrained.networks.mask, masks[-1])
    assert retrained.evaluated.removed_weights.sum(axis=1).tolist() == [expected[-1]] * 3


def test_moments_go_on_from_span_to_span():
    calls = []
    gradually(heard(make_piece([2, 0], gradual_prunings=2), calls))
    assert not any(leaf.any() for leaf in jax.tree.leaves(calls[0][1][-1]))
    for (_, _, before), (_, after, _) in itertools.pairwise(calls):
        assert same(before.moments, after[-1])
        assert same(before.variables, after[0])


def test_gradual_member_equals_its_solo_run():
    """Bit for bit: it is the same program, which one member runs through after the other."""
    many, one = (gradually(make_piece(seeds, gradual_prunings=3)) for seeds in ([8, 9, 7], [9]))
    pick = jax.tree.map(lambda leaf: leaf[1], many.networks)
    assert same(pick, jax.tree.map(lambda leaf: leaf[0], one.networks))


def test_gradual_goes_on_from_the_sparsity_of_the_level_before():
    schedule = Schedule("linear", sparsity=0.8, levels=2)
    calls = []
    piece = heard(make_piece([0, 1], level=2, schedule=schedule, gradual_prunings=2), calls)
    gradually(piece)
    removed = [
        sum(int((~leaf[0]).sum()) for leaf in (m[1]["dense_0"]["kernel"], m[1]["output"]["kernel"]))
        for _, m, _ in calls
    ]
    assert removed == [0, *(round(each * 1184) for each in (0.75, 0.8))]


def test_each_pruning_scores_on_images_of_its_own():
    task, data = make_task()
    (variables, mask, *_) = jax.tree.map(lambda leaf: leaf[0], start(task, [5]))
    prune = jax.jit(partial(network.prune, task, Technique("random"), data, LEVEL, variables, mask))
    masks = [prune(variables, jnp.int32(0), jnp.array([300]), n) for n in (0, 1, 1, None)]
    assert same(masks[1], masks[2])
    assert not same(masks[0], masks[1])
    assert not same(masks[0], masks[3])


@pytest.mark.parametrize("granularity", ["channel", "channel_l2"])
def test_channels_go_gradually_too(granularity):
    name = f"magnitude-layerwise-{granularity}-gradual"
    retrained = gradually(make_piece([0, 1], techniques=(name,), gradual_prunings=3), name)
    dead = ~retrained.networks.mask["dense_0"]["bias"]
    assert dead.sum(axis=1).tolist() == [13, 13]  # of 16 channels, the nearest to 80 %
    assert (retrained.networks.variables.params["dense_0"]["bias"][dead] == 0).all()


def test_ramp_by_hand():
    """1 - (1 - t/4)^3 = 37/64, 56/64, 63/64, 1 of the way."""
    assert ramp(0.0, 0.64, 4) == pytest.approx((0.37, 0.56, 0.63, 0.64))
    assert ramp(0.5, 0.9, 2) == pytest.approx((0.85, 0.9))
    assert ramp(0.3, 0.51, 1) == (0.51,)
    assert ramp(0.3, 0.657, 7)[-1] == 0.657


def test_pruning_steps_by_hand():
    recipe = RecipeConfig(gradual_prunings=3, gradual_share=0.75)
    assert pruning_steps(recipe, 12) == (3, 6, 9)
    assert pruning_steps(recipe, 14) == (3, 6, 10)
    assert pruning_steps(recipe, 4) == (1, 2, 3)
    assert pruning_steps(RecipeConfig(gradual_prunings=1, gradual_share=0.99), 10) == (9,)


def test_what_needs_spans():
    plain, late = RecipeConfig(), RecipeConfig(rewind_step=3)
    every = {name for name in TREATMENTS if needs_spans(late, [TREATMENTS[name]])}
    assert every == {"rewind", "gradual"}
    assert [name for name in TREATMENTS if needs_spans(plain, [TREATMENTS[name]])] == ["gradual"]


def test_training_too_short_to_prune_so_often_is_refused():
    recipe = RecipeConfig(gradual_prunings=7, gradual_share=0.5)
    check_steps(recipe, [TREATMENTS["rewind"]], 12)
    check_steps(recipe, [TREATMENTS["gradual"]], 14)
    with pytest.raises(InputError, match="gradual_prunings 7: expected at most 6, the steps in"):
        check_steps(recipe, [TREATMENTS["gradual"]], 12)


def test_rewinding_takes_its_own_steps_only():
    calls = []
    techniques = ("magnitude-global-rewind", "magnitude-global-finetune", "magnitude-global-none")
    piece = heard(make_piece([0, 1], techniques=techniques, rewind_step=4), calls)
    rewound = train_to_rewind_step(piece)
    starts = dict.fromkeys(techniques, Networks(rewound, calls[0][1][1]))
    rows = {name: TREATMENTS[Technique.parse(name).treatment] for name in techniques}
    retrained = retrain(piece, starts, rows, lambda members: None)
    assert [span for span, *_ in calls] == [[0, 4], [4, 12], [0, 12]]
    assert list(retrained) == list(techniques)
    assert same(retrained[techniques[2]].networks.variables, rewound)
    assert not same(retrained[techniques[0]].networks, retrained[techniques[1]].networks)
