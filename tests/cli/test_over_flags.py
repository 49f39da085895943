"""`--over` and `--certify`: what is printed, and one line where a study cannot give it."""

import json

import pytest

from prune_fair import cli
from prune_fair.store.results import EXAMPLE

COMMANDS = ("metrics", "classes", "select")


def run(capsys, *arguments) -> str:
    cli.main([*map(str, arguments)])
    return capsys.readouterr().out


@pytest.fixture
def bare(stub_study, copy_study, tmp_path):
    """A study whose predictions were not kept."""

    def forget(study):
        variables = study["tasks"]["digits/mlp"]["variables"]
        for name in [name for name in variables if "predictions" in name or "_label" in name]:
            del variables[name]

    return copy_study(stub_study, tmp_path / "bare", forget)


@pytest.mark.parametrize("over", ["images", "both"])
@pytest.mark.parametrize("command", COMMANDS)
def test_intervals_over_images_that_were_not_kept_are_refused(capsys, bare, command, over):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, str(bare), "--over", over])
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert f"intervals over '{over}': these results were kept without predictions" in printed


def test_points_that_cannot_be_certified_are_refused(capsys, bare):
    with pytest.raises(SystemExit) as stop:
        cli.main(["select", str(bare), "--certify"])
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "run it with --predictions" in printed


@pytest.mark.parametrize("command", COMMANDS)
def test_another_word_is_refused(capsys, command):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, str(EXAMPLE), "--over", "pixels"])
    assert stop.value.code == 2
    assert "pixels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ("seeds", "95 % interval over 16 seeds."),
        ("images", "95 % interval over 540 test images."),
        ("both", "95 % interval over 16 seeds and 540 test images."),
    ],
)
def test_what_intervals_are_over_is_said(capsys, over, words):
    plain = run(capsys, "metrics", EXAMPLE, "--names", "accuracy", "--over", over)
    assert words in " ".join(plain.split())


def test_means_are_the_same_whatever_intervals_are_over(capsys):
    def rows(over):
        flags = "--names", "accuracy", "mean_recall_change_min", "--json", "--over", over
        return json.loads(run(capsys, "metrics", EXAMPLE, *flags))["tasks"]["digits/mlp"]

    seeds, both = rows("seeds"), rows("both")
    for one, other in zip(seeds, both, strict=True):
        for name in ("accuracy", "mean_recall_change_min"):
            mean = pytest.approx(other[name]["mean"], abs=1e-6)
            assert one[name]["mean"] == mean
    widths = [
        [row["accuracy"]["high"] - row["accuracy"]["low"] for row in r] for r in (seeds, both)
    ]
    assert all(wide > narrow for narrow, wide in zip(*widths, strict=True))


def test_certified_and_cross_fitted_are_in_the_document(capsys):
    flags = "--require", "accuracy_change>=-0.05", "--certify", "--json"
    answer = json.loads(run(capsys, "select", EXAMPLE, *flags))["tasks"]["digits/mlp"]
    assert answer["certified"]["one_sided_confidence_of_a_technique"] == pytest.approx(1 - 0.05 / 3)
    assert answer["certified"]["bounds"]["accuracy_change>=-0.05"] >= -0.05
    assert answer["certified"]["too_few"] == []
    assert answer["cross_fitted"]["folds"] == len(answer["cross_fitted"]["chosen"]) == 5
    assert {"accuracy", "accuracy_change", "sparsity"} <= {*answer["cross_fitted"]["reported"]}
    by_tolerance = answer["accuracy_alone_by_tolerance"]
    assert [row["tolerated"] for row in by_tolerance] == [0.0025, 0.005, 0.01, 0.02]
    assert by_tolerance[2]["worst_class"] == "8"
    plain = json.loads(run(capsys, "select", EXAMPLE, *flags[:2], "--json"))
    assert plain["tasks"]["digits/mlp"]["certified"] is None
