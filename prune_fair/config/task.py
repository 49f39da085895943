"""A task: its images, its architecture, and how a network is trained."""

from collections.abc import Callable
from dataclasses import dataclass

from prune_fair import datasets
from prune_fair.config.data import DataConfig
from prune_fair.data import GIVEN
from prune_fair.errors import check, lookup
from prune_fair.losses import called, canonical
from prune_fair.models import MODELS, is_chain
from prune_fair.values import (
    MOST,
    check_folder_name,
    check_number,
    check_task_name,
    check_whole,
    is_whole,
    shortened,
)

OPTIMIZERS = ("sgd", "adam")
DECAYS = ("cosine", "constant")
RANGES: dict[str, tuple[Callable[[float], bool], str]] = {  # of a recipe: allowed, and in words
    "learning_rate": (lambda rate: rate > 0, "above 0, and finite"),
    "momentum": (lambda momentum: 0 <= momentum < 1, "in [0, 1)"),
    "weight_decay": (lambda decay: decay >= 0, "at least 0, and finite"),
}


@dataclass(frozen=True)
class ModelConfig:
    """The architecture of a task.

    Attributes:
        name: a row of `MODELS`: `mlp`, `lenet5`, `alexnet`, `vgg11`, `resnet18` or `vit`; or
            `given:NAME`, a network that an audit is handed.
        widths: hidden widths of an `mlp`; empty for 300 and 100.
        width: multiplies the channels of all layers, of `alexnet`, `vgg11`, `resnet18` and `vit`;
            above 0.

    Raises:
        InputError: for an unknown name or a width outside its range.

    Example:
        >>> ModelConfig("mlp", widths=(100, 50))
        ModelConfig(name='mlp', widths=(100, 50), width=1.0)
    """

    name: str = "mlp"
    widths: tuple[int, ...] = ()
    width: float = 1.0

    def __post_init__(self) -> None:
        if self.is_given:
            check_folder_name(self.name.removeprefix(GIVEN), "network")
        else:
            lookup(MODELS, self.name, "model")
        most = MOST["widths"]
        check(
            all(is_whole(width, 1, most) for width in self.widths),
            f"widths {shortened(self.widths)}: expected at least 1 each, at most {most:,}",
        )
        most = MOST["width"]
        expected = f"a number above 0, at most {most:,}"
        check_number("width", self.width, lambda width: 0 < width <= most, expected)

    @property
    def is_given(self) -> bool:
        """Whether it is no architecture of ours, but one that an audit is handed."""
        return self.name.startswith(GIVEN)

    @property
    def is_chain(self) -> bool:
        """Whether each layer is known to read the one before it and no other."""
        return not self.is_given and is_chain(MODELS[self.name])


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
