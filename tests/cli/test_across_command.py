"""`prune-fair across`: tables, documents, pictures, and a line for each mistake."""

import json

import pytest

from prune_fair import cli

TECHNIQUES = ["magnitude-global-rewind", "random-layerwise-channel-finetune"]


def run(capsys, *arguments) -> str:
    cli.main([*map(str, arguments)])
    return capsys.readouterr().out


def renamed(keep, name=""):
    """Makes another task of a copied study's: other images, and perhaps another name."""

    def change(study):
        task = study["config"]["tasks"][0]
        task["data"]["keep"] = keep
        if name:
            task["name"], study["tasks"] = name, {name: study["tasks"].pop("digits/mlp")}

    return change


@pytest.fixture(scope="module")
def studies(toy_study, copy_study, tmp_path_factory):
    """Three studies as of different images; the last has not finished two of its five seeds."""
    folder = tmp_path_factory.mktemp("across")
    one = copy_study(toy_study, folder / "one", renamed({"1": 0.5}))
    two = copy_study(toy_study, folder / "two", renamed({"2": 0.5}))
    running = copy_study(
        toy_study, folder / "running", renamed({"5": 0.5}), finished=lambda first, level: first == 0
    )
    return one, two, running


def test_across_prints_what_is_resolved(capsys, studies):
    plain = run(capsys, "across", *studies)
    for words in (
        "recall_group_min across 3 tasks",
        "two: digits/mlp",
        "in points",
        "interquartile mean",
        "3 to 5 seeds of each task",
        "(Nemenyi, all pairs together at 0.05)",
        "So few tasks tell none apart by rank: it takes 4 at least.",
        "3 tasks come from 1 data set",
        "running: digits/mlp: The study is still running: 60 %",
        "With 3 tasks or fewer",
        "No two techniques are told apart in opposite orders.",
    ):
        assert words in plain
    assert "nan" not in plain


def test_json(capsys, studies):
    flags = ("--metric", "accuracy", "--at", "0.8", "--confidence", "0.9", "--json")
    document = json.loads(run(capsys, "across", *studies, *flags))
    assert len(document["studies"]) == 3
    assert document["asked"] == 0.8
    assert {*document["iqm"]} == {*TECHNIQUES}
    assert document["mean_rank"][TECHNIQUES[0]] + document["mean_rank"][TECHNIQUES[1]] == 3
    assert document["p"] is None  # Friedman's test takes three techniques
    profile = document["profile"]["share"][TECHNIQUES[0]]
    assert len(profile["mean"]) == len(document["profile"]["threshold"])
    task = "running: digits/mlp"
    assert document["seeds"][task] == 3
    assert document["tau"][task][task]["mean"] == 1
    assert document["confidence"] == 0.9


def test_hypervolume_and_pictures(capsys, studies, tmp_path):
    flags = ("--metric", "hypervolume", "--objectives", "sparsity", "accuracy")
    plain = run(capsys, "across", *studies[:2], *flags, "--out", tmp_path / "figures")
    assert "the hypervolume (sparsity, accuracy) of each seed's operating points" in plain
    assert "all levels" in plain
    names = {file.name for file in (tmp_path / "figures").iterdir()}
    assert names == {"performance-profiles.png", "critical-difference.png"}
    again = run(capsys, "across", *studies[:2], "--json", "--out", tmp_path / "figures")
    json.loads(again)


def test_names_that_are_alone_are_not_lengthened(capsys, toy_study, studies, copy_study, tmp_path):
    named = copy_study(toy_study, tmp_path / "named", renamed({"4": 0.5}, "fours"))
    plain = run(capsys, "across", named, studies[0])
    assert "fours" in plain
    assert "named: " not in plain
    assert "digits/mlp" in plain


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "tasks 'digits/mlp': expected two at least, in one study or several"),
        (["one", "one"], "is the same task as digits/mlp of"),
        (["two", "--metric", "acuracy"], "did you mean 'accuracy'"),
        (
            ["two", "--at", "0.99"],
            "left out: magnitude-global-rewind (in two: digits/mlp its level",
        ),
        (["two", "--at", "1"], "sparsity 1.0: expected in [0, 1)"),
        (["two", "--at", "nan"], "sparsity nan: expected in [0, 1)"),
        (["two", "--metric", "hypervolume", "--at", "0.5"], "a hypervolume is of all levels"),
        (["two", "--techniques", "magnitude"], "did you mean 'magnitude-global-rewind'"),
        (["two", "--techniques", TECHNIQUES[0]], "techniques 'magnitude-global-rewind': expected"),
        (["two", "--techniques", *TECHNIQUES, TECHNIQUES[0]], "techniques: expected each once"),
        (["two", "--normalise", "rank"], "unknown normalisation 'rank'"),
        (["two", "--confidence", "95"], "confidence 95.0"),
        (["nowhere"], "no study"),
    ],
)
def test_mistakes(capsys, studies, arguments, message):
    one = studies[0]
    words = [str(one.parent / w) if w in ("one", "two", "nowhere") else w for w in arguments]
    with pytest.raises(SystemExit) as stop:
        cli.main(["across", str(one), *words])
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert message in printed


def test_no_study_at_all(capsys):
    with pytest.raises(SystemExit):
        cli.main(["across"])
    assert "no study: expected directories" in capsys.readouterr().err
