"""Which parts of a technique go together."""

from typing import Any

from prune_fair.errors import check
from prune_fair.pruning.names import OUTPUT


def check_parts(technique: Any) -> None:
    """Raises `InputError` where parts of a `Technique` do not go together."""
    refused, treatment = f"technique {technique.name!r}: ", technique.retraining
    granularity, scope = technique.granularity, technique.scope
    check(
        technique.prunes or not treatment.unpruned,
        f"{refused}is {treatment.unpruned} without pruning; expected that",
    )
    plain = scope, granularity, technique.output, technique.first
    check(
        technique.prunes or plain == ("global", "unstructured", False, True),
        f"{refused}nothing is pruned, so it has no scope, granularity or end layers",
    )
    check(
        not (technique.removes_channels and technique.output),
        f"{refused}the output layer's channels are the classes and cannot be removed; leave "
        f"out '-{OUTPUT}'",
    )
    check(
        not technique.removes_channels or scope in ("global", "layerwise"),
        f"{refused}scope {scope} counts the weights of a kernel, and a removed channel "
        "takes weights of the next kernel too; expected global or layerwise",
    )
    check(
        technique.block is None or scope == "layerwise",
        f"{refused}{granularity} leaves every layer the same share; expected the scope layerwise",
    )
    check(
        technique.block is None or not treatment.gradual,
        f"{refused}{granularity} has one sparsity, and no others on the way to it that "
        f"{technique.treatment} could prune to; expected another treatment or granularity",
    )
    check(
        granularity == "unstructured" or treatment.mask_update is None,
        f"{refused}{technique.treatment} brings back single weights, which breaks up what "
        f"{granularity} removes together; leave out '-{granularity}', or name another treatment",
    )
