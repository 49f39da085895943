"""What a study's results hold: a table of variables, and from it the layout of each task."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from prune_fair.config import StudyConfig
from prune_fair.datasets import COMPLEXITY, class_complexity
from prune_fair.provenance import digest
from prune_fair.store import MEMBERS, Layout, Makers, Variable
from prune_fair.types import Dataset

BALLOTS = ("technique", "block", "level", "half", "image", "predicted")
RESULTS: Mapping[str, Variable] = {
    "confusion": Variable(
        (*MEMBERS, "true", "predicted"), "int32", 0, "images", "test images by class and prediction"
    ),
    "margin": Variable(
        (*MEMBERS, "true"), "float32", np.nan, "probability",
        "mean over test images of the true class's probability less the largest other",
    ),
    "sparsity": Variable(
        MEMBERS, "float64", np.nan, "fraction of prunable weights removed", "measured from the mask"
    ),
    "parameter_sparsity": Variable(
        MEMBERS, "float64", np.nan, "fraction of all parameters removed", "measured from the mask"
    ),
    "layer_sparsity": Variable(
        (*MEMBERS, "layer"), "float64", np.nan, "fraction of the layer's weights removed",
        "measured from the mask",
    ),
    "diverged": Variable(
        MEMBERS, "bool", False, "true where a parameter or output is not finite",
        "networks that are counted as failures of every class",
    ),
    "collapsed": Variable(
        MEMBERS, "bool", False, "true where a layer has no weight left", "networks cut in two"
    ),
    "group_confusion": Variable(
        (*MEMBERS, "group", "true", "predicted"), "int32", 0, "images", "confusion by group"
    ),
    "votes": Variable(BALLOTS, "int32", 0, "networks", "networks that predict a class, by image"),
    "image_label": Variable(
        ("image",), "int32", -1, "position of the true class", "of each test image"
    ),
    "train_count": Variable(("true",), "int32", 0, "images", "training images of each class"),
    "complexity": Variable(
        ("measure", "true"), "float64", np.nan, "as each measure's",
        "how hard the training images of each class are",
    ),
}  # fmt: skip


def layout_of(config: StudyConfig, layers: tuple[str, ...], dataset: Dataset) -> Layout:
    """The layout of a task's results: the variables whose axes it has.

    Args:
        config: of the study.
        layers: of the task's architecture.
        dataset: of the task. Its groups are an axis, and its test images where there are votes.
    """
    classes = list(dataset.class_names)
    labels = {
        "technique": list(config.techniques),
        "true": classes,
        "predicted": classes,
        "layer": list(layers),
        "measure": list(COMPLEXITY),
    }
    sizes = {"seed": config.seeds, "level": len(config.schedule.sparsity_by_level())}
    if dataset.group_names:
        labels["group"] = list(dataset.group_names)
    if config.votes:
        labels["half"] = ["even", "odd"]
        sizes["image"] = len(dataset.test_labels)
    axes = {*labels, *sizes, "block"}
    variables = {name: each for name, each in RESULTS.items() if {*each.dims} <= axes}
    facts = {
        "data_sha256": digest(dataset),
        "image_shape": list(dataset.train_images.shape[1:]),
    }
    block = min(config.seeds, config.seeds_per_piece)
    return Layout(labels, sizes, block, variables, facts)


def made_of(dataset: Dataset) -> Makers:
    """What gives the arrays that no piece has, by name."""
    return {
        "image_label": partial(np.asarray, dataset.test_labels, np.int32),
        "train_count": dataset.train_count,
        "complexity": lambda: np.stack(list(class_complexity(dataset).values())),
    }
