"""Compiled programs are kept from one run to the next, where nobody has said otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prune_fair.engine import machine
from prune_fair.provenance import usable_cores

PROGRAM = """
import jax
from prune_fair.engine.machine import set_up_jax
set_up_jax()
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
print(jax.jit(lambda a: a @ a + 1)(jax.numpy.ones((8, 8))).sum())
print(jax.device_count(), hits.count("/jax/compilation_cache/cache_hits") > 0)
"""


def run(before: str = "", **environment: str) -> list[str]:
    """What a process of its own prints, without the tests' cache."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-c", before + PROGRAM],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def kept(folder: Path) -> list[Path]:
    return list(folder.rglob("jit_*"))


def test_a_second_run_compiles_nothing_again(tmp_path):
    home = {"XDG_CACHE_HOME": str(tmp_path)}
    cores = str(len(os.sched_getaffinity(0)))
    assert run(**home) == ["576.0", cores, "False"]
    assert {path.parent for path in kept(tmp_path)} == {
        tmp_path / "prune_fair" / f"programs-{machine.processor()}"
    }
    assert run(**home) == ["576.0", cores, "True"]


@pytest.mark.parametrize(
    ("asked", "devices"),
    [
        ({"XLA_FLAGS": "--xla_force_host_platform_device_count=5"}, "5"),
        ({"JAX_NUM_CPU_DEVICES": "3"}, "3"),
        (
            {"XLA_FLAGS": "--xla_force_host_platform_device_count=5", "JAX_NUM_CPU_DEVICES": "3"},
            "3",
        ),
    ],
)
def test_whoever_asks_for_devices_gets_as_many(tmp_path, asked, devices):
    assert run(**asked, XDG_CACHE_HOME=str(tmp_path))[1] == devices


@pytest.mark.parametrize(("missing", "cores"), [((), 5), (("process_cpu_count",), 7)])
def test_cores_where_the_system_has_no_affinity(monkeypatch, missing, cores):
    """As on macOS, with Python from 3.13 on and before."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 5, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    for name in missing:
        monkeypatch.delattr(os, name)
    assert usable_cores() == cores


def test_what_was_compiled_before_does_not_turn_it_off(tmp_path):
    before = "import jax; jax.numpy.ones(3).sum()\n"
    run(before, XDG_CACHE_HOME=str(tmp_path))
    assert run(before, XDG_CACHE_HOME=str(tmp_path))[2] == "True"


def test_whoever_has_a_cache_or_wants_none_gets_that(tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    run(XDG_CACHE_HOME=str(ours), JAX_COMPILATION_CACHE_DIR=str(theirs))
    assert kept(theirs)
    assert not ours.exists()
    run(XDG_CACHE_HOME=str(ours), JAX_ENABLE_COMPILATION_CACHE="false")
    assert not kept(ours)


def test_without_a_folder_to_write_to_nothing_is_kept(tmp_path):
    (tmp_path / "file").write_text("")
    assert run(XDG_CACHE_HOME=str(tmp_path / "file"))[2] == "False"


def test_processors_that_differ_share_no_programs(monkeypatch):
    ours = machine.processor()
    assert ours == machine.processor()
    monkeypatch.setattr(Path, "exists", lambda path: True)
    monkeypatch.setattr(Path, "read_text", lambda path: "model: x\nflags : sse avx2\n")
    older = machine.processor()
    monkeypatch.setattr(Path, "read_text", lambda path: "model: y\nflags : sse avx2\n")
    assert machine.processor() == older != ours


@pytest.mark.parametrize(("cache", "home"), [("", "h"), ("x", "x/prune_fair")])
def test_cache_folder_follows_the_convention(monkeypatch, tmp_path, cache, home):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", cache and str(tmp_path / cache))
    expected = tmp_path / (home if cache else ".cache/prune_fair")
    assert machine.cache_folder() == expected


def test_nothing_is_left_for_the_collector_at_the_end():
    """Handlers run last first: one of before the set-up sees what it leaves."""
    watching = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 100_000))\n"
    )
    assert run(watching, JAX_ENABLE_COMPILATION_CACHE="false")[-1] == "True"
