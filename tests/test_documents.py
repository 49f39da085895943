"""Every command and every line of Python in README and docs runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TOY = {  # what makes an experiment small, where its command does not say otherwise
    "experiments/quickstart.py": {"--recipe.epochs": "1", "--schedule.levels": "2"},
    "experiments/fashion_mnist.py": {
        "--recipe.epochs": "1",
        "--dataset": "idx:small",
        "--schedule.sparsities": "0.5",
    },
}


def blocks(language: str) -> list[str]:
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [block for document in DOCUMENTS for block in pattern.findall(document.read_text())]


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]


@pytest.fixture
def place(tmp_path, toy_study, monkeypatch, write_idx_folder):
    """A working directory as after `make demo`, with a small dataset beside."""
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "quickstart").symlink_to(toy_study)
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    write_idx_folder(tmp_path / "small", (28, 28), (256, 50), classes=10)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_readme_has_commands_to_test():
    assert {"make demo", "make test"} <= {*COMMANDS}
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, place):
    if command.startswith("make "):
        words, folder = ["make", "-n", *command.split()[1:]], ROOT
    else:
        words, folder = small(command.replace(".venv/bin", str(Path(sys.executable).parent))), place
    subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True)


def small(command: str) -> list[str]:
    """The command's words, an experiment's with few seeds, one method and little training."""
    words = shlex.split(command)
    if len(words) == 1 or words[1] not in TOY:
        return words
    flags = {"--methods": "magnitude-global-rewind", "--seeds": "2", **TOY[words[1]]}
    if "--seeds" in words:
        words[words.index("--seeds") + 1] = flags["--seeds"]
    return words + [word for flag in flags.items() if flag[0] not in words for word in flag]


@pytest.mark.parametrize("block", blocks("python"))
def test_python(block, place):
    exec(compile(block, "README", "exec"), {})
