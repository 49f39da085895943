"""A task: its images, its architecture, and how a network is trained."""

from collections.abc import Callable
from dataclasses import dataclass

from prune_fair import datasets
from prune_fair.config.data import DataConfig
from prune_fair.config.model import ModelConfig
from prune_fair.data import GIVEN
from prune_fair.errors import check, lookup
from prune_fair.losses import called, canonical
from prune_fair.values import (
    check_number,
    check_task_name,
    check_whole,
)

OPTIMIZERS = ("sgd", "adam")
DECAYS = ("cosine", "constant")
RANGES: dict[str, tuple[Callable[[float], bool], str]] = {  # of a recipe: allowed, and in words
    "learning_rate": (lambda rate: rate > 0, "above 0, and finite"),
    "momentum": (lambda momentum: 0 <= momentum < 1, "in [0, 1)"),
    "weight_decay": (lambda decay: decay >= 0, "at least 0, and finite"),
}


@dataclass(frozen=True)
class RecipeConfig:
    """How one network is trained, at every level alike.

    Attributes:
        epochs: passes over the training images, at least 1.
        batch_size: images a step, at least 1; what is left of an epoch's shuffle is dropped.
        optimizer: `sgd` or `adam`.
        learning_rate: the schedule's peak, above 0.
        momentum: of `sgd`, in [0, 1).
        weight_decay: L2 penalty added to the gradient, at least 0.
        decay: `cosine` to zero over all steps, or `constant`.
        loss: a row of `LOSSES`, of training and of criteria; a technique may have another.
        augment: how training images vary from step to step, each way once: `crop`, a shift of up
            to an eighth of the side, and `flip`, left for right in half of the images. Criteria
            score, and networks are tested, on images as they are.
        recalibrate_images: training images over which BatchNorm's running statistics are taken
            anew after training, drawn anew for each network and level; 0 leaves those of training.

    Raises:
        InputError: for values outside these ranges.

    Example:
        >>> RecipeConfig(epochs=10, optimizer="adam", learning_rate=1e-3).decay
        'cosine'
    """

    epochs: int = 25
    batch_size: int = 64
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0
    decay: str = "cosine"
    loss: str = "cross_entropy"
    augment: tuple[str, ...] = ()
    recalibrate_images: int = 0

    def __post_init__(self) -> None:
        lookup(dict.fromkeys(OPTIMIZERS), self.optimizer, "optimizer")
        lookup(dict.fromkeys(DECAYS), self.decay, "decay")
        object.__setattr__(self, "loss", canonical(self.loss))
        check(
            not called(self.loss).asks_dense,
            f"loss {self.loss!r} trains towards the dense network; expected it of a technique",
        )
        for name in self.augment:
            lookup(datasets.AUGMENTATIONS, name, "augmentation")
        once = len({*self.augment}) == len(self.augment)
        check(once, f"augment {', '.join(self.augment)}: expected each once")
        for name in ("epochs", "batch_size"):
            check_whole(name, getattr(self, name))
        check_whole("recalibrate_images", self.recalibrate_images, least=0)
        for name, (allowed, expected) in RANGES.items():
            check_number(name, getattr(self, name), allowed, expected)


@dataclass(frozen=True)
class TaskConfig:
    """One dataset, one architecture, one recipe.

    Attributes:
        data: the images.
        model: the architecture.
        recipe: how each network is trained.
        name: what to call the task in the results, parts separated by "/"; empty for
            dataset/model.

    Raises:
        InputError: for a name that is no path inside of a study.

    Example:
        >>> TaskConfig(DataConfig("npz:cells.npz"), ModelConfig("lenet5")).node
        'cells/lenet5'
    """

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    recipe: RecipeConfig = RecipeConfig()
    name: str = ""

    def __post_init__(self) -> None:
        check_task_name(self.node, "task")

    @property
    def node(self) -> str:
        """The task's node in the results: its name, or dataset/model."""
        return self.name or f"{self.data.label}/{self.model.name.removeprefix(GIVEN)}"
