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
        ("zarr", ("store/",)),
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


def test_a_module_is_read_at_one_sitting():
    long = {path.name: len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in long.items() if lines > 250} == {}


def test_constraints_pin_names_and_versions_only():
    """One version for every Python, or one below 3.12 and another from it on."""
    pattern = r'([\w.-]+)==[\w.+!]+(?: ; python_version (<|>=) "3\.12")?'
    found = [
        (line, re.fullmatch(pattern, line))
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    ]
    assert [line for line, match in found if not match] == []
    pins: dict[str, list[str | None]] = {}
    for _, match in found:
        pins.setdefault(match[1], []).append(match[2])
    assert pins
    assert {tuple(sides) for sides in pins.values()} <= {(None,), ("<", ">=")}
