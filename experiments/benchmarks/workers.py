"""Peers in processes of their own, so that none disturbs another while it is not its turn."""

import importlib
import multiprocessing
import resource
import time
from dataclasses import dataclass
from typing import Any

COMPILING = "/jax/core/compile/"  # tracing, lowering and compiling


@dataclass
class Job:
    """A peer as a process is asked for it: a module beside this one, a function, its arguments."""

    module: str
    function: str
    arguments: tuple[Any, ...] = ()


class Worker:
    """One or several processes that prepare the same peer and run its rounds at the same time."""

    def __init__(self, job: Job, processes: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        self._ends = []
        for _ in range(processes):
            here, there = context.Pipe()
            context.Process(target=_serve, args=(job, there), daemon=True).start()
            self._ends.append(here)

    def prepare(self) -> None:
        """Has the peer prepared and warm: data loaded, programs compiled, one round run."""
        for end in self._ends:
            end.recv()

    def rate(self, seconds: float) -> float:
        """Steps a second over at least so much time, compiling left out, all processes together."""
        for end in self._ends:
            end.send(seconds)
        return sum(steps / taken for steps, taken in (end.recv() for end in self._ends))

    def close(self) -> tuple[float, float]:
        """Ends the processes; their peak memory in MiB and their seconds of compiling."""
        for end in self._ends:
            end.send(None)
        memory, compiling = zip(*(end.recv() for end in self._ends), strict=True)
        return sum(memory), max(compiling)


def _serve(job: Job, end: Any) -> None:
    compiling = CompileClock()
    run = getattr(importlib.import_module(job.module), job.function)(*job.arguments)
    run()
    end.send("ready")
    while (seconds := end.recv()) is not None:
        steps, started, compiled = 0, time.perf_counter(), compiling.seconds
        while steps == 0 or time.perf_counter() - started < seconds:
            steps += run()
        end.send((steps, time.perf_counter() - started - (compiling.seconds - compiled)))
    end.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, compiling.seconds))


class CompileClock:
    """Seconds that this process spends tracing, lowering and compiling from now on.

    JAX reports each when it ends, and what is inside another before that one; counted once.
    """

    def __init__(self) -> None:
        import jax

        self._spans: list[tuple[float, float]] = []
        jax.monitoring.register_event_duration_secs_listener(self._listen)

    @property
    def seconds(self) -> float:
        """So far."""
        return sum(end - start for start, end in self._spans)

    def _listen(self, event: str, duration_secs: float, **_: Any) -> None:
        if not event.startswith(COMPILING):
            return
        end = time.perf_counter()
        while self._spans and self._spans[-1][0] >= end - duration_secs:
            self._spans.pop()
        self._spans.append((end - duration_secs, end))
