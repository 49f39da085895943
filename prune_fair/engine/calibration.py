"""What is counted of probabilities: reliability by class, scores, and losses by temperature.

Studies have these rows where they ask for them (`StudyConfig.calibration`). What is counted by bin
is laid out along a last axis as `fairness.Reliability` has it: images, hits, summed probability.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from prune_fair.engine.statistic import Outputs, Statistic, Total
from prune_fair.fairness import BINS, TEMPERATURES
from prune_fair.types import Logits

WHOLE = 1 << 20  # a probability is added as a whole number of its parts: exact in any order
OCTAVE = 2  # temperatures from one to its double


def bin_of(probability: Float[Array, "*shape"]) -> Int[Array, "*shape"]:
    """The equal-width bin of a probability: bin 0 is [0, 1/15], each other one (b/15, (b+1)/15].

    Source: Guo et al. 2017, "On calibration of modern neural networks", section 2.

    Example:
        >>> bin_of(jnp.array([0.0, 0.5, 1.0])).tolist()
        [0, 7, 14]
    """
    return jnp.clip(jnp.ceil(probability * BINS).astype(jnp.int32) - 1, 0, BINS - 1)


def top_sums(
    part: Int[Array, " n"], labels: Int[Array, " n"], logits: Logits, parts: int
) -> Float[Array, "parts bins 3"]:
    """Of each part's images, such as a class's, by bin of the top probability.

    Args:
        part: of each image; below 0 it is counted nowhere.
        labels: the true classes.
        logits: of the network, of at most 2000 images.
        parts: how many there are.

    Returns:
        Images, how many of them are right, and the sum of their top probabilities.

    Example:
        >>> logits = jnp.log(jnp.array([[0.75, 0.25], [0.25, 0.75]]))
        >>> top_sums(jnp.zeros(2, int), jnp.array([0, 0]), logits, 1)[0, 11].tolist()
        [2.0, 1.0, 1.5]
    """
    top = jax.nn.softmax(logits.astype(jnp.float32)).max(axis=1)
    return _by_bin(part, top, jnp.argmax(logits, axis=1) == labels, parts)


def class_sums(labels: Int[Array, " n"], logits: Logits) -> Float[Array, "classes bins 3"]:
    """Of each class's probability over all images, by its bin; at most 2000 images.

    Returns:
        Images, how many of them are of the class, and the sum of its probabilities.

    Source: Kull et al. 2019, arXiv 1910.12656.

    Example:
        >>> logits = jnp.log(jnp.array([[0.75, 0.25], [0.25, 0.75]]))
        >>> class_sums(jnp.array([0, 0]), logits)[0, jnp.array([3, 11])].tolist()
        [[1.0, 1.0, 0.25], [1.0, 1.0, 0.75]]
    """
    classes = jnp.arange(logits.shape[1])
    probabilities = jax.nn.softmax(logits.astype(jnp.float32))
    of = jnp.where((labels >= 0)[:, None], classes[None], -1)
    return _by_bin(of, probabilities, labels[:, None] == classes[None], len(classes))


def score_sums(
    part: Int[Array, " n"], labels: Int[Array, " n"], logits: Logits, parts: int
) -> Float[Array, "parts 3"]:
    """Of each part's images: how many, summed Brier scores and negative log-likelihoods.

    An image's Brier score is in [0, 2], its negative log-likelihood in nats.

    Source: Brier 1950, of several classes.

    Example:
        >>> logits = jnp.log(jnp.array([[0.5, 0.5]]))
        >>> score_sums(jnp.array([0]), jnp.array([1]), logits, 1).round(1).tolist()[0][:2]
        [1.0, 0.5]
    """
    logits = logits.astype(jnp.float32)
    own = jax.nn.one_hot(labels, logits.shape[1], dtype=bool)
    brier = jnp.square(jax.nn.softmax(logits) - own).sum(axis=1)
    loss = -jnp.where(own, jax.nn.log_softmax(logits), 0).sum(axis=1)
    values = jnp.stack([jnp.ones_like(loss), brier, loss], axis=1)
    mine = jax.nn.one_hot(part, parts, dtype=bool)
    return jnp.where(mine[:, :, None], values[:, None], 0).sum(axis=0)  # 0 times infinity is NaN


def temperature_sums(labels: Int[Array, " n"], logits: Logits) -> Float[Array, " temperatures"]:
    """Sum over images of the negative log-likelihood of logits over each of `TEMPERATURES`.

    The temperatures are half an octave apart, so that exponentials are taken of the highest two:
    half a temperature squares them. Barriers keep XLA from taking them again.

    Source: Guo et al. 2017, section 4.2.

    Example:
        >>> logits = jnp.log(jnp.array([[0.5, 0.5]]))
        >>> float(temperature_sums(jnp.array([1]), logits)[0].round(1)), len(TEMPERATURES)
        (0.699999988079071, 11)
    """
    by_class = jax.lax.optimization_barrier(logits.astype(jnp.float32).T)
    below = by_class - by_class.max(axis=0, keepdims=True)
    highest = jnp.asarray(TEMPERATURES[: -OCTAVE - 1 : -1], jnp.float32)
    powers, sums = jnp.exp(below[None] / highest[:, None, None]), []
    for _ in range(0, len(TEMPERATURES), OCTAVE):
        powers = jax.lax.optimization_barrier(powers)
        sums.append(powers.sum(axis=1))
        powers = jnp.square(powers)
    logs = jnp.log(jnp.concatenate(sums)[: len(TEMPERATURES)][::-1])
    own = jax.nn.one_hot(labels, logits.shape[1], dtype=bool, axis=0)
    whole = jnp.where((labels >= 0)[None], logs, 0).sum(axis=1)
    return whole - jnp.where(own, below, 0).sum() / jnp.asarray(TEMPERATURES, jnp.float32)


def _by_bin(
    part: Int[Array, "*images"],
    probability: Float[Array, "*images"],
    hit: Bool[Array, "*images"],
    parts: int,
) -> Float[Array, "parts bins 3"]:
    """By part and bin: how many probabilities, how many hits among them, and their sum."""
    cell = jnp.where(part < 0, parts * BINS, part * BINS + bin_of(probability))
    whole = jnp.round(probability * WHOLE)
    values = jnp.stack([jnp.ones_like(whole), hit, whole], axis=-1).astype(jnp.int32)
    counts = jnp.zeros((parts * BINS, 3), jnp.int32)
    counts = counts.at[cell.ravel()].add(values.reshape(-1, 3), mode="drop")
    units = jnp.array([1.0, 1.0, WHOLE], jnp.float32)
    return counts.reshape(parts, BINS, 3) / units[None, None]


def _by_class(batch: Outputs) -> Array:
    return top_sums(batch.labels, batch.labels, batch.logits, batch.logits.shape[1])


def _class_scores(batch: Outputs) -> Array:
    return score_sums(batch.labels, batch.labels, batch.logits, batch.logits.shape[1])


def _by_group(batch: Outputs) -> Array:
    return top_sums(_group_of(batch), batch.labels, batch.logits, batch.group_count)


def _group_scores(batch: Outputs) -> Array:
    return score_sums(_group_of(batch), batch.labels, batch.logits, batch.group_count)


def _group_of(batch: Outputs) -> Int[Array, " n"]:
    """The group of each image, -1 for what a batch is filled up with."""
    assert batch.groups is not None  # the row needs them
    return jnp.where(batch.labels < 0, -1, batch.groups)


def _unknown(total: Total, images: Int[Array, " classes"]) -> Array:
    """Of probabilities that are not finite nothing is known."""
    return jnp.full_like(total, jnp.nan)


ASKED: dict[str, Any] = {"dtype": "float32", "missing": np.nan, "failed": _unknown}
BINNED = {"bin": tuple(range(BINS)), "total": ("images", "hits", "probability")}
SCORED = {"score": ("images", "brier", "nll")}
CALIBRATION: dict[str, Statistic] = {
    "reliability": Statistic(
        _by_class,
        ("true", "bin", "total"),
        "images or probability",
        "images, right ones and summed top probability, by bin of that probability",
        needs=("calibration",),
        labels=BINNED,
        **ASKED,
    ),
    "class_reliability": Statistic(
        lambda batch: class_sums(batch.labels, batch.logits),
        ("predicted", "bin", "total"),
        "images or probability",
        "all images, those of the class and its summed probability, by bin of its probability",
        needs=("calibration",),
        labels=BINNED,
        **ASKED,
    ),
    "scores": Statistic(
        _class_scores,
        ("true", "score"),
        "images, squared probability or nats",
        "images, summed Brier score and negative log-likelihood of each class",
        needs=("calibration",),
        labels=SCORED,
        **ASKED,
    ),
    "temperature_nll": Statistic(
        lambda batch: temperature_sums(batch.labels, batch.logits),
        ("temperature",),
        "nats",
        "summed negative log-likelihood of logits over each temperature",
        needs=("calibration",),
        labels={"temperature": tuple(TEMPERATURES.tolist())},
        **ASKED,
    ),
    "group_reliability": Statistic(
        _by_group,
        ("group", "bin", "total"),
        "images or probability",
        "as reliability, of each group's images",
        needs=("calibration", "groups"),
        labels=BINNED,
        **ASKED,
    ),
    "group_scores": Statistic(
        _group_scores,
        ("group", "score"),
        "images, squared probability or nats",
        "as scores, of each group's images",
        needs=("calibration", "groups"),
        labels=SCORED,
        **ASKED,
    ),
}
