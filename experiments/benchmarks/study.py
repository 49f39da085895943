"""How much of a study's wall time is not training? A quickstart of 2,120 networks, timed whole.

Purpose   from starting Python to the last file: compiling, pruning, evaluating, writing, training;
          and how long PyTorch would have trained alone
Command   python experiments/benchmarks/study.py [--rounds N] [--json]
Hardware  2 CPU cores and 3 GiB of memory
Time      2 minutes a round on 2 CPU cores
Expected  see docs/performance.md
"""

import dataclasses
import json as json_format
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tyro
from engine import PEERS, installed, spread
from workers import CompileClock, Job, Worker
from workloads import WORKLOADS, quickstart

from prune_fair import RecipeConfig, Schedule
from prune_fair.study import running
from prune_fair.training.population import Population

STEPS_PER_EPOCH = 17


def main(
    rounds: int = 3,
    seeds: int = 40,
    levels: int = 13,
    epochs: int = 27,
    json: bool = False,
    inside: Path | None = None,
) -> None:
    """How much of a study's wall time is not training?

    Args:
        rounds: studies run, each in a process of its own.
        seeds: dense networks, each pruned by four methods.
        levels: sparsities.
        epochs: of 17 steps.
        json: print one JSON document on several lines.
        inside: what the process of one study is told: where to write.
    """
    size = seeds, levels, epochs
    if inside:
        print(json_format.dumps(run_here(inside, *size)))
        return
    torch = None
    if installed(PEERS["torch"]):
        torch = Worker(Job("torch_peers", "sequential", (WORKLOADS["digits-mlp"],)))
        torch.prepare()
    results, wall, rest, ratio = [], [], [], []
    for _ in range(rounds):
        rates = [torch.rate(3.0)] if torch else []
        seconds, result = run_apart(*size)
        rates += [torch.rate(3.0)] if torch else []
        results.append(result)
        wall.append(seconds)
        rest.append(1 - result["seconds"]["train"] / seconds)
        steps = result["networks"] * epochs * STEPS_PER_EPOCH
        ratio += [steps / rate / seconds for rate in rates]
    summary = {
        "networks": results[0]["networks"],
        "wall_seconds": spread(wall),
        "share_not_training": spread(rest),
        "torch_would_train_times_as_long": spread(ratio) if ratio else None,
        "seconds": {
            name: spread([each["seconds"][name] for each in results])
            for name in results[0]["seconds"]
        },
    }
    print(json_format.dumps(summary, indent=1 if json else None))


def run_apart(*size: int) -> tuple[float, dict[str, Any]]:
    """A study in a fresh process: its wall time from outside, and where it went."""
    with tempfile.TemporaryDirectory() as folder:
        flags = zip(("--seeds", "--levels", "--epochs"), map(str, size), strict=True)
        words = [word for flag in flags for word in flag]
        command = [sys.executable, __file__, *words, "--inside", f"{folder}/study"]
        started = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return time.perf_counter() - started, json_format.loads(done.stdout.splitlines()[-1])


def run_here(out: Path, seeds: int, levels: int, epochs: int) -> dict[str, Any]:
    """Runs the study with a clock around every program; what is left is loading and waiting."""
    spent: dict[str, float] = defaultdict(float)
    compiling = CompileClock()

    def timed(lifted: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            compiled, started = compiling.seconds, time.perf_counter()
            result = lifted(*arguments, **options)
            inside = compiling.seconds - compiled
            spent[name] += time.perf_counter() - started - inside
            spent[f"compile {name}"] += inside
            return result

        return call

    class Timed(Population):
        def lift(self, function: Any, *, brief: bool = False) -> Any:
            return timed(super().lift(function, brief=brief), function.func.__name__)

        def lift_tally(self, function: Any, add: Any, *, brief: bool = False) -> Any:
            return timed(super().lift_tally(function, add, brief=brief), "evaluate")

    running.Population = Timed
    schedule = Schedule("geometric", rate=0.3, levels=levels)
    study = quickstart(seeds=seeds, recipe=RecipeConfig(epochs), schedule=schedule)
    config = dataclasses.replace(study, seeds_per_piece=seeds)
    started = time.perf_counter()
    running.run_study(config, out)
    whole = time.perf_counter() - started
    seconds = {**spent, "waiting for writes, and all else": whole - sum(spent.values())}
    return {"networks": config.networks, "seconds": seconds}


if __name__ == "__main__":
    tyro.cli(main)
