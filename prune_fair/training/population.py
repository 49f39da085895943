"""Many networks at once: functions written for one, lifted over members, chunks and devices.

The only place that says `vmap`, `lax.map`, `shard_map` or names a mesh axis. Members live on the
host between calls, so device memory is bounded by the plan and not by the number of members.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

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
        convolution: the lowering of convolutions, a row of `models.CONVOLUTIONS`.
        platform: the backend, such as `cpu`.

    Raises:
        InputError: for a chunk below 1 or members that devices and chunks do not divide.
    """

    devices: int
    chunk: int
    members: int
    convolution: str
    platform: str

    def __post_init__(self) -> None:
        check(self.chunk >= 1, f"chunk {self.chunk}: expected at least 1 member")
        check(
            self.members >= 1 and self.members % (self.devices * self.chunk) == 0,
            f"members {self.members}: expected a multiple of devices x chunk = "
            f"{self.devices * self.chunk}",
        )


# Members a device trains at once, members a call, lowering of convolutions. On CPU a network at a
# time stays in cache (lenet5 is a quarter faster so than two at a time, the digits' mlp a twentieth
# slower), and small calls fill up few. Those of accelerators are not measured yet.
DEFAULTS = {"cpu": (1, 32, "banded")}
ACCELERATOR_DEFAULTS = (64, 64, "native")


def make_plan(seeds: int, chunk: int | None = None, devices: int | None = None) -> Plan:
    """The plan for this machine.

    Args:
        seeds: the members of the smallest call, the dense networks.
        chunk: members a device trains at once; None for the backend's default.
        devices: devices to use; None for all.

    Raises:
        InputError: for more devices than there are, or a chunk below 1.

    Example:
        >>> make_plan(seeds=32).members
        32
    """
    _one_device_per_core()
    platform, available = jax.default_backend(), jax.device_count()
    default_chunk, most, convolution = DEFAULTS.get(platform, ACCELERATOR_DEFAULTS)
    devices = available if devices is None else devices
    check(1 <= devices <= available, f"devices {devices}: expected 1 to {available}")
    chunk = min(default_chunk, -(-seeds // devices)) if chunk is None else chunk
    check(chunk >= 1, f"chunk {chunk}: expected at least 1 member")
    step = devices * chunk
    return Plan(devices, chunk, step * -(-min(seeds, most) // step), convolution, platform)


def _one_device_per_core() -> None:
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
        self, function: Callable[..., Any], done: Callable[[int], None] = lambda members: None
    ) -> Callable[..., Any]:
        """Lifts `function(shared, *one)`, written for one network, to `(shared, *stacked)`.

        The result takes host arrays with a leading member axis of any length and gives such
        arrays; it compiles once, and tells `done` of members as they are finished.
        """

        def on_device(shared: Any, members: Any) -> Any:
            return jax.lax.map(
                lambda member: function(shared, *member), members, batch_size=self.plan.chunk
            )

        program = jax.jit(
            jax.shard_map(
                on_device,
                mesh=self._mesh,
                in_specs=(P(), P(AXIS)),
                out_specs=P(AXIS),
                check_vma=False,
            )
        )

        def call(shared: Any, *stacked: Any) -> Any:
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
