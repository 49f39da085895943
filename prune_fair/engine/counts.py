"""What is kept of the networks of a finished piece of work, as arrays by technique and seed."""

from collections.abc import Mapping

import jax
import numpy as np

from prune_fair.engine.network import Task
from prune_fair.engine.retraining import Retrained
from prune_fair.pruning import Technique, kernels
from prune_fair.store import DENSE


def counts(task: Task, retrained: Mapping[str, Retrained]) -> dict[str, np.ndarray]:
    """Variables of the results, by technique and seed first.

    Args:
        task: of the networks.
        retrained: those of each technique, or of `dense`.
    """
    counted = [each.evaluated for each in retrained.values()]
    evaluated = jax.tree.map(lambda *leaves: np.stack(leaves), *counted)
    model = task.model
    sizes = np.array([kernel.size for kernel in kernels(model.shapes, model.layers)])
    prunable = np.array([_prunable(name, model.layers) for name in retrained])[:, None, :]
    removed = evaluated.removed_weights
    variables = {
        "confusion": evaluated.confusion,
        "margin": evaluated.margin,
        "sparsity": (removed * prunable).sum(axis=-1) / (sizes * prunable).sum(axis=-1),
        "parameter_sparsity": evaluated.removed_parameters / model.parameters,
        "layer_sparsity": removed / sizes,
        "diverged": evaluated.diverged,
        "collapsed": (removed == sizes).any(axis=-1),
    }
    if evaluated.group_confusion is not None:
        variables["group_confusion"] = evaluated.group_confusion
    votes = [each.votes for each in retrained.values() if each.votes is not None]
    if votes:
        variables["votes"] = np.stack(votes)
    return variables


def _prunable(name: str, layers: tuple[str, ...]) -> list[bool]:
    """Which layers count for the sparsity of a technique's networks; all do for dense ones."""
    prunable = layers if name == DENSE else Technique.parse(name).prunable(layers)
    return [layer in prunable for layer in layers]
