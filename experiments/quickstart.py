"""Who pays for sparsity? Clothes of which two kinds are rare, eight ways of pruning.

Purpose   see that accuracy hides what pruning costs the rare classes, and what can be certified
Command   make demo, prune-fair demo, or python experiments/quickstart.py [--out DIR] [--help]
Hardware  2 CPU cores, 2 GiB of memory
Time      about a minute: 16 dense, 1,280 pruned and 480 retrained networks of 432 steps each
Expected  dense accuracy 0.780; magnitude-global-rewind certified to 88.2 % sparsity; at 97.2 %
          accuracy falls by 2 to 8 points, the recall of the class that pays most by 9 to 37
"""

from prune_fair.cli import hear_signals

if __name__ == "__main__":  # the imports below take seconds, in which a signal may come
    hear_signals()

from prune_fair.cli import experiment
from prune_fair.cli.studies import quickstart

if __name__ == "__main__":
    experiment(quickstart)
