"""Simulated studies whose networks share their test images, and what is true of them.

A network is right on an image where a logit and logistic noise are above 0: the class's own mean,
minus the image's difficulty (t with 3 degrees of freedom: a few images are very hard), plus what
the seed does to all classes and to each. Pruning takes off the class's own loss times the image's
vulnerability (lognormal: most images never change, a few nearly always), adds the seed's own
shift of that class, and draws the noise anew for 3 of 10 pairs of seed and image. So classes,
seeds, images and their pairs all have effects. Classes are fixed, as a data set's are.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

CLASSES = 10
_classes = np.random.default_rng(12)
LOGITS = _classes.normal(4.0, 0.9, CLASSES)
LOSSES = tuple(np.sort(_classes.gamma(2.0, 0.45, CLASSES)).tolist())
MOST = 7  # the class that loses most
ONE_LOSES = tuple(loss if true == MOST else loss / 10 for true, loss in enumerate(LOSSES))
SEEDS_SPREAD, PRUNED_SPREAD, HARDNESS, VULNERABILITY, NEW_NOISE = 0.3, 0.25, 1.3, 1.0, 0.3
PAIRS_AT_ONCE = 20_000
NODES = 9  # of the integral over seeds


class Images(NamedTuple):
    """How hard images are, and how easily lost."""

    hardness: np.ndarray
    vulnerable: np.ndarray


def labels(images: int) -> np.ndarray:
    """The class of each image, of so many a class."""
    return np.repeat(np.arange(CLASSES), images)


def right(
    rng: np.random.Generator, amounts: tuple[float, ...], true: np.ndarray, seeds: int
) -> np.ndarray:
    """Whether networks are right, (1 + amounts, seeds, images): dense, then so much pruned."""
    return _right(rng, amounts, true, draw_seeds(rng, amounts, seeds), shared=True)


def right_on_two(
    rng: np.random.Generator,
    amounts: tuple[float, ...],
    true: np.ndarray,
    seeds: int,
    losses: tuple[float, ...] = LOSSES,
) -> tuple[np.ndarray, np.ndarray]:
    """The same networks on two test sets."""
    drawn = draw_seeds(rng, amounts, seeds)
    first, second = (
        _right(rng, amounts, true, drawn, shared=True, losses=losses) for _ in range(2)
    )
    return first, second


@lru_cache
def truth(amounts: tuple[float, ...], pairs: int, losses: tuple[float, ...] = LOSSES) -> np.ndarray:
    """Mean recalls (1 + amounts, classes) over so many seeds, each with images of its own."""
    rng, total = np.random.default_rng(5), np.zeros((1 + len(amounts), CLASSES))
    rounds = max(1, pairs // PAIRS_AT_ONCE)
    for _ in range(rounds):
        drawn = draw_seeds(rng, amounts, PAIRS_AT_ONCE)
        own = _right(rng, amounts, np.arange(CLASSES), drawn, shared=False, losses=losses)
        total += own.mean(axis=1)
    return total / rounds


def draw_seeds(
    rng: np.random.Generator, amounts: tuple[float, ...], seeds: int
) -> tuple[np.ndarray, np.ndarray]:
    """What seeds do to classes, dense and by amount of pruning."""
    dense = rng.normal(size=(seeds, 1)) + rng.normal(size=(seeds, CLASSES))
    pruned = rng.normal(size=(len(amounts), seeds, CLASSES))
    return SEEDS_SPREAD * dense, PRUNED_SPREAD * pruned


def _right(
    rng: np.random.Generator,
    amounts: tuple[float, ...],
    true: np.ndarray,
    drawn: tuple[np.ndarray, np.ndarray],
    shared: bool,
    losses: tuple[float, ...] = LOSSES,
) -> np.ndarray:
    """If images are shared every seed sees the same, else each has its own."""
    images = draw_images(rng, (1 if shared else len(drawn[0]), len(true)))
    falls = [amount * np.array(losses)[true] * images.vulnerable for amount in amounts]
    return answers(rng, true, drawn, images, falls)


def draw_images(rng: np.random.Generator, shape: tuple[int, ...]) -> Images:
    """Images of any class."""
    hardness = HARDNESS * rng.standard_t(3, shape)
    return Images(hardness, rng.lognormal(-0.5, VULNERABILITY, shape))


def answers(
    rng: np.random.Generator,
    true: np.ndarray,
    drawn: tuple[np.ndarray, np.ndarray],
    images: Images,
    falls: Sequence[np.ndarray],
) -> np.ndarray:
    """Whether networks of these seeds are right on these images, dense, then after each fall."""
    dense, pruned = drawn
    noise = rng.logistic(size=(len(dense), len(true)))
    base = LOGITS[true] + dense[:, true] - images.hardness
    found = [base + noise > 0]
    for fall, shift in zip(falls, pruned, strict=True):
        anew = rng.uniform(size=noise.shape) < NEW_NOISE
        again = np.where(anew, rng.logistic(size=noise.shape), noise)
        found.append(base + shift[:, true] - fall + again > 0)
    return np.stack(found)


def expected(true: np.ndarray, images: Images, falls: Sequence[np.ndarray]) -> np.ndarray:
    """The share of endless seeds that are right on each image, (1 + falls, images), integrated."""
    base, nodes = LOGITS[true] - images.hardness, np.polynomial.hermite_e.hermegauss(NODES)
    spread = np.sqrt(2) * SEEDS_SPREAD  # of what a seed does to all classes, and to each
    after = [_mean_right(base - fall, np.hypot(spread, PRUNED_SPREAD), nodes) for fall in falls]
    return np.stack([_mean_right(base, spread, nodes), *after])


def _mean_right(logits: np.ndarray, spread: float, nodes: tuple[np.ndarray, ...]) -> np.ndarray:
    """The mean of the logistic function of normal numbers around logits."""
    weights = nodes[1] / nodes[1].sum()
    parts = (
        weight / (1 + np.exp(-logits - spread * place))
        for place, weight in zip(nodes[0], weights, strict=True)
    )
    return sum(parts, np.zeros_like(logits))
