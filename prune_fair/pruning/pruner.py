"""The prune step of one network: from scores to the next mask, as a technique has it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from jaxtyping import Array, Float

from prune_fair.pruning.criteria import CRITERIA
from prune_fair.pruning.masks import Prunable, Quota, apply_mask
from prune_fair.pruning.selection import GRANULARITIES
from prune_fair.pruning.technique import Technique
from prune_fair.types import Batch, Logits, Mask, Model, Network, PRNGKey, Variables

Prune: TypeAlias = Callable[[Variables, Mask, Variables, Batch, PRNGKey, Quota], Mask]
ImageLosses: TypeAlias = Callable[[Logits, Batch], Float[Array, " n"]]


def pruner(
    technique: Technique, model: Model, loss: ImageLosses, weight_decay: float = 0.0
) -> Prune:
    """The technique's prune step for one network, of so much loss for each image of a batch.

    It takes variables, mask, initial variables, score batches, a key and quotas, and gives the next
    mask.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> from prune_fair.models import build
        >>> from prune_fair.pruning import kernels
        >>> model = build("mlp", (8, 8, 1), 10)
        >>> key, kept = jax.random.key(0), jnp.array([100])
        >>> variables = model.init(key)
        >>> mask = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, bool), variables.params)
        >>> batches = Batch(jnp.zeros((1, 2, 8, 8, 1)), jnp.zeros((1, 2), int))
        >>> prune = pruner(Technique(), model, lambda logits, batch: batch.labels)
        >>> pruned = prune(variables, mask, variables, batches, key, kept)
        >>> sum(int(kernel.sum()) for kernel in kernels(pruned, ["dense_0", "dense_1"]))
        100
    """
    score = CRITERIA[technique.criterion].scores
    select = GRANULARITIES[technique.granularity].select
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
            loss,
            weight_decay,
        )
        return select(score(network, batches, key), mask, prunable, quota)

    return prune


def scoring_loss(technique: Technique) -> str:
    """The loss that criteria take gradients of; empty for that of the task's recipe.

    So it is where the technique's own asks for the dense network, which is what is pruned.

    Example:
        >>> scoring_loss(Technique(loss="focal")), scoring_loss(Technique(loss="distillation"))
        ('focal', '')
    """
    return "" if technique.asks_dense else technique.loss


def without_retraining(technique: Technique) -> Technique:
    """The technique of the same masks that trains nothing: what prunes alike shares a program.

    Example:
        >>> without_retraining(Technique.parse("magnitude-global-rewind@9+balanced_softmax")).name
        'magnitude-global-none'
    """
    defaults = {name: getattr(Technique, name) for name in technique.retraining.takes}
    loss = scoring_loss(technique) if CRITERIA[technique.criterion].asks_batches else ""
    return replace(technique, treatment="none", loss=loss, **defaults)


def without_pruning(technique: Technique) -> Technique:
    """That of the same mask updates: what trains alike from any mask shares a program.

    Example:
        >>> without_pruning(Technique.parse("random-erk-rigl@5")).name
        'magnitude-global-rigl@5'
    """
    update = technique.retraining.mask_update
    scope = technique.scope if update is not None and update.asks_scope else Technique.scope
    batches = Technique.score_batches
    return replace(technique, criterion=Technique.criterion, scope=scope, score_batches=batches)
