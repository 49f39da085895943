"""The plan: how networks are laid over a machine, by backend, and what a person asks of it."""

import contextlib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import jax

from prune_fair.errors import check, lookup
from prune_fair.models import LOWERINGS
from prune_fair.provenance import usable_cores
from prune_fair.values import check_whole

SHUFFLINGS = ("own", "shared")
DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True)
class PlanConfig:
    """What is asked of the plan that lays networks over a machine; None chooses by the backend.

    It is no part of a study's fingerprint: a study may go on elsewhere. Only `shuffling` and
    `dtype`, which change results by more than rounding, must stay as they were.

    Attributes:
        devices: devices to use.
        chunk: networks a device trains at the same time; without members no more than its seeds.
        members: networks of one call of a compiled program, a multiple of devices * chunk.
        lowering: `native`, `matmul` or `mixed`, how layers compute.
        shuffling: `own`, every seed in an order of its own, or `shared`.
        dtype: `float32` or `bfloat16`, what layers compute in; parameters are float32.

    Raises:
        InputError: for an unknown name, or a number below 1.

    Example:
        >>> plan = PlanConfig(chunk=8)  # the rest is chosen by the backend
    """

    devices: int | None = None
    chunk: int | None = None
    members: int | None = None
    lowering: str | None = None
    shuffling: str = "own"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for name in ("devices", "chunk", "members"):
            value = getattr(self, name)
            if value is not None:
                check_whole(name, value)
        if self.lowering is not None:
            lookup(LOWERINGS, self.lowering, "lowering")
        lookup(dict.fromkeys(SHUFFLINGS), self.shuffling, "shuffling")
        lookup(dict.fromkeys(DTYPES), self.dtype, "dtype")


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
        members: members a call, about: seeds are cut into calls of one size.
        lowering: how layers compute.
        compiler_options: what XLA is asked for.
        brief_options: and beside that for programs that run for moments only.
        audit_lowering: how layers of networks compute that were handed over, one of which is at
            hand at a time; None for `lowering`, and as many as ever.
    """

    chunk: int
    small_chunk: int
    members: int
    lowering: str
    compiler_options: Mapping[str, str] = {}
    brief_options: Mapping[str, str] = {}
    audit_lowering: str | None = None


SMALL = 30_000

# docs/performance.md has the measurements. On CPU one network at a time stays in a core's cache;
# of small ones four do, and share what a step costs beside its products. Small calls fill up few.
# XLA's newer library of matrix products is slower than Eigen, its older one, on networks of this
# size; naming another kind of operation keeps it off them. Its newer emitters of fused loops make
# training a quarter faster, and take half as long again to compile, which brief programs never earn
# back. Networks that were handed over are looked at more than trained, with their own convolutions,
# which XLA computes best forward, one network at a time. What accelerators do best is not measured
# yet.
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
        audit_lowering="mixed",
    )
}
ACCELERATOR = Defaults(chunk=64, small_chunk=64, members=64, lowering="native")


def make_plan(
    seeds: int, parameters: int, asked: PlanConfig = PlanConfig(), audit: bool = False
) -> Plan:
    """The plan for this machine.

    Args:
        seeds: the members of the smallest call, the dense networks.
        parameters: of the largest network.
        asked: what is not to be chosen by the backend.
        audit: whether networks were handed over.

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
    lowering = backend.lowering
    if audit and backend.audit_lowering is not None:
        most, lowering = 1, backend.audit_lowering
    share = -(-seeds // devices)  # of a device; a chunk beyond it would be filled up with copies
    chunk = (
        min(asked.chunk or most, share)
        if asked.members is None
        else asked.chunk or min(most, share)
    )
    step = devices * chunk
    groups = math.ceil(seeds / step)
    calls = max(1, round(groups / max(1, round(backend.members / step))))
    return Plan(
        devices,
        chunk,
        members=asked.members or step * math.ceil(groups / calls),
        lowering=asked.lowering or lowering,
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
    """On CPU a device a core, which only works before JAX has made its first array.

    Whoever has asked JAX or XLA for a number of devices gets that.
    """
    asked = jax.config.jax_num_cpu_devices >= 0  # pyright: ignore[reportAttributeAccessIssue]
    if asked or "--xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):
        return
    with contextlib.suppress(RuntimeError):  # JAX already runs: its devices are used as they are
        jax.config.update("jax_num_cpu_devices", usable_cores())
