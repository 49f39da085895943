"""What a loss is: its function, what it asks for, and its settings, as a name gives them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Array, Float, Int

from prune_fair.errors import InputError, check, lookup
from prune_fair.types import Logits

State: TypeAlias = Any  # a tree of arrays that the loss carries from step to step; () without
PerImage: TypeAlias = Float[Array, " n"]
GROUPS, DENSE_LOGITS, DENSE_ACCURACY = "groups", "dense_logits", "dense_accuracy"


class Dense(NamedTuple):
    """What is known of the seed's own dense network.

    Attributes:
        logits: of the batch; None unless the loss asks for `dense_logits`.
        class_accuracy: share of each class's training images that it has right; None unless the
            loss asks for `dense_accuracy`.
        group_accuracy: the same of each group's; None without groups.
    """

    logits: Logits | None = None
    class_accuracy: Float[Array, " classes"] | None = None
    group_accuracy: Float[Array, " groups"] | None = None


class Labelled(NamedTuple):
    """What a loss knows of a batch beside its logits.

    Attributes:
        labels: of the images, positions of the classes.
        groups: of the images, -1 where it is not known; None without groups of training images.
        class_counts: training images of each class.
        group_counts: training images of each group; None without groups.
        dense: of the seed's own dense network, as far as the loss asks for it.
    """

    labels: Int[Array, " n"]
    groups: Int[Array, " n"] | None
    class_counts: Int[Array, " classes"]
    group_counts: Int[Array, " groups"] | None = None
    dense: Dense = Dense()


class Setting(NamedTuple):
    """A number that a loss takes.

    Attributes:
        name: of the argument.
        default: its value.
        allowed: whether a value may be taken.
        expected: which may, in words.
    """

    name: str
    default: float
    allowed: Callable[[float], bool]
    expected: str


def stateless(classes: int, groups: int) -> State:
    """No state."""
    return ()


class Loss(NamedTuple):
    """A row of `LOSSES`.

    Attributes:
        function: from logits, what else is known of the batch, and the state, to the images' losses
            and the next state; settings are further arguments.
        initial: from the numbers of classes and groups to the state before the first step; settings
            are further arguments where there is a state.
        takes: its settings, in the order of their values in a name.
        asks: what must be there: `groups` of the training images, `dense_logits` and
            `dense_accuracy` of the seed's own dense network.

    Example:
        >>> import jax.numpy as jnp
        >>> from prune_fair.losses import LOSSES
        >>> logits, labels = jnp.zeros((1, 2)), jnp.array([1])
        >>> batch = Labelled(labels, None, jnp.array([3, 1]))
        >>> losses, _ = LOSSES["balanced_softmax"].function(logits, batch, ())
        >>> round(losses.item(), 3)
        1.386
    """

    function: Callable[..., tuple[PerImage, State]]
    initial: Callable[..., State] = stateless
    takes: tuple[Setting, ...] = ()
    asks: tuple[str, ...] = ()

    @property
    def asks_dense(self) -> bool:
        """Whether it asks for the dense network, so that it cannot train that one."""
        return not {DENSE_LOGITS, DENSE_ACCURACY}.isdisjoint(self.asks)

    def with_settings(self, settings: Mapping[str, float]) -> "Loss":
        """The row with its settings bound; those that are not given keep their defaults."""
        values = {each.name: settings.get(each.name, each.default) for each in self.takes}
        stateful = self.initial is not stateless
        initial = partial(self.initial, **values) if stateful else stateless
        return self._replace(function=partial(self.function, **values), initial=initial)


def read_loss(name: str, losses: Mapping[str, Loss]) -> tuple[str, dict[str, float]]:
    """A loss's row and settings from its name, such as `focal@3`; see `loss_name`.

    Raises:
        InputError: for an unknown row, or settings that it does not have or take.
    """
    word, at, values = name.partition("@")
    lookup(losses, word, "loss")
    takes = losses[word].takes
    numbers = values.split(",") if at else []
    has = f"at most {len(takes)} ({', '.join(each.name for each in takes)})" if takes else "none"
    check(len(numbers) <= len(takes), f"loss {name!r}: settings {values!r}: expected {has}")
    settings = {}
    for each, number in zip(takes, numbers, strict=False):
        expected = f"loss {name!r}: {each.name} {number!r}: expected {each.expected}"
        try:
            value = float(number) + 0.0  # there is one zero
        except ValueError:
            raise InputError(expected) from None
        check(bool(np.isfinite(value)) and each.allowed(value), expected)
        settings[each.name] = value
    return word, settings


def loss_name(name: str, losses: Mapping[str, Loss]) -> str:
    """The one name of a loss: its row, and behind "@" the settings that are not the defaults.

    Raises:
        InputError: as `read_loss`.
    """
    word, settings = read_loss(name, losses)
    takes = losses[word].takes
    values = [settings.get(each.name, each.default) for each in takes]
    while values and values[-1] == takes[len(values) - 1].default:
        values.pop()
    shown = ",".join(np.format_float_positional(value, trim="-") for value in values)
    return f"{word}@{shown}" if values else word
