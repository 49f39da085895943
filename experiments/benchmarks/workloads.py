"""The work that every peer does: data, network, batch and steps."""

import runpy
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from prune_fair import DataConfig, ModelConfig, RecipeConfig, StudyConfig, TaskConfig
from prune_fair.data import Dataset
from prune_fair.engine.images import Pixels

SPARSITY = 0.8  # of the masks that everybody trains under


@dataclass(frozen=True)
class Workload:
    """A training loop of a study: SGD with momentum and a mask, each network shuffling for itself.

    Attributes:
        data: a name that `DataConfig` takes.
        model: the architecture.
        batch_size: images a step.
        steps: steps of one network, in whole epochs.
        images: training images that are used, in whole batches.
        forward: multiply-adds of one image's forward pass.
        members: networks that the engine trains in a round.
        stacked: numbers of networks that `torch.func` may stack; it takes its fastest.
        plain: networks that plain `vmap` trains at once.
        classes: where it is above 0, labels are drawn at random from so many, to time them.
    """

    data: str
    model: ModelConfig
    batch_size: int
    steps: int
    images: int
    forward: int
    members: int
    stacked: tuple[int, ...]
    plain: int
    classes: int = 0

    @property
    def flops(self) -> float:
        """Of a step: forward, and backward for kernels and inputs, two for each multiply-add.

        The usual count; the first layer's input gradient, which nobody computes, included.
        """
        return 6.0 * self.forward * self.batch_size

    @property
    def task(self) -> TaskConfig:
        """The same as the engine is told it."""
        epochs = self.steps * self.batch_size // self.images
        recipe = RecipeConfig(epochs, self.batch_size, learning_rate=0.05)
        return TaskConfig(DataConfig(self.data, validation=0.0), self.model, recipe)

    def load(self) -> Dataset:
        """The images; only as many for training as are used."""
        data = self.task.data.load()
        generator = np.random.default_rng(0)
        rows = generator.permutation(len(data.train_labels))[: self.images]
        data = data._replace(
            train_images=data.train_images[rows], train_labels=data.train_labels[rows]
        )
        if not self.classes:
            return data
        names = tuple(str(number) for number in range(self.classes))
        labels = generator.integers(self.classes, size=len(rows)).astype(np.int32)
        return data._replace(train_labels=labels, class_names=names)


def normalised(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Training images as floats, so that peers need not normalise in their loop; and labels."""
    pixels = Pixels.of(data)
    images = (data.train_images.astype(np.float32) / 255 - pixels.mean) / pixels.deviation
    return images, data.train_labels.astype(np.int64)


def quickstart(**changed: Any) -> StudyConfig:
    """The study of experiments/digits.py, with other parameters."""
    script = Path(__file__).parent.parent / "digits.py"
    return runpy.run_path(str(script))["digits"](**changed)[0]


def _chain(*widths: int) -> int:
    return sum(inputs * outputs for inputs, outputs in pairwise(widths))


_CONVOLUTIONS = 28 * 28 * 25 * 6 + 10 * 10 * 25 * 6 * 16

WORKLOADS = {
    "digits-mlp": Workload(
        data="digits",
        model=ModelConfig("mlp", widths=(100, 50)),
        batch_size=64,
        steps=450,
        images=1152,
        forward=_chain(64, 100, 50, 10),
        members=64,
        stacked=(64, 128, 256),
        plain=64,
    ),
    "fashion-mlp": Workload(
        data="fashion_mnist",
        model=ModelConfig("mlp"),
        batch_size=128,
        steps=100,
        images=12_800,
        forward=_chain(784, 300, 100, 10),
        members=16,
        stacked=(8, 16, 32),
        plain=8,
    ),
    "fashion-lenet5": Workload(
        data="fashion_mnist",
        model=ModelConfig("lenet5"),
        batch_size=128,
        steps=40,
        images=5120,
        forward=_CONVOLUTIONS + _chain(400, 120, 84, 10),
        members=8,
        stacked=(4, 8),
        plain=2,
    ),
}
