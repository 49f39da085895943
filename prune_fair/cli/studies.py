"""`prune-fair run` and `prune-fair demo`: from a config to a study, its pictures and a table."""

import itertools
import json
import os
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import tyro

from prune_fair.cli.endings import one_line_errors
from prune_fair.cli.experiments import experiment
from prune_fair.config import (
    DataConfig,
    ModelConfig,
    RecipeConfig,
    Rotation,
    StudyConfig,
    TaskConfig,
    from_json,
)
from prune_fair.errors import InputError, check
from prune_fair.pruning import Schedule

Configure = Callable[..., tuple[StudyConfig, Path]]
OF_A_TASK = ("name", "data", "model", "recipe")  # at the top of a file, and as flags
QUICKSTART = StudyConfig(
    (
        TaskConfig(
            DataConfig("fashion14", keep={"Bag": 0.1, "Sandal": 0.1}),
            ModelConfig("mlp", widths=(64, 32)),
            RecipeConfig(epochs=12, batch_size=64, learning_rate=0.1),
        ),
    ),
    tuple(
        f"{criterion}-{scope}-{treatment}"  # a factorial: its rows differ in one thing at a time
        for criterion, scope, treatment in itertools.product(
            ("magnitude", "saliency"), ("global", "layerwise"), ("rewind", "finetune")
        )
    ),
    Schedule("geometric", rate=0.3, levels=10),
    seeds=16,
    predictions=True,
    controls=True,
)


def demo(arguments: Sequence[str]) -> None:
    """`prune-fair demo`: who pays for sparsity, on clothes of which two kinds are rare.

    Args:
        arguments: the words after the command.
    """
    experiment(quickstart, arguments, prog="prune-fair demo")


def run(arguments: Sequence[str]) -> None:
    """`prune-fair run [CONFIG]`: the study of a config file, of flags, or of a file and flags.

    Args:
        arguments: the words after the command.
    """
    words = list(arguments)
    if not words or words[0].startswith("-"):
        plain = StudyConfig(controls=True)
        experiment(configured(plain, Path("studies/study")), words, prog="prune-fair run")
        return
    given = Path(os.path.expanduser(words[0]))
    with one_line_errors():
        study = configured(*read_config(given))
    experiment(study, words[1:], prog=f"prune-fair run {given}")


def read_config(path: Path) -> tuple[StudyConfig, Path, Rotation]:
    """The study of a TOML or JSON file, its directory, and how its task's rare classes rotate.

    The file has the fields of `StudyConfig`, and `out`, the directory (studies/NAME without it, of
    a file NAME.toml). What stands for a single task (name, data, model, recipe) may stand at the
    top, in place of `tasks`. It has controls unless it says `controls = false`. A task's `data`
    may have the fields of `Rotation` too. A single task is given as it is, for flags to change it
    before it is rotated; several are rotated here.

    Raises:
        InputError: for a file that cannot be read, or that holds no such fields.
    """
    readers: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads}
    check(path.suffix in readers, f"{path}: expected a config in a file NAME.toml or NAME.json")
    try:
        content = readers[path.suffix](path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or f"it is no {path.suffix[1:].upper()}: {error}"
        raise InputError(f"{path}: cannot be read ({reason})") from error
    check(isinstance(content, dict), f"{path}: expected the fields of a study, found a list")
    out = content.pop("out", f"studies/{path.stem}")
    check(isinstance(out, str), f"{path}: out is {out!r}: expected the study's directory")
    single = {name: content.pop(name) for name in OF_A_TASK if name in content}
    if single:
        check(
            "tasks" not in content,
            f"{path}: {', '.join(single)} beside tasks: expected one of both; move it into a task",
        )
        content["tasks"] = [single]
    content.setdefault("controls", True)
    rotations = _take_rotations(content.get("tasks"), str(path))
    config, folder = from_json(StudyConfig, content, str(path)), Path(os.path.expanduser(out))
    if len(rotations) < 2:
        return config, folder, next(iter(rotations), Rotation())
    rotated = [each.tasks(task) for each, task in zip(rotations, config.tasks, strict=True)]
    return replace(config, tasks=sum(rotated, ())), folder, Rotation()


def _take_rotations(tasks: Any, where: str) -> list[Rotation]:
    """Takes the fields of `Rotation` out of what a file says of each task's data."""
    rotations = []
    for number, task in enumerate(tasks if isinstance(tasks, list) else ()):
        data = task.get("data") if isinstance(task, dict) else None
        known = [each.name for each in fields(Rotation)]
        taken = {k: data.pop(k) for k in known if k in data} if isinstance(data, dict) else {}
        rotations.append(from_json(Rotation, taken, f"{where}.tasks[{number}].data"))
    return rotations


def configured(config: StudyConfig, default: Path, rotated: Rotation = Rotation()) -> Configure:
    """A function whose parameters are the flags of a study, and their defaults those of a config.

    Flags change the task of a study that has one, before its rare classes are rotated; of several
    they change none.
    """
    task, several = config.tasks[0], len(config.tasks) > 1

    def study(
        out: Path = default,
        name: str = task.name,
        data: DataConfig = task.data,
        rotation: Annotated[Rotation, tyro.conf.arg(name="data")] = rotated,
        model: ModelConfig = task.model,
        recipe: RecipeConfig = task.recipe,
        seeds: int = config.seeds,
        techniques: tuple[str, ...] = config.techniques,
        controls: bool = config.controls,
        schedule: Schedule = config.schedule,
        seeds_per_piece: int = config.seeds_per_piece,
        predictions: bool = config.predictions,
        calibration: bool = config.calibration,
    ) -> tuple[StudyConfig, Path]:
        """Runs a study, or goes on where its directory holds it half done.

        Args:
            out: the study's directory.
            name: what to call the task in the results; dataset/model without one.
            data: the images.
            rotation: whether rarity is rotated over classes: several tasks in one study.
            model: the architecture.
            recipe: how each network is trained.
            seeds: networks trained of each task, each pruned with every technique.
            techniques: criterion-scope[-channel]-treatment[-output], as in `prune-fair list`.
            controls: train controls too, which are retrained as the techniques are and prune
                nothing: what retraining does by itself. Each costs as much as a technique.
            schedule: the sparsities.
            seeds_per_piece: seeds that are trained together and saved as one piece of work.
            predictions: keep the class that each network gives each image, for `prune-fair
                exemplars`.
            calibration: count probabilities by class, for `prune-fair calibration`.
        """
        one = TaskConfig(data, model, recipe, name)
        tasks = config.tasks if several else rotation.tasks(one)
        asked = techniques, schedule, seeds, seeds_per_piece, predictions, controls, calibration
        return StudyConfig(tasks, *asked), out

    return _without(study, (*OF_A_TASK, "rotation")) if several else study


def _without(function: Configure, names: Sequence[str]) -> Configure:
    """The function without these parameters, which keep their defaults."""
    own = signature(function)
    kept = own.replace(parameters=[p for n, p in own.parameters.items() if n not in names])

    @wraps(function)
    def narrowed(*arguments: Any, **options: Any) -> tuple[StudyConfig, Path]:
        return function(**kept.bind(*arguments, **options).arguments)

    narrowed.__signature__ = kept  # pyright: ignore[reportAttributeAccessIssue]
    return narrowed


quickstart = configured(QUICKSTART, Path("studies/quickstart"))
