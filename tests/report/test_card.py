"""What the card tells, against the results themselves."""

import json
import math

import numpy as np
import pytest

import prune_fair
from prune_fair import InputError, analysis
from prune_fair.analysis import DEFAULT_COMPLEXITY
from prune_fair.data import BY_IMAGE
from prune_fair.report import make_card, tables
from prune_fair.report.origin import command_line, technique_parts
from prune_fair.report.render import as_html
from prune_fair.report.sentences import exemplars_in_words, limits_in_words, payers, reasons
from prune_fair.words import choices
from prune_fair.words.classes import accuracy_alone_rows

LENIENT = ["recall_change_min>=-0.9"]
IMPOSSIBLE = ["recall_group_min>=0.9999", "accuracy>=0.5"]


def task_of(path, *asked, **options):
    (task,) = make_card(path, *asked, **options).tasks
    return task


def headline(task):
    return choices.headline(task.answers.choice)


def verdict(task):
    return choices.verdict(task.answers.choice)


def test_the_decision_is_that_of_select(toy_study, toy_results):
    task = task_of(toy_study, LENIENT)
    choice = analysis.select(toy_results, LENIENT)
    at = choice.points.isel(point=choice.chosen)
    chosen = task.decision.chosen
    assert (chosen.technique, chosen.level) == (at.technique.item(), at.level.item())
    own = analysis.as_dataset(toy_results).sel(technique=chosen.technique, level=chosen.level)
    assert chosen.sparsity.mean == pytest.approx(own.sparsity.mean().item())
    confusion = own.confusion
    right = np.trace(confusion.values, axis1=1, axis2=2) / confusion.sum(("true", "predicted"))
    assert chosen.values["accuracy"].mean == pytest.approx(right.mean().item())
    assert f"{100 * right.mean().item():.1f} %" in " ".join(reasons(task))
    assert headline(task).startswith(f"Prune with {chosen.technique} to ")
    assert f"{100 * chosen.sparsity.mean:.1f} %" in headline(task)


def test_classes_are_those_of_the_counts(toy_study, toy_results):
    task = task_of(toy_study, LENIENT)
    shown = task.decision.chosen
    recall = analysis.class_recall(toy_results).sel(technique=shown.technique)
    change = (recall.sel(level=shown.level) - recall.sel(level=0)).mean("seed")
    for row in task.classes:
        assert row.change.mean == pytest.approx(change.sel(true=row.size.name).item())
        assert row.change.low <= row.change.mean <= row.change.high
    worst = min(task.classes, key=lambda row: row.change.mean)
    paid = f"Class {worst.size.name} pays most" if worst.change.high < 0 else "resolved of no class"
    assert paid in payers(task)
    sizes = {size.name: size for size in task.sizes}
    assert [sizes[name].train for name in "38"] == [38, 21]
    assert [name for name, size in sizes.items() if size.rare] == ["3", "8"]
    assert sum(size.share for size in task.sizes) == pytest.approx(100)
    complexity = toy_results.complexity.sel(measure=DEFAULT_COMPLEXITY, true="8").item()
    assert sizes["8"].complexity == complexity


def test_what_accuracy_alone_costs(toy_study, toy_results):
    require = ["recall_change_min>=-0.9", "accuracy>=0.2"]
    task, choice = task_of(toy_study, require), analysis.select(toy_results, require)
    assert task.decision.accuracy_alone.level == choice.points.level[choice.accuracy_alone].item()
    for row in task.classes:
        spared = choice.price.spared.sel(true=row.size.name)
        assert row.spared.mean == pytest.approx(spared.sel(estimate="mean").item())


def test_nothing_qualifies(toy_study):
    task = task_of(toy_study, IMPOSSIBLE)
    assert verdict(task) == "Nothing qualifies"
    words = " ".join(reasons(task))
    assert "Worst class's recall \N{GREATER-THAN OR EQUAL TO} 99.99 % binds" in words
    assert "misses it by" in words
    assert "is held" not in words.split("misses it by")[0]
    assert task.decision.shown is not None
    assert task.answers.shown_as in ("accuracy_alone", "nearest", "last")
    assert all(point is None for point in task.decision.best_by_technique().values())


def test_only_the_dense_network_qualifies(toy_study):
    task = task_of(toy_study, ["sparsity<=0.01"], "accuracy")
    assert verdict(task) == "Do not prune"
    assert "only the dense network" in headline(task)
    best = task_of(toy_study, [], "accuracy")
    assert verdict(best) in ("Prune", "Do not prune")
    assert "nothing has to hold" in " ".join(reasons(best))


def test_confidence_is_said(toy_study):
    task = task_of(toy_study, LENIENT, confidence=0.9, certify=True)
    assert "certified at 90 % over 189 validation images and 5 seeds" in " ".join(reasons(task))
    assert task.answers.confidence == 0.9
    assert "--certify" not in " ".join(limits_in_words(task))


def test_one_seed_has_intervals_over_images(one_seed):
    task = task_of(one_seed, LENIENT)
    assert task.answers.uncertainty.over == "images"
    words = " ".join(limits_in_words(task))
    assert "training again" in words
    assert task.decision.chosen.values["accuracy"].bounded
    assert all(math.isnan(row.p) for row in task.classes)


def test_one_seed_without_predictions_has_no_intervals(one_seed, edited):
    def drop_predictions(study):
        for name in {*BY_IMAGE["test"][:2], *BY_IMAGE["validation"][:2]}:
            del study["tasks"]["digits/mlp"]["variables"][name]

    path = edited(drop_predictions, source=one_seed)
    task = task_of(path, LENIENT)
    assert task.answers.uncertainty.over == "nothing"
    assert task.exemplars is None
    assert "--predictions" in " ".join(exemplars_in_words(task))
    words = " ".join(reasons(task))
    assert " to " not in words.replace("falls from", "").split("Accuracy is")[1].split(".")[0]
    assert "how far that may be off is not known" in words


def test_unfinished_study(edited):
    task = task_of(edited(lambda study: None, finished=lambda first, level: first == 0), LENIENT)
    assert task.limits.finished == pytest.approx(0.6)
    assert "still running: 60 %" in " ".join(limits_in_words(task))
    assert task.decision.chosen is not None


def test_only_dense_networks_are_finished(edited):
    task = task_of(edited(lambda study: None, finished=lambda first, level: level == 0))
    assert task.decision.shown is None
    assert task.classes == ()
    assert verdict(task) == "Do not prune"
    assert "No pruned network is finished yet." in " ".join(exemplars_in_words(task))


def test_nothing_is_finished(edited):
    with pytest.raises(InputError, match="no dense network is finished yet"):
        make_card(edited(lambda study: None, finished=lambda *_: False))


def test_diverged_and_undefined_are_said(toy_study, toy_results):
    task = task_of(toy_study, ["precision_group_min>=0"])
    limits = task.limits._replace(diverged=2, collapsed=1, undefined={"precision_group_min": 3})
    words = " ".join(limits_in_words(task._replace(limits=limits)))
    assert "2 networks diverged" in words
    assert "1 network lost every weight" in words
    assert "precision_group_min is undefined for some networks at 3 points" in words
    assert "fewer than 16 seeds" in words
    test = analysis.as_dataset(toy_results).confusion
    fewest = test.sum("predicted").isel(technique=0, seed=0, level=0).min().item()
    assert f"has {fewest} test images" in words


def test_exemplars(toy_study, toy_results):
    task = task_of(toy_study, LENIENT)
    shown = task.decision.chosen
    table = (
        analysis.exemplars(toy_results, shown.technique).isel(technique=0).sel(level=shown.level)
    )
    assert task.exemplars.number == table.number.item()
    assert task.exemplars.pixels.shape == (540, 8, 8, 1)
    assert f"On {task.exemplars.number} of 540 test images" in exemplars_in_words(task)[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [("given:mine", "handed over"), ("npz:nowhere.npz", "cannot be loaded")],
)
def test_images_that_cannot_be_had(edited, name, words):
    def rename(study):
        study["config"]["tasks"][0]["data"]["name"] = name

    task = task_of(edited(rename), LENIENT)
    assert task.exemplars.pixels is None
    assert words in task.exemplars.why_not


def test_other_images_are_not_shown(edited):
    def change(study):
        study["tasks"]["digits/mlp"]["facts"]["data_sha256"] = "0" * 64

    assert "not the one" in task_of(edited(change), LENIENT).exemplars.why_not


def test_the_python_lines_are_the_same_study(toy_card, toy_config, monkeypatch):
    ran = []
    monkeypatch.setattr(prune_fair, "run_study", lambda *given: ran.append(given), raising=False)
    exec(toy_card.origin.python, {})
    ((config, _),) = ran
    assert config.fingerprint() == toy_card.origin.fingerprint == toy_config.fingerprint()
    assert json.loads(toy_card.origin.config) == toy_config.as_json()


def test_techniques_in_parts():
    parts = technique_parts("magnitude-layerwise-channel-finetune-skipfirst").parts
    kinds = ["criterion", "scope", "granularity", "treatment", "first layer"]
    assert [part.kind for part in parts] == kinds
    assert "Han et al. 2015" in parts[0].source
    assert "by hand" in technique_parts("magnitude-dense_0=0.5-rewind-output").parts[1].summary
    assert technique_parts("mine").parts == ()


def test_commands():
    assert command_line(["/usr/bin/prune-fair", "audit", "a b"]) == "prune-fair audit 'a b'"
    assert command_line(["x.py", "--seeds", "3"]) == "python x.py --seeds 3"


ANSWERS = (
    *("select", "frontier", "class_tests", "recall_change", "class_recall", "ranking_change"),
    *("exemplars", "exemplar_images", "operating_points", "price_of_accuracy", "uncertainty"),
    "multiplicity",
)


def test_each_answer_is_computed_once(toy_study, monkeypatch):
    """Text and pictures read it; recall_change is a part of class_tests."""
    asked = []

    def counted(name, answer):
        return lambda *given, **options: asked.append(name) or answer(*given, **options)

    for name in ANSWERS:
        monkeypatch.setattr(analysis, name, counted(name, getattr(analysis, name)))
    as_html(make_card(toy_study))
    kinds = {name: asked.count(name) for name in ANSWERS if name != "uncertainty"}
    assert max(kinds.values()) == 1
    assert kinds["recall_change"] == kinds["price_of_accuracy"] == 0


@pytest.mark.parametrize("name", ["dense-long", "dense-long+balanced_softmax"])
def test_a_control_that_prunes_nothing_is_described(name):
    parts = technique_parts(name).parts
    loss = ["loss"] if "+" in name else []
    assert [part.kind for part in parts] == ["criterion", "treatment", *loss]
    assert parts[0].summary == "Nothing is pruned"


def test_accuracy_alone_at_several_tolerances(toy_study, toy_results):
    rows = tables.tolerance_rows(task_of(toy_study))
    assert [row[0] for row in rows] == ["0.25", "0.5", "1", "2"]
    assert len(rows[0]) == len(tables.tolerance_heads())
    assert rows == accuracy_alone_rows(analysis.accuracy_alone(toy_results))
