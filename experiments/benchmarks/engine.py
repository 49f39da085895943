"""Is the engine faster than its peers? The same work, in alternating rounds of one run.

Purpose   steps a second of prune_fair over those of PyTorch, torch.func and plain JAX
Command   pip install 'prune_fair[bench]'; python experiments/benchmarks/engine.py [--json]
          [--workloads digits-mlp fashion-mlp fashion-lenet5] [--rounds N] [--seconds S]
Hardware  2 CPU cores and 8 GiB of memory, or a GPU (then try --members 64, 1024, 4096)
Time      15 minutes on 2 CPU cores
Expected  see docs/performance.md
"""

import importlib.util
import json as json_format
import os
import statistics
import sys
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table
from workers import Job, Worker
from workloads import WORKLOADS

from prune_fair.provenance import usable_cores

ENGINE = "prune_fair"
PEERS = {
    ENGINE: Job("jax_peers", "engine"),
    "torch": Job("torch_peers", "sequential"),
    "torch, a process a core": Job("torch_peers", "one_thread"),
    "torch.func": Job("torch_peers", "stacked"),
    "JAX, a step at a time": Job("jax_peers", "sequential"),
    "JAX, as JaxPruner's example": Job("jax_peers", "as_jaxpruner"),
    "plain vmap": Job("jax_peers", "plain_vmap"),
}
PEAKS = {name: Job(name, "matmul_peak") for name in ("jax_peers", "torch_peers")}


def main(
    workloads: tuple[str, ...] = tuple(WORKLOADS),
    peers: tuple[str, ...] = tuple(PEERS),
    rounds: int = 7,
    seconds: float = 3.0,
    members: int | None = None,
    json: bool = False,
) -> None:
    """Is the engine faster than its peers?

    Args:
        workloads: which training loops.
        peers: who runs them; those of torch are left out where it is not installed.
        rounds: how often everybody has a turn.
        seconds: how long a turn is, at least.
        members: networks that the engine trains at once, where not the workload's own number.
        json: print one JSON document.
    """
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # a GPU is shared with torch
    results = {name: measure(name, peers, rounds, seconds, members) for name in workloads}
    if json:
        print(json_format.dumps(results, indent=1))
    else:
        for name, result in results.items():
            show(name, result)


def measure(
    name: str, peers: tuple[str, ...], rounds: int, seconds: float, members: int | None
) -> dict[str, Any]:
    """Rates of every peer in every round, and the ratios between them."""
    workload, cores = WORKLOADS[name], usable_cores()
    jobs = {peer: PEERS[peer] for peer in (ENGINE, *peers) if installed(PEERS[peer])}
    workers = {}
    for peer, job in jobs.items():
        print(f"{name}: {peer} prepares", file=sys.stderr)
        arguments = (workload, members) if peer == ENGINE else (workload,)
        processes = cores if peer == "torch, a process a core" else 1
        workers[peer] = Worker(Job(job.module, job.function, arguments), processes)
        workers[peer].prepare()
    for peak, job in PEAKS.items():
        if installed(job):
            workers[peak] = Worker(job)
            workers[peak].prepare()
    rates: dict[str, list[float]] = {peer: [] for peer in workers}
    for number in range(rounds):
        print(f"{name}: round {number + 1} of {rounds}", file=sys.stderr)
        for peer, worker in workers.items():
            rates[peer].append(worker.rate(seconds if peer in jobs else seconds / 5))
    costs = {peer: worker.close() for peer, worker in workers.items()}
    peaks = [
        max(each) for each in zip(*(rates[peak] for peak in PEAKS if peak in rates), strict=True)
    ]
    return {
        "peers": {
            peer: {
                "steps_per_second": spread(rates[peer]),
                "engine_is_faster": spread(ratios(rates[ENGINE], rates[peer])),
                "peak_memory_mib": round(costs[peer][0]),
                "compile_seconds": round(costs[peer][1], 1),
            }
            for peer in jobs
        },
        "matmul_peak_gflops": spread([peak / 1e9 for peak in peaks]),
        "share_of_matmul_peak": spread(
            [rate * workload.flops / peak for rate, peak in zip(rates[ENGINE], peaks, strict=True)]
        ),
    }


def installed(job: Job) -> bool:
    """Whether what the job needs is there."""
    return job.module != "torch_peers" or importlib.util.find_spec("torch") is not None


def ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Round by round, so that a slow minute of the machine is in both."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def spread(values: list[float]) -> dict[str, float]:
    """Minimum, median and maximum over the rounds."""
    summary = {"min": min(values), "median": statistics.median(values), "max": max(values)}
    return {name: float(f"{value:.4g}") for name, value in summary.items()}


def show(name: str, result: dict[str, Any]) -> None:
    """A table for people."""
    share, peak = result["share_of_matmul_peak"], result["matmul_peak_gflops"]
    table = Table(title=f"{name}: {share['median']:.2f} of {peak['median']:.0f} GFLOP/s")
    table.add_column("peer")
    for column in ("steps/s", "engine is faster", "min to max", "memory MiB", "compile s"):
        table.add_column(column, justify="right")
    for peer, row in result["peers"].items():
        ratio = row["engine_is_faster"]
        table.add_row(
            peer,
            f"{row['steps_per_second']['median']:,.0f}",
            f"{ratio['median']:.2f} x",
            f"{ratio['min']:.2f} to {ratio['max']:.2f}",
            f"{row['peak_memory_mib']:,}",
            f"{row['compile_seconds']:.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    tyro.cli(main)
