"""A pruning technique: criterion, scope, granularity, treatment, which end layers are pruned."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from prune_fair.errors import InputError, check, lookup, unknown
from prune_fair.pruning.criteria import CRITERIA
from prune_fair.pruning.masks import apply_mask, kernels
from prune_fair.pruning.scopes import BY_HAND, SCOPES, Shapes, by_hand
from prune_fair.pruning.selection import GRANULARITIES, Prunable, Quota
from prune_fair.pruning.treatments import TREATMENTS
from prune_fair.types import Batch, Mask, Model, Network, PRNGKey, Variables

Prune: TypeAlias = Callable[[Variables, Mask, Variables, Batch, PRNGKey, Quota], Mask]
OUTPUT, SKIP_FIRST = "output", "skipfirst"


@dataclass(frozen=True)
class Technique:
    """How a network is pruned and retrained.

    Attributes:
        criterion: a row of `CRITERIA`.
        scope: a row of `SCOPES`, or the layers' sparsities by hand, "conv_0=0.5,dense_0=0.9".
        granularity: a row of `GRANULARITIES`.
        treatment: a row of `TREATMENTS`.
        output: whether the output layer is pruned too; it can leave a class without any weight,
            so that with and without it are two techniques.
        first: whether the first layer is pruned.

    Raises:
        InputError: for an unknown name, or parts that do not go together.

    Example:
        >>> Technique("saliency", "layerwise", treatment="finetune").name
        'saliency-layerwise-finetune'
    """

    criterion: str = "magnitude"
    scope: str = "global"
    granularity: str = "unstructured"
    treatment: str = "rewind"
    output: bool = False
    first: bool = True

    def __post_init__(self) -> None:
        lookup(CRITERIA, self.criterion, "criterion")
        if by_hand(self.scope) is None:
            lookup(SCOPES, self.scope, "scope")
        lookup(GRANULARITIES, self.granularity, "granularity")
        lookup(TREATMENTS, self.treatment, "treatment")
        refused = f"technique {self.name!r}: "
        check(
            not (self.removes_channels and self.output),
            f"{refused}the output layer's channels are the classes and cannot be removed; leave "
            f"out '-{OUTPUT}'",
        )
        check(
            not self.removes_channels or self.scope in ("global", "layerwise"),
            f"{refused}scope {self.scope} counts the weights of a kernel, and a removed channel "
            "takes weights of the next kernel too; expected global or layerwise",
        )
        check(
            self.block is None or self.scope == "layerwise",
            f"{refused}{self.granularity} leaves every layer the same share; expected the scope "
            "layerwise",
        )
        check(
            self.block is None or not TREATMENTS[self.treatment].gradual,
            f"{refused}{self.granularity} has one sparsity, and no others on the way to it that "
            f"{self.treatment} could prune to; expected another treatment or granularity",
        )

    @property
    def removes_channels(self) -> bool:
        """Whether whole output channels go."""
        return self.granularity.startswith("channel")

    @property
    def forgets_start(self) -> bool:
        """Whether it scores by a start that networks which it has retrained did not have."""
        return self.criterion == "movement" and self.treatment == "reinit"

    @property
    def needs_shapes(self) -> bool:
        """Whether there are models that this technique does not fit, as `check_fits` finds out."""
        return self.block is not None or by_hand(self.scope) is not None or not self.first

    @property
    def block(self) -> tuple[int, int] | None:
        """N and m of the granularity n:m."""
        n, colon, m = self.granularity.partition(":")
        return (int(n), int(m)) if colon else None

    @property
    def name(self) -> str:
        """The readable name that `parse` takes.

        Example:
            >>> Technique("saliency", treatment="finetune").name
            'saliency-global-finetune'
        """
        granularity = () if self.granularity == "unstructured" else (self.granularity,)
        ends = (OUTPUT,) * self.output + (SKIP_FIRST,) * (not self.first)
        return "-".join((self.criterion, self.scope, *granularity, self.treatment, *ends))

    @classmethod
    def parse(cls, name: str) -> "Technique":
        """That of a name `criterion-scope[-granularity]-treatment[-output][-skipfirst]`.

        Raises:
            InputError: for an unknown name, with the nearest valid one, or parts that do not go
                together.

        Example:
            >>> Technique.parse("magnitude-layerwise-channel-finetune").granularity
            'channel'
        """
        parts = name.split("-")
        ends = [end for end in (OUTPUT, SKIP_FIRST) if end in parts]
        body = parts[: len(parts) - len(ends)]
        if len(body) == 3:
            body.insert(2, "unstructured")
        is_known = len(body) == 4 and parts[len(parts) - len(ends) :] == ends
        rows = zip(body, (CRITERIA, None, GRANULARITIES, TREATMENTS), strict=False)
        is_known = is_known and all(row is None or part in row for part, row in rows)
        if not is_known or not (body[1] in SCOPES or "=" in body[1]):
            valid = [technique.name for technique in all_techniques()]
            raise unknown("technique", name, valid, name_pattern())
        return cls(*body, output=OUTPUT in ends, first=SKIP_FIRST not in ends)

    def prunable(self, layers: Sequence[str]) -> Sequence[str]:
        """Those of a model's layers, in forward order, that this technique prunes."""
        return layers[0 if self.first else 1 : None if self.output else -1]

    def shapes(self, model: Model) -> Shapes:
        """Of the kernels of a model's prunable layers."""
        layers = self.prunable(model.layers)
        pairs = zip(layers, kernels(model.shapes, layers), strict=True)
        return {layer: kernel.shape for layer, kernel in pairs}

    def check_fits(self, model: Model) -> None:
        """Raises `InputError` where a model has not the layers that this technique needs."""
        shapes = self.shapes(model)
        check(bool(shapes), f"technique {self.name!r}: no layer of this model is left to prune")
        for layer in by_hand(self.scope) or ():
            lookup(shapes, layer, f"prunable layer in technique {self.name!r}")
        for layer, shape in shapes.items():
            inputs = math.prod(shape[:-1])
            check(
                self.block is None or inputs % self.block[1] == 0,
                f"technique {self.name!r}: layer {layer} has {inputs} inputs, no multiple of "
                f"{self.granularity.partition(':')[2]}; use another granularity, or "
                f"'-{SKIP_FIRST}' if it is the first layer",
            )


def name_pattern() -> str:
    """How a technique's name is made up, with the valid words of each part.

    Example:
        >>> name_pattern().split("]-")[1]
        '(finetune|lr_rewind|rewind|reinit|gradual|none)[-output][-skipfirst]'
    """
    criterion, treatment = ("|".join(rows) for rows in (CRITERIA, TREATMENTS))
    granularity = "|".join(list(GRANULARITIES)[1:])
    scope = "|".join((*SCOPES, BY_HAND))
    return f"({criterion})-({scope})[-({granularity})]-({treatment})[-{OUTPUT}][-{SKIP_FIRST}]"


def all_techniques() -> list[Technique]:
    """Every valid combination of the registries' rows.

    Example:
        >>> len(all_techniques()) > 1000, all_techniques()[0].name
        (True, 'magnitude-global-finetune')
    """
    ends = (False, True), (True, False)
    techniques = []
    for row in itertools.product(CRITERIA, SCOPES, GRANULARITIES, TREATMENTS, *ends):
        try:
            techniques.append(Technique(*row))
        except InputError:
            continue  # parts that do not go together
    return techniques


def pruner(technique: Technique, model: Model, weight_decay: float = 0.0) -> Prune:
    """The technique's prune step for one network.

    It takes variables, mask, initial variables, score batches, a key and quotas, and gives the next
    mask.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> from prune_fair.models import build
        >>> model = build("mlp", (8, 8, 1), 10)
        >>> key, kept = jax.random.key(0), jnp.array([100])
        >>> variables = model.init(key)
        >>> mask = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, bool), variables.params)
        >>> batches = Batch(jnp.zeros((1, 2, 8, 8, 1)), jnp.zeros((1, 2), int))
        >>> pruned = pruner(Technique(), model)(variables, mask, variables, batches, key, kept)
        >>> sum(int(kernel.sum()) for kernel in kernels(pruned, ["dense_0", "dense_1"]))
        100
    """
    criterion, select = CRITERIA[technique.criterion], GRANULARITIES[technique.granularity]
    layers = technique.prunable(model.layers)
    rest = model.layers[model.layers.index(layers[-1]) + 1 :]
    prunable = Prunable(layers, rest[0] if rest else None)

    def prune(
        variables: Variables,
        mask: Mask,
        initial: Variables,
        batches: Batch,
        key: PRNGKey,
        quota: Quota,
    ) -> Mask:
        network = Network(
            model.in_evaluation(variables.state),
            apply_mask(variables.params, mask),
            mask,
            initial.params,
            model.in_evaluation(initial.state),
            weight_decay,
        )
        return select(criterion(network, batches, key), mask, prunable, quota)

    return prune
