"""Losses that look at the seed's own dense network: what it said, and how well it did."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from prune_fair.losses.loss import Labelled, PerImage, State
from prune_fair.losses.reweighting import cross_entropy
from prune_fair.types import Logits


def distillation(
    logits: Logits, batch: Labelled, state: State, temperature: float, share: float
) -> tuple[PerImage, State]:
    """Towards what the dense network says: `share` of it, and the rest of cross-entropy.

    Source: Hinton et al. 2015, arXiv 1503.02531: the divergence of both softmaxes at a
    temperature, times its square, so that gradients keep their size. Mohammadshahi & Ioannou 2024,
    arXiv 2410.08407, report that higher temperatures are fairer. With share 0 it is cross-entropy.
    """
    assert batch.dense.logits is not None  # the row asks for them
    hard, state = cross_entropy(logits, batch, state)
    ours = jax.nn.log_softmax(logits / temperature)
    soft = optax.kl_divergence(
        ours, jax.nn.softmax(jax.lax.stop_gradient(batch.dense.logits) / temperature)
    )
    return (1 - share) * hard + share * temperature**2 * soft, state


class Constraints(NamedTuple):
    """What constrained training carries.

    Attributes:
        multipliers: of each unit (class or group), at least 0.
        right: whether the last images of each unit were right; -1 where there was none yet.
        seen: images of each unit so far.
    """

    multipliers: Float[Array, " units"]
    right: Float[Array, "units last"]
    seen: Int[Array, " units"]


def of_classes(classes: int, groups: int, tolerance: float, rate: float, last: float) -> State:
    """Nothing seen yet, and no multiplier above 0; a row for each class."""
    return _nothing_seen(classes, int(last))


def of_groups(classes: int, groups: int, tolerance: float, rate: float, last: float) -> State:
    """As `of_classes`, a row for each group."""
    return _nothing_seen(groups, int(last))


def constrained(
    logits: Logits, batch: Labelled, state: State, tolerance: float, rate: float, last: float
) -> tuple[PerImage, State]:
    """Cross-entropy, while no class may lose `tolerance` more of its accuracy than all images do.

    Losses are counted against the dense network, on training images.

    Source: Hashemizadeh et al. 2024, arXiv 2310.20673, with classes as the groups: the multiplier
    of each rises by `rate` times its violation at every step and is never below 0; violations are
    of accuracy over the last `last` images of the class, once there are so many; gradients are of
    cross-entropy. Ours: no gradient flows through what all images lose, as their code allows and
    their studies do not; else multipliers that add up to more than 1 climb the loss of the other
    classes. The accuracy of all images weighs classes by their training images, theirs alike.
    """
    return _constrained(
        logits, batch, state, batch.labels, batch.class_counts, batch.dense.class_accuracy,
        tolerance=tolerance, rate=rate,
    )  # fmt: skip


def group_constrained(
    logits: Logits, batch: Labelled, state: State, tolerance: float, rate: float, last: float
) -> tuple[PerImage, State]:
    """As `constrained`, of groups of the training images in place of classes.

    Source: Hashemizadeh et al. 2024, arXiv 2310.20673; of images without a group nothing is asked.
    """
    assert batch.groups is not None  # the row asks for them
    assert batch.group_counts is not None
    return _constrained(
        logits, batch, state, batch.groups, batch.group_counts, batch.dense.group_accuracy,
        tolerance=tolerance, rate=rate,
    )  # fmt: skip


def _nothing_seen(units: int, last: int) -> Constraints:
    nothing = jnp.full((units, last), -1.0, jnp.float32)
    return Constraints(jnp.zeros(units, jnp.float32), nothing, jnp.zeros(units, jnp.int32))


def _constrained(
    logits: Logits,
    batch: Labelled,
    state: Constraints,
    unit: Int[Array, " n"],
    counts: Int[Array, " units"],
    dense: Float[Array, " units"] | None,
    *,
    tolerance: float,
    rate: float,
) -> tuple[PerImage, Constraints]:
    assert dense is not None  # the row asks for it
    losses, _ = cross_entropy(logits, batch, ())
    own = jax.nn.one_hot(unit, len(counts), dtype=jnp.float32)
    right = (logits.argmax(axis=1) == batch.labels).astype(jnp.float32)
    seen, buffer = _remembered(state, own, unit, right)
    full = (buffer >= 0).all(axis=1)
    accuracy = jnp.where(full, buffer.mean(axis=1), dense)
    share = jnp.where(full, counts, 0)
    share = share / jnp.maximum(share.sum(), 1)
    gap = dense - accuracy
    violation = jnp.where(full, gap - (share * gap).sum() - tolerance, 0)
    multipliers = jnp.maximum(state.multipliers + rate * violation, 0)
    number = own.sum(axis=0)
    of_images = own @ (multipliers / jnp.maximum(number, 1)) * len(losses)
    return jax.lax.stop_gradient(1 + of_images) * losses, Constraints(multipliers, buffer, seen)


def _remembered(
    state: Constraints, own: Array, unit: Int[Array, " n"], right: Float[Array, " n"]
) -> tuple[Int[Array, " units"], Float[Array, "units last"]]:
    """How many images each unit has had, and whether its last ones were right, in a ring."""
    units, last = state.right.shape
    number = own.sum(axis=0).astype(jnp.int32)
    before = ((jnp.cumsum(own, axis=0) - own) * own).sum(axis=1).astype(jnp.int32)
    kept = (unit >= 0) & (before >= number[unit] - last)  # of more than it holds, the last ones
    place = (state.seen[unit] + before) % last
    buffer = state.right.at[jnp.where(kept, unit, units), place].set(right, mode="drop")
    return state.seen + number, jax.lax.stop_gradient(buffer)
