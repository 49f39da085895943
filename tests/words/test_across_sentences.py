"""Sentences over several tasks say what intervals and rank tests allow, and no more."""

import numpy as np
import pytest

from prune_fair import analysis
from prune_fair.words import across


def make(results_of, losses, seeds=8, techniques=("a", "b", "c"), noise=0.003):
    """Tasks in which techniques lose so much of the worst class, by task and technique."""
    rng, tasks = np.random.default_rng(1), {}
    for task, row in enumerate(losses):
        recall = np.full((len(row), seeds, 2, 2), 0.9)
        recall[:, :, 1, 1] -= np.array(row)[:, None]
        recall[:, :, 1] += rng.normal(0, noise, recall[:, :, 1].shape)
        tasks[f"t{task}"] = results_of(recall).assign_coords(technique=[*techniques[: len(row)]])
    return analysis.across(analysis.task_scores(tasks, "recall_group_min", 0.5))


def test_all_is_resolved(results_of):
    found = make(results_of, [(0.0, 0.1, 0.2)] * 12)
    assert across.best(found).endswith("The interval of its difference excludes 0 for b, c.")
    assert "a ranks before b; a ranks before c; b ranks before c." in across.ranked(found)
    assert "resolve little" not in across.ranked(found)
    said = across.agreement(found)
    assert said.startswith("Kendall's tau between the orders of 66 pairs of tasks is 1.00.")
    assert across.better(found, "a", "b") == "better"
    assert across.better(found, "b", "a") == "worse"
    assert across.resolved(found, "t0") == "3 of 3"
    assert across.title(found) == "recall_group_min across 12 tasks at sparsity 0.5"


def test_nothing_is_resolved(results_of):
    found = make(results_of, [(0.1, 0.1, 0.1)] * 3)
    assert "It is not resolved from" in across.best(found)
    assert "excludes 0" not in across.best(found)
    assert "No two techniques are told apart by rank." in across.ranked(found)
    assert "Ranks over fewer than 10 tasks resolve little." in across.ranked(found)
    assert "No two techniques are told apart in opposite orders." in across.agreement(found)


def test_too_few_tasks_for_any_rank_test(results_of):
    found = make(results_of, [(0.0, 0.2)] * 3)
    assert "So few tasks tell none apart by rank: it takes 4 at least." in across.ranked(found)
    assert "Friedman" not in across.ranked(found)


def test_opposite_orders_are_told(results_of):
    found = make(results_of, [(0.0, 0.2), (0.2, 0.0)])
    said = across.agreement(found)
    assert said.endswith("In 1 of them techniques are told apart in opposite orders.")


def test_few_seeds(results_of):
    two = make(results_of, [(0.0, 0.2)] * 3, seeds=2)
    assert "how far chance moves it is not known" in across.best(two)
    assert across.interval(two) == ""
    assert across.better(two, "a", "b") == "no interval"
    assert across.limits(two)[0].startswith("There are no intervals: 2 seeds of each task")
    five = make(results_of, [(0.0, 0.2)] * 3, seeds=5)
    assert across.interval(five) == "95 % interval over 5 seeds of each task"


def test_few_tasks_are_said(results_of):
    said = "With 3 tasks or fewer they are a little too narrow"
    assert said in across.limits(make(results_of, [(0.0, 0.2)] * 3))[1]
    assert not any(said in line for line in across.limits(make(results_of, [(0.0, 0.2)] * 4)))


def test_failures_and_what_is_left_out_are_said(results_of):
    found = make(results_of, [(0.0, 0.2)] * 3)
    assert "failed" not in found.attrs
    found["failed"][0] = 2
    found.attrs["left_out"] = {"dense-long": "t0 does not have it"}
    found.attrs["sources"] = {"t0": "digits", "t1": "digits", "t2": "fashion_mnist"}
    lines = across.limits(found)
    assert lines[0].startswith("2 of 48 scores are of networks that diverged or have no value")
    assert lines[1] == "Left out: dense-long (t0 does not have it)."
    assert lines[-1].startswith("3 tasks come from 2 data sets")


@pytest.mark.parametrize(
    ("metric", "normalise", "words"),
    [
        ("accuracy", "dense", "accuracy minus that of the seed's own dense network, in points."),
        ("recall_gini", "dense", "recall_gini minus that of the seed's own dense network."),
        ("accuracy_change", "dense", "which compares each network with its own dense network."),
        ("accuracy", "none", "they say as much of the tasks as of the techniques"),
        ("hypervolume", "dense", "as a share of what the task's mean dense values would have"),
    ],
)
def test_what_scores_are(by_hand, metric, normalise, words):
    tasks = {"one": by_hand, "two": by_hand.isel(seed=slice(3))}
    scores = analysis.task_scores(tasks, metric, normalise=normalise)
    found = analysis.across(scores)
    assert words in across.scored(found)
    assert ("points" in across.score_on_axis(found)) == (
        metric.startswith("accuracy") and normalise == "dense"
    )
    assert ("(%)" in across.score_on_axis(found)) == (normalise == "none")
