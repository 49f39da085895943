"""Commands as a person types them: what they print, and one line for each mistake."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from prune_fair import DataConfig, ModelConfig, analysis, cli, console
from prune_fair.store import read_study

sys.path.insert(0, str(Path(__file__).parent.parent / "experiments"))
from digits import digits
from fashion_mnist import fashion_mnist
from quickstart import quickstart


def run(capsys, *arguments: str) -> str:
    cli.main([*map(str, arguments)])
    return capsys.readouterr().out


def test_list_names_every_row(capsys):
    plain = run(capsys, "list")
    listing = json.loads(run(capsys, "list", "--json"))
    for kind, name in [
        ("datasets", "digits"),
        ("datasets", "tfds:NAME"),
        ("datasets", "npz:FILE"),
        ("models", "lenet5"),
        ("criteria", "saliency"),
        ("treatments", "reinit"),
        ("treatments", "gradual"),
        ("schedules", "one-shot"),
        ("granularities", "channel"),
        ("metrics", "recall_ratio"),
    ]:
        assert name in listing[kind]
        assert name in plain
    assert all(row["summary"] for rows in listing.values() for row in rows.values())
    assert all(row["source"] for rows in listing.values() for row in rows.values())
    assert listing["criteria"]["snip"]["source"].startswith("Lee et al. 2019, arXiv 1810.02340")


def test_metrics_prints_a_row_a_point(capsys, toy_study):
    plain = run(capsys, "metrics", toy_study)
    assert plain.count("magnitude-global-rewind") == 2
    assert plain.count("dense") == 1
    assert "95 % intervals; of accuracy, mean_recall_change_min over 5 seeds and 540 test" in plain
    assert "of recall_difference, recall_group_min over 5 seeds." in plain
    document = json.loads(run(capsys, "metrics", toy_study, "--json"))
    rows = document["tasks"]["digits/mlp"]
    assert len(rows) == 5
    assert document["complete"] is True
    assert set(analysis.DEFAULT_METRICS) < set(rows[0])
    assert rows[0]["technique"] == "dense"
    assert rows[1]["accuracy"].keys() == {"mean", "low", "high"}
    assert rows[1]["recall"]["8"]["low"] <= rows[1]["recall"]["8"]["mean"]


def test_metrics_by_name_pooled_or_all(capsys, toy_study):
    plain = run(capsys, "metrics", toy_study, "--names", "cev", "recall_gini")
    assert "cev" in plain
    assert "undefined" in plain
    assert "accuracy" not in plain
    networks = json.loads(run(capsys, "metrics", toy_study, "--names", "all", "--json"))
    pooled = json.loads(run(capsys, "metrics", toy_study, "--names", "cev", "--json", "--pooled"))
    row, pooled_row = (each["tasks"]["digits/mlp"][1] for each in (networks, pooled))
    assert {"recall_theil", "intensification", "fpr_ratio"} < {*row}
    assert "by_group_accuracy_ratio" not in row
    assert row["undefined"]["cev"] >= 0
    assert row["cev"] != pooled_row["cev"]
    assert run(capsys, "metrics", toy_study, "--names", "all").count("digits/mlp") > 10


def test_an_unknown_command_moves_no_cursor(capsys):
    with pytest.raises(SystemExit):
        run(capsys, "\x1b[2Jx")
    err = capsys.readouterr().err
    assert r"\x1b[2Jx" in err
    assert "\x1b" not in err


SELECT = ["--require", "recall_change_min>=-0.5", "--require", "accuracy>=0.1"]


def test_select_prints_the_choice_and_its_price(capsys, toy_study):
    plain = run(capsys, "select", toy_study, *SELECT, "--certify", "--confidence", "0.9")
    assert (
        "best sparsity with recall_change_min>=-0.5 and accuracy>=0.1, certified at 90 %" in plain
    )
    assert "Prune with " in plain
    assert "By accuracy alone (accuracy ≥ 10 %; most sparsity)" in plain
    assert "90 % interval" in plain
    task = json.loads(run(capsys, "select", toy_study, *SELECT, "--json"))["tasks"]["digits/mlp"]
    assert task["chosen"]["accuracy"]["mean"] >= 0.1
    assert task["chosen_on"] == {
        "split": "validation",
        "images": 189,
        "lacking": [],
        "unreported": [],
        "reported": "test",
    }
    drop = task["chosen_as_judged"]["accuracy"]["mean"] - task["chosen"]["accuracy"]["mean"]
    assert task["drop"]["accuracy"]["mean"] == pytest.approx(drop)
    assert "Points are chosen on 189 validation images" in plain
    assert "It holds on validation images, where" in plain
    assert task["price"]["spared"]["8"].keys() == {"mean", "low", "high"}
    assert task["nearest"] == []
    weighed = run(capsys, "select", toy_study, "--weigh", "accuracy=2", "--weigh", "sparsity=0.1")
    assert "most of 2 accuracy + 0.1 sparsity with mean_recall_change_min>=-0.05" in weighed


def test_select_says_what_excludes_all(capsys, toy_study):
    impossible = ["--require", "recall_group_min>=1.5", "--require", "sparsity>=0.3"]
    with pytest.raises(SystemExit) as stop:
        cli.main(["select", str(toy_study), *impossible])
    assert stop.value.code == 1
    printed = capsys.readouterr().out
    assert "No operating point holds what was asked, not even the dense network." in printed
    binds = r"Worst class's recall ≥ 150 % binds: .*, level \d, which misses it by \d+.\d points"
    assert re.search(binds, printed)
    with pytest.raises(SystemExit):
        cli.main(["select", str(toy_study), *impossible, "--json"])
    task = json.loads(capsys.readouterr().out)["tasks"]["digits/mlp"]
    assert task["chosen"] is None
    assert task["nearest"][0]["binds"] is True
    assert task["nearest"][0]["slack"] < 0


def test_long_tables_have_no_lines(capsys):
    console.print_rows(console.make_console(), "[t]", ("a", "bb"), [("[red]", "2")] * 101)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["[t]", "a      bb", "[red]  2"]
    assert len(lines) == 103


def test_exemplars_prints_a_row_a_level_and_the_farthest_images(capsys, toy_study):
    technique = "magnitude-global-rewind"
    plain = run(capsys, "exemplars", toy_study, "--top", "2")
    assert plain.count(technique) == 3
    assert "level 2: the exemplars with the farthest votes" in plain
    assert "95 % for all classes together" in plain
    arguments = [
        "exemplars",
        toy_study,
        "--technique",
        technique,
        "--level",
        "1",
        "--top",
        "2",
        "--json",
    ]
    document = json.loads(run(capsys, *arguments))
    task = document["tasks"]["digits/mlp"]
    assert [row["level"] for row in task["points"]] == [0, 1, 2]
    assert task["points"][0]["over_index"]["8"]["mean"] is None
    assert task["points"][1]["number"] == sum(task["points"][1]["class_number"].values())
    assert sum(task["class_images"].values()) == 540
    shown = task["images"][technique]
    assert shown["level"] == 1
    assert len(shown["exemplars"]) == 2
    assert shown["exemplars"][0].keys() == {"image", "true", "dense", "pruned", "taxicab"}


def mistake(capsys, call) -> str:
    with pytest.raises(SystemExit) as stop:
        call()
    assert stop.value.code == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    return printed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["metrics", "{tmp}"], "no study"),
        (["metrics", "{tmp}/nowhere"], "no study"),
        (["metrics", "{study}", "--confidence", "2"], "confidence 2.0"),
        (["metrics", "{study}", "--names", "recal_gini"], "did you mean 'recall_gini'"),
        (["metrics", "{study}", "--names", "by_group_accuracy_ratio"], "have no groups"),
        (["select", "{study}", "--require", "accuracy>0.9"], "constraint 'accuracy>0.9': expected"),
        (["select", "{study}", "--require", "acuracy>=0.9"], "did you mean 'accuracy'"),
        (["select", "{study}", "--maximise", "sparsty"], "did you mean 'sparsity'"),
        (["select", "{study}", "--weigh", "accuracy"], "weight 'accuracy': expected"),
        (["select", "{study}", "--confidence", "1.5"], "confidence 1.5"),
        (["exemplars", "{study}", "--technique", "magnitude"], "unknown technique 'magnitude'"),
        (["exemplars", "{study}", "--level", "9"], "level 9: expected 0 to 2"),
    ],
)
def test_mistakes_of_the_command(capsys, tmp_path, toy_study, arguments, message):
    filled = [argument.format(tmp=tmp_path, study=toy_study) for argument in arguments]
    assert message in mistake(capsys, lambda: cli.main(filled))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data.name", "digit"], "unknown dataset 'digit': did you mean 'digits'"),
        (["--data.name", "idx:/nowhere"], "no such folder"),
        (["--data.name", "tfds:nothing_such"], "tfds:nothing_such"),
        (["--data.keep", "12=0.5"], "unknown class '12'"),
        (["--data.name", "npz:/nowhere.npz"], "npz:/nowhere.npz: cannot be read"),
        (["--data.classes", "3", "8", "x"], "unknown class 'x'"),
        (["--data.downsample", "3"], "images of 8x8 are not divided"),
        (["--data.groups", "g"], "dataset 'digits' has none"),
        (["--recipe.augment", "flop"], "unknown augmentation 'flop': did you mean 'flip'"),
        (["--data.keep", "3"], "expected CLASS=FRACTION pairs"),
        (["--data.keep", "3=2"], "keep fraction 2.0 of class '3'"),
        (["--model.name", "lenet"], "unknown model 'lenet': did you mean 'lenet5'"),
        (["--model.name", "lenet5", "--model.widths"], "images of 8x8 are too small"),
        (["--techniques", "magnitude-globl-rewind"], "did you mean 'magnitude-global-rewind'"),
        (["--schedule.rate", "0"], "rate 0.0"),
        (["--schedule.rate", "1"], "rate 1.0"),
        (["--schedule.name", "one-shot", "--schedule.sparsities", "1.0"], "sparsity 1.0"),
        (["--seeds", "0"], "seeds 0"),
        (["--seeds", "many"], "--seeds: invalid literal for int() with base 10: 'many'; expected"),
        (["--out", "{file}/study"], "cannot be written"),
    ],
)
def test_mistakes_of_an_experiment(capsys, tmp_path, monkeypatch, flags, message):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    (tmp_path / "file").touch()
    flags = [flag.format(file=tmp_path / "file") for flag in flags]
    if "--out" not in flags:
        flags += ["--out", str(tmp_path / "study")]
    assert message in mistake(capsys, lambda: cli.experiment(digits, flags))
    assert not [*tmp_path.glob("study/study.json")]


TOY = ["--recipe.epochs", "2", "--seeds", "3", "--schedule.levels", "2"]


def test_experiment_from_flags_to_pictures_and_again(capsys, tmp_path):
    flags = [*TOY, "--techniques", "magnitude-global-rewind", "--out", str(tmp_path / "s")]
    flags += ["--data.keep", "3=0.5", "1=0.1"]
    cli.experiment(digits, flags)
    printed = capsys.readouterr()
    assert "accuracy alone" in printed.out
    assert "By accuracy alone one would prune with" in printed.out
    assert "9/9 models" in printed.err
    assert (tmp_path / "s" / "figures" / "frontier.png").is_file()
    assert (tmp_path / "s" / "figures" / "recall.png").is_file()
    assert read_study(tmp_path / "s")["config"]["tasks"][0]["data"]["keep"] == {"1": 0.1, "3": 0.5}
    cli.experiment(digits, flags)
    again = capsys.readouterr()
    assert again.out == printed.out
    assert "already finished" in again.err


def test_configs_of_the_experiments():
    config, out = quickstart()
    assert config.pruned_networks >= 500
    assert len(config.techniques) >= 3
    sparsities = config.schedule.sparsity_by_level()
    assert len(sparsities) - 1 >= 10
    assert 1 - sparsities[-1] <= 0.03
    assert config.controls
    assert out == Path("studies/quickstart")
    config, out = fashion_mnist(data=DataConfig("tfds:fashion_mnist"), model=ModelConfig("lenet5"))
    assert config.task_names == ("fashion_mnist/lenet5",)
    assert config.tasks[0].recipe.epochs <= 6
    assert 0.8 in config.schedule.sparsity_by_level()


def test_progress_tells_models_speed_and_time_left(capsys):
    with console.progress(total=40) as heard:
        heard(10, reused=True)
        heard(10)
        heard(20)
    err = capsys.readouterr().err
    assert "10/40 models" in err
    assert "found finished" in err
    assert "models/min" in err
    assert "00:00:00 left" in err


def test_running_study_is_shown_and_said(capsys, toy_study, copy_study, tmp_path):
    tmp_path = tmp_path / "study"
    copy_study(toy_study, tmp_path, finished=lambda first, level: first == 0 and level < 2)
    plain = run(capsys, "metrics", tmp_path)
    assert "still running: 40 % of its networks are finished" in plain
    rows = json.loads(run(capsys, "metrics", tmp_path, "--json"))["tasks"]["digits/mlp"]
    assert rows[-1]["accuracy"]["mean"] is None
    for command in ("frontier", "select", "compare", "classes"):
        assert "still running: 40 %" in run(capsys, command, tmp_path)
        json.loads(run(capsys, command, tmp_path, "--json"))
    assert "still running, 40% of its networks are finished" in run(capsys, "attribute", tmp_path)
    plain = run(capsys, "exemplars", tmp_path)
    assert "still running: 40 % of its networks are finished" in plain
    assert "level 1: the exemplars with the farthest votes" in plain


@pytest.mark.parametrize("command", [["-m", "prune_fair"], ["{bin}/prune-fair"]])
def test_installed_command(command):
    binary = Path(sys.executable).parent
    filled = [part.format(bin=binary) for part in command]
    done = subprocess.run(
        [sys.executable, *filled, "list"], capture_output=True, text=True, check=True
    )
    assert "magnitude" in done.stdout
