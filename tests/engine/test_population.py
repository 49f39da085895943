"""A member equals its solo run, however members are grouped; one compile a program."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair.config import RecipeConfig
from prune_fair.datasets import load
from prune_fair.engine import network, plan
from prune_fair.engine.images import DeviceData, Pixels
from prune_fair.engine.plan import Plan, PlanConfig, make_plan
from prune_fair.engine.population import Population
from prune_fair.engine.task import Task, total_steps
from prune_fair.errors import InputError
from prune_fair.models import build


@pytest.fixture(params=["mlp", "lenet5", "vgg11"])
def task(request, wide):
    """A task of 50 steps, in float64: in float32 rounding makes a unit of some network go the other
    way, and BatchNorm magnifies it. With it the images, and what casts a tree to float64.
    """
    data = load("digits")
    size, batch = (160, 32) if request.param == "mlp" else (80, 16)
    width = 1 / 16 if request.param == "vgg11" else 1.0
    border = ((0, 0), (4, 4), (4, 4), (0, 0))
    data = data._replace(
        train_images=np.pad(data.train_images[:size], border),
        train_labels=data.train_labels[:size],
        test_images=np.pad(data.test_images, border),
    )
    options = {"lowering": "matmul", "width": width, "dtype": "float64"}
    model = build(request.param, (16, 16, 1), 10, **options)
    recipe = RecipeConfig(epochs=10, batch_size=batch, learning_rate=0.05)
    task = Task(model, wide(Pixels.of(data)), recipe, tuple(data.train_count().tolist()))
    assert total_steps(task) == 50
    return task, jax.tree.map(jnp.asarray, DeviceData.of(data)), wide


def trainer(task):
    return partial(network.train, task, "cross_entropy")


SPAN = np.array([0, 50], np.int32)


LEVEL = np.int32(0)


def members(task, seeds, wide):
    initialise = jax.jit(partial(network.initialise, task))
    variables = [initialise(LEVEL, jnp.int32(s)) for s in seeds]
    variables = jax.tree.map(lambda *leaves: np.stack(leaves), *variables)
    mask = jax.tree.map(lambda leaf: np.abs(leaf) >= 0.02 * (leaf.ndim > 2), variables.params)
    return wide((variables, mask, np.array(seeds, np.int32), np.ones(len(seeds))))


def gap(one, other):
    """The most that two trees of variables differ by."""
    return max(jax.tree.leaves(jax.tree.map(lambda a, b: np.abs(a - b).max(), one, other)))


@pytest.mark.parametrize(("devices", "chunk"), [(1, 3), (2, 1), (2, 2)])
def test_member_equals_its_solo_run_after_50_steps(task, devices, chunk):
    task, data, wide = task
    plan = Plan(devices, chunk, devices * chunk, "matmul")
    pop = Population(plan)
    train = pop.lift(trainer(task))
    together = members(task, [3, 1, 4, 1, 5], wide)
    trained = train((pop.share(data), LEVEL, SPAN), *together)
    alone = jax.tree.map(lambda leaf: jnp.asarray(leaf[2]), together)
    solo = jax.jit(trainer(task))(data, LEVEL, SPAN, *alone)
    of = [jax.tree.map(lambda leaf, at=at: leaf[at], trained) for at in range(5)]
    assert gap(of[2], solo) < 1e-8
    assert gap(of[1], of[3]) < 1e-8
    assert gap(of[1], of[2]) > 1e-2
    assert {leaf.dtype for leaf in jax.tree.leaves(trained)} == {np.dtype(np.float64)}


def test_population_of_one_equals_the_same_member_among_others(task):
    """Bit for bit: it is the same program, which one member runs through after the other."""
    task, data, wide = task
    pop = Population(make_plan(1, 0, PlanConfig(chunk=1, devices=1)))
    train = pop.lift(trainer(task))
    many, one = (
        train((pop.share(data), LEVEL, SPAN), *members(task, seeds, wide))
        for seeds in ([8, 9, 7], [9])
    )
    assert jax.tree.all(jax.tree.map(lambda a, b: np.array_equal(a[1], b[0]), many, one))


@pytest.mark.parametrize("total", [1, 4, 6, 9])
def test_any_number_of_members_in_order_and_one_trace(total):
    pop = Population(Plan(2, 2, 4, "native"))
    traces, done = [], []

    def one(shared, number, row):
        traces.append(1)
        return {"sum": shared + number + row.sum(), "row": row}

    lifted = partial(pop.lift(one), done=done.append)
    shared = pop.share(jnp.float32(100))
    for _ in range(2):
        numbers = np.arange(total, dtype=np.float32)
        out = lifted((shared,), numbers, np.ones((total, 3), np.float32))
        assert out["sum"].tolist() == [103 + n for n in range(total)]
        assert out["row"].shape == (total, 3)
    lifted((shared,), np.zeros(7, np.float32), np.ones((7, 3), np.float32))
    assert len(traces) == 1
    assert sum(done) == 2 * total + 7


def test_plan_of_this_machine():
    plan = make_plan(seeds=5, parameters=60_000)
    assert (plan.devices, plan.chunk, plan.members) == (2, 1, 6)
    assert plan.lowering == "matmul"
    assert make_plan(seeds=1, parameters=12_000).members == 2
    assert make_plan(seeds=40, parameters=12_000).chunk == 4


@pytest.mark.parametrize(
    ("seeds", "members"), [(8, 8), (32, 32), (33, 40), (40, 40), (48, 24), (64, 32), (1000, 40)]
)
def test_calls_of_equal_size_leave_few_places_over(seeds, members):
    assert make_plan(seeds, parameters=12_000).members == members


@pytest.mark.parametrize(("seeds", "members"), [(40, 40), (65, 64), (95, 64), (500, 64)])
def test_an_accelerator_s_calls_are_no_larger_than_its_chunks(seeds, members, monkeypatch):
    monkeypatch.setattr("jax.default_backend", lambda: "gpu")
    assert make_plan(seeds, parameters=12_000, asked=PlanConfig(devices=1)).members == members


def test_plan_as_asked():
    asked = PlanConfig(1, 3, 6, "native", "shared", "bfloat16")
    plan = make_plan(5, 0, asked)
    given = (plan.devices, plan.chunk, plan.members, plan.lowering, plan.shuffling, plan.dtype)
    assert given == (1, 3, 6, "native", "shared", "bfloat16")


def test_a_chunk_beyond_the_seeds_is_not_filled_up():
    plan = make_plan(32, 0, PlanConfig(devices=2, chunk=10**6))
    assert (plan.chunk, plan.members) == (16, 32)
    assert make_plan(1, 0, PlanConfig(devices=2, chunk=10**6), audit=True).members == 2
    with_members = make_plan(2, 0, PlanConfig(devices=1, chunk=8, members=16))
    assert (with_members.chunk, with_members.members) == (8, 16)  # techniques go together in a call


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"devices": 3}, "devices 3: expected 1 to 2"),
        ({"members": 3}, "members 3: expected a multiple of devices x chunk = 4"),
        ({"chunk": 0}, "chunk 0: expected at least 1"),
        ({"lowering": "banded"}, "unknown lowering 'banded'"),
        ({"shuffling": "none"}, "unknown shuffling 'none'"),
        ({"dtype": "float16"}, "unknown dtype 'float16': did you mean 'bfloat16'"),
    ],
)
def test_plan_refusals(asked, message):
    with pytest.raises(InputError, match=message):
        make_plan(4, 0, PlanConfig(**asked))


def test_options_that_xla_does_not_know_are_left_out():
    known = {"xla_cpu_scheduler_type": "CPU_SCHEDULER_TYPE_DEFAULT"}
    assert plan._known_options({**known, "xla_cpu_no_such_option": "1"}) == known


def test_shared_shuffling_gives_seeds_the_same_batches(task):
    task, data, wide = task
    pop = Population(Plan(1, 2, 2, "matmul"))
    variables, mask, seeds, shares = members(task, [1, 2], wide)
    variables, mask = jax.tree.map(lambda leaf: leaf[[0, 0]], (variables, mask))
    for shuffling, same in (("own", False), ("shared", True)):
        train = pop.lift(trainer(task._replace(shuffling=shuffling)))
        trained = train((pop.share(data), LEVEL, SPAN), variables, mask, seeds, shares)
        apart = gap(*(jax.tree.map(lambda leaf, at=at: leaf[at], trained) for at in (0, 1)))
        assert apart < 1e-8 if same else apart > 1e-3
