"""A task: its images, its architecture, and how a network is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from prune_fair import datasets
from prune_fair.config.model import ModelConfig
from prune_fair.data import GIVEN, Dataset
from prune_fair.errors import check, lookup
from prune_fair.losses import called, canonical
from prune_fair.values import (
    check_folder_name,
    check_number,
    check_task_name,
    check_whole,
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
class DataConfig:
    """The images of a task, and what is done to them before anything is trained.

    In this order, whatever the order of the fields: a validation split is taken from training,
    classes are chosen, images made smaller, the long tail cut, classes kept by fraction, and last
    labels replaced. So fractions are of true classes, and `Dataset.train_count` counts the labels
    that are trained on, wrong ones included.

    Attributes:
        name: `digits`, `fashion14`, `fashion_mnist`, `idx:DIR`, `npz:FILE` or `tfds:NAME`.
        keep: class name -> fraction in (0, 1] of its training images to keep.
        imbalance_factor: largest over smallest class of an exponential long tail; 1 is none.
        classes: names of the classes to use, at least two, in their new order; empty for all.
        downsample: pixels along a side that become one, their mean; it divides both sides.
        label_noise: fraction in [0, 1) of the training labels that become another class.
        groups: what images are grouped by beside their class: a feature of `tfds:NAME`, or the
            arrays of `npz:FILE` that begin so; empty for no groups.
        validation: fraction in [0, 1) of each class's training images that are not trained on, and
            counted as a split of their own, to choose on; 0 for none. Left out, the split that the
            source has, else 0.15 of `digits` and `fashion_mnist`, and none of other sources.
        shift: corruptions of the test images that networks are judged on too, each a split of its
            own behind `test`: `noise`, `blur`, `contrast`, `brightness`, `pixelate` or `occlude`
            with a severity 1 to 5, such as `noise@3`, or alone for all five; empty for none.

    Raises:
        InputError: for an unknown name, or values outside their ranges.

    Example:
        >>> rare = DataConfig("digits", keep={"8": 0.2})
        >>> rare.load().train_count()
        array([105, 108, 105, 109, 108, 108, 108, 106,  21, 107])
    """

    name: str = "digits"
    keep: Mapping[str, float] = field(default_factory=dict)
    imbalance_factor: float = 1.0
    classes: tuple[str, ...] = ()
    downsample: int = 1
    label_noise: float = 0.0
    groups: str = ""
    validation: float | None = None
    shift: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        datasets.check_name(self.name)
        check_folder_name(self.label, f"dataset {shortened(self.name)} is known by")
        datasets.check_fractions(self.keep)
        datasets.check_imbalance_factor(self.imbalance_factor)
        datasets.check_classes(self.classes)
        datasets.check_downsample(self.downsample)
        datasets.check_label_noise(self.label_noise)
        datasets.check_groups(self.name, self.groups)
        datasets.check_validation(self.validation)
        object.__setattr__(self, "shift", datasets.canonical_shifts(self.shift))
        for name in self.keep if self.classes else ():
            lookup(dict.fromkeys(self.classes), name, "class")

    def as_trained_on(self) -> "DataConfig":
        """The images of a network that was trained elsewhere: nothing is held out unasked.

        Example:
            >>> DataConfig("digits").as_trained_on().load().splits
            ('test',)
        """
        own = self.name.startswith(GIVEN) or not datasets.held_out_by_default(self.name)
        return self if own or self.validation is not None else replace(self, validation=0.0)

    @property
    def label(self) -> str:
        """A short name that fits a file system: `fashion_mnist` for `tfds:fashion_mnist`."""
        last = self.name.rstrip("/").replace(":", "/").split("/")[-1]
        return last.removesuffix(".npz") or "data"

    def load(self) -> Dataset:
        """The images, with all that was asked done to them.

        Raises:
            InputError: where the data cannot be had, lacks a class that is named or the groups, or
                has images that `downsample` does not divide or that are too small for a shift.
        """
        dataset = datasets.load(self.name, self.groups, self.validation)
        dataset = datasets.choose_classes(dataset, self.classes)
        dataset = datasets.downsample(dataset, self.downsample)
        if self.imbalance_factor > 1:
            dataset = datasets.long_tail(dataset, self.imbalance_factor)
        dataset = datasets.keep_fractions(dataset, self.keep)
        dataset = datasets.label_noise(dataset, self.label_noise)
        return datasets.with_shifts(dataset, self.shift)


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
