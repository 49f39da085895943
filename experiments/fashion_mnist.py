"""Balanced classes, and still the hard ones pay: Fashion-MNIST, pruned at once to five sparsities.

Purpose   the effect of pruning by class where no class is under-represented
Command   python experiments/fashion_mnist.py [--data.name fashion_mnist | idx:DIR |
          tfds:fashion_mnist] [--model.name mlp | lenet5] [--out DIR] [--seeds N] [--help]
Hardware  2 CPU cores, 3 GiB of memory
Time      mlp 5 minutes; lenet5 an hour (64 networks of 2,388 steps)
Expected  mlp, magnitude-global-rewind: accuracy on test images 0.889 dense, 0.891 at sparsity 0.8
          and 0.868 at 0.98; recall of class Shirt 0.694 dense and 0.629 at 0.98. (lenet5 with
          --data.validation 0 --recipe.epochs 3: accuracy 0.889 dense and 0.891 at 0.8)
"""

from pathlib import Path

from prune_fair.cli import hear_signals

if __name__ == "__main__":  # the imports below take seconds, in which a signal may come
    hear_signals()

from prune_fair import DataConfig, RecipeConfig, Schedule, StudyConfig, TaskConfig
from prune_fair.cli import experiment
from prune_fair.cli.studies import configured

FASHION_MNIST = StudyConfig(
    (
        TaskConfig(
            DataConfig("fashion_mnist"),
            recipe=RecipeConfig(epochs=6, batch_size=128, learning_rate=0.05),
        ),
    ),
    ("magnitude-global-rewind", "magnitude-global-finetune", "random-global-rewind"),
    Schedule("one-shot", sparsities=(0.5, 0.8, 0.9, 0.95, 0.98)),
    seeds=4,
)
fashion_mnist = configured(FASHION_MNIST, Path("studies/fashion_mnist"))

if __name__ == "__main__":
    experiment(fashion_mnist)
