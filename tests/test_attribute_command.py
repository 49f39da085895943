"""`prune-fair attribute`, on the toy study."""

import json

import pytest

from prune_fair import cli


def test_table_and_sentences(toy_study, capsys):
    cli.main(["attribute", str(toy_study)])
    shown = capsys.readouterr().out
    assert "p over 10 classes" in shown
    assert "Classes 3 and 8 were made rare in every task" in shown
    assert "a class with half the share of the training images loses" in shown
    assert "a class whose dense recall is 10 points lower loses" in shown
    assert "each with its mean change over 5 seeds and 2 techniques" in shown


def test_json_is_one_document(toy_study, capsys):
    options = ["--complexity", "mean_image_entropy", "--sparsity", "0.7"]
    cli.main(["attribute", str(toy_study), "--json", *options])
    models = json.loads(capsys.readouterr().out)["models"]
    assert list(models) == ["known_before_training", "at_equal_dense_recall"]
    model = models["known_before_training"]
    assert model["sparsity"] == 0.7
    assert [row["term"] for row in model["terms"]] == ["share", "complexity"]
    assert len(model["sentences"]) == 3
    assert (model["classes"], model["rarity"], model["converged"]) == (10, "fixed", True)
    assert all(0 < row["p"] <= 1 for row in model["terms"])
    assert all(row["least"] <= row["most"] for row in model["terms"])
    assert all(row["low"] < row["estimate"] < row["high"] for row in model["terms"])


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--complexity", "entropy"], "did you mean 'mean_image_entropy'"),
        (["--sparsity", "0.99"], "sparsity 0.99: expected one between"),
        (["--confidence", "95"], "confidence 95.0: expected in (0, 1)"),
    ],
)
def test_mistakes_are_one_line(toy_study, capsys, options, line):
    with pytest.raises(SystemExit) as refused:
        cli.main(["attribute", str(toy_study), *options])
    assert refused.value.code == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
