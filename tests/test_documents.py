"""Every command and every line of Python in README and docs runs.

A block that cannot run here says why in its title, which readers see: "not run by the tests: …".
"""

import doctest
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from prune_fair import cli
from prune_fair.engine.statistics import STATISTICS
from prune_fair.fairness import METRICS
from prune_fair.losses import LOSSES
from prune_fair.models import MODELS
from prune_fair.pruning import CRITERIA
from prune_fair.store.results import EXAMPLE

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
IN_A_FILE = re.compile(r'title="(prune_fair/\S+)\.py"')
NOT_RUN = re.compile(r' title="not run by the tests: \w.*"')
TOY = {  # what makes an experiment small, where its command does not say otherwise
    "experiments/quickstart.py": {"--recipe.epochs": "1", "--schedule.levels": "2"},
    "experiments/fashion_mnist.py": {
        "--recipe.epochs": "1",
        "--data.name": "idx:small",
        "--schedule.sparsities": "0.5",
    },
}


TRAINED_A_LITTLE = ["--recipe.epochs", "1", "--seeds", "1"]


class Block(NamedTuple):
    """A fenced block: its language, what follows that, its text and the line it begins at."""

    language: str
    info: str
    text: str
    line: int


def blocks(document: Path, *languages: str) -> list[Block]:
    """Those of a document that are to run."""
    text = document.read_text()
    found = [
        Block(*match.groups(), line=text[: match.start()].count("\n") + 1)
        for match in FENCE.finditer(text)
    ]
    return [b for b in found if b.language in languages and not NOT_RUN.fullmatch(b.info)]


COMMANDS = dict.fromkeys(
    line
    for document in DOCUMENTS
    for block in blocks(document, "sh")
    for line in block.text.replace("\\\n  ", "").splitlines()  # what a backslash goes on with
    if line.strip()
)
WITH_PYTHON = [document for document in DOCUMENTS if blocks(document, "python", "pycon")]


@pytest.fixture
def place(tmp_path, monkeypatch, write_idx_folder, rng):
    """A working directory as after `make demo`, with small datasets beside."""
    shutil.copytree(EXAMPLE, tmp_path / "studies" / "quickstart")
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    write_idx_folder(tmp_path / "small", (28, 28), (256, 50), classes=10)
    images, labels = rng.integers(0, 256, (266, 28, 28), np.uint8), np.arange(266) % 10
    parts = {"x_train": images[50:], "y_train": labels[50:]}
    np.savez(tmp_path / "cells.npz", **parts, x_test=images[:50], y_test=labels[:50])
    for block in blocks(ROOT / "README.md", "toml"):
        (tmp_path / block.info.split('"')[1]).write_text(block.text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def registries():
    """Rows that a document adds go with it."""
    added_to = MODELS, CRITERIA, LOSSES, STATISTICS, METRICS
    before = [(registry, dict(registry)) for registry in added_to]
    yield
    for registry, rows in before:
        registry.clear()
        registry.update(rows)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_is_of_a_kind_that_runs(document):
    text = document.read_text()
    fences = re.findall(r"^ *```.*$", text, re.MULTILINE)
    found = FENCE.findall(text)
    assert len(fences) == 2 * len(found)
    for language, info, _ in found:
        assert language in ("sh", "python", "pycon", "toml", ""), "say how a test is to run this"
        assert not info or info.startswith(' title="')
        assert "not run" not in info or NOT_RUN.fullmatch(info), "say why it is not run"


def test_readme_has_commands_to_test():
    assert {"make demo", "make test"} <= {*COMMANDS}
    assert len(COMMANDS) >= 15


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, place):
    """An experiment is made small; make says what it would do; the rest runs as it is written."""
    words = shlex.split(command)
    if words[:2] == [".venv/bin/prune-fair", "audit"]:
        train_what_is_audited(place)
    if words[0] == ".venv/bin/prune-fair":
        trains = words[1] in ("run", "demo")
        cli.main(words[1:] + TRAINED_A_LITTLE * trains)
        return
    if words[0] == "make":
        words, folder = ["make", "--dry-run", *words[1:]], ROOT
    else:
        assert words[0] == ".venv/bin/python"
        words, folder = [sys.executable, *small(words)[1:]], place
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def train_what_is_audited(place: Path) -> None:
    """The files that the guide has a reader write, and what they leave."""
    names: dict = {}
    for block in blocks(ROOT / "docs/guides/audit.md", "python")[:2]:
        (place / block.info.split('"')[1]).write_text(block.text)
        exec(block.text, names)


def small(words: list[str]) -> list[str]:
    """The command's words, an experiment's with few seeds, one technique and little training."""
    if words[1] not in TOY:
        return words
    flags = {"--techniques": "magnitude-global-rewind", "--seeds": "2", **TOY[words[1]]}
    if "--schedule.sparsities" in words:
        flags.pop("--schedule.levels", None)  # the schedule has none
    if "--seeds" in words:
        words[words.index("--seeds") + 1] = flags["--seeds"]
    return words + [word for flag in flags.items() if flag[0] not in words for word in flag]


@pytest.mark.parametrize("document", WITH_PYTHON, ids=lambda path: path.name)
@pytest.mark.usefixtures("place", "registries")
def test_python(document):
    """A document's blocks are one session, from top to bottom.

    A block that is to stand in a file of the package has what that file has.
    """
    names: dict = {"__name__": "__main__"}
    for block in blocks(document, "python", "pycon"):
        start = "\n" * block.line
        file = IN_A_FILE.search(block.info)
        if file and (ROOT / f"{file[1]}.py").exists():  # else the file is new
            module = importlib.import_module(file[1].replace("/", "."))
            names = {**vars(module), **names}
        if block.language == "python":
            exec(compile(start + block.text, str(document), "exec"), names)
        else:
            run_session(block, document, names)


def run_session(block: Block, document: Path, names: dict) -> None:
    """Prompts and what they print, held against what they print now."""
    parser, lines = doctest.DocTestParser(), []
    session = parser.get_doctest(block.text, names, document.name, str(document), block.line)
    doctest.DocTestRunner().run(session, out=lines.append, clear_globs=False)
    assert not lines, "".join(lines)
    names.update(session.globs)
