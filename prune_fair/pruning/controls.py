"""Controls: the same retraining of networks of which nothing is removed."""

from collections.abc import Iterable

from prune_fair.pruning.names import LONG_TREATMENT, NOTHING
from prune_fair.pruning.technique import Technique


def control_of(technique: Technique) -> Technique:
    """The technique that is retrained alike, from as many levels and steps, and prunes nothing.

    What its networks lose against the dense ones is the noise floor of that retraining: what
    pruning is not to blame for. Of a control it is the control itself.

    Example:
        >>> control_of(Technique.parse("saliency@16-layerwise-finetune@0.2+balanced_softmax")).name
        'dense-finetune@0.2+balanced_softmax'
        >>> control_of(Technique.parse("magnitude-global-gradual@5")).name
        'dense-long'
    """
    row = technique.retraining
    treatment = row.unpruned or technique.treatment
    kept = Technique(NOTHING, treatment=treatment).retraining.takes
    settings = {name: getattr(technique, name) for name in kept}
    return Technique(NOTHING, treatment=treatment, loss=technique.loss, **settings)


def controls_for(techniques: Iterable[Technique]) -> list[Technique]:
    """The controls that these techniques lack: one for each retraining, and one that trains long.

    The last is that of `lr_rewind`, of as many steps as the longest retraining among them. What is
    not retrained needs no control: nothing but pruning has changed it.

    Example:
        >>> asked = ["magnitude-global-rewind", "random-global-rewind", "magnitude-global-none"]
        >>> [control.name for control in controls_for(map(Technique.parse, asked))]
        ['dense-rewind', 'dense-long']
    """
    given = list(techniques)
    trained = [technique for technique in given if technique.retraining.trains]
    controls = [control_of(technique) for technique in trained]
    if trained:
        first = min(technique.rewind_step for technique in trained)
        controls.append(Technique(NOTHING, treatment=LONG_TREATMENT, rewind_step=first))
    return [each for each in dict.fromkeys(controls) if each not in given]


def retrained_alike(techniques: Iterable[Technique]) -> list[int]:
    """For each technique the place of the first that is retrained alike.

    So it is equal for a technique and its control.

    Example:
        >>> asked = ["magnitude-global-rewind", "magnitude-global-none", "dense-rewind"]
        >>> retrained_alike(map(Technique.parse, asked))
        [0, 1, 0]
    """
    controls = [control_of(technique) for technique in techniques]
    return [controls.index(control) for control in controls]
