"""Pictures of a study's results. Each function takes results and draws; none trains.

A plot takes one task's results and the Axes to draw into, and gives the Axes; without any it makes
a picture of its own, one column wide (in a notebook, end the cell with `.figure`). `overview` and
`recalls` compose plots and give a Figure. `performance_profiles` and `critical_difference` take
what `analysis.across` gives of several tasks.
"""

from prune_fair.plots.across import critical_difference, performance_profiles
from prune_fair.plots.changes import recall_change
from prune_fair.plots.frontiers import frontier, overview
from prune_fair.plots.hurt import who_is_hurt
from prune_fair.plots.layers import layer_sparsities
from prune_fair.plots.multiplicity import multiplicity
from prune_fair.plots.recalls import recall, recalls
from prune_fair.plots.reliability import reliability
from prune_fair.plots.shift import shift
from prune_fair.plots.style import encode, save
from prune_fair.plots.techniques import ranking
from prune_fair.plots.votes import exemplars

__all__ = [
    "critical_difference",
    "encode",
    "exemplars",
    "frontier",
    "layer_sparsities",
    "multiplicity",
    "overview",
    "performance_profiles",
    "ranking",
    "recall",
    "recall_change",
    "recalls",
    "reliability",
    "save",
    "shift",
    "who_is_hurt",
]
