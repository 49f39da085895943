"""A pruning method: criterion, scope, granularity, treatment, with or without the output layer."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from prune_fair.errors import check, lookup, unknown
from prune_fair.pruning.criteria import CRITERIA
from prune_fair.pruning.masks import apply_mask
from prune_fair.pruning.selection import GRANULARITIES, SCOPES, SELECTIONS, Quota
from prune_fair.pruning.treatments import TREATMENTS
from prune_fair.types import Batch, Mask, Model, Network, PRNGKey, Variables

Prune: TypeAlias = Callable[[Variables, Mask, Batch, PRNGKey, Quota], Mask]
OUTPUT = "output"


@dataclass(frozen=True)
class Method:
    """How a network is pruned and retrained.

    Attributes:
        criterion: a row of `CRITERIA`.
        scope: `global` ranks all layers together, `layerwise` each by itself.
        granularity: `unstructured` removes single weights, `channel` whole output channels.
        treatment: a row of `TREATMENTS`.
        output: whether the output layer is pruned too; it can leave a class without any weight,
            so that with and without it are two methods.

    Raises:
        InputError: for an unknown name, or channels of the output layer, which are the classes.
    """

    criterion: str = "magnitude"
    scope: str = "global"
    granularity: str = "unstructured"
    treatment: str = "rewind"
    output: bool = False

    def __post_init__(self) -> None:
        lookup(CRITERIA, self.criterion, "criterion")
        lookup(dict.fromkeys(SCOPES), self.scope, "scope")
        lookup(dict.fromkeys(GRANULARITIES), self.granularity, "granularity")
        lookup(TREATMENTS, self.treatment, "treatment")
        check(
            not (self.output and self.granularity == "channel"),
            f"method {self.name!r}: the output layer's channels are the classes and cannot be "
            "removed; leave out '-output'",
        )

    @property
    def name(self) -> str:
        """The readable name that `parse` takes.

        Example:
            >>> Method("saliency", treatment="finetune").name
            'saliency-global-finetune'
        """
        granularity = () if self.granularity == "unstructured" else (self.granularity,)
        output = (OUTPUT,) if self.output else ()
        return "-".join((self.criterion, self.scope, *granularity, self.treatment, *output))

    @classmethod
    def parse(cls, name: str) -> "Method":
        """The method of that name: criterion-scope[-channel]-treatment[-output].

        Raises:
            InputError: for an unknown name, with the nearest valid one.

        Example:
            >>> Method.parse("magnitude-layerwise-channel-finetune").granularity
            'channel'
        """
        methods = {method.name: method for method in all_methods()}
        if name not in methods:
            raise unknown("method", name, methods, name_pattern())
        return methods[name]

    def prunable(self, layers: Sequence[str]) -> Sequence[str]:
        """Those of a model's layers, in forward order, that this method prunes."""
        return layers if self.output else layers[:-1]


def name_pattern() -> str:
    """How a method's name is made up, with the valid words of each part."""
    criterion, scope, treatment = ("|".join(rows) for rows in (CRITERIA, SCOPES, TREATMENTS))
    return f"({criterion})-({scope})[-channel]-({treatment})[-{OUTPUT}]"


def all_methods() -> tuple[Method, ...]:
    """Every valid combination of the registries' rows."""
    rows = itertools.product(CRITERIA, SCOPES, GRANULARITIES, TREATMENTS, (False, True))
    return tuple(Method(*row) for row in rows if not (row[2] == "channel" and row[4]))


def pruner(method: Method, model: Model) -> Prune:
    """The method's prune step for one network: (variables, mask, batch, key, quota) to a mask."""
    criterion = CRITERIA[method.criterion]
    select = SELECTIONS[method.granularity, method.scope]
    layers = method.prunable(model.layers)

    def prune(variables: Variables, mask: Mask, batch: Batch, key: PRNGKey, quota: Quota) -> Mask:
        masked = apply_mask(variables.params, mask)
        network = Network(model.in_evaluation(variables.state), masked, mask)
        return select(criterion(network, batch, key), mask, layers, quota)

    return prune
