"""A study with controls, from its config to its card and commands; the stub engine draws it."""

import dataclasses
import json
import re

import numpy as np
import pytest
import stub_engine
import xarray as xr

from prune_fair import InputError, StudyConfig, analysis, cli, open_study, report, run_study
from prune_fair.report.render import as_html, as_markdown
from prune_fair.words import budgets
from prune_fair.words.numbers import MINUS

ASKED = "magnitude-global-rewind", "random-global-finetune@0.2,2", "saliency-global-none"
CONTROLS = "dense-rewind", "dense-finetune@0.2,2", "dense-long"


@pytest.fixture(scope="module")
def config(stub_config):
    return dataclasses.replace(stub_config, techniques=ASKED, controls=True)


@pytest.fixture(scope="module")
def study(config, tmp_path_factory):
    path, heard = tmp_path_factory.mktemp("studies") / "controlled", []
    with stub_engine.stubbed():
        run_study(config, path, progress=lambda networks, reused=False: heard.append(networks))
    assert sum(heard) == config.networks
    return path


@pytest.fixture
def results(study):
    return open_study(study)["digits/mlp"].to_dataset()


def test_a_config_with_controls(config):
    assert config.techniques == ASKED
    assert config.technique_names == (*ASKED, *CONTROLS)
    without = dataclasses.replace(config, controls=False)
    assert without.technique_names == ASKED
    assert config.pruned_networks == 2 * without.pruned_networks
    assert config.fingerprint() != without.fingerprint()
    assert StudyConfig.from_json(config.as_json()) == config
    earlier = {name: value for name, value in without.as_json().items() if name != "controls"}
    assert StudyConfig.from_json(earlier) == without


def test_controls_that_are_asked_for_are_not_added_twice():
    asked = StudyConfig(techniques=("dense-long", "magnitude-global-lr_rewind"), controls=True)
    assert asked.technique_names == asked.techniques


def test_results_say_which_techniques_are_controls_and_whose(results):
    names = results.technique.values.tolist()
    assert names == [*ASKED, *CONTROLS]
    assert results.control.values.tolist() == [False] * 3 + [True] * 3
    assert analysis.floors(results).values.tolist() == [*CONTROLS[:2], "", *CONTROLS]
    assert (results.sparsity.sel(technique=list(CONTROLS)) == 0).all()
    assert (results.sparsity.sel(technique=list(ASKED)).isel(level=2) > 0.8).all()


def test_results_say_how_many_steps_were_taken(results):
    """Three epochs of one batch; the finetuning goes on from step 2."""
    assert 64 <= results.train_count.sum() < 128
    full, short, none = [3, 6, 9], [3, 4, 5], [3, 3, 3]
    assert results.training_steps.values.tolist() == [full, short, none, full, short, full]


def test_xarray_reads_them_without_this_package(study, results):
    tree = xr.open_datatree(study, engine="zarr")["digits/mlp"]
    for name in ("control", "retraining", "training_steps"):
        assert np.array_equal(tree[name].values, results[name].values)


def test_a_study_with_controls_is_the_same_after_a_stop(config, study, tmp_path):
    heard = []

    def stop(networks, reused=False):
        heard.append(networks)
        if len(heard) == 5:
            raise KeyboardInterrupt

    with stub_engine.stubbed():
        with pytest.raises(KeyboardInterrupt):
            run_study(config, tmp_path / "again", progress=stop)
        again = run_study(config, tmp_path / "again")
    assert again["digits/mlp"].to_dataset().identical(open_study(study)["digits/mlp"].to_dataset())


@pytest.mark.parametrize("rule", [[], ["accuracy>=0.0"], ["mean_recall_change_min>=-1"]])
@pytest.mark.parametrize("maximise", ["sparsity", "accuracy", "mean_recall_change_min"])
def test_no_command_chooses_a_control(study, rule, maximise, capsys):
    """Networks are drawn: a control is the best of them by chance in some of these."""
    words = [f"--require={each}" for each in rule]
    try:
        cli.main(["select", str(study), "--json", "--maximise", maximise, *words])
    except SystemExit as ended:
        assert ended.code == 1  # noqa: PT017
    found = json.loads(capsys.readouterr().out)["tasks"]["digits/mlp"]
    rows = found["chosen"], found["accuracy_alone"], *(n["point"] for n in found["nearest"])
    assert not any(row["technique"] in CONTROLS for row in rows if row)
    if found["chosen"] and found["chosen"]["technique"] == ASKED[0]:
        assert found["floor"]["technique"] == CONTROLS[0]
        assert found["floor"]["level"] == found["chosen"]["level"]


def test_the_floor_of_what_was_asked_is_told(results):
    """Of each change that is asked, where the chosen point is retrained at all."""
    trained, asked = results.drop_sel(technique=ASKED[2]), ["mean_recall_change_min>=-1"]
    (line,) = budgets.floors_of_rule(analysis.select(trained, [*asked, "accuracy>=0"]))
    start = r"Retraining alone \(dense-(rewind|finetune@0.2,2), level 2, nothing pruned\): "
    assert re.match(start + "smallest of the classes' mean changes of recall since dense is", line)
    (line,) = budgets.floors_of_rule(analysis.select(trained, ["recall_change_max<=1"]))
    assert "that alone breaks the bound" not in line
    without = trained.sel(technique=list(ASKED[:2]))
    (line,) = budgets.floors_of_rule(analysis.select(without, asked))
    assert line.startswith("No control is retrained as ")
    for rule in (["accuracy>=0"], []):
        assert budgets.floors_of_rule(analysis.select(trained, rule)) == []
    untrained = results.sel(technique=[ASKED[2], *CONTROLS])
    assert budgets.floors_of_rule(analysis.select(untrained, asked)) == []
    nothing = analysis.select(trained, ["mean_recall_change_min>=1"])
    assert budgets.floors_of_rule(nothing) == []


def test_a_floor_that_breaks_the_bound_says_so(results):
    choice = analysis.select(results.drop_sel(technique=ASKED[2]), ["mean_recall_change_min>=-1"])
    floor = analysis.floor_of(choice.points, choice.chosen)
    choice.points.mean_recall_change_min[floor] = -1.1
    (line,) = budgets.floors_of_rule(choice)
    assert line.endswith(f"points; that alone breaks the bound of {MINUS}100 points.")


def test_the_card_names_floors_and_steps_and_counts_controls_apart(study):
    card = report.make_card(study, ["mean_recall_change_min>=-1"])
    for text in (as_html(card), as_markdown(card).replace("\\", "")):
        assert "3 techniques · 3 controls" in text
        assert "training steps" in text
        assert "of which nothing is pruned" in text
        assert "dense-rewind, retrained as magnitude-global-rewind: smallest of the" in text
        assert "Techniques are not trained equally long" in text
        assert not any(f"Prune with {control}" in text for control in CONTROLS)
    (task,) = card.tasks
    assert {*task.decision.best_by_technique()} == {*ASKED}
    assert task.limits.looked_at == 3 * 2
    assert {rank.technique for rank in task.ranks} == {*ASKED}


def test_a_study_without_controls_says_so(stub_config, tmp_path):
    with stub_engine.stubbed():
        run_study(stub_config, tmp_path / "s")
    card = report.make_card(tmp_path / "s", ["accuracy>=0"])
    assert "No control is retrained as" in as_markdown(card)


def test_compare_leaves_out_unequal_budgets(study, capsys):
    cli.main(["compare", str(study)])
    out = capsys.readouterr().out
    assert "In 3 of 3 pairs the training steps differ by more than 5 %" in out
    assert not any(control in out for control in CONTROLS)
    with pytest.raises(SystemExit) as ended:
        cli.main(["compare", str(study), "--equal-budget"])
    assert ended.value.code == 1
    assert "Not compared, since their training steps differ by more than 5 %:" in (
        capsys.readouterr().out
    )
    with pytest.raises(SystemExit):
        cli.main(["compare", str(study), "--equal-budget", "--json"])
    found = json.loads(capsys.readouterr().out)
    task = found["tasks"]["digits/mlp"]
    assert (found["equal_budget"], task["pairs"], len(task["left_out"])) == (True, [], 3)
    assert {*task["steps"]} == {*ASKED}


def test_controls_alone(stub_config, tmp_path, capsys):
    """Nothing prunes: the dense network is all that there is to choose."""
    alone = dataclasses.replace(stub_config, techniques=CONTROLS[:1])
    with stub_engine.stubbed():
        run_study(alone, tmp_path / "s")
    cli.main(["select", str(tmp_path / "s"), "--require", "accuracy>=0"])
    assert "Do not prune: only the dense network holds" in capsys.readouterr().out
    card = report.make_card(tmp_path / "s")
    assert "No pruned network is finished yet" in as_html(card)
    for command in (["compare"], ["frontier"]):
        with pytest.raises(SystemExit) as ended:
            cli.main([*command, str(tmp_path / "s")])
        assert ended.value.code == 2
        assert "all prune nothing; expected one that prunes, too" in capsys.readouterr().err


def test_refusals(stub_config):
    with pytest.raises(InputError, match="level 0 of every technique"):
        dataclasses.replace(stub_config, techniques=("dense+balanced_softmax",), controls=True)


def test_what_is_equal_is_not_told(results):
    own = results.sel(technique=[ASKED[0], *CONTROLS])
    assert budgets.unequal(own) == ""
    assert "saliency-global-none takes" in budgets.unequal(results)
