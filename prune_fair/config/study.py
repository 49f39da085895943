"""A study: tasks, techniques, schedule and seeds, known to go together."""

import hashlib
import itertools
import json
import math
from dataclasses import dataclass
from typing import Any

from prune_fair import datasets
from prune_fair.config.plain import changed, from_json, to_json
from prune_fair.config.task import TaskConfig
from prune_fair.errors import check
from prune_fair.losses import called
from prune_fair.losses.loss import GROUPS
from prune_fair.models import build
from prune_fair.pruning import DENSE, Schedule, Technique, controls_for
from prune_fair.values import check_whole


@dataclass(frozen=True)
class StudyConfig:
    """Tasks, each trained with many seeds and pruned with many techniques along one schedule.

    Attributes:
        tasks: at least one, each of another name, none inside of another's.
        techniques: names as `Technique.parse` takes them, kept as `Technique.name` gives them; at
            least one, each once.
        controls: whether `controls_for` the techniques are trained too: networks of which nothing
            is pruned, retrained as the others, which show what retraining does by itself. Each
            costs as much as a technique. A study without the field has none.
        schedule: the sparsity of each level.
        seeds: number of networks trained of each task, at least 1.
        seeds_per_piece: seeds that are trained together and saved as one finished piece of work;
            host memory and the work that a kill can lose grow with it.
        predictions: whether to keep the class that each network gives each image that it is counted
            on: a byte each, two with more than 255 classes, before they are compressed.
        calibration: whether to count probabilities by bin, Brier scores and likelihoods, by class
            and group. Counting takes about a third longer; training as long as before.

    Raises:
        InputError: for an unknown technique, one that does not fit the schedule or a model, or
            values outside these ranges.

    Example:
        >>> StudyConfig(techniques=("random-global-rewind",), seeds=2).pruned_networks
        24
    """

    tasks: tuple[TaskConfig, ...] = (TaskConfig(),)
    techniques: tuple[str, ...] = ("magnitude-global-rewind",)
    schedule: Schedule = Schedule()
    seeds: int = 32
    seeds_per_piece: int = 32
    predictions: bool = False
    controls: bool = False
    calibration: bool = False

    def __post_init__(self) -> None:
        parsed = tuple(map(Technique.parse, self.techniques))
        object.__setattr__(self, "techniques", tuple(technique.name for technique in parsed))
        for kind, names in (("technique", self.techniques), ("task", self.task_names)):
            check(bool(names), f"no {kind}s: expected at least one")
            check(len({*names}) == len(names), f"{kind}s {names}: expected each once")
        different = {name.casefold() for name in self.task_names}
        check(
            len(different) == len(self.tasks),
            f"tasks {self.task_names}: names that differ by case alone share a folder on some file "
            "systems; rename one",
        )
        for one, other in itertools.permutations(self.task_names, 2):
            check(not other.startswith(f"{one}/"), f"task {other!r} lies in {one!r}; rename one")
        for technique in parsed:
            check(
                technique.criterion != DENSE.criterion,
                f"technique {technique.name!r}: the dense network is level 0 of every technique; "
                "leave it out, or name dense-long, which trains on unpruned",
            )
            self._check_block(technique)
            self._check_trains(technique)
            once = not self.schedule.iterative or len(self.schedule.sparsity_by_level()) == 2
            check(
                once or not technique.forgets_start,
                f"technique {technique.name!r} scores by how far weights moved from the "
                f"initialisation, and the schedule prunes networks that {technique.treatment} "
                "began elsewhere; expected one-shot or 1 level, or another treatment",
            )
            for model in (task.model for task in self.tasks):
                check(
                    not technique.removes_channels or model.is_chain,
                    f"technique {technique.name!r}: channels of {model.name} cannot be removed, "
                    f"since its layers are no chain; leave out '-{technique.granularity}'",
                )
        for name in ("seeds", "seeds_per_piece"):
            check_whole(name, getattr(self, name))
        for task in self.tasks:
            self._check_layers(task)
            self._check_groups(task)

    def _check_trains(self, technique: Technique) -> None:
        """Raises `InputError` for a loss of training alone where nothing is trained."""
        check(
            technique.retraining.trains or not technique.asks_dense,
            f"technique {technique.name!r}: {technique.loss} trains towards the dense network, and "
            f"{technique.treatment} trains nothing; leave the loss out, or name another treatment",
        )

    def _check_groups(self, task: TaskConfig) -> None:
        """Raises `InputError` for a loss that asks for groups of images that have none."""
        for loss in (task.recipe.loss, *(each.loss for each in self.parsed_techniques)):
            check(
                not loss or GROUPS not in called(loss).asks or bool(task.data.groups),
                f"loss {loss!r} asks for groups of the training images, and task {task.node!r} has "
                "none; name them with data.groups, or another loss",
            )

    def _check_layers(self, task: TaskConfig) -> None:
        """Raises `InputError` for techniques that do not fit the model of a task.

        Where the images are not on this machine yet, the study refuses such techniques when it
        runs.
        """
        techniques = [technique for technique in self.parsed_techniques if technique.needs_shapes]
        data, model = task.data, task.model
        if not techniques or model.is_given:
            return
        shape = datasets.known_shape(data.name, data.classes, data.downsample)
        if shape is not None:
            built = build(model.name, *shape, model.widths, width=model.width)
            for technique in techniques:
                technique.check_fits(built)

    def _check_block(self, technique: Technique) -> None:
        """Raises `InputError` for an n:m technique under a schedule of other sparsities."""
        if technique.block is None:
            return
        sparsity = 1 - technique.block[0] / technique.block[1]
        asked = self.schedule.sparsity_by_level()[1:]
        check(
            all(math.isclose(each, sparsity) for each in asked),
            f"technique {technique.name!r} has sparsity {sparsity} at every level, the schedule "
            f"asks for {', '.join(f'{each:.4g}' for each in asked)}; expected one-shot with "
            f"sparsities {sparsity}",
        )

    @property
    def parsed_techniques(self) -> tuple[Technique, ...]:
        """The techniques themselves, and the controls after them."""
        given = tuple(map(Technique.parse, self.techniques))
        return (*given, *controls_for(given)) if self.controls else given

    @property
    def technique_names(self) -> tuple[str, ...]:
        """What the results call them, the controls too."""
        return tuple(technique.name for technique in self.parsed_techniques)

    @property
    def task_names(self) -> tuple[str, ...]:
        """The tasks' nodes in the results."""
        return tuple(task.node for task in self.tasks)

    @property
    def pruned_networks(self) -> int:
        """How many networks it prunes or retrains as controls; the dense ones are not counted."""
        levels = len(self.schedule.sparsity_by_level()) - 1
        return len(self.tasks) * len(self.parsed_techniques) * levels * self.seeds

    @property
    def networks(self) -> int:
        """How many networks the study trains, dense and pruned."""
        return self.pruned_networks + len(self.tasks) * self.seeds

    def as_json(self) -> dict[str, Any]:
        """Every field, as JSON types."""
        return to_json(self)

    @classmethod
    def from_json(cls, content: Any) -> "StudyConfig":
        """The config that `as_json` gave; fields that are left out have their defaults.

        Raises:
            InputError: for unknown fields, values of another type, or values that are refused.

        Example:
            >>> config = StudyConfig(seeds=4)
            >>> StudyConfig.from_json(config.as_json()) == config
            True
        """
        return from_json(cls, content)

    def fingerprint(self) -> str:
        """SHA-256 over the canonical JSON of the fields that differ from their defaults."""
        canonical = json.dumps(changed(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
