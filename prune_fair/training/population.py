"""Many networks at once: functions written for one, lifted over members, chunks and devices.

The only place that says `vmap`, `lax.map`, `shard_map` or names a mesh axis. Members live on the
host between calls, so device memory is bounded by the plan and not by the number of members.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from prune_fair.training.plan import Plan

AXIS = "member"
Stacked = TypeVar("Stacked")


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
