"""Who pays for sparsity? Digits with two classes under-represented, four ways of pruning.

Purpose   see that accuracy hides what pruning costs the rare classes
Command   make demo, prune-fair demo, or python experiments/quickstart.py [--out DIR] [--help]
Hardware  2 CPU cores, 2 GiB of memory
Time      about a minute: 32 dense and 1,536 pruned networks of 425 steps each
Expected  dense accuracy 0.962, recall of class 8 0.80; magnitude-global-rewind at sparsity 0.986:
          accuracy 0.94, class 8 0.67
"""

from prune_fair.cli import hear_signals

if __name__ == "__main__":  # the imports below take seconds, in which a signal may come
    hear_signals()

from prune_fair.cli import experiment
from prune_fair.cli.studies import quickstart

if __name__ == "__main__":
    experiment(quickstart)
