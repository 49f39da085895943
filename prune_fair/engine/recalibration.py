"""BatchNorm's running statistics, taken anew after training."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from prune_fair.engine.images import DeviceData, random_order
from prune_fair.engine.task import Task, network_key, take_batch
from prune_fair.types import State, Variables


def recalibrate(
    task: Task,
    data: DeviceData,
    level: Int[Array, ""],
    variables: Variables,
    seed: Int[Array, ""],
) -> Variables:
    """The running statistics as means over the recipe's `recalibrate_images`, in whole batches.

    They stay as they are where that is 0 or the model has none.

    Source: Li et al. 2020, EagleEye, arXiv 2007.02491; the mean over batches as in
    `torch.optim.swa_utils.update_bn`.
    """
    images = min(task.recipe.recalibrate_images, task.train_size)
    if images == 0 or not jax.tree.leaves(variables.state):
        return variables
    batch = min(task.recipe.batch_size, images)
    batches = images // batch
    order = random_order(network_key(seed, level, "statistics"), task.train_size)

    def add(total: State, rows: Int[Array, " batch"]):
        state = task.model.statistics(variables, take_batch(task, data, rows).images)
        return jax.tree.map(jnp.add, total, state), None

    none = jax.tree.map(jnp.zeros_like, variables.state)
    rows = order[: batches * batch].reshape(batches, batch)
    total, _ = jax.lax.scan(add, none, rows)
    return variables._replace(state=jax.tree.map(lambda leaf: leaf / batches, total))
