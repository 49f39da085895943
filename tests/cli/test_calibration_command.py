"""`prune-fair calibration`: a table, the classes of a level, sentences, and lines for mistakes."""

import json
from pathlib import Path

import pytest

from prune_fair import StudyConfig, cli
from prune_fair.cli.studies import configured


def run(capsys, *arguments) -> str:
    cli.main(["calibration", *map(str, arguments)])
    return capsys.readouterr().out


def test_the_flag_asks_for_it():
    study = configured(StudyConfig(), Path("studies/study"))
    assert study(calibration=True)[0] == StudyConfig(calibration=True)
    assert study()[0] == StudyConfig()


def test_tables_and_sentences(capsys, calibrated_study):
    plain = run(capsys, calibrated_study)
    assert "digits/mlp: are networks as sure as they are right?" in plain
    assert "digits/mlp: magnitude-global-rewind, level 1, by class" in plain
    assert "│ dense" in plain
    assert "dense-long (control)" in plain
    assert ", by group\n" not in plain
    assert "Their logits are best divided by a temperature of" in plain
    assert "Control: dense-long has pruned nothing at level 1" in plain
    assert "Intervals hold for 10 classes together." in plain
    assert "95 % over 4 seeds, all of which have the same test images" in plain
    assert "…" not in plain
    assert "nan" not in plain


def test_document(capsys, calibrated_study):
    document = json.loads(run(capsys, calibrated_study, "--json"))["tasks"]["digits/mlp"]
    last = document["points"][1]
    assert (last["technique"], last["level"]) == ("magnitude-global-rewind", 1)
    assert {*last["ece_change"]} == {"mean", "low", "high"}
    assert last["class_gap"]["8"]["mean"] > 0
    assert document["class_images"]["8"] == 52


def test_one_technique(capsys, calibrated_study):
    plain = run(capsys, calibrated_study, "--technique", "magnitude-global-rewind")
    assert "control" not in plain


def test_only_dense_networks_are_finished(capsys, calibrated_study, copy_study, tmp_path):
    path = copy_study(calibrated_study, tmp_path / "s", finished=lambda first, level: level == 0)
    plain = run(capsys, path)
    assert "No pruned network is finished yet." in plain
    assert ", by class\n" not in plain


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--level", "0"], "level 0: expected 1 to 1"),
        (["--technique", "magnitude"], "unknown technique 'magnitude': did you mean"),
        (["--confidence", "95"], "confidence 95.0: expected in (0, 1)"),
    ],
)
def test_mistakes(capsys, calibrated_study, flags, message):
    assert message in refused(capsys, calibrated_study, *flags)


def test_a_study_without_it(capsys, toy_study):
    assert "run it with --calibration" in refused(capsys, toy_study)


def refused(capsys, *words) -> str:
    with pytest.raises(SystemExit) as stop:
        cli.main(["calibration", *map(str, words)])
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    return printed


def test_the_card_has_a_section(calibrated_study, copy_study, toy_study, tmp_path, capsys):
    path = copy_study(calibrated_study, tmp_path / "study")
    with pytest.raises(SystemExit) as stop:
        cli.main(["report", str(path), "--require", "accuracy>=2"])
    assert stop.value.code == 1
    page = (path / "report.md").read_text()
    section = page.partition("## Calibration\n")[2].partition("\n## ")[0]
    assert "The expected calibration error is" in section
    assert "95 % over 4 seeds, all of which have the same test images" in section
    assert section.count("\n| ") == 1 + 1 + 10  # a heading, its line and the classes
    assert (
        "How often networks are right against how sure they are"
        in (path / "report.html").read_text()
    )
    without = copy_study(toy_study, tmp_path / "without")
    with pytest.raises(SystemExit):
        cli.main(["report", str(without), "--require", "accuracy>=2"])
    assert "Calibration" not in (without / "report.md").read_text()
