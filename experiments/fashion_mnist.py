"""Balanced classes, and still the hard ones pay: Fashion-MNIST, pruned at once to five sparsities.

Purpose   the effect of pruning by class where no class is under-represented
Command   python experiments/fashion_mnist.py [--dataset fashion_mnist | idx:DIR |
          tfds:fashion_mnist] [--model mlp | lenet5] [--out DIR] [--seeds N] [--help]
Hardware  2 CPU cores, 3 GiB of memory
Time      mlp 5 minutes; lenet5 an hour (64 networks of 2,808 steps)
Expected  mlp: dense accuracy 0.892, 0.892 at sparsity 0.8 and 0.870 at 0.98 (magnitude-global-
          rewind); class Shirt 0.704 dense and 0.636 at 0.98. lenet5, 3 epochs: 0.889, 0.891 at 0.8
"""

from pathlib import Path

from prune_fair.cli import hear_signals

if __name__ == "__main__":  # the imports below take seconds, in which a signal may come
    hear_signals()

from prune_fair import DataConfig, ModelConfig, RecipeConfig, Schedule, StudyConfig, TaskConfig
from prune_fair.cli import experiment

TECHNIQUES = (
    "magnitude-global-rewind",
    "magnitude-global-finetune",
    "random-global-rewind",
)


def fashion_mnist(
    out: Path | None = None,
    dataset: str = "fashion_mnist",
    model: str = "mlp",
    seeds: int = 4,
    techniques: tuple[str, ...] = TECHNIQUES,
    recipe: RecipeConfig = RecipeConfig(epochs=6, batch_size=128, learning_rate=0.05),
    schedule: Schedule = Schedule("one-shot", sparsities=(0.5, 0.8, 0.9, 0.95, 0.98)),
    votes: bool = False,
) -> tuple[StudyConfig, Path]:
    """Which classes of Fashion-MNIST pay for sparsity.

    Args:
        out: the study's directory; studies/fashion_mnist-MODEL where it is not given.
        dataset: fashion_mnist, idx:DIR or tfds:fashion_mnist.
        model: mlp (LeNet-300-100) or lenet5.
        seeds: networks trained, each pruned with every technique to every sparsity.
        techniques: criterion-scope[-channel]-treatment[-output], as in `prune-fair list`.
        recipe: how each network is trained.
        schedule: the sparsities.
        votes: count the votes on each test image, for `prune-fair exemplars`.
    """
    task = TaskConfig(DataConfig(dataset), ModelConfig(model), recipe)
    study = StudyConfig((task,), techniques, schedule, seeds, votes=votes)
    return study, out or Path(f"studies/fashion_mnist-{model}")


if __name__ == "__main__":
    experiment(fashion_mnist)
