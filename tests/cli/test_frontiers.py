"""`prune-fair frontier` and `compare`: tables, documents, and a line for each mistake."""

import json

import pytest

from prune_fair import cli

TECHNIQUES = ["magnitude-global-rewind", "random-layerwise-channel-finetune"]


def run(capsys, *arguments) -> str:
    cli.main([*map(str, arguments)])
    return capsys.readouterr().out


@pytest.fixture
def running_study(toy_study, copy_study, tmp_path):
    """The toy study when its first seeds are through and the others have not begun."""
    return copy_study(toy_study, tmp_path / "study", finished=lambda first, level: first == 0)


@pytest.fixture
def two_seeds(toy_study, monkeypatch):
    """The toy study as if it had two seeds."""
    from prune_fair.cli import flags

    whole = flags.open_study
    monkeypatch.setattr(flags, "open_study", lambda path: whole(path).map_over_datasets(_first_two))
    return toy_study


def _first_two(node):
    return node.isel(seed=slice(2)) if "seed" in node.dims else node


def test_frontier_prints_what_is_on_it(capsys, toy_study):
    document = json.loads(run(capsys, "frontier", toy_study, "--json"))
    rows = document["tasks"]["digits/mlp"]
    chosen = [row for row in rows if row["on_frontier"]]
    assert len(rows) == 5
    assert 1 <= len(chosen) <= 5
    assert all(0 <= row["probability"] <= 1 for row in rows)
    plain = run(capsys, "frontier", toy_study, "--objectives", "accuracy", "recall_ratio")
    assert "P(on frontier)" in plain
    assert "recall_ratio" in plain
    assert "sparsity" not in plain


def test_frontier_compares_the_techniques(capsys, toy_study):
    plain = run(capsys, "frontier", toy_study)
    for words in ("rank by performance", "rank with fairness", "Kendall's tau", "accuracy 0.1"):
        assert words in plain
    document = json.loads(run(capsys, "frontier", toy_study, "--json"))["comparisons"]["digits/mlp"]
    assert document["reference"] == {"sparsity": 0, "accuracy": 0.1, "recall_group_min": 0}
    assert document["best"] in TECHNIQUES
    assert sorted(document["rank"].values()) == [1, 2]
    assert {*document["difference"][TECHNIQUES[0]]} == {*TECHNIQUES}
    assert document["ranking"]["tau"]["mean"] in (-1, 1)
    flags = ("--reference", "accuracy=0.2", "sparsity=0.1", "--json")
    other = json.loads(run(capsys, "frontier", toy_study, *flags))["comparisons"]["digits/mlp"]
    assert other["reference"] == {"sparsity": 0.1, "accuracy": 0.2, "recall_group_min": 0}
    assert other["hypervolume"] != document["hypervolume"]


def test_compare(capsys, toy_study):
    plain = run(capsys, "compare", toy_study)
    assert "recall_group_min at sparsity" in plain
    assert "adjusted for all pairs by Holm" in plain
    flags = ("--metric", "accuracy", "--sparsity", "0.5", "--effect", "0.01", "--json")
    document = json.loads(run(capsys, "compare", toy_study, *flags))
    assert document["effect"] == 0.01
    part = document["tasks"]["digits/mlp"]
    assert (part["metric"], part["sparsity"]) == ("accuracy", 0.5)
    (pair,) = part["pairs"]
    assert [pair["first"], pair["second"]] == TECHNIQUES
    assert pair["seeds"] == 5
    assert pair["seeds_needed"] >= 2
    assert pair["difference"]["low"] <= pair["difference"]["mean"]


def test_one_kind_of_objectives_has_no_ranking(capsys, toy_study):
    assert "No change of ranks" in run(capsys, "frontier", toy_study, "--objectives", "accuracy")


def test_few_seeds_are_said(capsys, two_seeds):
    for command in ("frontier", "compare"):
        plain = run(capsys, command, two_seeds)
        assert "There are no intervals: 2 network(s) of each kind, at least 3" in plain
    rows = json.loads(run(capsys, "frontier", two_seeds, "--json"))["tasks"]["digits/mlp"]
    assert rows[0]["probability"] is None


def test_running_study(capsys, running_study):
    for command in ("frontier", "compare"):
        plain = run(capsys, command, running_study)
        assert "still running: 60 % of its networks are finished" in plain
    document = json.loads(run(capsys, "compare", running_study, "--json"))
    assert document["tasks"]["digits/mlp"]["pairs"][0]["seeds"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frontier", "--objectives", "acuracy"], "did you mean 'accuracy'"),
        (["frontier", "--objectives"], "no objectives"),
        (
            ["frontier", "--objectives", "accuracy,sparsity"],
            "unknown objective 'accuracy,sparsity'",
        ),
        (["frontier", "--confidence", "0"], "confidence 0.0"),
        (["frontier", "--reference", "accuracy"], "expected a metric, = and a number"),
        (["frontier", "--reference", "acuracy=0.1"], "did you mean 'accuracy'"),
        (["frontier", "--reference", "accuracy=nan"], "expected a metric, = and a number"),
        (["compare", "--metric", "recal_group_min"], "did you mean 'recall_group_min'"),
        (
            ["compare", "--sparsity", "0.99"],
            "sparsity 0.99: expected one that two techniques reach",
        ),
        (["compare", "--sparsity", "-1"], "sparsity -1.0: expected"),
        (["compare", "--effect", "0"], "effect 0"),
        (["compare", "--confidence", "95"], "confidence 95.0"),
    ],
)
def test_mistakes(capsys, toy_study, arguments, message):
    with pytest.raises(SystemExit) as stop:
        cli.main([arguments[0], str(toy_study), *arguments[1:]])
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert message in printed
