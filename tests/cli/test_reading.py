"""Reading results imports nothing that trains, and starts no backend."""

import subprocess
import sys

import pytest

TRAINS = ("jax", "jaxlib", "flax", "orbax", "optax", "tensorflow_datasets")
COMMANDS = ("metrics", "frontier", "select", "compare", "classes", "attribute", "exemplars")
COMMANDS += ("multiplicity",)
LOADED = f"sorted({{name.partition('.')[0] for name in sys.modules}} & {{*{TRAINS!r}}})"


def printed(script: str) -> list[str]:
    """The lines that a Python process of its own prints."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("first", ["", "prune_fair.open_example()", "prune_fair.analysis"])
def test_opening_results_imports_nothing_that_trains(first):
    assert printed(f"import sys, prune_fair\n{first}\nprint({LOADED})") == ["[]"]


def test_commands_that_read_import_nothing_that_trains():
    """One process for all of them: what one imports stays loaded."""
    script = (
        "import contextlib, io, sys\n"
        "from prune_fair.cli import main\n"
        "from prune_fair.store.results import EXAMPLE\n"
        f"for command in {COMMANDS!r}:\n"
        "    for flags in ([], ['--json']):\n"
        "        with contextlib.redirect_stdout(io.StringIO()):\n"
        "            main([command, str(EXAMPLE), *flags])\n"
        f"    print(command, {LOADED})\n"
    )
    assert printed(script) == [f"{command} []" for command in COMMANDS]


def test_a_card_starts_no_backend(tmp_path):
    """It takes sources from what trains, and computes nothing with it."""
    script = (
        "import sys\n"
        "from prune_fair.report import write_card\n"
        "from prune_fair.store.results import EXAMPLE\n"
        f"write_card(EXAMPLE, out={str(tmp_path / 'card.html')!r})\n"
        "from jax._src import xla_bridge\n"
        "print(xla_bridge.backends_are_initialized())\n"
    )
    assert printed(script) == ["False"]
