"""One network: the mask holds, the recipe is followed, the counts are those of scikit-learn."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.stats import chisquare
from sklearn.metrics import confusion_matrix

from prune_fair.config import RecipeConfig
from prune_fair.datasets import load
from prune_fair.engine import evaluation, network
from prune_fair.engine.images import DeviceData, Pixels, Split, random_order
from prune_fair.engine.task import (
    Task,
    network_key,
    shuffled_batches,
    steps_per_epoch,
    take_batch,
    total_steps,
)
from prune_fair.models import build
from prune_fair.pruning import Technique, full_mask, kernels


def make_task(model="mlp", wide=None, **recipe) -> tuple[Task, DeviceData]:
    """A task and its images; in float64 with what casts to it."""
    data = load("digits")
    data = data._replace(train_images=data.train_images[:200], train_labels=data.train_labels[:200])
    settings = {"epochs": 2, "batch_size": 32, "learning_rate": 0.1, **recipe}
    options = {"widths": (16,)} if model == "mlp" else {"width": 1 / 16}
    dtype, cast = ("float64", wide) if wide else ("float32", lambda tree: tree)
    model = build(model, (8, 8, 1), 10, dtype=dtype, **options)
    task = Task(
        model, cast(Pixels.of(data)), RecipeConfig(**settings), tuple(data.train_count().tolist())
    )
    return task, jax.tree.map(jnp.asarray, DeviceData.of(data))


def start(task, seed=0, wide=lambda tree: tree):
    variables = wide(jax.jit(partial(network.initialise, task))(jnp.int32(0), jnp.int32(seed)))
    return variables, full_mask(variables.params)


LEVEL = jnp.int32(1)


def train(task, data, variables, mask, share=1.0):
    span, seed = jnp.array([0, total_steps(task)]), jnp.int32(0)
    train = jax.jit(partial(network.train, task, "cross_entropy"))
    return train(data, LEVEL, span, variables, mask, seed, jnp.asarray(share))


def half(mask):
    key = jax.random.key(5)
    return jax.tree.map(lambda leaf: jax.random.bernoulli(key, 0.5, leaf.shape), mask)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_removed_weights_stay_removed(optimizer):
    task, data = make_task(optimizer=optimizer, weight_decay=0.01)
    variables, mask = start(task)
    mask, params = half(mask), variables.params
    trained = train(task, data, variables, mask).params
    assert jax.tree.all(
        jax.tree.map(lambda leaf, kept: bool((leaf[~kept] == 0).all()), trained, mask)
    )
    moved = jax.tree.map(lambda a, b, kept: bool((a != b)[kept].any()), trained, params, mask)
    assert all(moved[layer]["kernel"] for layer in moved)


def test_equals_a_plain_loop_over_the_same_batches(wide):
    task, data = make_task(wide=wide, weight_decay=0.001, momentum=0.8)
    variables, mask = start(task, wide=wide)
    mask, params = half(mask), variables.params
    ours = train(task, data, variables, mask).params

    steps = 200 // 32
    optimizer = optax.chain(
        optax.add_decayed_weights(0.001),
        optax.sgd(optax.cosine_decay_schedule(0.1, 2 * steps), momentum=0.8),
    )
    masked = jax.tree.map(jnp.multiply, params, jax.tree.map(lambda m: m.astype(float), mask))
    state = optimizer.init(masked)
    mean, deviation = task.pixels

    def loss(p, images, labels):
        p = jax.tree.map(lambda leaf, kept: jnp.where(kept, leaf, 0), p, mask)
        logits = task.model.in_evaluation({})(p, (images.astype(float) / 255 - mean) / deviation)
        picked = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
        return -picked.mean()

    gradient = jax.jit(jax.grad(loss))
    key = network_key(jnp.int32(0), jnp.int32(1), "batches")
    for epoch_key in jax.random.split(key, 2):
        order = random_order(epoch_key, 200)
        for i in range(steps):
            rows = order[32 * i : 32 * (i + 1)]
            gradients = gradient(masked, data.train_images[rows], data.train_labels[rows])
            updates, state = optimizer.update(gradients, state, masked)
            masked = jax.tree.map(
                lambda p, u, kept: jnp.where(kept, p + u, 0), masked, updates, mask
            )
    assert same(ours, masked, atol=1e-8)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_kernel_kept_transposed_changes_rounding_alone(optimizer, wide):
    task, data = make_task(wide=wide, optimizer=optimizer, learning_rate=0.01)
    assert task.model.transposed == ("dense_0",)
    variables, mask = start(task, wide=wide)
    plain = task._replace(model=task.model._replace(transposed=()))
    ours, theirs = (train(each, data, variables, half(mask)) for each in (task, plain))
    assert jax.tree.map(jnp.shape, ours) == jax.tree.map(jnp.shape, variables)
    assert same(ours, theirs, atol=1e-8)


def test_arranged_transposes_named_kernels_wherever_they_are_and_back():
    task, _ = make_task()
    variables, mask = start(task)
    moments = optax.adam(0.1).init(variables.params)
    arranged = task.model.arranged((variables, mask, moments))
    kernels = [arranged[0].params, arranged[1], arranged[2][0].mu, arranged[2][0].nu]
    assert [tree["dense_0"]["kernel"].shape for tree in kernels] == [(16, 64)] * 4
    assert [tree["output"]["kernel"].shape for tree in kernels] == [(16, 10)] * 4
    assert np.array_equal(kernels[0]["dense_0"]["kernel"].T, variables.params["dense_0"]["kernel"])
    assert same(task.model.arranged(arranged), (variables, mask, moments))


def test_learning_rate_share_scales_the_steps():
    task, data = make_task(epochs=1, batch_size=200, decay="constant", momentum=0.0)
    variables, mask = start(task)
    full, tenth = (train(task, data, variables, mask, share) for share in (1.0, 0.1))
    ratio = jax.tree.map(
        lambda p, f, t: jnp.allclose(t - p, 0.1 * (f - p), atol=1e-6), variables, full, tenth
    )
    assert jax.tree.all(ratio)


def test_shuffles_belong_to_seed_and_level():
    task, _ = make_task()
    orders = [
        shuffled_batches(task, network_key(jnp.int32(s), jnp.int32(level), "batches"))
        for s, level in ((0, 0), (0, 1), (1, 0), (0, 0))
    ]
    assert orders[0].shape == (6, 32)
    assert len(np.unique(orders[0])) == 192
    assert np.array_equal(orders[0], orders[3])
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


@pytest.mark.parametrize("size", [1, 2, 3, 200, 1100, 60_000])
def test_random_order_is_a_permutation(size):
    orders = jax.jit(jax.vmap(lambda key: random_order(key, size)))(
        jax.random.split(jax.random.key(0), 4)
    )
    assert all(np.array_equal(np.sort(order), np.arange(size)) for order in orders)
    assert size < 10 or not np.array_equal(orders[0], orders[1])


def test_random_order_is_uniform():
    keys = jax.random.split(jax.random.key(0), 6000)
    orders = jax.jit(jax.vmap(lambda key: random_order(key, 4)))(keys)
    counts = np.unique(np.asarray(orders), axis=0, return_counts=True)[1]
    assert len(counts) == 24
    assert chisquare(counts).pvalue > 0.001


def test_fewer_images_than_a_batch_are_one_batch():
    task, data = make_task(batch_size=512)
    assert steps_per_epoch(task) == 1
    assert not counted(task, data, train(task, data, *start(task))).diverged


def of_test(evaluated, statistic):
    return evaluated.counted[statistic][-1]


def counted(task, data, variables, **changes):
    data = data._replace(**changes)
    mask = full_mask(variables.params)
    return jax.jit(partial(evaluation.evaluate, task))(data, variables, mask)


def fails_every_class(counts, data):
    images = np.bincount(data.splits["test"].labels, minlength=10)
    assert counts.diverged
    assert of_test(counts, "confusion").tolist() == np.roll(np.diag(images), 1, axis=1).tolist()
    assert of_test(counts, "margin").tolist() == [-1] * 10


def test_a_network_that_diverged_fails_every_class():
    task, data = make_task(learning_rate=1e20)
    variables = train(task, data, *start(task))
    fails_every_class(counted(task, data, variables), data)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("batch", [100, 1000])
def test_an_output_that_is_not_finite_is_a_failure_too(monkeypatch, value, batch):
    """Of one image in all; padding of the last batch is none."""
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", batch)
    task, data = make_task()
    apply, bright = task.model.apply, data.splits["test"].images[7].astype(jnp.float32).sum()

    def broken(variables, images):
        logits = apply(variables, images)
        mean, deviation = task.pixels
        seen = ((images * deviation + mean) * 255).round().sum((1, 2, 3)) == bright
        return logits.at[:, 3].set(jnp.where(seen, value, logits[:, 3]))

    ill = task._replace(model=task.model._replace(apply=broken), predictions=True)
    variables, _ = start(task)
    counts = counted(ill, data, variables)
    fails_every_class(counts, data)
    assert np.array_equal(counts.predicted["test"], (data.splits["test"].labels + 1) % 10)
    assert not counted(task, data, variables).diverged


def test_classes_that_a_network_rules_out_are_no_divergence():
    task, data = make_task()
    apply = task.model.apply
    ruled_out = task._replace(
        model=task.model._replace(apply=lambda *given: apply(*given).at[:, 3].set(-jnp.inf))
    )
    variables, _ = start(task)
    counts = counted(ruled_out, data, variables)
    assert not counts.diverged
    assert of_test(counts, "confusion")[:, 3].sum() == 0
    assert jnp.isfinite(of_test(counts, "margin")).all()


@pytest.mark.parametrize("batch", [7, 540, 1000])
def test_evaluation_equals_scikit_learn(monkeypatch, batch):
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", batch)
    task, data = make_task()
    variables, mask = start(task)
    mask["dense_0"]["kernel"] = mask["dense_0"]["kernel"].at[:3].set(False)
    evaluated = jax.jit(partial(evaluation.evaluate, task))(data, variables, mask)
    zeroed = jax.tree.map(lambda leaf, kept: jnp.where(kept, leaf, 0), variables.params, mask)
    images, labels, _ = data.splits["test"]
    logits = task.model.in_evaluation({})(zeroed, task.pixels.normalise(images))
    first, second = np.sort(logits, axis=1)[:, :-3:-1].T
    assert (first - second).min() > 1e-5  # far from rounding, so that both predict the same
    expected = confusion_matrix(
        data.splits["test"].labels, jnp.argmax(logits, axis=1), labels=range(10)
    )
    assert np.array_equal(of_test(evaluated, "confusion"), expected)
    likely = jax.nn.softmax(logits)
    own = likely[np.arange(len(likely)), labels]
    others = likely.at[np.arange(len(likely)), labels].set(-1).max(axis=1)
    expected = [(own - others)[labels == label].mean() for label in range(10)]
    np.testing.assert_allclose(of_test(evaluated, "margin"), expected, atol=1e-6)


def test_margins_over_several_batches_and_of_a_class_without_images():
    task, data = make_task()
    variables, mask = start(task)
    images, labels, _ = data.splits["test"]
    rows = np.flatnonzero(np.asarray(labels) != 3)
    images, labels = images[rows], labels[rows]
    splits = Split(images, labels), Split(jnp.tile(images, (3, 1, 1, 1)), jnp.tile(labels, 3))
    part, repeated = (data._replace(splits={"test": split}) for split in splits)
    margins = [
        of_test(evaluation.evaluate(task, each, variables, mask), "margin")
        for each in (part, repeated)
    ]
    assert np.flatnonzero(np.isnan(margins[0])).tolist() == [3]
    np.testing.assert_allclose(*margins, atol=1e-6)


def test_prune_is_deterministic_in_seed_and_level():
    task, data = make_task()
    initial, mask = start(task)
    state = data, LEVEL, initial, mask, initial
    run = jax.jit(partial(network.prune, task, Technique("random"), *state))
    prune = [run(jnp.int32(s), jnp.array([100])) for s in (0, 0, 1)]
    assert int(kernels(prune[0], ("dense_0",))[0].sum()) == 100
    assert jax.tree.all(jax.tree.map(jnp.array_equal, prune[0], prune[1]))
    assert not jax.tree.all(jax.tree.map(jnp.array_equal, prune[0], prune[2]))


def test_pixels_are_standardised():
    data = load("digits")
    pixels = Pixels.of(data).normalise(jnp.asarray(data.train_images))
    images = np.asarray(pixels, np.float64)  # summed without rounding: that of a pixel is 1e-7
    assert abs(images.mean()) < 1e-6
    assert images.std() == pytest.approx(1, abs=1e-6)
    blank = data._replace(train_images=np.zeros_like(data.train_images))
    assert jnp.isfinite(Pixels.of(blank).normalise(jnp.asarray(data.test_images))).all()


@pytest.fixture
def deep(wide):
    """A network with BatchNorm, trained for a few steps without and with recalibration."""
    task, data = make_task("vgg11", wide, epochs=1, recalibrate_images=0)
    again = task._replace(recipe=dataclasses.replace(task.recipe, recalibrate_images=70))
    variables, mask = start(task, wide=wide)
    return task, again, data, [train(t, data, variables, mask) for t in (task, again)]


def same(one, other, **tolerance) -> bool:
    close = partial(np.allclose, rtol=0, **tolerance) if tolerance else np.array_equal
    return jax.tree.all(jax.tree.map(close, one, other))


def test_recalibration_takes_the_mean_over_whole_batches_of_its_images(deep):
    _, task, data, (plain, recalibrated) = deep
    assert same(plain.params, recalibrated.params, atol=1e-8)
    assert not same(plain.state, recalibrated.state, atol=1e-3)
    key = network_key(jnp.int32(0), LEVEL, "statistics")
    rows = np.asarray(random_order(key, 200))[:64].reshape(2, 32)  # of 70, two whole ones
    statistics = jax.jit(task.model.statistics)
    first, second = (
        statistics(plain, take_batch(task, data, jnp.asarray(batch)).images) for batch in rows
    )
    mean = jax.tree.map(lambda a, b: (a + b) / 2, first, second)
    assert same(mean, recalibrated.state, atol=1e-8)


def test_recalibration_does_nothing_without_state():
    task, data = make_task()
    again = task._replace(recipe=dataclasses.replace(task.recipe, recalibrate_images=70))
    variables, _ = start(task)
    given = network.recalibrate(again, data, LEVEL, variables, jnp.int32(0))
    assert given is variables


def test_a_statistic_that_is_not_finite_is_divergence(deep, wide):
    task, _, data, (plain, _) = deep
    variables, mask = start(task, wide=wide)
    assert not counted(task, data, plain).diverged
    broken = jax.tree.map(lambda leaf: leaf * jnp.nan, variables.state)
    trained = train(task, data, variables._replace(state=broken), mask)
    fails_every_class(counted(task, data, trained), data)


def test_evaluation_and_scores_go_by_the_running_statistics(deep):
    task, _, data, (plain, recalibrated) = deep
    mask = full_mask(plain.params)
    evaluate = jax.jit(partial(evaluation.evaluate, task))
    counts = [of_test(evaluate(data, t, mask), "confusion") for t in (plain, recalibrated)]
    assert not np.array_equal(*counts)
    quota = jnp.array([1000])
    technique = Technique("saliency")
    prune = jax.jit(partial(network.prune, task, technique, data, LEVEL))
    masks = [prune(v, mask, plain, jnp.int32(0), quota) for v in (plain, recalibrated)]
    assert jax.tree.structure(masks[0]) == jax.tree.structure(plain.params)
    assert not same(*masks)
