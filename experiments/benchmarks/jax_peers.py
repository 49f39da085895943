"""The engine, and what is written in JAX without it. A peer is prepared once, then runs rounds."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from workloads import SPARSITY, Workload, normalised

from prune_fair import PlanConfig, Technique
from prune_fair.engine import network
from prune_fair.engine.images import DeviceData
from prune_fair.engine.optimizer import make_optimizer
from prune_fair.engine.plan import Plan, make_plan, use_every_core
from prune_fair.engine.population import Population
from prune_fair.engine.task import Task, build_model, make_task
from prune_fair.pruning import apply_mask, full_mask, quota

Round = Callable[[], int]  # trains some networks, and says how many steps that were
Step = Callable[[Any, Any, Any, Any], tuple[Any, Any]]
TECHNIQUE = "magnitude-global-rewind"


def engine(
    workload: Workload,
    members: int | None = None,
    devices: int | None = None,
    plan: Plan | None = None,
) -> Round:
    """prune_fair: what `run_study` calls to train, with the plan of this machine."""
    members, data = members or workload.members, workload.load()
    use_every_core()
    parameters = build_model(workload.task, data).parameters
    population = Population(plan or make_plan(members, parameters, PlanConfig(devices)))
    task = make_task(workload.task, data, population.plan)
    shared, level = population.share(DeviceData.of(data)), np.int32(0)
    seeds = np.arange(members, dtype=np.int32)
    initial = population.lift(partial(network.initialise, task), brief=True)((level,), seeds)
    dense = jax.tree.map(lambda leaf: np.ones(leaf.shape, bool), initial.params)
    kept = np.tile(weights_kept(task), (members, 1))
    prune = population.lift(partial(network.prune, task, Technique.parse(TECHNIQUE)), brief=True)
    masks = prune((shared, level), initial, dense, initial, seeds, kept)
    train = population.lift(partial(network.train, task, task.recipe.loss))
    span, full_rate = np.array((0, workload.steps), np.int32), np.ones(members, np.float32)

    def run() -> int:
        train((shared, level, span), initial, masks, seeds, full_rate)
        return members * workload.steps

    return run


def plain_vmap(workload: Workload) -> Round:
    """The same engine on one device, all networks in one `vmap`, convolutions left to XLA."""
    plan = Plan(1, workload.plain, workload.plain, "native")
    return engine(workload, workload.plain, plan=plan)


def sequential(workload: Workload) -> Round:
    """One network after the other, a jitted step at a time with Optax, and nothing else: batches
    are taken within the step, buffers donated, no loss or accuracy asked for.
    """

    def stepping(task: Task, images: jax.Array, labels: jax.Array) -> Step:
        optimizer = make_optimizer(task.recipe, workload.steps)

        def loss(params: Any, rows: jax.Array) -> jax.Array:
            return cross_entropy(task, params, images[rows], labels[rows])[0]

        @partial(jax.jit, donate_argnums=(0, 1))
        def step(params: Any, state: Any, mask: Any, rows: jax.Array) -> tuple[Any, Any]:
            gradients = jax.grad(loss)(apply_mask(params, mask), rows)
            updates, state = optimizer.update(gradients, state, params)
            return apply_mask(optax.apply_updates(params, updates), mask), state

        return step

    return one_by_one(workload, stepping)


def as_jaxpruner(workload: Workload) -> Round:
    """One network after the other, stepping as the MNIST example of JaxPruner does.

    Batches are taken from arrays on the device, gradients with loss and accuracy are one jitted
    call, the update another, masking a third for every leaf. Leaner than the original: Optax is not
    wrapped, so that no step asks whether masks are due, and losses are not kept.

    Source: github.com/google-research/jaxpruner, colabs/mnist_pruning.ipynb, `train_epoch`.
    """

    def stepping(task: Task, images: jax.Array, labels: jax.Array) -> Step:
        optimizer = make_optimizer(task.recipe, workload.steps)
        graded = jax.jit(jax.value_and_grad(partial(cross_entropy, task), has_aux=True))
        masked = jax.jit(jnp.multiply)

        @jax.jit
        def update(params: Any, state: Any, gradients: Any) -> tuple[Any, Any]:
            updates, state = optimizer.update(gradients, state, params)
            return optax.apply_updates(params, updates), state

        def step(params: Any, state: Any, mask: Any, rows: np.ndarray) -> tuple[Any, Any]:
            _, gradients = graded(params, images[rows], labels[rows])
            params, state = update(params, state, gradients)
            return jax.tree.map(masked, params, mask), state

        return step

    return one_by_one(workload, stepping)


def cross_entropy(
    task: Task, params: Any, images: jax.Array, labels: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Mean loss of a batch, and its accuracy."""
    logits = task.model.in_evaluation({})(params, images)
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
    return loss, (logits.argmax(axis=-1) == labels).mean()


def one_by_one(workload: Workload, stepping: Callable[[Task, jax.Array, jax.Array], Step]) -> Round:
    """Networks initialised, pruned and trained one after the other, by a step of (parameters,
    optimiser state, mask, rows).
    """
    data = workload.load()
    task = make_task(workload.task, data, Plan(1, 1, 1, "native"))
    step = stepping(task, *(jnp.asarray(array) for array in normalised(data)))
    optimizer = make_optimizer(task.recipe, workload.steps)
    level, kept = jnp.int32(0), jnp.asarray(weights_kept(task))
    initialise = jax.jit(partial(network.initialise, task))
    prune = jax.jit(partial(network.prune, task, Technique.parse(TECHNIQUE)))
    device_data = jax.tree.map(jnp.asarray, DeviceData.of(data))
    seeds, generator = itertools.count(), np.random.default_rng(0)

    def run() -> int:
        seed = jnp.int32(next(seeds))
        initial = initialise(level, seed)
        mask = prune(device_data, level, initial, full_mask(initial.params), initial, seed, kept)
        params = initial.params
        state = optimizer.init(params)
        for rows in batches(generator, workload):
            params, state = step(params, state, mask, rows)
        jax.block_until_ready(params)
        return workload.steps

    return run


def weights_kept(task: Task) -> np.ndarray:
    """How many weights the sparsity that everybody trains under leaves."""
    technique = Technique.parse(TECHNIQUE)
    return quota(technique.scope, SPARSITY, technique.shapes(task.model))


def batches(generator: np.random.Generator, workload: Workload):
    """Rows of every step: each epoch a fresh order, cut into whole batches."""
    for _ in range(workload.task.recipe.epochs):
        yield from generator.permutation(workload.images).reshape(-1, workload.batch_size)


def matmul_peak() -> Round:
    """A product of two matrices of 1,024 by 1,024 numbers; the figure is in operations."""
    matrix = jnp.ones((1024, 1024))
    product = jax.jit(lambda a: a @ a)

    def run() -> int:
        for _ in range(20):
            product(matrix).block_until_ready()
        return 20 * 2 * 1024**3

    return run
