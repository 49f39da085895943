"""Who pays for sparsity? Digits with two classes under-represented, four ways of pruning.

Purpose   see that accuracy hides what pruning costs the rare classes
Command   make demo, or python experiments/quickstart.py [--out DIR] [--seeds N] [--help]
Hardware  2 CPU cores, 2 GiB of memory
Time      about a minute: 32 dense and 1,536 pruned networks of 425 steps each
Expected  dense accuracy 0.962, recall of class 8 0.80; magnitude-global-rewind at sparsity 0.986:
          accuracy 0.94, class 8 0.67
"""

from pathlib import Path

from prune_fair.cli import hear_signals

if __name__ == "__main__":  # the imports below take seconds, in which a signal may come
    hear_signals()

from prune_fair import DataConfig, ModelConfig, RecipeConfig, Schedule, StudyConfig, TaskConfig
from prune_fair.cli import experiment

TECHNIQUES = (
    "magnitude-global-rewind",
    "magnitude-layerwise-finetune",
    "saliency-global-rewind",
    "random-global-rewind",
)


def quickstart(
    out: Path = Path("studies/quickstart"),
    seeds: int = 32,
    techniques: tuple[str, ...] = TECHNIQUES,
    data: DataConfig = DataConfig("digits", keep={"3": 0.35, "8": 0.2}),
    model: ModelConfig = ModelConfig("mlp", widths=(100, 50)),
    recipe: RecipeConfig = RecipeConfig(epochs=25, batch_size=64, learning_rate=0.1),
    schedule: Schedule = Schedule("geometric", rate=0.3, levels=12),
    votes: bool = True,
) -> tuple[StudyConfig, Path]:
    """Who pays for sparsity, on digits with two under-represented classes.

    Args:
        out: the study's directory; a finished study there is shown, a half done one goes on.
        seeds: networks trained, each pruned with every technique.
        techniques: criterion-scope[-channel]-treatment[-output], as in `prune-fair list`.
        data: the images, and which classes to make rare.
        model: the architecture.
        recipe: how each network is trained.
        schedule: the sparsities.
        votes: count the votes on each test image, for `prune-fair exemplars`.
    """
    task = TaskConfig(data, model, recipe)
    return StudyConfig((task,), techniques, schedule, seeds, votes=votes), out


if __name__ == "__main__":
    experiment(quickstart)
