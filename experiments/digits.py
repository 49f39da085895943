"""Who pays for sparsity on digits with two classes under-represented? Four ways of pruning.

Purpose   a small study of few images: what `open_example()` opens was made with it, and benchmarks
          time it
Command   python experiments/digits.py [--out DIR] [--help]
Hardware  2 CPU cores, 2 GiB of memory
Time      about a minute: 32 dense and 1,536 pruned networks of 425 steps each
Expected  dense accuracy 0.962, recall of class 8 0.80; magnitude-global-rewind at sparsity 0.986:
          accuracy 0.94, class 8 0.67
"""

from pathlib import Path

from prune_fair.cli import hear_signals

if __name__ == "__main__":  # the imports below take seconds, in which a signal may come
    hear_signals()

from prune_fair import (
    DataConfig,
    ModelConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
)
from prune_fair.cli import experiment
from prune_fair.cli.studies import configured

DIGITS = StudyConfig(
    (
        TaskConfig(
            DataConfig("digits", keep={"3": 0.35, "8": 0.2}, validation=0.0),
            ModelConfig("mlp", widths=(100, 50)),
            RecipeConfig(epochs=25, batch_size=64, learning_rate=0.1),
        ),
    ),
    (
        "magnitude-global-rewind",
        "magnitude-layerwise-finetune",
        "saliency-global-rewind",
        "random-global-rewind",
    ),
    Schedule("geometric", rate=0.3, levels=12),
    seeds=32,
    predictions=True,
)
digits = configured(DIGITS, Path("studies/digits"))

if __name__ == "__main__":
    experiment(digits)
