"""Rarity rotated over classes: every class takes every fraction, and the tasks make one study."""

from collections import Counter

import numpy as np
import pytest

from prune_fair import DataConfig, InputError, StudyConfig, TaskConfig
from prune_fair.cli import studies
from prune_fair.config import Rotation, rotate_rare

TWO = TaskConfig(DataConfig("digits", keep={"3": 0.35, "8": 0.2}))


def kept(tasks):
    """How often each class takes each fraction."""
    return Counter((name, part) for task in tasks for name, part in task.data.keep.items())


def test_every_class_takes_every_fraction_once():
    tasks = rotate_rare(TWO)
    assert len(tasks) == 10
    assert tasks[0].data == TWO.data
    assert kept(tasks) == {(str(c), part): 1 for c in range(10) for part in (0.35, 0.2)}
    assert [task.node for task in tasks][:2] == ["digits/mlp/rare-3-8", "digits/mlp/rare-4-9"]


def test_tasks_that_are_alike_are_made_once():
    alike = TaskConfig(DataConfig("digits", keep={"3": 0.2, "8": 0.2}), name="mine")
    tasks = rotate_rare(alike)
    assert [task.node for task in tasks] == [
        f"mine/rare-{c}-{(c + 5) % 10}" for c in (3, 4, 5, 6, 7)
    ]
    assert kept(tasks) == {(str(c), 0.2): 1 for c in range(10)}


def test_nothing_else_of_the_task_changes():
    data = DataConfig("digits", keep={"8": 0.2}, classes=("8", "1", "7"), label_noise=0.1)
    tasks = rotate_rare(TaskConfig(data))
    assert [dict(task.data.keep) for task in tasks] == [{"8": 0.2}, {"1": 0.2}, {"7": 0.2}]
    assert {(task.data.classes, task.data.label_noise) for task in tasks} == {(data.classes, 0.1)}


@pytest.mark.parametrize("rotations", [4, 5, 20])
def test_drawn_classes_are_rare_about_equally_often(rotations):
    tasks = rotate_rare(TWO, rotations=rotations, seed=3)
    count = np.zeros(10, int)
    for (name, _), number in kept(tasks).items():
        count[int(name)] += number
    assert np.ptp(count) <= 1
    assert len({tuple(sorted(task.data.keep.items())) for task in tasks}) == rotations
    assert tasks == rotate_rare(TWO, rotations=rotations, seed=3)
    assert tasks != rotate_rare(TWO, rotations=rotations, seed=4)


def test_a_study_of_them_goes_through_json():
    config = StudyConfig(rotate_rare(TWO))
    assert StudyConfig.from_json(config.as_json()) == config
    assert len({*config.task_names}) == 10


def test_names_of_classes_that_are_no_names_of_folders(monkeypatch):
    names = ["T-shirt/top", "Shirt", "x" * 99]
    monkeypatch.setattr("prune_fair.config.rotation.datasets.load", lambda name: fake(names))
    task = TaskConfig(DataConfig("fashion_mnist", keep={"Shirt": 0.1}))
    assert [each.name for each in rotate_rare(task)] == [
        f"fashion_mnist/mlp/rotation-{number}" for number in (1, 2, 3)
    ]
    names[2] = "Bag"
    assert rotate_rare(task)[2].name == "fashion_mnist/mlp/rare-T-shirt_top"


def fake(names):
    return type("Named", (), {"class_names": tuple(names)})


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (DataConfig("digits"), {}, "no class is made rare; expected keep with a fraction"),
        (DataConfig("digits", keep={"x": 0.1}), {}, "unknown class 'x'"),
        (DataConfig("digits", keep={"8": 0.1}, imbalance_factor=5.0), {}, "imbalance_factor 5"),
        (DataConfig("digits", keep={"8": 1.0}), {}, "all classes are kept alike"),
        (DataConfig("digits", keep=dict.fromkeys("0123456789", 0.1)), {}, "kept alike"),
        (
            DataConfig("digits", keep={"8": 0.1}),
            {"rotations": 11},
            "rotations 11: expected at most 10",
        ),
    ],
)
def test_mistakes(data, options, message):
    with pytest.raises(InputError, match=message):
        rotate_rare(TaskConfig(data), **options)


def test_a_draw_without_rotation_is_refused():
    with pytest.raises(InputError, match="rotations 3 without rotate_rare"):
        Rotation(rotations=3)
    with pytest.raises(InputError, match="rotations -1: expected"):
        Rotation(rotate_rare=True, rotations=-1)


FILE = """
seeds = 2
[data]
keep = {8 = 0.2}
rotate_rare = true
"""


def test_a_file_says_it_and_flags_change_the_task_before(tmp_path):
    path = tmp_path / "rotated.toml"
    path.write_text(FILE)
    config, out, rotation = studies.read_config(path)
    assert rotation == Rotation(rotate_rare=True)
    study = studies.configured(config, out, rotation)
    assert study()[0].tasks == rotate_rare(TaskConfig(DataConfig("digits", keep={"8": 0.2})))
    fewer, _ = study(data=DataConfig("digits", keep={"8": 0.2}, classes=("8", "3")))
    assert fewer.task_names == ("digits/mlp/rare-8", "digits/mlp/rare-3")


def test_one_of_several_tasks_of_a_file_is_rotated(tmp_path):
    path = tmp_path / "both.toml"
    task = '[[tasks]]\nname = "{}"\n[tasks.data]\nkeep = {{8 = 0.2}}\n'
    path.write_text(task.format("a") + "rotate_rare = true\n" + task.format("b"))
    config, out, rotation = studies.read_config(path)
    assert config.task_names == (*(f"a/rare-{c}" for c in "8901234567"), "b")
    assert studies.configured(config, out, rotation)(seeds=3)[0].tasks == config.tasks


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rotate_rare = 1", "rotate_rare is 1: expected true or false"),
        ("rotations = 2", "rotations 2 without rotate_rare"),
    ],
)
def test_mistakes_in_a_file(tmp_path, line, message):
    path = tmp_path / "a.toml"
    path.write_text(f"[data]\n{line}\n")
    with pytest.raises(InputError, match=message):
        studies.read_config(path)


def test_a_study_of_two_rotations_runs(stub_engine, tmp_path, capsys):
    from prune_fair import cli, open_study

    out = tmp_path / "study"
    flags = ["--data.keep", "8=0.2", "--data.classes", "8", "3", "1", "--data.rotate-rare"]
    flags += ["--seeds", "3", "--techniques", "random-global-none", "--schedule.levels", "1"]
    cli.main(["run", "--out", str(out), *flags])
    assert set(open_study(out)["digits/mlp"]) == {"rare-8", "rare-3", "rare-1"}
    capsys.readouterr()
    cli.main(["attribute", str(out)])
    assert "Rarity was rotated over 3 classes in 3 tasks" in capsys.readouterr().out
