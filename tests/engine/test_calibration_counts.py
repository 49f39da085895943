"""Sums of probabilities, counted in the graph, against NumPy; without them all is as before."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from prune_fair import DataConfig, ModelConfig, RecipeConfig, StudyConfig, TaskConfig, fairness
from prune_fair.engine import evaluation, network
from prune_fair.engine.calibration import (
    CALIBRATION,
    OCTAVE,
    WHOLE,
    class_sums,
    score_sums,
    temperature_sums,
    top_sums,
)
from prune_fair.engine.images import DeviceData
from prune_fair.engine.plan import Plan
from prune_fair.engine.statistics import STATISTICS
from prune_fair.engine.task import make_task
from prune_fair.fairness import TEMPERATURES

IMAGES, CLASSES = 200, 4


@pytest.fixture
def batch(rng):
    """Labels, of which the last ten are padding, and logits."""
    labels = rng.integers(0, CLASSES, IMAGES)
    labels[-10:] = -1
    return jnp.asarray(labels), jnp.asarray(3 * rng.normal(size=(IMAGES, CLASSES)), jnp.float32)


def in_numpy(batch):
    labels, logits = (np.asarray(each) for each in batch)
    labels, logits = labels[:-10], logits[:-10].astype(float)
    return labels, logits, softmax(logits, axis=1)


def equals(sums, expected):
    np.testing.assert_array_equal(sums[..., 0], expected.images)
    np.testing.assert_array_equal(sums[..., 1], expected.hits)
    np.testing.assert_allclose(sums[..., 2], expected.probability, atol=IMAGES / WHOLE)


def test_top_probability_by_class(batch):
    labels, _, probabilities = in_numpy(batch)
    sums = top_sums(batch[0], *batch, CLASSES)
    for true in range(CLASSES):
        own = probabilities[labels == true]
        equals(sums[true], fairness.reliability(own.max(axis=1), own.argmax(axis=1) == true))


def test_probability_of_each_class_adds_up(batch):
    labels, _, probabilities = in_numpy(batch)
    sums = class_sums(*batch)
    for one in range(CLASSES):
        equals(sums[one], fairness.reliability(probabilities[:, one], labels == one))
    assert sums[..., 0].sum(axis=1).tolist() == [len(labels)] * CLASSES
    assert sums[..., 1].sum(axis=1).tolist() == np.bincount(labels).tolist()
    assert sums[..., 2].sum() == pytest.approx(len(labels), rel=1e-5)


def test_scores_and_likelihoods_by_temperature(batch):
    labels, logits, probabilities = in_numpy(batch)
    own = np.arange(len(labels)), labels
    brier = np.square(probabilities - np.eye(CLASSES)[labels]).sum(axis=1)
    loss = -log_softmax(logits, axis=1)[own]
    expected = [np.bincount(labels, each) for each in (np.ones(len(labels)), brier, loss)]
    np.testing.assert_allclose(score_sums(batch[0], *batch, CLASSES).T, expected, rtol=1e-5)
    expected = [-log_softmax(logits / t, axis=1)[own].sum() for t in TEMPERATURES]
    np.testing.assert_allclose(temperature_sums(*batch), expected, rtol=1e-5)
    assert (TEMPERATURES[OCTAVE:] / TEMPERATURES[:-OCTAVE]).tolist() == [2] * 9


def test_a_class_that_is_ruled_out_spoils_no_other(batch):
    labels, logits = batch
    logits = logits.at[:, 3].set(-jnp.inf)
    scores = score_sums(labels, labels, logits, CLASSES)
    assert jnp.isfinite(scores[:3]).all()
    assert scores[3, 2] == jnp.inf
    assert jnp.isfinite(class_sums(labels, logits)).all()


def make(groups=False, **options):
    config = TaskConfig(DataConfig("digits"), ModelConfig("mlp", widths=(8,)), RecipeConfig())
    dataset = config.data.load()
    if groups:
        halves = {
            f"{part}_groups": np.arange(len(dataset.part(part)[1])) % 2 for part in dataset.splits
        }
        dataset = dataset._replace(**halves, group_names=("even", "odd"))
    task = make_task(config, dataset, Plan(1, 1, 1, "matmul"), **options)
    return task, DeviceData.of(dataset)


def evaluated(task, data, spoiled=False):
    variables = network.initialise(task, jnp.int32(0), jnp.int32(0))
    if spoiled:
        variables = jax.tree.map(lambda leaf: leaf * jnp.nan, variables)
    mask = jax.tree.map(lambda leaf: jnp.ones_like(leaf, bool), variables.params)
    return jax.jit(partial(evaluation.evaluate, task))(data, variables, mask), variables


def test_evaluation_counts_every_split_and_group_over_batches(monkeypatch):
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 100)
    task, data = make(groups=True, calibration=True)
    found, variables = evaluated(task, data)
    assert {*CALIBRATION} < {*found.counted}
    for place, split in enumerate(task.splits):
        images, labels, groups = (np.asarray(each) for each in data.splits[split])
        logits = np.asarray(task.model.apply(variables, task.pixels.normalise(jnp.asarray(images))))
        probabilities = softmax(logits.astype(float), axis=1)
        top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        by_group = found.counted["group_reliability"][place]
        for group in (0, 1):
            own = groups == group
            equals(by_group[group], fairness.reliability(top[own], right[own]))
        by_class = found.counted["reliability"][place]
        np.testing.assert_array_equal(by_class[..., :2].sum(axis=0), by_group[..., :2].sum(axis=0))
        scores = (found.counted[name][place].sum(axis=0) for name in ("scores", "group_scores"))
        np.testing.assert_allclose(*scores, rtol=1e-5)
        plain = np.argmin(np.abs(TEMPERATURES - 1))
        loss = found.counted["temperature_nll"][place, plain]
        assert loss == pytest.approx(float(found.counted["scores"][place, :, 2].sum()), rel=1e-5)


def test_of_a_diverged_network_nothing_is_known():
    found, _ = evaluated(*make(calibration=True), spoiled=True)
    for name in {*CALIBRATION} & {*found.counted}:
        assert jnp.isnan(found.counted[name]).all()


def test_without_calibration_the_program_is_that_of_before(monkeypatch):
    task, data = make()
    variables = network.initialise(task, jnp.int32(0), jnp.int32(0))
    mask = jax.tree.map(lambda leaf: jnp.ones_like(leaf, bool), variables.params)
    evaluate = partial(evaluation.evaluate, task)
    now = str(jax.make_jaxpr(evaluate)(data, variables, mask))
    for name in CALIBRATION:
        monkeypatch.delitem(STATISTICS, name)
    assert str(jax.make_jaxpr(evaluate)(data, variables, mask)) == now


def test_a_config_without_calibration_is_that_of_before():
    config = StudyConfig()
    earlier = {name: value for name, value in config.as_json().items() if name != "calibration"}
    assert StudyConfig.from_json(earlier).fingerprint() == config.fingerprint()
    assert StudyConfig(calibration=True).fingerprint() != config.fingerprint()


def test_a_batch_is_small_enough_for_whole_numbers():
    assert evaluation.EVALUATION_BATCH * WHOLE < 2**31
