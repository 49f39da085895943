"""Commands as a person types them: what they print, and one line for each mistake."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from prune_fair import cli, console
from prune_fair.fairness import METRICS
from prune_fair.store import read_study

sys.path.insert(0, str(Path(__file__).parent.parent / "experiments"))
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
    sourced = [rows for kind, rows in listing.items() if kind != "metrics"]
    assert all(row["source"] for rows in sourced for row in rows.values())
    assert listing["criteria"]["snip"]["source"].startswith("Lee et al. 2019, arXiv 1810.02340")


def test_metrics_prints_a_row_a_point(capsys, toy_study):
    plain = run(capsys, "metrics", toy_study)
    assert plain.count("magnitude-global-rewind") == 2
    assert plain.count("dense") == 1
    assert "95% percentile bootstrap over 5 seeds" in plain
    document = json.loads(run(capsys, "metrics", toy_study, "--json"))
    rows = document["tasks"]["digits/mlp"]
    assert len(rows) == 5
    assert document["complete"] is True
    assert set(METRICS) < set(rows[0])
    assert rows[0]["method"] == "dense"
    assert rows[1]["accuracy"].keys() == {"mean", "low", "high"}
    assert rows[1]["recall"]["8"]["low"] <= rows[1]["recall"]["8"]["mean"]


def test_frontier_prints_what_is_on_it(capsys, toy_study):
    document = json.loads(run(capsys, "frontier", toy_study, "--json"))
    rows = document["tasks"]["digits/mlp"]
    chosen = [row for row in rows if row["on_frontier"]]
    assert len(rows) == 5
    assert 1 <= len(chosen) <= 5
    plain = run(capsys, "frontier", toy_study, "--objectives", "accuracy,recall_ratio")
    assert "recall_ratio" in plain
    assert "sparsity" not in plain


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
        (["frontier", "{study}", "--objectives", "acuracy"], "did you mean 'accuracy'"),
        (["frontier", "{study}", "--objectives", ","], "no objectives"),
        (["metrics", "{study}", "--confidence", "2"], "confidence 2.0"),
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
        (["--methods", "magnitude-globl-rewind"], "did you mean 'magnitude-global-rewind'"),
        (["--schedule.rate", "0"], "rate 0.0"),
        (["--schedule.rate", "1"], "rate 1.0"),
        (["--schedule.name", "one-shot", "--schedule.sparsities", "1.0"], "sparsity 1.0"),
        (["--seeds", "0"], "seeds 0"),
        (["--out", "{file}/study"], "cannot be written"),
    ],
)
def test_mistakes_of_an_experiment(capsys, tmp_path, monkeypatch, flags, message):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    (tmp_path / "file").touch()
    flags = [flag.format(file=tmp_path / "file") for flag in flags]
    if "--out" not in flags:
        flags += ["--out", str(tmp_path / "study")]
    assert message in mistake(capsys, lambda: cli.experiment(quickstart, flags))
    assert not [*tmp_path.glob("study/study.json")]


def test_flags_that_do_not_parse_exit_with_2(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.experiment(quickstart, ["--seeds", "many"])
    assert stop.value.code == 2
    assert "--seeds" in capsys.readouterr().err


TOY = ["--recipe.epochs", "2", "--seeds", "3", "--schedule.levels", "2"]


def test_experiment_from_flags_to_pictures_and_again(capsys, tmp_path):
    flags = [*TOY, "--methods", "magnitude-global-rewind", "--out", str(tmp_path / "s")]
    flags += ["--data.keep", "3=0.5", "1=0.1"]
    cli.experiment(quickstart, flags)
    printed = capsys.readouterr()
    assert "accuracy alone" in printed.out
    assert "By accuracy alone one would prune with" in printed.out
    assert "9/9 models" in printed.err
    assert (tmp_path / "s" / "figures" / "frontier.png").is_file()
    assert (tmp_path / "s" / "figures" / "recall.png").is_file()
    assert read_study(tmp_path / "s")["config"]["tasks"][0]["data"]["keep"] == {"1": 0.1, "3": 0.5}
    cli.experiment(quickstart, flags)
    again = capsys.readouterr()
    assert again.out == printed.out
    assert "already finished" in again.err


def test_configs_of_the_experiments():
    config, out = quickstart()
    assert config.pruned_networks >= 500
    assert len(config.methods) >= 3
    sparsities = config.schedule.sparsity_by_level()
    assert len(sparsities) - 1 >= 12
    assert 1 - sparsities[-1] <= 0.015
    assert out == Path("studies/quickstart")
    config, out = fashion_mnist(dataset="tfds:fashion_mnist", model="lenet5")
    assert config.tasks[0].name == "fashion_mnist/lenet5"
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


def test_running_study_is_shown_and_said(capsys, toy_study, tmp_path):
    for entry in ("study.json", "results"):
        os.symlink(toy_study / entry, tmp_path / entry)
    (tmp_path / "results").unlink()
    folder = tmp_path / "results" / "digits" / "mlp"
    folder.mkdir(parents=True)
    for piece in sorted((toy_study / "results/digits/mlp").iterdir())[:2]:
        os.symlink(piece, folder / piece.name)
    plain = run(capsys, "metrics", tmp_path)
    assert "still running: 40% of its networks are finished" in plain
    rows = json.loads(run(capsys, "metrics", tmp_path, "--json"))["tasks"]["digits/mlp"]
    assert rows[-1]["accuracy"]["mean"] is None


@pytest.mark.parametrize("command", [["-m", "prune_fair"], ["{bin}/prune-fair"]])
def test_installed_command(command):
    binary = Path(sys.executable).parent
    filled = [part.format(bin=binary) for part in command]
    done = subprocess.run(
        [sys.executable, *filled, "list"], capture_output=True, text=True, check=True
    )
    assert "magnitude" in done.stdout


@pytest.mark.parametrize(
    ("chosen", "cost", "fair", "words"),
    [
        (0.9, -0.07, 0.8, "class b would pay with 7.0 points of its recall.*only up to 0.800"),
        (0.9, -0.02, 0.95, "class b would pay with 2.0 points.*within 5 points.*there too"),
        (0.9, 0.01, 0.95, "no class has lost recall"),
    ],
)
def test_the_price_in_words(chosen, cost, fair, words):
    by_estimate = {"accuracy_sparsity": chosen, "cost": cost, "fair_sparsity": fair}
    price = xr.Dataset(
        {name: (("method", "estimate"), [[v, v, v]]) for name, v in by_estimate.items()},
        {"method": ["random-global-rewind"], "estimate": ["mean", "low", "high"]},
    ).assign(worst_class=("method", ["b"]))
    assert re.search(words, console.in_words(price))
    assert "random-global-rewind to sparsity 0.900" in console.in_words(price)
