"""The process set up: a device a core, compiled programs kept on disk, and a quick end."""

import hashlib
import os
import platform
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache

from prune_fair.engine.plan import use_every_core
from prune_fair.process import end_quickly

MOST_BYTES = 1 << 30  # of compiled programs; those longest unused go first
WORTH_KEEPING = 0.05  # seconds of compiling


def set_up_jax() -> None:
    """Every core a device, and programs compiled once a machine, as far as that is still open."""
    use_every_core()
    keep_programs()
    end_quickly()


def keep_programs() -> None:
    """Keeps compiled programs in the user's cache folder, from one run to the next.

    It is JAX's own persistent compilation cache, in a folder for each kind of processor: machines
    that differ may share a home, and a program for one may not run on the other. Whoever has set
    `JAX_COMPILATION_CACHE_DIR` keeps theirs; `JAX_ENABLE_COMPILATION_CACHE=false` keeps none.

    Source: the JAX documentation, "Persistent compilation cache".
    """
    if jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
        return
    try:
        folder = cache_folder() / f"programs-{processor()}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home, or none to write to
        return
    if not os.access(folder, os.W_OK):
        return
    jax.config.update("jax_compilation_cache_max_size", MOST_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    compilation_cache.reset_cache()  # else what was compiled before has settled that there is none


def cache_folder() -> Path:
    """Where this user's programs keep what can be made again (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prune_fair"


def processor() -> str:
    """A name for the instructions that this processor has: what programs are compiled for."""
    described = platform.machine(), platform.processor()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text().splitlines()
        described += (*(line for line in lines if line.startswith(("flags", "Features"))),)
    return hashlib.sha256("\n".join(described).encode()).hexdigest()[:12]
