"""The engine, and what is written in JAX without it. A peer is prepared once, then runs rounds."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from workloads import SPARSITY, Arrays, Workload

from prune_fair import Method, PlanConfig
from prune_fair.models import build
from prune_fair.pruning import apply_mask, full_mask, kernels, quota
from prune_fair.training import network
from prune_fair.training.population import Plan, Population, make_plan, use_every_core

Round = Callable[[], int]  # trains some networks, and says how many steps that were
METHOD = Method.parse("magnitude-global-rewind")


def engine(
    workload: Workload,
    members: int | None = None,
    devices: int | None = None,
    plan: Plan | None = None,
) -> Round:
    """prune_fair: what `run_study` calls to train, with the plan of this machine."""
    members = members or workload.members
    use_every_core()
    plan = plan or make_plan(members, workload.parameters, PlanConfig(devices))
    population = Population(plan)
    task, data = prepare(workload, plan.lowering)
    data = population.share(data)
    level, seeds = np.int32(0), np.arange(members, dtype=np.int32)
    params = population.lift(partial(network.initialise, task))((level,), seeds)
    masks = jax.vmap(partial(pruned, task))(params)
    members_of = (*jax.tree.map(np.asarray, (params, masks)), seeds, np.ones(members, np.float32))
    train = population.lift(partial(network.train, task))

    def run() -> int:
        train((data, level), *members_of)
        return members * workload.steps

    return run


def plain_vmap(workload: Workload) -> Round:
    """The same engine on one device, all networks in one `vmap`, convolutions left to XLA."""
    plan = Plan(1, workload.plain, workload.plain, "native")
    return engine(workload, workload.plain, plan=plan)


def sequential(workload: Workload) -> Round:
    """One network after the other, a jitted step at a time with Optax, as JaxPruner's users do."""
    task, _ = prepare(workload, "native")
    images, labels = (jnp.asarray(array) for array in Arrays.of(workload))
    optimizer = optax.sgd(optax.cosine_decay_schedule(0.05, workload.steps), momentum=0.9)

    def loss(params: Any, rows: jax.Array) -> jax.Array:
        logits = task.model.apply(params, images[rows])
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows]).mean()

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(params: Any, state: Any, mask: Any, rows: jax.Array) -> tuple[Any, Any]:
        gradients = jax.grad(loss)(apply_mask(params, mask), rows)
        updates, state = optimizer.update(gradients, state, params)
        return apply_mask(optax.apply_updates(params, updates), mask), state

    init, prune = jax.jit(task.model.init), jax.jit(partial(pruned, task))
    seeds = iter(range(10**9))
    generator = np.random.default_rng(0)

    def run() -> int:
        params = init(jax.random.key(next(seeds)))
        mask, state = prune(params), optimizer.init(params)
        for rows in batches(generator, workload):
            params, state = step(params, state, mask, rows)
        jax.block_until_ready(params)
        return workload.steps

    return run


def prepare(workload: Workload, lowering: str) -> tuple[network.Task, network.DeviceData]:
    """A workload as the engine takes it."""
    data = workload.load()
    shape, classes = data.train_images.shape[1:], len(data.class_names)
    model = build(workload.model.name, shape, classes, workload.model.widths, lowering)
    task = network.Task(
        model, network.Pixels.of(data), workload.recipe, len(data.train_labels), classes
    )
    return task, network.DeviceData(*data[:4])


def pruned(task: network.Task, params: Any) -> Any:
    """A mask at the sparsity that everybody trains under: the largest weights of all layers."""
    layers = METHOD.prunable(task.model.layers)
    scores = [jnp.abs(kernel) for kernel in kernels(params, layers)]
    kept = int(quota("global", SPARSITY, [score.size for score in scores])[0])
    threshold = jnp.sort(jnp.concatenate([score.ravel() for score in scores]))[-kept]
    mask = full_mask(params)
    for layer, score in zip(layers, scores, strict=True):
        mask[layer]["kernel"] = score >= threshold
    return mask


def batches(generator: np.random.Generator, workload: Workload):
    """Rows of every step: each epoch a fresh order, cut into whole batches."""
    epoch = workload.images // workload.batch_size
    for _ in range(math.ceil(workload.steps / epoch)):
        order = generator.permutation(workload.images)[: epoch * workload.batch_size]
        yield from order.reshape(epoch, -1)


def matmul_peak() -> Round:
    """A product of two matrices of 1,024 by 1,024 numbers; the figure is in operations."""
    matrix = jnp.ones((1024, 1024))
    product = jax.jit(lambda a: a @ a)

    def run() -> int:
        for _ in range(20):
            product(matrix).block_until_ready()
        return 20 * 2 * 1024**3

    return run


PEERS: dict[str, Callable[..., Round]] = {
    "prune_fair": engine,
    "jax-sequential": sequential,
    "jax-plain-vmap": plain_vmap,
}
