"""`prune-fair multiplicity`: a table, the classes of a level, sentences, and lines for mistakes."""

import json

import pytest

from prune_fair import cli
from prune_fair.store.results import EXAMPLE


def run(capsys, *arguments) -> str:
    cli.main(["multiplicity", *map(str, arguments)])
    return capsys.readouterr().out


def test_tables_and_sentences(capsys):
    plain = run(capsys, EXAMPLE, "--technique", "magnitude-global-rewind", "--level", "5")
    assert "digits/mlp: magnitude-global-rewind, level 5, by class" in plain
    assert ", by group\n" not in plain
    rows = [line for line in plain.splitlines() if "│ magnitude-global-rewind │ 6" in line]
    assert len(rows) == 1
    assert "3.6 [2.6, 4.9]" in rows[0]
    assert "says another class than its dense network on 3.2 % [2.2, 4.3]" in plain
    assert "95 % over seeds and test images" in plain


def test_document(capsys):
    document = json.loads(run(capsys, EXAMPLE, "--json"))["tasks"]["digits/mlp"]
    assert len(document["points"]) == 3 * 7
    last = document["points"][6]
    assert (last["technique"], last["level"]) == ("magnitude-global-rewind", 6)
    assert last["class_flip_rate"]["8"]["mean"] > 0.1
    assert document["class_images"]["8"] == 52


def test_only_dense_networks_are_finished(capsys, toy_study, copy_study, tmp_path):
    path = copy_study(toy_study, tmp_path / "study", finished=lambda first, level: level == 0)
    plain = run(capsys, path)
    assert "No pruned network is finished yet." in plain
    assert ", by class\n" not in plain


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--level", "0"], "level 0: expected 1 to 6"),
        (["--level", "7"], "level 7: expected 1 to 6"),
        (["--technique", "magnitude"], "unknown technique 'magnitude': did you mean"),
        (["--confidence", "95"], "confidence 95.0: expected in (0, 1)"),
    ],
)
def test_mistakes(capsys, flags, message):
    with pytest.raises(SystemExit) as stop:
        cli.main(["multiplicity", str(EXAMPLE), *flags])
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert message in printed
