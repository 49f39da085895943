"""What property tests draw."""

import dataclasses
import itertools

from hypothesis import strategies as st

from prune_fair.losses import LOSSES
from prune_fair.pruning import all_techniques
from prune_fair.pruning.names import settings_of

EVERY = all_techniques()


def any_technique(data):
    """A technique of any parts with any settings that they read, and any loss."""
    technique = data.draw(st.sampled_from(EVERY))
    whole, share = st.integers(1, 1000), st.floats(1e-6, 1, exclude_max=True)
    ranges = {"finetune_learning_rate": share, "gradual_share": share, "drop_share": share}
    taken = itertools.chain(*settings_of(technique.criterion, technique.treatment).values())
    own = {name: data.draw(ranges.get(name, whole)) for name in taken}
    loss = data.draw(st.sampled_from(["", *LOSSES]))
    return dataclasses.replace(technique, loss=loss, **own)
