"""Many networks at once: functions written for one, lifted over members, chunks and devices.

The only place that says `vmap`, `lax.map`, `shard_map` or names a mesh axis. Members live on the
host between calls, so device memory is bounded by the plan and not by the number of members.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from prune_fair.config import PlanConfig
from prune_fair.errors import check

AXIS = "member"
Stacked = TypeVar("Stacked")


@dataclass(frozen=True)
class Plan:
    """How members are laid over a machine; recorded in the results.

    Attributes:
        devices: devices on the mesh axis `member`.
        chunk: members a device trains at the same time, vmapped.
        members: members of one call of a compiled program, a multiple of devices * chunk; fewer
            members than that are filled up, more take several calls.
        lowering: how layers compute, a row of `models.LOWERINGS`.
        shuffling: `own` or `shared` order of the training images.
        dtype: what layers compute in.
        compiler_options: what XLA is asked for.
        brief_options: what it is asked for beside that where a program runs for moments only, so
            that compiling it must not take seconds.

    Raises:
        InputError: for members that devices and chunks do not divide.
    """

    devices: int
    chunk: int
    members: int
    lowering: str
    shuffling: str = "own"
    dtype: str = "float32"
    compiler_options: Mapping[str, str] = field(default_factory=dict)
    brief_options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        step = self.devices * self.chunk
        check(
            self.members >= 1 and self.members % step == 0,
            f"members {self.members}: expected a multiple of devices x chunk = {step}",
        )


class Defaults(NamedTuple):
    """A backend's row.

    Attributes:
        chunk: members a device trains at once.
        small_chunk: the same for networks of at most `SMALL` parameters.
        members: members a call.
        lowering: how layers compute.
        compiler_options: what XLA is asked for.
        brief_options: and beside that for programs that run for moments only.
    """

    chunk: int
    small_chunk: int
    members: int
    lowering: str
    compiler_options: Mapping[str, str] = {}
    brief_options: Mapping[str, str] = {}


SMALL = 30_000

# docs/performance.md has the measurements. On CPU one network at a time stays in a core's cache;
# of small ones four do, and share what a step costs beside its products. Small calls fill up few.
# XLA's newer library of matrix products is slower than Eigen, its older one, on networks of this
# size; naming another kind of operation keeps it off them. Its newer emitters of fused loops make
# training a quarter faster, and take half as long again to compile, which brief programs never earn
# back. What accelerators do best is not measured yet.
BACKENDS = {
    "cpu": Defaults(
        chunk=1,
        small_chunk=4,
        members=32,
        lowering="matmul",
        compiler_options={"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"},
        brief_options={
            "xla_backend_optimization_level": "1",
            "xla_cpu_use_fusion_emitters": "False",
        },
    )
}
ACCELERATOR = Defaults(chunk=64, small_chunk=64, members=64, lowering="native")


def make_plan(seeds: int, parameters: int, asked: PlanConfig = PlanConfig()) -> Plan:
    """The plan for this machine.

    Args:
        seeds: the members of the smallest call, the dense networks.
        parameters: of the largest network.
        asked: what is not to be chosen by the backend.

    Raises:
        InputError: for more devices than there are, or members that do not divide.

    Example:
        >>> make_plan(seeds=32, parameters=12_000).members
        32
    """
    use_every_core()
    available = jax.device_count()
    backend = BACKENDS.get(jax.default_backend(), ACCELERATOR)
    devices = asked.devices or available
    check(devices <= available, f"devices {devices}: expected 1 to {available}")
    most = backend.small_chunk if parameters <= SMALL else backend.chunk
    chunk = asked.chunk or min(most, -(-seeds // devices))
    step = devices * chunk
    return Plan(
        devices,
        chunk,
        members=asked.members or step * -(-min(seeds, backend.members) // step),
        lowering=asked.lowering or backend.lowering,
        shuffling=asked.shuffling,
        dtype=asked.dtype,
        compiler_options=_known_options(backend.compiler_options),
        brief_options=_known_options(backend.brief_options),
    )


@cache
def _is_known(option: str, value: str) -> bool:
    try:
        jax.jit(lambda: 0, compiler_options={option: value}).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


def _known_options(options: Mapping[str, str]) -> dict[str, str]:
    """Those that the installed XLA has: they come and go with its versions."""
    return {option: value for option, value in options.items() if _is_known(option, value)}


def use_every_core() -> None:
    """On CPU a device a core, which only works before JAX has made its first array."""
    if jax.config.jax_num_cpu_devices > 0:  # pyright: ignore[reportAttributeAccessIssue]
        return
    with contextlib.suppress(RuntimeError):  # JAX already runs: its devices are used as they are
        jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))


class Population:
    """The machine as members see it: a mesh, and a plan to lay them over it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        axis_types = (jax.sharding.AxisType.Auto,)
        devices = jax.devices()[: plan.devices]
        self._mesh: Mesh = jax.make_mesh((plan.devices,), (AXIS,), axis_types, devices=devices)

    def share(self, arrays: Stacked) -> Stacked:
        """The same arrays on every device."""
        return jax.device_put(arrays, NamedSharding(self._mesh, P()))

    def lift(
        self,
        function: Callable[..., Any],
        *,
        brief: bool = False,
    ) -> Callable[..., Any]:
        """Lifts `function(*shared, *one)`, written for one network, to `(shared, *stacked)`.

        The result takes what all networks share, a tuple, and host arrays with a leading member
        axis of any length, and gives such arrays; it compiles once (a `brief` one with less
        care). Its argument `done` hears of members as they are finished.
        """
        options = {**self.plan.compiler_options, **(self.plan.brief_options if brief else {})}

        def on_device(shared: Any, members: Any) -> Any:
            return jax.lax.map(
                lambda member: function(*shared, *member), members, batch_size=self.plan.chunk
            )

        program = jax.jit(
            jax.shard_map(
                on_device,
                mesh=self._mesh,
                in_specs=(P(), P(AXIS)),
                out_specs=P(AXIS),
                check_vma=False,
            ),
            compiler_options=options,
        )

        def call(
            shared: Any, *stacked: Any, done: Callable[[int], None] = lambda members: None
        ) -> Any:
            total, parts = len(jax.tree.leaves(stacked)[0]), []
            for part in self._in_order(partial(program, shared), stacked, total):
                parts.append(part)
                done(min(self.plan.members, total - self.plan.members * (len(parts) - 1)))
            return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:total], *parts)

        return call

    def _in_order(self, program: Callable[..., Any], stacked: Any, total: int) -> Iterator[Any]:
        """Feeds members to a program of fixed size; the last call is filled up with the first.

        A call's results are fetched while the next one runs.
        """
        sharding = NamedSharding(self._mesh, P(AXIS))
        running = None
        for start in range(0, total, self.plan.members):
            rows = np.arange(start, start + self.plan.members) % total
            part = jax.tree.map(lambda leaf, rows=rows: leaf[rows], stacked)
            started = program(jax.device_put(part, sharding))
            if running is not None:
                yield jax.device_get(running)
            running = started
        yield jax.device_get(running)
