"""The house: rooms, one-way imports, and that a new row needs one file."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "prune_fair").rglob("*.py"))


def test_import_contracts_hold():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("flax", ("models/",)),
        ("orbax", ("store/",)),
        ("matplotlib", ("plots/",)),
        ("tensorflow_datasets", ("datasets/",)),
        ("sklearn", ()),  # tests alone may have it
        ("tyro", ("cli/",)),
        ("rich", ("console/",)),
        ("jinja2", ("report/",)),
    ],
)
def test_library_is_imported_only_in_its_room(library, rooms):
    pattern = re.compile(rf"^\s*(import|from) {library}\b", re.MULTILINE)
    found = {
        str(path.relative_to(ROOT / "prune_fair"))
        for path in SOURCES
        if pattern.search(path.read_text())
    }
    assert bool(found) == bool(rooms)
    assert {name for name in found if not name.startswith(rooms)} == set()


def test_only_the_population_batches():
    pattern = re.compile(r"\b(jax\.vmap|shard_map|lax\.map|pmap)\(|\"member\"")
    found = {path.name for path in SOURCES if pattern.search(path.read_text())}
    assert found == {"population.py"}


def test_no_module_is_a_drawer():
    assert not [path for path in SOURCES if path.stem in {"utils", "helpers", "common", "misc"}]


def test_constraints_pin_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    assert [
        line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.\-]+==[A-Za-z0-9.+!]+", line)
    ] == []
