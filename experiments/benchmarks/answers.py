"""How long `prune-fair metrics`, `frontier` and `select` take on a study of 100,000 networks.

Purpose   answers within 10 s and 2 GiB, whether the networks are many techniques' or many seeds'
Command   python experiments/benchmarks/answers.py [--networks 100000] [--json]
Hardware  2 CPU cores, 2 GiB of memory
Time      about two minutes
Expected  docs/guides/large-studies.md

The confusions are drawn, not trained: each class's recall falls with sparsity, a rare class's more.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tyro

from prune_fair import Schedule, StudyConfig
from prune_fair.data import Dataset
from prune_fair.engine.plan import Plan
from prune_fair.engine.task import make_task
from prune_fair.store import DENSE, StudyStore, writing
from prune_fair.study.schema import layout_of, made_of

CLASSES, IMAGES, LAYERS = 10, 100, ("dense_0", "dense_1", "output")
CRITERIA = ("magnitude", "saliency", "random", "fisher", "undecayed")
SCOPES, TREATMENTS = ("global", "layerwise"), ("finetune", "lr_rewind", "rewind", "reinit", "none")
TECHNIQUES = tuple(f"{c}-{s}-{t}" for c in CRITERIA for s in SCOPES for t in TREATMENTS)
COMMANDS = ("metrics", "frontier", "select", "metrics --json", "frontier --json")


class Shape(NamedTuple):
    """Of a study: how many techniques, seeds and levels."""

    techniques: int
    seeds: int
    levels: int


def answers(
    networks: int = 100_000, commands: tuple[str, ...] = COMMANDS, json: bool = False
) -> None:
    """Seconds and peak memory of each command on drawn studies.

    Args:
        networks: how many pruned networks a study has, about.
        commands: what to ask.
        json: print one JSON document.
    """
    shapes = {
        "50 techniques, 50 levels": Shape(50, max(3, networks // 2500), 51),
        "4 techniques, 12 levels": Shape(4, max(3, networks // 48), 13),
    }
    rows = []
    for name, shape in shapes.items():
        with tempfile.TemporaryDirectory() as folder:
            draw_study(Path(folder) / "study", shape)
            for command in commands:
                measured = measure(command.split(), Path(folder) / "study")
                rows.append([name, shape.seeds, command, *measured])
                print(*rows[-1], sep=" | ", file=sys.stderr)
    show(rows, json)


def draw_study(path: Path, shape: Shape) -> None:
    """A finished study whose confusions are drawn."""
    config = StudyConfig(
        techniques=TECHNIQUES[: shape.techniques],
        schedule=Schedule("geometric", rate=0.12, levels=shape.levels - 1),
        seeds=shape.seeds,
    )
    images = np.zeros((CLASSES, 8, 8, 1), np.uint8), np.arange(CLASSES)
    dataset = Dataset(*images, *images, tuple(map(str, range(CLASSES))))
    task, rng = config.task_names[0], np.random.default_rng(0)
    with writing(path, config.as_json(), config.fingerprint()) as store:
        shared = make_task(config.tasks[0], dataset, Plan(1, 1, 1, "matmul"))
        layout = layout_of(config, shared, dataset)
        store.describe({task: layout}, {task: made_of(config, shared, dataset, False)})
        store.begin_run({"shuffling": "own", "dtype": "float32"})
        for first in range(0, shape.seeds, config.seeds_per_piece):
            seeds = range(first, min(first + config.seeds_per_piece, shape.seeds))
            for level, sparsity in enumerate(config.schedule.sparsity_by_level()):
                draw_piece(store, rng, task, level, sparsity, config.techniques, seeds)


def draw_piece(
    store: StudyStore,
    rng: np.random.Generator,
    task: str,
    level: int,
    sparsity: float,
    techniques: tuple[str, ...],
    seeds: range,
) -> None:
    """One level of some seeds."""
    names = techniques if level else (DENSE,)
    members = len(names), len(seeds)
    hardness = np.linspace(0.01, 0.2, CLASSES) * (1 - np.log(1 - sparsity) / 4)
    recall = np.clip(1 - hardness * rng.uniform(0.8, 1.2, (*members, CLASSES)), 0, 1)
    right = rng.binomial(IMAGES, recall)
    wrong = rng.multinomial(IMAGES - right, np.full(CLASSES, 1 / CLASSES))
    confusion = wrong + right[..., None] * np.eye(CLASSES, dtype=int)
    variables = {
        "confusion": confusion.astype(np.int32),
        "sparsity": np.full(members, sparsity),
        "parameter_sparsity": np.full(members, sparsity),
        "layer_sparsity": np.full((*members, len(LAYERS)), sparsity),
        "diverged": np.zeros(members, bool),
        "collapsed": np.zeros(members, bool),
        "margin": np.zeros((*members, CLASSES), np.float32),
    }
    store.write_piece(task, level, names, list(seeds), variables)


def measure(command: list[str], study: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak memory in MiB of a command in a process of its own."""
    words = [sys.executable, "-m", "prune_fair", command[0], str(study), *command[1:]]
    script = (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True
    )
    processor, kibibytes = map(float, done.stdout.split())
    return time.perf_counter() - started, processor, kibibytes / 1024


def show(rows: list[list], as_json: bool) -> None:
    """The figures, as JSON or as a table."""
    header = ["study", "seeds", "command", "seconds", "processor seconds", "MiB"]
    if as_json:
        print(json.dumps([dict(zip(header, row, strict=True)) for row in rows], indent=1))
        return
    print(*header, sep=" | ")
    for name, seeds, command, seconds, processor, mebibytes in rows:
        figures = f"{seconds:.1f}", f"{processor:.1f}", f"{mebibytes:.0f}"
        print(name, seeds, command, *figures, sep=" | ")


if __name__ == "__main__":
    tyro.cli(answers)
