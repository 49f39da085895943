"""Votes of a study: what networks predict, added up, whatever the pieces and the calls."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair import PlanConfig, analysis, open_study, run_study
from prune_fair.datasets import load
from prune_fair.engine import evaluation, network
from prune_fair.engine.images import DeviceData
from prune_fair.engine.plan import Plan
from prune_fair.engine.population import Population
from prune_fair.engine.task import make_task
from prune_fair.engine.votes import evaluator
from prune_fair.store import StudyStore

LABELS = load("digits").test_labels


def test_votes_are_the_confusion_by_image(toy_results):
    votes, test = toy_results.votes, analysis.as_dataset(toy_results)
    assert votes.dims == ("technique", "level", "half", "image", "predicted")
    assert votes.dtype == np.int32
    assert toy_results.image_label.values.tolist() == LABELS.tolist()
    confusion = test.confusion.sum("seed").transpose("technique", "level", "true", "predicted")
    for true in range(10):
        images = np.flatnonzero(toy_results.image_label == true)
        of_class = votes.sum("half").isel(image=images).sum("image")
        assert (of_class.values == confusion.values[:, :, true]).all()
    even = test.confusion.isel(seed=slice(0, None, 2)).sum(("seed", "true"))
    assert (votes.isel(half=0).sum("image") == even).all()


def test_every_finished_network_votes_once_on_every_image(toy_results):
    voted = toy_results.votes.sum("predicted")
    assert (voted.sel(half="even") == 3).all()
    assert (voted.sel(half="odd") == 2).all()
    assert (toy_results.votes[0, 0] == toy_results.votes[1, 0]).all()
    assert not (toy_results.votes[0, 1] == toy_results.votes[1, 1]).all()


@pytest.mark.parametrize("calls", [Plan(1, 2, 2, "matmul"), Plan(2, 2, 4, "matmul")])
def test_votes_equal_those_of_a_plain_loop(toy_config, calls, monkeypatch):
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 100)  # of 540, so that a batch is filled up
    config = toy_config.tasks[0]
    dataset, population = config.data.load(), Population(calls)
    task = make_task(config, dataset, calls, votes=True)
    data = DeviceData.of(dataset)
    seeds = np.array([3, 4, 5], np.int32)  # two techniques: 6 networks in calls of 2 or 4
    initialise = jax.jit(partial(network.initialise, task))
    alone = [initialise(np.int32(0), np.int32(seed)) for seed in range(6)]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *alone)
    mask = jax.tree.map(lambda leaf: np.abs(leaf) >= 0.02, stacked.params)
    evaluate = evaluator(population, task, techniques=4)
    evaluated, votes = evaluate(population.share(data), seeds, stacked, mask)
    expected = np.zeros((2, 2, 540, 10), np.int32)
    for member, variables in enumerate(alone):
        kept = jax.tree.map(lambda leaf, m=member: leaf[m], mask)
        params = jax.tree.map(lambda leaf, kept: leaf * kept, variables.params, kept)
        images = task.pixels.normalise(jnp.asarray(data.splits["test"].images))
        predicted = np.argmax(task.model.apply(variables._replace(params=params), images), axis=1)
        expected[member // 3, seeds[member % 3] % 2, np.arange(540), predicted] += 1
    fence = 6 * 540 // 100  # images that rounding may decide: other programs, one in 100 at most
    assert np.abs(votes - expected).sum() / 2 <= fence
    assert (votes.sum(axis=-1) == expected.sum(axis=-1)).all()
    assert evaluated.predicted is None
    assert evaluated.counted["confusion"].shape == (6, 2, 10, 10)


def test_without_votes_all_else_is_the_same(toy_config, toy_results, tmp_path):
    plain = run_study(dataclasses.replace(toy_config, votes=False), tmp_path).leaves[0].to_dataset()
    voted = toy_results.drop_vars(["votes", "image_label", "half", "image"])
    assert {*plain.variables} == {*voted.variables}
    rounded = ["confusion", "margin"]  # another program counts them, of the same networks
    assert plain.drop_vars(rounded).equals(voted.drop_vars(rounded))
    moved = abs(plain.confusion - voted.confusion).sum(("true", "predicted")) / 2
    assert moved.max() <= 540 // 100
    np.testing.assert_allclose(plain.margin, voted.margin, atol=1e-3)


def test_pieces_add_up(toy_config, tmp_path):
    whole, plan = dataclasses.replace(toy_config, seeds_per_piece=5), PlanConfig(chunk=1, members=4)
    one, several = (
        run_study(config, tmp_path / name, plan=plan).leaves[0]
        for config, name in ((whole, "one"), (toy_config, "several"))
    )
    assert (one.votes == several.votes).all()  # the same programs, one network at a time


def test_pieces_add_up_after_a_kill(stub_config, stub_engine, stub_study, tmp_path, monkeypatch):
    write, written = StudyStore.write_piece, []

    def killed(*arguments):
        if len(written) == 4:  # in the second block, whose first level is there
            raise KeyboardInterrupt
        written.append(1)
        write(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, "write_piece", killed)
        with pytest.raises(KeyboardInterrupt):
            run_study(stub_config, tmp_path)
    partial = open_study(tmp_path).leaves[0]
    assert partial.votes.sum(("half", "predicted")).values.max(axis=2).tolist() == [[3, 2, 2]] * 2
    again = run_study(stub_config, tmp_path).leaves[0].to_dataset()
    assert again.equals(open_study(stub_study).leaves[0].to_dataset())
