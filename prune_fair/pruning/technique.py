"""A technique: how a network is pruned, and how its survivors are trained."""

import contextlib
import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from prune_fair.errors import InputError, check, lookup, unknown
from prune_fair.losses import called, canonical
from prune_fair.pruning.criteria import CRITERIA
from prune_fair.pruning.masks import kernels
from prune_fair.pruning.names import (
    NOTHING,
    SHARES,
    SKIP_FIRST,
    UNPRUNED,
    UNTOUCHED,
    WHOLE,
    name_of,
    name_pattern,
    read_name,
    settings_of,
)
from prune_fair.pruning.parts import check_parts
from prune_fair.pruning.scopes import SCOPES, Shapes, by_hand, quota
from prune_fair.pruning.selection import GRANULARITIES
from prune_fair.pruning.treatments import TREATMENTS, Treatment
from prune_fair.types import Model
from prune_fair.values import check_number, check_whole

SETTINGS = {*SHARES, *WHOLE}


@dataclass(frozen=True)
class Technique:
    """How a network is pruned and its survivors are trained, with all settings of both.

    Its name shows what differs from the defaults, and `parse` takes it: the settings of a part
    stand behind it after "@", as in `saliency@16-global-gradual@5,0.5`, and the loss at the end, as
    in `magnitude-global-finetune+balanced_softmax`. Some prune nothing: `dense`, the network that
    others prune, and the controls, which at every level are retrained as others are, such as
    `dense-rewind`; `dense-long`, that of `lr_rewind`, trains on at the full rate.

    Attributes:
        criterion: a row of `CRITERIA`.
        scope: a row of `SCOPES`, or the layers' sparsities by hand, "conv_0=0.5,dense_0=0.9".
        granularity: a row of `GRANULARITIES`.
        treatment: a row of `TREATMENTS`.
        output: whether the output layer is pruned too; it can leave a class without any weight,
            so that with and without it are two techniques.
        first: whether the first layer is pruned.
        loss: a row of `LOSSES`, of criteria and training; empty for that of the task's recipe.
        score_batches: batches of training images, drawn anew for each network and level, that the
            criterion scores on; at most an epoch.
        rewind_step: step of the recipe from which retraining goes on, through the steps that are
            left; `rewind` takes the weights of the dense training there, 0 is the initialisation.
        finetune_learning_rate: share of the learning rate that `finetune` trains with, in (0, 1].
        gradual_prunings: how often `gradual` prunes within a training, at least 1.
        gradual_share: share of the training's steps, in (0, 1), over which these prunings are
            equally spaced, the last one at its end; the rest of the steps repairs.
        mask_updates: how often the mask changes within a training of `set` or `rigl`, at least 1,
            with equally many steps before, between and after them.
        mask_interval: steps between two masks of `straight_through`, at least 1.
        drop_share: share of each layer's weights, in (0, 1], that `set` exchanges at an update, and
            `rigl` would at the first step.

    Raises:
        InputError: for unknown names, or parts and settings that do not go together.

    Example:
        >>> Technique("saliency", rewind_step=100).name
        'saliency-global-rewind@100'
    """

    criterion: str = "magnitude"
    scope: str = "global"
    granularity: str = "unstructured"
    treatment: str = "rewind"
    output: bool = False
    first: bool = True
    loss: str = ""
    score_batches: int = 8
    rewind_step: int = 0
    finetune_learning_rate: float = 0.1
    gradual_prunings: int = 10
    gradual_share: float = 0.75
    mask_updates: int = 10
    mask_interval: int = 4
    drop_share: float = 0.3

    def __post_init__(self) -> None:
        if self.prunes:
            lookup(CRITERIA, self.criterion, "criterion")
        if by_hand(self.scope) is None:
            lookup(SCOPES, self.scope, "scope")
        lookup(GRANULARITIES, self.granularity, "granularity")
        lookup(TREATMENTS, self.treatment, "treatment")
        if self.loss:
            object.__setattr__(self, "loss", canonical(self.loss))
        for name, least in WHOLE.items():
            check_whole(name, getattr(self, name), least)
        for name, (allowed, expected) in SHARES.items():
            check_number(name, getattr(self, name), allowed, expected)
        check_parts(self)
        read = itertools.chain(*settings_of(self.criterion, self.treatment).values())
        defaults = {each.name: each.default for each in fields(self)}
        for name in SETTINGS - {*read}:
            value = getattr(self, name)
            check(
                value == defaults[name],
                f"technique {self.name!r}: {name} {value} is of another criterion or treatment; "
                "leave it out",
            )

    @property
    def name(self) -> str:
        """The readable name that `parse` takes.

        Example:
            >>> Technique(output=True).name
            'magnitude-global-rewind-output'
        """
        return name_of(self)

    @property
    def prunes(self) -> bool:
        """Whether anything is removed: not by `dense` and the controls."""
        return self.criterion not in (NOTHING, UNTOUCHED)

    @property
    def retraining(self) -> Treatment:
        """The row of its treatment."""
        return TREATMENTS[self.treatment]

    @property
    def asks_dense(self) -> bool:
        """Whether its loss looks at the dense network, so that it is of training alone."""
        return bool(self.loss) and called(self.loss).asks_dense

    @property
    def removes_channels(self) -> bool:
        """Whether whole output channels go."""
        return GRANULARITIES[self.granularity].channels

    @property
    def block(self) -> tuple[int, int] | None:
        """N and m of the granularity n:m."""
        return GRANULARITIES[self.granularity].block

    @property
    def forgets_start(self) -> bool:
        """Whether it scores by a start that networks which it has retrained did not have."""
        update = self.retraining.mask_update
        others = self.retraining.begins_anew or (update is not None and not update.keeps_dense)
        return self.prunes and CRITERIA[self.criterion].asks_way and others

    @property
    def needs_shapes(self) -> bool:
        """Whether there are models that this technique does not fit, as `check_fits` finds out."""
        return self.block is not None or by_hand(self.scope) is not None or not self.first

    @classmethod
    def parse(cls, name: str) -> "Technique":
        """That of a name, as `Technique.name` gives it.

        Raises:
            InputError: for an unknown name, or parts that do not go together.

        Example:
            >>> Technique.parse("magnitude-global-finetune@0.2").finetune_learning_rate
            0.2
        """
        read = read_name(name)
        if read is None:
            valid = [*UNPRUNED, *(technique.name for technique in all_techniques())]
            raise unknown("technique", name, valid, name_pattern())
        return cls(**read)

    def prunable(self, layers: Sequence[str]) -> Sequence[str]:
        """Those of a model's layers, in forward order, that this technique prunes.

        All of them for one that prunes nothing, whose sparsity is that of the whole network.
        """
        if not self.prunes:
            return layers
        return layers[0 if self.first else 1 : None if self.output else -1]

    def shapes(self, model: Model) -> Shapes:
        """Of the kernels of a model's prunable layers."""
        layers = self.prunable(model.layers)
        pairs = zip(layers, kernels(model.shapes, layers), strict=True)
        return {layer: kernel.shape for layer, kernel in pairs}

    def ranks_together(self, model: Model) -> bool:
        """Whether the scope counts the weights of all layers together."""
        return len(quota(self.scope, 0.0, self.shapes(model))) == 1

    def check_fits(self, model: Model) -> None:
        """Raises `InputError` where a model has not the layers that this technique needs."""
        shapes = self.shapes(model)
        check(bool(shapes), f"technique {self.name!r}: no layer of this model is left to prune")
        for layer in by_hand(self.scope) or ():
            lookup(shapes, layer, f"prunable layer in technique {self.name!r}")
        if self.block is None:
            return
        _, m = self.block
        for layer, shape in shapes.items():
            inputs = math.prod(shape[:-1])
            check(
                inputs % m == 0,
                f"technique {self.name!r}: layer {layer} has {inputs} inputs, no multiple of {m}; "
                f"use another granularity, or '-{SKIP_FIRST}' if it is the first layer",
            )


def all_techniques() -> list[Technique]:
    """Every valid combination of the registries' rows.

    Example:
        >>> all_techniques()[0].name
        'magnitude-global-finetune'
    """
    rows = tuple(CRITERIA), tuple(SCOPES), tuple(GRANULARITIES), tuple(TREATMENTS)
    return list(_combined(*rows))


@functools.lru_cache(maxsize=2)
def _combined(*registries: tuple[Any, ...]) -> tuple[Technique, ...]:
    techniques = []
    for row in itertools.product(*registries, (False, True), (True, False)):
        with contextlib.suppress(InputError):  # parts that do not go together
            techniques.append(Technique(*row))
    return tuple(techniques)


DENSE, GIVEN_DENSE = (Technique(UNTOUCHED, treatment=each) for each in ("rewind", "none"))
