"""What a study's results hold: the layout of each task, from the rows of what is counted."""

from functools import partial

import numpy as np
from jaxtyping import Int

from prune_fair.config import StudyConfig
from prune_fair.data import BY_IMAGE, Dataset
from prune_fair.datasets import COMPLEXITY, class_complexity
from prune_fair.engine.evaluation import statistics_of
from prune_fair.engine.results import schema
from prune_fair.engine.spans import cumulative_steps
from prune_fair.engine.task import Task, total_steps
from prune_fair.provenance import digest
from prune_fair.pruning import retrained_alike
from prune_fair.store import Layout, Makers, Variable

CONSTANTS = {
    "control": Variable(
        ("technique",), "bool", False, "true or false",
        "prunes nothing: shows what the retraining does by itself",
    ),
    "retraining": Variable(
        ("technique",), "int32", -1, "a number", "equal for techniques that are retrained alike",
    ),
    "training_steps": Variable(
        ("technique", "level"), "int64", -1, "steps",
        "of training that a network and those it comes from have taken in all",
    ),
    "train_count": Variable(("true",), "int32", 0, "images", "training images of each class"),
    "complexity": Variable(
        ("measure", "true"), "float64", np.nan, "as each measure's",
        "how hard the training images of each class are",
    ),
}  # fmt: skip
LABELS = {
    each.label: Variable(
        (each.image,), "int32", -1, "position of the true class", f"of each {split} image"
    )
    for split, each in BY_IMAGE.items()
}
GROUPS = {
    each.group: Variable(
        (each.image,), "int32", -1, "position of the group", f"of each {split} image"
    )
    for split, each in BY_IMAGE.items()
}


def layout_of(config: StudyConfig, task: Task, dataset: Dataset) -> Layout:
    """The layout of a task's results.

    Args:
        config: of the study.
        task: of its networks; what is counted of them are the variables.
        dataset: of the task. Its groups are an axis, and its images where predictions are kept.
    """
    classes = list(dataset.class_names)
    labels = {
        "technique": list(config.technique_names),
        "true": classes,
        "predicted": classes,
        "layer": list(task.model.layers),
        "measure": list(COMPLEXITY),
    }
    sizes = {"seed": config.seeds, "level": len(config.schedule.sparsity_by_level())}
    if dataset.group_names:
        labels["group"] = list(dataset.group_names)
    if task.predictions:
        for split in dataset.splits:
            sizes[BY_IMAGE[split].image] = len(dataset.part(split)[1])
    for row in statistics_of(task).values():
        labels |= {axis: [*map(str, own)] for axis, own in row.labels.items()}
    if len(task.splits) > 1:
        labels["split"] = list(task.splits)
    counted = schema(task)
    constants = {
        name: each
        for name, each in (CONSTANTS | LABELS | (GROUPS if dataset.group_names else {})).items()
        if {*each.dims} <= {*labels, *sizes}
    }
    facts = {
        "data_sha256": digest(dataset),
        "image_shape": list(dataset.train_images.shape[1:]),
    }
    block = min(config.seeds, config.seeds_per_piece)
    return Layout(labels, sizes, block, {**counted, **constants}, facts)


def made_of(config: StudyConfig, task: Task, dataset: Dataset, given: bool) -> Makers:
    """What gives the arrays that no piece has, by name.

    Args:
        config: of the study.
        task: of its networks.
        dataset: of the task.
        given: whether its dense networks were handed over, so that no step of theirs is counted.
    """
    techniques = config.parsed_techniques
    by_image = {
        name: partial(np.asarray, values, np.int32)
        for split in dataset.splits
        for name, values in zip(_names(split), dataset.part(split)[1:], strict=True)
        if values is not None
    }
    return {
        **by_image,
        "control": lambda: np.array([not each.prunes for each in techniques]),
        "retraining": lambda: np.array(retrained_alike(techniques), np.int32),
        "training_steps": partial(_training_steps, config, total_steps(task), given),
        "train_count": dataset.train_count,
        "complexity": lambda: np.stack(list(class_complexity(dataset).values())),
    }


def _training_steps(
    config: StudyConfig, steps: int, given: bool
) -> Int[np.ndarray, "techniques levels"]:
    dense = 0 if given else steps
    rows = [
        cumulative_steps(technique, config.schedule, steps, dense)
        for technique in config.parsed_techniques
    ]
    return np.array(rows, np.int64)


def _names(split: str) -> tuple[str, str]:
    """Of the labels and the groups of a split's images."""
    return BY_IMAGE[split].label, BY_IMAGE[split].group
