"""Where results come from: versions, hardware, the code's commit, and a digest of the images."""

import hashlib
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from inspect import getdoc
from pathlib import Path
from typing import Any

import numpy as np

from prune_fair.data import VALIDATION, Dataset

PROGRAM = "prune-fair"
PACKAGES = (
    "prune_fair",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "orbax-checkpoint",
    "numpy",
    "xarray",
    "zarr",
)


def environment() -> dict[str, Any]:
    """The machine and software that compute now, as JSON types.

    Example:
        >>> sorted(environment())
        ['command', 'git_commit', 'hardware', 'packages', 'python']
    """
    import jax  # here alone: reading results starts without it

    return {
        "command": sys.argv,
        "git_commit": git_commit(),
        "hardware": {
            "machine": platform.machine(),
            "system": platform.system(),
            "cores": os.cpu_count(),
            "backend": jax.default_backend(),
            "devices": [device.device_kind for device in jax.devices()],
        },
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "python": platform.python_version(),
    }


def command_line(words: list[str]) -> str:
    """What was typed, from the words that the process got.

    Example:
        >>> command_line(["experiments/quickstart.py", "--seeds", "8"])
        'python experiments/quickstart.py --seeds 8'
    """
    if words and Path(words[0]).name == PROGRAM:
        return shlex.join([PROGRAM, *words[1:]])
    return shlex.join(["python", *words])


def usable_cores() -> int:
    """Cores that this process may use; where the system does not say, as on macOS, all of them.

    Example:
        >>> usable_cores() >= 1
        True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return getattr(os, "process_cpu_count", os.cpu_count)() or 1  # the first from Python 3.13 on


def physical_memory() -> int:
    """Bytes of main memory that this machine has.

    Example:
        >>> physical_memory() > 2**20
        True
    """
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def git_commit() -> str | None:
    """The commit of prune_fair's own checkout; None where it is no checkout."""
    command = ["git", "rev-parse", "HEAD"]
    folder = Path(__file__).parent
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def digest(dataset: Dataset) -> str:
    """SHA-256 over a dataset's images and labels, and its groups where it has some."""
    total = hashlib.sha256()
    others = dataset.test_groups, *dataset.part(VALIDATION), dataset.train_groups
    for array in (*dataset[:4], *(each for each in others if each is not None)):
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()


def summary_and_source(documented: Any) -> tuple[str, str]:
    """The first line of a docstring, and its paragraph `Source:`, empty where it has none.

    A row of a registry is documented by the function that it begins with.

    Example:
        >>> summary_and_source(digest)
        ("SHA-256 over a dataset's images and labels, and its groups where it has some.", '')
    """
    text = getdoc(documented[0] if isinstance(documented, tuple) else documented) or ""
    _, _, source = text.partition("Source: ")
    return text.partition("\n")[0], " ".join(source.partition("\n\n")[0].split())
