"""Techniques over several tasks: which numbers are compared, and what is said of them."""

import numpy as np
import pytest
from scipy import stats

from prune_fair import InputError, analysis
from prune_fair.fairness import METRICS
from prune_fair.fairness.confusion import all_wrong

MEMBERS = ("technique", "seed", "level")
LOSSES = {"a": (0.01, 0.05, 0.10), "b": (0.02, 0.03, 0.20), "c": (0.00, 0.08, 0.30)}


@pytest.fixture
def make_task(results_of):
    """Results in which the worst class of each technique loses so much at level 2, half at 1."""

    def make(losses=(0.01, 0.05, 0.10), seeds=4, seed=0):
        rng = np.random.default_rng(seed)
        dense = 0.9 + rng.normal(0, 0.01, (1, seeds, 1, 3))
        share = np.array([0, 0.5, 1])[None, None, :, None] * np.array([0, 0.2, 1])
        noise = rng.normal(0, 0.004, (len(losses), seeds, 3, 3))
        noise[:, :, 0] = 0
        lost = np.array(losses)[:, None, None, None] * share
        return results_of(np.clip(dense - lost + noise, 0, 1))

    return make


@pytest.fixture
def tasks(make_task):
    return {name: make_task(losses, seed=i) for i, (name, losses) in enumerate(LOSSES.items())}


def mean(values):
    return values.sel(estimate="mean")


def test_scores_are_changes_since_the_own_dense_network(tasks):
    scores = analysis.task_scores(tasks, "recall_group_min", 0.75)
    for name, node in tasks.items():
        worst = analysis.network_metrics(node, ["recall_group_min"]).recall_group_min
        expected = worst.sel(level=2) - worst.sel(level=0)
        np.testing.assert_allclose(scores.score.sel(task=name).values, expected.values)
    assert scores.attrs["normalised"]
    assert scores.sparsity.values == pytest.approx(0.75)
    raw = analysis.task_scores(tasks, "recall_group_min", 0.75, "none")
    for name in tasks:  # shared by all techniques, so the order in a task stays
        shift = (raw.score - scores.score).sel(task=name)
        np.testing.assert_allclose(shift.std("technique").values, 0, atol=1e-12)
    changes = analysis.task_scores(tasks, "recall_change_min", 0.75)
    assert not changes.attrs["normalised"]


@pytest.mark.parametrize("metric", ["recall_group_min", "recall_difference", "recall_gini"])
def test_the_interquartile_mean_is_of_all_runs(tasks, metric):
    scores = analysis.task_scores(tasks, metric)
    found = analysis.across(scores)
    for technique in found["technique"].values:
        runs = scores.score.sel(technique=technique).values.ravel()
        assert mean(found.iqm).sel(technique=technique) == pytest.approx(
            stats.trim_mean(runs, 0.25)
        )
    assert (found.iqm.sel(estimate="low") < found.iqm.sel(estimate="high")).all()
    assert found.mean_rank.values.argmin() == 0  # m0 loses least, whichever way is better
    assert mean(found.improvement).sel(technique="m0", other="m2") > 0.9
    best = found.profile.sel(technique="m0", estimate="mean")
    worst = found.profile.sel(technique="m2", estimate="mean")
    assert (best >= worst).all()
    assert mean(found.profile).max() == 1
    values = scores.score.sel(technique="m1").values.ravel()
    for at in (10, 30, 50):
        threshold = found.threshold.values[at]
        higher = METRICS[metric].higher_is_better
        share = (values >= threshold).mean() if higher else (values <= threshold).mean()
        assert mean(found.profile).sel(technique="m1")[at] == pytest.approx(share)


def test_tau_is_scipys(make_task):
    rng = np.random.default_rng(3)
    tasks = {f"t{i}": make_task(rng.uniform(0, 0.3, 5), seed=i) for i in range(3)}
    scores = analysis.task_scores(tasks, "accuracy")
    found = analysis.across(scores)
    means = scores.score.mean("seed")
    for one in tasks:
        for other in tasks:
            expected = stats.kendalltau(means.sel(task=one), means.sel(task=other)).statistic
            assert mean(found.tau).sel(task=one, other_task=other) == pytest.approx(expected)
    np.testing.assert_array_equal(
        found["rank"].values, stats.rankdata(-means.values.round(12), axis=1)
    )
    by_task = found["rank"].transpose("technique", "task").values
    assert found.p == pytest.approx(stats.friedmanchisquare(*by_task).pvalue)


def test_opposite_orders_are_told_only_where_both_are_resolved(make_task):
    apart = {"one": make_task((0.0, 0.2), 8), "two": make_task((0.2, 0.0), 8, seed=1)}
    found = analysis.across(analysis.task_scores(apart, "recall_group_min", 0.75))
    pair = {"task": "one", "other_task": "two"}
    assert (found.opposite.sel(pair), found.alike.sel(pair)) == (1, 0)
    assert found.better.sel(technique="m0", other="m1").values.tolist() == [1, -1]
    assert found.better.sel(technique="m1", other="m0").values.tolist() == [-1, 1]
    noise = {"one": make_task((0.0, 0.2), 8), "two": make_task((0.1005, 0.1), 8, seed=1)}
    found = analysis.across(analysis.task_scores(noise, "recall_group_min", 0.75))
    assert (found.opposite.sel(pair), found.alike.sel(pair)) == (0, 0)


def test_tasks_count_the_same_whatever_their_seeds(make_task):
    few, many = make_task((0.0, 0.1), 4), make_task((0.2, 0.1), 32, seed=1)
    scores = analysis.task_scores({"few": few, "many": many}, "recall_group_min", 0.75)
    assert scores.seeds.values.tolist() == [4, 32]
    assert np.isnan(scores.score.sel(task="few")).sum() == 2 * 28
    found = analysis.across(scores)
    chance = mean(found.improvement).sel(technique="m0", other="m1")
    assert chance == pytest.approx(0.5, abs=0.02)  # always better in one, never in the other
    assert mean(found.profile).sel(technique="m0")[20:40].values == pytest.approx(0.5, abs=0.1)


def test_neither_order_of_tasks_nor_of_techniques_matters(tasks):
    found = analysis.across(analysis.task_scores(tasks))
    turned = {name: tasks[name].isel(technique=[2, 0, 1]) for name in ("c", "a", "b")}
    turned["a"] = turned["a"].isel(technique=[1, 2, 0])
    again = analysis.across(analysis.task_scores(turned))
    for name in ("iqm", "improvement", "tau", "difference"):
        same = mean(again[name]).reindex_like(mean(found[name]))
        np.testing.assert_allclose(same.values, mean(found[name]).values)
    assert again.p == pytest.approx(found.p.item())


def test_failures_are_the_worst_and_never_left_out(tasks):
    flags = np.zeros((3, 4, 3), bool)
    flags[0, :3, 2] = True  # of the best technique
    broken = tasks["a"].assign(diverged=(MEMBERS, flags))
    counts = broken["confusion"].values.copy()
    counts[flags] = all_wrong(counts[flags])
    broken["confusion"] = (broken["confusion"].dims, counts)
    for metric in ("recall_group_min", "recall_gini", "recall_cv", "precision_group_min"):
        scores = analysis.task_scores({**tasks, "a": broken}, metric, 0.75)
        assert scores.failed.sel(task="a").values.tolist() == [3, 0, 0]
        own = scores.score.sel(task="a")
        assert own.notnull().all()
        sign = 1 if scores.attrs["higher_is_better"] else -1
        failing = (sign * own.sel(technique="m0")).values[:3]
        assert failing.max() <= (sign * own.drop_sel(technique="m0")).values.min()
        found = analysis.across(scores)
        last = 2 if metric == "recall_cv" else 3  # it has no bound: of m2 all are nearly as bad
        assert found["rank"].sel(task="a", technique="m0") == last
        assert found.failed.sel(technique="m0") == 3


def test_undefined_values_are_the_worst_that_can_be(tasks):
    never = tasks["a"].copy(deep=True)
    counts = never["confusion"].values.copy()
    counts[1, 0, 2, :, 1] += counts[1, 0, 2, :, 2]  # m1's seed 0 never says c2
    counts[1, 0, 2, :, 2] = 0
    never["confusion"] = (never["confusion"].dims, counts)
    dense = analysis.network_metrics(never, ["precision_group_min"]).precision_group_min
    assert np.isnan(dense[1, 0, 2])
    scores = analysis.task_scores({**tasks, "a": never}, "precision_group_min", 0.75)
    worst = scores.score.sel(task="a", technique="m1")[0]
    assert worst == pytest.approx(-dense[1, 0, 0].item())  # a precision of 0
    assert scores.failed.sum() == 1


def test_each_technique_is_taken_at_its_own_nearest_level(tasks):
    other = tasks["b"].copy(deep=True)
    sparsity = other.sparsity.values.copy()
    sparsity[0] = [0, 0.72, 0.9]  # m0: level 1 is the nearest to 0.75
    other["sparsity"] = (MEMBERS, sparsity)
    scores = analysis.task_scores({**tasks, "b": other}, "accuracy", 0.75)
    assert scores.level.sel(task="b").values.tolist() == [1, 2, 2]
    assert scores.sparsity.sel(task="b", technique="m0") == pytest.approx(0.72)
    sparsity[0] = [0, 0.65, 0.9]
    other["sparsity"] = (MEMBERS, sparsity)
    scores = analysis.task_scores({**tasks, "b": other}, "accuracy", 0.75)
    assert scores["technique"].values.tolist() == ["m1", "m2"]
    assert scores.attrs["left_out"] == {"m0": "in b its level nearest to sparsity 0.75 has 0.65"}


def test_what_a_task_lacks_is_left_out_by_name(tasks):
    lacking = {**tasks, "b": tasks["b"].isel(technique=[2, 1])}
    nothing = tasks["a"].assign(sparsity=tasks["a"].sparsity * np.nan)
    scores = analysis.task_scores({**lacking, "empty": nothing}, "accuracy", 0.75)
    assert scores["technique"].values.tolist() == ["m1", "m2"]
    assert scores["task"].values.tolist() == ["a", "b", "c"]
    reasons = {"empty": "none of its networks is finished", "m0": "b does not have it"}
    assert scores.attrs["left_out"] == reasons


def test_unfinished_seeds_are_left_out_of_all_techniques(tasks):
    there = (tasks["a"].seed != 1) | (tasks["a"].technique != "m2")
    running = tasks["a"].assign(sparsity=tasks["a"].sparsity.where(there))
    scores = analysis.task_scores({**tasks, "a": running}, "accuracy", 0.75)
    assert scores.seeds.values.tolist() == [3, 4, 4]
    assert scores.score.sel(task="a").notnull().sum() == 9


def test_hypervolumes_are_of_single_seeds(tasks):
    scores = analysis.task_scores(tasks, "hypervolume", normalise="none")
    for name, node in tasks.items():
        for seed in range(4):
            alone = analysis.hypervolumes(node.isel(seed=[seed]))
            np.testing.assert_allclose(
                scores.score.sel(task=name)[:, seed].values, mean(alone.hypervolume).values
            )
    share = analysis.task_scores(tasks, "hypervolume")
    assert (share.score < 1).all()
    ratio = (share.score / scores.score).sel(task="a")
    dense = analysis.network_metrics(tasks["a"], ["accuracy", "recall_group_min"]).sel(level=0)
    box = (dense.accuracy.mean() - 1 / 3) * dense.recall_group_min.mean()
    np.testing.assert_allclose(ratio.values, 1 / box.item())


def test_one_seed_has_no_interval_and_nothing_is_resolved(tasks):
    found = analysis.across(
        analysis.task_scores({n: t.isel(seed=[0]) for n, t in tasks.items()}, "accuracy", 0.75)
    )
    for name in ("iqm", "improvement", "profile", "difference"):
        assert mean(found[name]).notnull().all()
        assert found[name].sel(estimate=["low", "high"]).isnull().all()
    assert (found.better == 0).all()
    assert np.isfinite(found.p)


def test_equal_techniques_tie(tasks):
    same = {
        n: t.isel(technique=[0, 0]).assign_coords(technique=["x", "y"]) for n, t in tasks.items()
    }
    found = analysis.across(analysis.task_scores(same, "accuracy", 0.75))
    assert found.mean_rank.values.tolist() == [1.5, 1.5]
    assert mean(found.tau).sel(task="a", other_task="b").isnull()
    assert mean(found.difference).values.tolist() == [[0, 0], [0, 0]]
    assert (found.better == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "acuracy"}, "unknown metric 'acuracy': did you mean 'accuracy'"),
        ({"metric": "mean_recall_change_min"}, "it is of all networks together"),
        ({"metric": "by_group_accuracy_group_min"}, "these results have no groups"),
        ({"sparsity": 0.97}, "techniques none: expected two at least"),
        ({"sparsity": 1.0}, "sparsity 1.0: expected in"),
        ({"metric": "hypervolume", "sparsity": 0.5}, "a hypervolume is of all levels"),
        ({"metric": "hypervolume", "objectives": ()}, "no objectives"),
        ({"metric": "hypervolume", "objectives": ("fpr_group_max",)}, None),
        ({"normalise": "ranks"}, "unknown normalisation 'ranks'"),
    ],
)
def test_mistakes(tasks, options, message):
    if message is None:
        assert analysis.task_scores(tasks, **options).score.notnull().all()
        return
    with pytest.raises(InputError, match=message):
        analysis.task_scores(tasks, **options)


def test_too_few_tasks_or_techniques(tasks):
    with pytest.raises(InputError, match="tasks 'a': expected two at least"):
        analysis.task_scores({"a": tasks["a"]})
    alone = {name: task.isel(technique=[0]) for name, task in tasks.items()}
    with pytest.raises(InputError, match="techniques 'm0': expected two at least"):
        analysis.task_scores(alone)
    with pytest.raises(InputError, match="confidence 2"):
        analysis.across(analysis.task_scores(tasks), confidence=2.0)
