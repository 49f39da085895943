"""Bounds what a test process holds: JAX keeps every program it ever compiled, one to two MiB each.

A plugin of pytest, for the doctests of the package too; `conftest` registers it.
"""

import ctypes
import ctypes.util
import gc

import jax
import pytest

MOST_PROGRAMS = 400  # at once; they take about 0.6 GiB


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """Lets go of programs where they are many, and between modules of what the allocator keeps.

    Whoever needs one again reads it from the persistent cache.
    """
    many = len(jax.devices()[0].client.live_executables()) > MOST_PROGRAMS
    if many:
        jax.clear_caches()
        gc.collect()
    if many or nextitem is None or nextitem.path != item.path:
        give_back()


def give_back():
    """Hands freed memory back to the system: glibc keeps what XLA's threads had."""
    if (trim := getattr(LIBC, "malloc_trim", None)) is not None:
        trim(0)


LIBC = ctypes.CDLL(ctypes.util.find_library("c"))
