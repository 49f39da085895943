"""What training minimises: the loss of a batch, and the dense network where that is asked for."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from prune_fair.engine.images import DeviceData
from prune_fair.engine.spans import loss_of
from prune_fair.engine.task import Task
from prune_fair.errors import check
from prune_fair.losses import Dense, Labelled, Loss, PerImage, called
from prune_fair.losses.loss import DENSE_ACCURACY, DENSE_LOGITS, GROUPS
from prune_fair.pruning import Technique
from prune_fair.types import AnyArray, Batch, Logits, Params, State, Variables

IMAGES_AT_ONCE = 1000


class Known(NamedTuple):
    """What is known of a dense network before a training.

    Attributes:
        dense: what a loss sees of it, but for the logits of a batch.
        variables: of the network; None where its logits are not asked for.
    """

    dense: Dense
    variables: Variables | None = None


def known_of(task: Task, loss: Loss, data: DeviceData, dense: Variables | None) -> Known | None:
    """What a loss asks of the dense network; None where it asks for nothing."""
    if not loss.asks_dense:
        return None
    assert dense is not None, "the loss asks for the dense network"
    variables = dense if DENSE_LOGITS in loss.asks else None
    if DENSE_ACCURACY not in loss.asks:
        return Known(Dense(), variables)
    right = _right(task, data, dense)
    by_class = _shares(right, data.train_labels, task.classes)
    by_group = None
    if data.train_groups is not None:
        by_group = _shares(right, data.train_groups, len(task.group_counts))
    return Known(Dense(None, by_class, by_group), variables)


def training_loss(
    params: Params,
    task: Task,
    loss: str,
    state: State,
    loss_state: Any,
    batch: Batch,
    known: Known | None = None,
) -> tuple[Float[Array, ""], tuple[State, Any]]:
    """Mean loss of a batch in training, the running statistics and the loss's state after it.

    The parameters come as `Model.arranged` has them.
    """
    logits, state = task.model.apply_train(
        Variables(task.model.arranged(params), state), batch.images
    )
    beside = labelled(task, batch, known)
    losses, loss_state = called(loss).function(logits, beside, loss_state)
    return losses.mean(), (state, loss_state)


def scored_loss(task: Task, loss: str, logits: Logits, batch: Batch) -> PerImage:
    """The loss of each image as criteria take gradients of it: in its first state."""
    row = called(loss)
    state = row.initial(task.classes, len(task.group_counts))
    return row.function(logits, labelled(task, batch, None), state)[0]


def check_groups_known(technique: Technique, task: Task) -> None:
    """Raises `InputError` for a loss that asks for groups which training images have not."""
    loss = loss_of(technique, task.recipe)
    check(
        GROUPS not in called(loss).asks or bool(task.group_counts),
        f"loss {loss!r} asks for groups of the training images, which this data does not name; "
        "expected an array of them too, such as g_train of an npz, or another loss",
    )


def labelled(task: Task, batch: Batch, known: Known | None) -> Labelled:
    """What a loss knows of a batch beside its logits."""
    dense = Dense() if known is None else known.dense
    if known is not None and known.variables is not None:
        dense = dense._replace(logits=task.model.apply(known.variables, batch.images))
    group_counts = jnp.asarray(task.group_counts) if task.group_counts else None
    return Labelled(batch.labels, batch.groups, jnp.asarray(task.class_counts), group_counts, dense)


def _right(task: Task, data: DeviceData, dense: Variables) -> Float[Array, " train"]:
    """Whether the network has each training image right: 1 or 0."""
    size = len(data.train_labels)
    batch = min(IMAGES_AT_ONCE, size)
    rows = jnp.arange(size + -size % batch).reshape(-1, batch) % size

    def predict(_: None, rows: Int[Array, " batch"]) -> tuple[None, Int[Array, " batch"]]:
        images = task.pixels.normalise(data.train_images[rows])
        return None, task.model.apply(dense, images).argmax(axis=1)

    predicted = jax.lax.scan(predict, None, rows)[1].ravel()[:size]
    return (predicted == data.train_labels).astype(jnp.float32)


def _shares(
    right: Float[Array, " train"], unit: Int[AnyArray, " train"], units: int
) -> Float[Array, " units"]:
    """Of the images of each class or group; 0 for one without images."""
    own = jax.nn.one_hot(jnp.asarray(unit), units)
    return right @ own / jnp.maximum(own.sum(axis=0), 1)
