"""`prune-fair classes`: who pays, with what was corrected for."""

import json

import pytest

from prune_fair import cli


def run(capsys, *arguments) -> str:
    cli.main([*map(str, arguments)])
    return capsys.readouterr().out


def test_classes_are_shown_the_worst_first(capsys, toy_study):
    plain = run(capsys, "classes", toy_study)
    assert "digits/mlp: magnitude-global-rewind, level 2" in plain
    assert "p (Holm)" in plain
    assert "95 % interval over 5 seeds" in plain
    document = json.loads(run(capsys, "classes", toy_study, "--json"))
    tests = document["tasks"]["digits/mlp"]
    assert tests["p_holm"]["magnitude-global-rewind"]["0"]["8"] is None
    at = "random-layerwise-channel-finetune", "1", "8"
    p, p_holm = (tests[name][at[0]][at[1]][at[2]] for name in ("p", "p_holm"))
    assert 0 <= p <= p_holm <= 1
    assert "level 1" in run(capsys, "classes", toy_study, "--level", "1")


@pytest.mark.parametrize("level", ["0", "3"])
def test_levels_that_are_not_there(capsys, toy_study, level):
    with pytest.raises(SystemExit) as stop:
        cli.main(["classes", str(toy_study), "--level", level])
    assert stop.value.code == 2
    assert f"level {level}: expected 1 to 2" in capsys.readouterr().err
