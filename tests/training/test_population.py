"""A member equals its solo run, however members are grouped; one compile a program."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair.config import RecipeConfig
from prune_fair.datasets import load
from prune_fair.errors import InputError
from prune_fair.models import build
from prune_fair.training import network
from prune_fair.training.population import Plan, Population, make_plan


@pytest.fixture(scope="module", params=["mlp", "lenet5"])
def task(request):
    data = load("digits")
    size, batch = (160, 32) if request.param == "mlp" else (80, 16)
    images = np.kron(data.train_images[:size], np.ones((1, 2, 2, 1), np.uint8))
    data = data._replace(
        train_images=images,
        train_labels=data.train_labels[:size],
        test_images=np.kron(data.test_images, np.ones((1, 2, 2, 1), np.uint8)),
    )
    model = build(request.param, (16, 16, 1), 10, convolution="banded")
    recipe = RecipeConfig(epochs=10, batch_size=batch, learning_rate=0.05)
    task = network.Task(model, network.Pixels.of(data), recipe, size, 10)
    assert network.steps_per_epoch(task) * recipe.epochs == 50
    return task, network.DeviceData(*(jnp.asarray(array) for array in data[:4]))


def members(task, data, seeds):
    initialise = jax.jit(partial(network.initialise, task))
    params = [initialise(data, jnp.int32(s), jnp.int32(0)) for s in seeds]
    params = jax.tree.map(lambda *leaves: np.stack(leaves), *params)
    mask = jax.tree.map(lambda leaf: np.abs(leaf) >= 0.02 * (leaf.ndim > 2), params)
    seeds = np.array(seeds, np.int32)
    return params, mask, seeds, np.zeros_like(seeds), np.ones(len(seeds), np.float32)


@pytest.mark.parametrize(("devices", "chunk"), [(1, 3), (2, 1), (2, 2)])
def test_member_equals_its_solo_run_after_50_steps(task, devices, chunk):
    task, data = task
    plan = Plan(devices, chunk, devices * chunk, "banded", "cpu")
    population = Population(plan)
    train = population.lift(partial(network.train, task))
    together = members(task, data, [3, 1, 4, 1, 5])
    trained = train(population.share(data), *together).params
    alone = jax.tree.map(lambda leaf: jnp.asarray(leaf[2]), together)
    solo = jax.jit(partial(network.train, task))(data, *alone).params
    gaps = jax.tree.map(lambda many, one: float(np.abs(many[2] - one).max()), trained, solo)
    assert max(jax.tree.leaves(gaps)) < 1e-5
    assert jax.tree.all(jax.tree.map(lambda leaf: np.array_equal(leaf[1], leaf[3]), trained))


def test_population_of_one_equals_the_same_member_among_others(task):
    task, data = task
    population = Population(make_plan(seeds=1, chunk=1, devices=1))
    train = population.lift(partial(network.train, task))
    many, one = (
        train(population.share(data), *members(task, data, seeds)).params
        for seeds in ([8, 9, 7], [9])
    )
    assert jax.tree.all(jax.tree.map(lambda a, b: np.array_equal(a[1], b[0]), many, one))


@pytest.mark.parametrize("total", [1, 4, 6, 9])
def test_any_number_of_members_in_order_and_one_trace(total):
    population = Population(Plan(2, 2, 4, "native", "cpu"))
    traces, done = [], []

    def one(shared, number, row):
        traces.append(1)
        return {"sum": shared + number + row.sum(), "row": row}

    lifted = population.lift(one, done.append)
    shared = population.share(jnp.float32(100))
    for _ in range(2):
        numbers = np.arange(total, dtype=np.float32)
        out = lifted(shared, numbers, np.ones((total, 3), np.float32))
        assert out["sum"].tolist() == [103 + n for n in range(total)]
        assert out["row"].shape == (total, 3)
    lifted(shared, np.zeros(7, np.float32), np.ones((7, 3), np.float32))
    assert len(traces) == 1
    assert sum(done) == 2 * total + 7


def test_plan_of_this_machine():
    plan = make_plan(seeds=5)
    assert plan.devices == 2
    assert plan.members % (plan.devices * plan.chunk) == 0
    assert plan.platform == "cpu"
    assert plan.convolution == "banded"
    assert make_plan(seeds=1).members == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"chunk": 0}, "chunk 0"), ({"devices": 3}, "expected 1 to 2"), ({"devices": 0}, "devices 0")],
)
def test_plan_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        make_plan(seeds=4, **arguments)
    with pytest.raises(InputError, match="members 3: expected a multiple"):
        Plan(2, 1, 3, "native", "cpu")
