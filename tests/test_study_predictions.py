"""Predictions of a study: what each network says of each image, whatever the pieces and calls."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prune_fair import InputError, PlanConfig, analysis, fairness, open_study, run_study
from prune_fair.data import BY_IMAGE, MEMBERS, TEST, VALIDATION
from prune_fair.engine import evaluation, network
from prune_fair.engine.images import DeviceData
from prune_fair.engine.plan import Plan
from prune_fair.engine.population import Population
from prune_fair.engine.results import schema
from prune_fair.engine.task import make_task
from prune_fair.store import StudyStore

KEPT = [name for each in BY_IMAGE.values() for name in each]


def counted(predictions, labels, classes=10):
    """Confusions by counting what is predicted."""
    rows = predictions.reshape(-1, predictions.shape[-1])
    counts = [np.bincount(labels * classes + row, minlength=classes**2) for row in rows]
    return np.reshape(counts, (*predictions.shape[:-1], classes, classes))


@pytest.mark.parametrize("split", [VALIDATION, TEST])
def test_predictions_of_every_network_are_its_confusion_by_image(toy_config, toy_results, split):
    names = BY_IMAGE[split]
    predictions, labels = toy_results[names.predictions], toy_results[names.label].values
    assert predictions.dims == (*MEMBERS, names.image)
    assert predictions.dtype == np.uint8
    expected = toy_config.tasks[0].data.load().part(split)[1]
    assert labels.tolist() == expected.tolist()
    confusion = toy_results.confusion.sel(split=split).transpose(*MEMBERS, "true", "predicted")
    assert np.array_equal(counted(predictions.values, labels), confusion)
    one = analysis.as_dataset(toy_results, split)
    assert {*one.variables}.isdisjoint({*KEPT} - {*BY_IMAGE[TEST]})
    assert np.array_equal(one.predictions, predictions)
    assert one.predictions.dims == (*MEMBERS, "image")
    assert one.image_label.values.tolist() == labels.tolist()
    assert one.image.values.tolist() == list(range(len(labels)))


def test_the_dense_network_is_the_same_for_all_techniques(toy_results):
    for each in BY_IMAGE.values():
        said = toy_results[each.predictions].values
        assert np.array_equal(said[0, :, 0], said[1, :, 0])
        assert not np.array_equal(said[0, :, 1], said[1, :, 1])


@pytest.mark.parametrize("calls", [Plan(1, 2, 2, "matmul"), Plan(2, 2, 4, "matmul")])
def test_predictions_equal_those_of_a_plain_loop(toy_config, calls, monkeypatch):
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 100)  # of 540, so that a batch is filled up
    config = toy_config.tasks[0]
    dataset, population = config.data.load(), Population(calls)
    task = make_task(config, dataset, calls, predictions=True)
    data = DeviceData.of(dataset)
    initialise = jax.jit(partial(network.initialise, task))
    alone = [initialise(np.int32(0), np.int32(seed)) for seed in range(5)]  # in calls of 2 or 4
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *alone)
    mask = jax.tree.map(lambda leaf: np.abs(leaf) >= 0.02, stacked.params)
    evaluate = population.lift(partial(evaluation.evaluate, task), brief=True)
    evaluated = evaluate((population.share(data),), stacked, mask)
    for place, split in enumerate(task.splits):
        images, labels = data.splits[split].images, np.asarray(data.splits[split].labels)
        said = evaluated.predicted[split]
        assert said.shape == (5, len(labels))
        assert said.dtype == np.uint8
        assert np.array_equal(counted(said, labels), evaluated.counted["confusion"][:, place])
        for member, variables in enumerate(alone):
            kept = jax.tree.map(lambda leaf, m=member: leaf[m], mask)
            params = jax.tree.map(lambda leaf, kept: leaf * kept, variables.params, kept)
            logits = task.model.apply(
                variables._replace(params=params), task.pixels.normalise(jnp.asarray(images))
            )
            # Rounding may decide an image in 100: other programs.
            assert (said[member] != np.argmax(logits, axis=1)).sum() <= len(labels) // 100


def test_without_predictions_all_else_is_the_same(toy_config, toy_results, tmp_path):
    config = dataclasses.replace(toy_config, predictions=False)
    plain = run_study(config, tmp_path).leaves[0].to_dataset()
    other = toy_results.drop_vars(KEPT, errors="ignore")
    assert {*plain.variables} == {*other.variables}
    rounded = ["confusion", "margin"]  # another program counts them, of the same networks
    assert plain.drop_vars(rounded).equals(other.drop_vars(rounded))
    moved = abs(plain.confusion - other.confusion).sum(("true", "predicted")) / 2
    assert moved.max() <= 540 // 100
    np.testing.assert_allclose(plain.margin, other.margin, atol=2e-3)


def test_pieces_are_one_study(toy_config, tmp_path):
    whole, plan = dataclasses.replace(toy_config, seeds_per_piece=5), PlanConfig(chunk=1, members=4)
    one, several = (
        run_study(config, tmp_path / name, plan=plan).leaves[0]
        for config, name in ((whole, "one"), (toy_config, "several"))
    )
    for each in BY_IMAGE.values():  # the same programs, one network at a time
        assert (one[each.predictions] == several[each.predictions]).all()


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
    partial = open_study(tmp_path).leaves[0].to_dataset()
    there = partial.finished
    assert there.sum("seed").values.tolist() == [[3, 2, 2]] * 2
    for each in BY_IMAGE.values():
        missing = partial[each.predictions] == 255
        assert (missing == ~there).all()
    assert analysis.exemplars(partial).seeds.values.tolist() == [[3, 2, 2]] * 2
    again = run_study(stub_config, tmp_path).leaves[0].to_dataset()
    assert again.equals(open_study(stub_study).leaves[0].to_dataset())


def test_votes_are_counts_of_predictions_by_even_and_odd_seeds(toy_results):
    results = analysis.as_dataset(toy_results)
    table, labels = analysis.exemplars(toy_results), results.image_label.values
    for technique, level in np.ndindex(2, 3):
        halves = np.zeros((2, 2, len(labels), 10), np.int32)  # dense and pruned, even and odd
        for which, at in enumerate((0, level)):
            for seed, row in enumerate(results.predictions.values[technique, :, at]):
                halves[which, seed % 2, np.arange(len(labels)), row] += 1
        dense, pruned = halves
        row = table.isel(technique=technique, level=level)
        modal = fairness.modal_exemplars(pruned.sum(0), dense.sum(0))
        assert row.number == modal.sum()
        assert row.class_number.values.tolist() == np.bincount(labels[modal], minlength=10).tolist()
        assert row.taxicab == fairness.taxicab(pruned.sum(0), dense.sum(0)).mean()
        across = fairness.modal_exemplars(pruned, dense[::-1])
        assert row.across == across.sum(axis=-1).mean()
        assert row.seeds == 5


@pytest.mark.parametrize("most", [1, 50])
def test_votes_are_counted_of_few_images_at_a_time(toy_results, monkeypatch, most):
    expected = analysis.exemplars(toy_results)
    images = analysis.exemplar_images(toy_results, "magnitude-global-rewind", 2)
    monkeypatch.setattr("prune_fair.analysis.votes.MOST_VOTES", most)
    assert analysis.exemplars(toy_results).equals(expected)
    assert analysis.exemplar_images(toy_results, "magnitude-global-rewind", 2).equals(images)


@pytest.mark.parametrize(
    ("classes", "dtype", "missing"),
    [(2, "uint8", 255), (255, "uint8", 255), (256, "uint16", 65535)],
)
def test_the_missing_value_is_no_class(toy_config, classes, dtype, missing):
    config = toy_config.tasks[0]
    task = make_task(config, config.data.load(), Plan(1, 1, 1, "native"), predictions=True)
    variable = schema(task._replace(class_counts=(1,) * classes))["predictions"]
    assert (variable.dtype, variable.missing) == (dtype, missing)


def test_predictions_that_are_too_many_are_refused_before_anything_is_written(
    toy_config, toy_results, tmp_path, monkeypatch
):
    size = sum(toy_results[each.predictions].nbytes for each in BY_IMAGE.values())
    monkeypatch.setattr("prune_fair.study.running.MOST_PREDICTIONS", size - 1)
    run = partial(run_study, path=tmp_path / "study")
    with pytest.raises(
        InputError, match="GiB, at most 0 are kept; leave out --predictions"
    ) as said:
        run(toy_config)
    assert "\n" not in str(said.value)
    assert not (tmp_path / "study/study.json").exists()
    run(dataclasses.replace(toy_config, predictions=False))
