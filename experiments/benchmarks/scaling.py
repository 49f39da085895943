"""What does a network cost as studies grow? Time and memory by members, devices, classes and more.

Purpose   cost per network and peak memory against members, devices, classes, techniques and levels
Command   python experiments/benchmarks/scaling.py [--axes members devices] [--rounds N] [--json]
Hardware  2 CPU cores and 8 GiB of memory
Time      15 minutes on 2 CPU cores
Expected  see docs/performance.md: flat lines
"""

import dataclasses
import json as json_format
import sys
import tempfile
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro
from engine import spread
from workers import Job, Worker
from workloads import WORKLOADS, quickstart

from prune_fair import RecipeConfig, Schedule, run_study
from prune_fair.provenance import usable_cores

SHORT = dataclasses.replace(WORKLOADS["digits-mlp"], steps=90)


def main(
    axes: tuple[str, ...] = ("members", "devices", "classes", "techniques", "levels"),
    rounds: int = 3,
    out: Path = Path("docs/scaling.png"),
    json: bool = False,
) -> None:
    """What does a network cost as studies grow?

    Args:
        axes: what is to grow.
        rounds: how often each size has a turn.
        out: where the picture goes.
        json: print one JSON document.
    """
    results = {}
    for axis in axes:
        print(axis, file=sys.stderr)
        results[axis] = measure(jobs(axis), rounds)
    draw(results, out)
    print(json_format.dumps(results, indent=1) if json else f"picture  {out}")


def jobs(axis: str) -> dict[int, Job]:
    """A process for each size: training alone, or whole studies where the axis is one of theirs."""
    sizes: dict[str, dict[int, tuple[Any, ...]]] = {
        "members": {n: (SHORT, n) for n in (8, 16, 64, 256, 1024)},
        "devices": {n: (SHORT, 64, n) for n in range(1, usable_cores() + 1)},
        "classes": {n: (dataclasses.replace(SHORT, classes=n), 64) for n in (10, 100, 1000)},
        "techniques": {n: (n, 3) for n in (1, 2, 4)},
        "levels": {n: (2, n) for n in (2, 4, 8)},
    }
    whole = axis in ("techniques", "levels")
    place = ("scaling", "study") if whole else ("jax_peers", "engine")
    return {size: Job(*place, arguments) for size, arguments in sizes[axis].items()}


def measure(jobs: dict[int, Job], rounds: int) -> dict[int, Any]:
    """Milliseconds a network takes, compiling left out, in alternating rounds; peak memory."""
    workers = {size: Worker(job) for size, job in jobs.items()}
    for worker in workers.values():
        worker.prepare()
    costs: dict[int, list[float]] = {size: [] for size in jobs}
    for _ in range(rounds):
        for size, worker in workers.items():
            costs[size].append(1000 * SHORT.steps / worker.rate(2.0))
    return {
        size: {
            "milliseconds_per_network": spread(costs[size]),
            "peak_memory_mib": worker.close()[0],
        }
        for size, worker in workers.items()
    }


def study(techniques: int, levels: int) -> Any:
    """A round of a whole study with so many techniques and levels: saved and evaluated, too."""
    small = quickstart(recipe=RecipeConfig(epochs=5), schedule=Schedule(levels=levels))
    config = dataclasses.replace(small, techniques=small.techniques[:techniques])

    def run() -> int:
        with tempfile.TemporaryDirectory() as folder:
            run_study(config, Path(folder) / "study")
        return config.networks * SHORT.steps  # so that `measure` has the cost of a network

    return run


def draw(results: dict[str, dict[int, Any]], out: Path) -> None:
    """A panel for each thing that grows: cost over that of the first size, and memory."""
    figure, axes = plt.subplots(2, len(results), figsize=(13, 5), sharex="col", squeeze=False)
    for (name, sizes), (above, below) in zip(results.items(), axes.T, strict=True):
        costs = [row["milliseconds_per_network"] for row in sizes.values()]
        low, middle, high = ([cost[key] for cost in costs] for key in ("min", "median", "max"))
        above.plot(list(sizes), middle, marker="o")
        above.fill_between(list(sizes), low, high, alpha=0.25)
        memory = [row["peak_memory_mib"] for row in sizes.values()]
        below.plot(list(sizes), memory, marker="o")
        below.set(xlabel=name, ylim=(0, 1.15 * max(memory)), xscale="log", xticks=list(sizes))
        below.set_xticklabels([f"{size:,}" for size in sizes])
        below.minorticks_off()
        above.set(ylim=(0, None))
    axes[0, 0].set_ylabel("ms a network")
    axes[1, 0].set_ylabel("peak memory (MiB)")
    figure.suptitle("Cost and memory as studies grow: digits mlp; median, and range over rounds")
    figure.tight_layout()
    figure.savefig(out, dpi=150)


if __name__ == "__main__":
    tyro.cli(main)
