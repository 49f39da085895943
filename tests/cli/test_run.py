"""`prune-fair run` and `demo`: configs in files, flags above them, and a line for each mistake."""

import json
from pathlib import Path

import pytest

from prune_fair import DataConfig, StudyConfig, TaskConfig, cli
from prune_fair.cli.studies import QUICKSTART, configured, quickstart, read_config
from prune_fair.config import Rotation
from prune_fair.errors import InputError
from prune_fair.pruning import Schedule
from prune_fair.store import read_study

SMALL = """
out = "studies/small"
name = "tail"
seeds = 2
techniques = ["random-global-none"]

[data]
imbalance_factor = 10

[model]
widths = [8]

[recipe]
epochs = 1

[schedule]
name = "one-shot"
sparsities = [0.5]
"""


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def test_a_file_is_a_study(small):
    config, out, _ = read_config(small)
    assert out == Path("studies/small")
    assert config.task_names == ("tail",)
    assert config.tasks[0].data == DataConfig(imbalance_factor=10.0)
    assert config.schedule == Schedule("one-shot", sparsities=(0.5,))
    assert config.controls
    small.write_text(f"controls = false\n{SMALL}")
    assert not read_config(small)[0].controls


def test_json_and_several_tasks(tmp_path):
    tasks = TaskConfig(name="a"), TaskConfig(DataConfig(imbalance_factor=2.0), name="b")
    config = StudyConfig(tasks, seeds=3)
    path = tmp_path / "both.json"
    path.write_text(json.dumps(config.as_json()))
    assert read_config(path) == (config, Path("studies/both"), Rotation())
    flags = configured(*read_config(path))
    assert flags(seeds=5)[0].seeds == 5
    with pytest.raises(TypeError):
        flags(data=DataConfig())


def test_flags_stand_above_the_file(small, capsys):
    cli.main(["run", str(small), "--seeds", "1", "--out", "elsewhere", "--data.keep", "3=0.5"])
    assert "study    elsewhere" in capsys.readouterr().out
    study = read_study("elsewhere")
    assert study["config"]["seeds"] == 1
    data = study["config"]["tasks"][0]["data"]
    assert (data["imbalance_factor"], data["keep"]) == (10.0, {"3": 0.5})
    assert list(study["tasks"]) == ["tail"]
    assert Path("elsewhere/figures/frontier.png").is_file()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "", "expected a config in a file NAME.toml or NAME.json"),
        ("a.toml", None, "cannot be read (No such file"),
        ("a.toml", "seeds = ", "cannot be read (it is no TOML"),
        ("a.json", "{", "cannot be read (it is no JSON"),
        ("a.json", "[]", "expected the fields of a study"),
        ("a.toml", "seedz = 3", "unknown field of a.toml 'seedz': did you mean 'seeds'"),
        ("a.toml", "seeds = 0", "seeds 0: expected at least 1"),
        ("a.toml", "out = 3", "out is 3: expected the study's directory"),
        ("a.toml", 'name = "a"\n[[tasks]]\nname = "b"', "name beside tasks: expected one of both"),
    ],
)
def test_mistakes_in_a_line(name, text, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path(name).write_text(text)
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", name])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert not Path("studies").exists()


def test_the_demo_is_the_quickstart(capsys):
    assert quickstart() == (QUICKSTART, Path("studies/quickstart"))
    for command in (["demo", "--help"], ["run", "--help"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(command)
        assert ended.value.code == 0
        assert f"usage: prune-fair {command[0]}" in capsys.readouterr().out


def test_what_flags_refuse_is_refused(small):
    study = configured(*read_config(small))
    with pytest.raises(InputError, match="seeds 0"):
        study(seeds=0)
