"""Many networks at once: functions written for one, lifted over members, chunks and devices.

The only place that says `vmap`, `lax.map`, `shard_map` or names a mesh axis. Members live on the
host between calls, so device memory is bounded by the plan and not by the number of members.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from prune_fair.engine.plan import Plan

AXIS = "member"
Stacked = TypeVar("Stacked")


class Population:
    """The machine as members see it: a mesh, and a plan to lay them over it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        axis_types = (jax.sharding.AxisType.Auto,)
        devices = jax.devices()[: plan.devices]
        self._mesh: Mesh = jax.make_mesh((plan.devices,), (AXIS,), axis_types, devices=devices)
        self._by_member = NamedSharding(self._mesh, P(AXIS))

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
        alone = self.plan.chunk == 1  # axes of length 1 would stand in XLA's way

        def on_device(shared: Any, members: Any) -> Any:
            return jax.lax.map(
                lambda member: function(*shared, *member),
                members,
                batch_size=None if alone else self.plan.chunk,
            )

        mapped = jax.shard_map(
            on_device, mesh=self._mesh, in_specs=(P(), P(AXIS)), out_specs=P(AXIS), check_vma=False
        )
        asked = {**self.plan.compiler_options, **(self.plan.brief_options if brief else {})}
        program = jax.jit(mapped, compiler_options=asked)

        def call(
            shared: Any, *stacked: Any, done: Callable[[int], None] = lambda members: None
        ) -> Any:
            total, parts = len(jax.tree.leaves(stacked)[0]), []
            for part in _fetched(program(shared, part) for part in self._calls(stacked)):
                parts.append(part)
                done(min(self.plan.members, total - self.plan.members * (len(parts) - 1)))
            return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:total], *parts)

        return call

    def _calls(self, stacked: Any) -> Iterator[Any]:
        """Members for programs of fixed size, the last call filled up with the first ones."""
        total = len(jax.tree.leaves(stacked)[0])
        for start in range(0, total, self.plan.members):
            rows = np.arange(start, start + self.plan.members) % total
            part = jax.tree.map(lambda leaf, rows=rows: leaf[rows], stacked)
            yield jax.device_put(part, self._by_member)


def _fetched(running: Iterable[Any]) -> Iterator[Any]:
    """Results on the host; each is fetched while the next one runs."""
    before = None
    for started in running:
        if before is not None:
            yield jax.device_get(before)
        before = started
    yield jax.device_get(before)
