"""Many networks at once: functions written for one, lifted over members, chunks and devices.

The only place that says `vmap`, `lax.map`, `shard_map` or names a mesh axis. Members live on the
host between calls, so device memory is bounded by the plan and not by the number of members.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
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

        program = self._compiled(on_device, (P(), P(AXIS)), P(AXIS), brief)

        def call(
            shared: Any, *stacked: Any, done: Callable[[int], None] = lambda members: None
        ) -> Any:
            total, parts = len(jax.tree.leaves(stacked)[0]), []
            for part in _fetched(program(shared, part) for part, _ in self._calls(stacked)):
                parts.append(part)
                done(min(self.plan.members, total - self.plan.members * (len(parts) - 1)))
            return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:total], *parts)

        return call

    def lift_tally(
        self,
        function: Callable[..., tuple[Any, Any]],
        add: Callable[[Any, Any, Any], Any],
        *,
        brief: bool = False,
    ) -> Callable[..., tuple[Any, Any]]:
        """Lifts a function of which one half is a network's own and the other goes into a total.

        `function(*shared, *one)` gives both halves, and `add(total, weight, half)` the total with
        one network's half in it, `weight` times: 0 for those that a call is filled up with. The
        halves of a chunk stay on the device, and so does the total of a device, from call to call.

        The result takes what all networks share, the total's shape and dtype, and host arrays with
        a leading member axis; it gives the own halves, stacked, and the total over all networks.
        """

        def on_device(shared: Any, members: Any, weights: Any, total: Any) -> Any:
            def chunk(total: Any, part: Any) -> Any:
                members, weights = part
                own, halves = jax.vmap(lambda member: function(*shared, *member))(members)
                each = weights, halves
                total, _ = jax.lax.scan(lambda total, one: (add(total, *one), None), total, each)
                return total, own

            size = self.plan.chunk
            cut = jax.tree.map(lambda a: a.reshape(-1, size, *a.shape[1:]), (members, weights))
            total, own = jax.lax.scan(chunk, total[0], cut)
            return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), own), total[None]

        member = P(AXIS)
        program = self._compiled(
            on_device, (P(), member, member, member), member, brief, donate_argnums=3
        )

        return partial(self._tally, program)

    def _tally(
        self, program: Callable[..., Any], shared: Any, like: jax.ShapeDtypeStruct, *stacked: Any
    ) -> tuple[Any, Any]:
        """The calls of a program with a total, which goes from each to the next."""
        by_device = (self.plan.devices, *like.shape)
        total = jnp.zeros(by_device, like.dtype, device=self._by_member)

        def started() -> Iterator[Any]:
            nonlocal total
            for part, weights in self._calls(stacked):
                own, total = program(shared, part, weights, total)
                yield own

        parts, count = [*_fetched(started())], len(jax.tree.leaves(stacked)[0])
        own = jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *parts)
        return own, jax.device_get(total.sum(axis=0))

    def _compiled(
        self, on_device: Callable[..., Any], takes: Any, gives: Any, brief: bool, **options: Any
    ) -> Callable[..., Any]:
        asked = {**self.plan.compiler_options, **(self.plan.brief_options if brief else {})}
        mapped = jax.shard_map(
            on_device, mesh=self._mesh, in_specs=takes, out_specs=gives, check_vma=False
        )
        return jax.jit(mapped, compiler_options=asked, **options)

    def _calls(self, stacked: Any) -> Iterator[tuple[Any, Any]]:
        """Members for programs of fixed size, the last call filled up with the first ones, and 0
        or 1 for whether each is there for the first time.
        """
        total = len(jax.tree.leaves(stacked)[0])
        for start in range(0, total, self.plan.members):
            rows = np.arange(start, start + self.plan.members)
            part = jax.tree.map(lambda leaf, rows=rows % total: leaf[rows], stacked)
            yield jax.device_put((part, (rows < total).astype(np.int32)), self._by_member)


def _fetched(running: Iterable[Any]) -> Iterator[Any]:
    """Results on the host; each is fetched while the next one runs."""
    before = None
    for started in running:
        if before is not None:
            yield jax.device_get(before)
        before = started
    yield jax.device_get(before)
