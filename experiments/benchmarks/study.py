"""How much of a study's wall time is not training? A quickstart of 2,120 networks, timed whole.

Purpose   from starting Python to the last file: compiling, pruning, evaluating, writing, training;
          and how long PyTorch would have trained alone. Each study runs twice: the first of its
          kind on a machine, and again, its compiled programs kept
Command   python experiments/benchmarks/study.py [--rounds N] [--json]
Hardware  2 CPU cores and 3 GiB of memory
Time      3 minutes a round on 2 CPU cores
Expected  see docs/performance.md
"""

import dataclasses
import json as json_format
import os
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
from prune_fair.engine.population import Population
from prune_fair.study import running

STEPS_PER_EPOCH = 17
OUTSIDE = "starting Python, importing, ending"


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
        rounds: studies run, each in a process of its own, and each a second time.
        seeds: dense networks, each pruned by four techniques.
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
    rounds_run: dict[str, list[dict[str, Any]]] = {"first": [], "again": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as programs:
            for results in rounds_run.values():
                rates = [torch.rate(3.0)] if torch else []
                result = run_apart(programs, *size)
                rates += [torch.rate(3.0)] if torch else []
                steps = result["networks"] * epochs * STEPS_PER_EPOCH
                results.append({**result, "torch": [steps / rate for rate in rates]})
    summary = {name: summarised(results) for name, results in rounds_run.items()}
    print(json_format.dumps(summary, indent=1 if json else None))


def summarised(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Studies of one kind, over the rounds."""
    ratios = [seconds / each["wall"] for each in results for seconds in each["torch"]]
    return {
        "networks": results[0]["networks"],
        "wall_seconds": spread([each["wall"] for each in results]),
        "share_not_training": spread(
            [1 - each["seconds"]["train"] / each["wall"] for each in results]
        ),
        "torch_would_train_times_as_long": spread(ratios) if ratios else None,
        "seconds": {
            name: spread([each["seconds"][name] for each in results])
            for name in results[0]["seconds"]
        },
    }


def run_apart(programs: str, *size: int) -> dict[str, Any]:
    """A study in a fresh process that keeps compiled programs in that folder: its wall time from
    outside, and where it went.
    """
    with tempfile.TemporaryDirectory() as folder:
        flags = zip(("--seeds", "--levels", "--epochs"), map(str, size), strict=True)
        words = [word for flag in flags for word in flag]
        command = [sys.executable, __file__, *words, "--inside", f"{folder}/study"]
        environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": "", "XDG_CACHE_HOME": programs}
        started = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        wall = time.perf_counter() - started
        result = json_format.loads(done.stdout.splitlines()[-1])
        result["seconds"][OUTSIDE] = wall - sum(result["seconds"].values())
        return {**result, "wall": wall}


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
