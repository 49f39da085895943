"""Losses: golden cases by hand, what each reduces to, and contracts of every row."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from prune_fair import DataConfig, InputError, RecipeConfig, StudyConfig, TaskConfig, Technique
from prune_fair.losses import LOSSES, Dense, Labelled, called, canonical
from prune_fair.losses.reweighting import cross_entropy

COUNTS = [6, 3, 1]
GROUPS, NOTHING = 2, Dense()


def labelled(labels, groups=None, counts=COUNTS, dense=NOTHING) -> Labelled:
    """A batch of these labels, and groups where a loss asks for them."""
    groups = None if groups is None else jnp.asarray(groups)
    of_groups = None if groups is None else jnp.array([7, 3])
    return Labelled(jnp.asarray(labels), groups, jnp.asarray(counts), of_groups, dense)


def everything(rng, images=16):
    """A batch with all that any row may ask for, and its logits."""
    logits = jnp.asarray(rng.normal(size=(images, 3)))
    dense = Dense(jnp.asarray(rng.normal(size=(images, 3))), jnp.full(3, 0.9), jnp.full(2, 0.9))
    labels, groups = rng.integers(0, 3, images), rng.integers(-1, 2, images)
    return logits, labelled(labels, groups, dense=dense)


def run(name, logits, batch, state=None):
    row = called(name)
    state = row.initial(3, GROUPS) if state is None else state
    return row.function(jnp.asarray(logits), batch, state)


def plain(logits, batch):
    return cross_entropy(jnp.asarray(logits), batch, ())[0]


EVEN = np.log(np.array([[2.0, 1.0, 1.0], [2.0, 1.0, 1.0]]))  # probabilities 1/2, 1/4, 1/4
OF_EVEN = labelled([0, 2])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cross_entropy", [math.log(2), math.log(4)]),
        ("inverse_frequency", [10 / 18 * math.log(2), 10 / 3 * math.log(4)]),
        # weights of beta 1/2: 1/(1 - 2^-n), so 64/63, 8/7 and 2, times 3 over their sum
        ("class_balanced@0.5", [w * 3 / (64 / 63 + 8 / 7 + 2) * loss for w, loss in
                                [(64 / 63, math.log(2)), (2, math.log(4))]]),
        ("balanced_softmax", [math.log(16 / 12), math.log(16)]),  # 2·6, 1·3, 1·1
        ("logit_adjustment", [math.log(16 / 12), math.log(16)]),
        ("logit_adjustment@2", [math.log(82 / 72), math.log(82)]),  # 2·36, 1·9, 1·1
        # margins: log 8 for the rarest, log 8 · 6^(-1/4) for the most common class
        ("ldam@2.0794415416798357", [math.log(1 + 8 ** 6**-0.25), math.log(1 + 3 * 8)]),
        ("focal", [math.log(2) / 4, math.log(4) * 9 / 16]),
        ("focal@1", [math.log(2) / 2, math.log(4) * 3 / 4]),
    ],
)  # fmt: skip
def test_by_hand(name, expected):
    losses, _ = run(name, EVEN, OF_EVEN)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_distillation_by_hand():
    """At temperature 1, half of it: the dense network is sure to 3/4, 1/8, 1/8 of both images."""
    dense = Dense(jnp.log(jnp.array([[6.0, 1.0, 1.0]] * 2)))
    losses, _ = run("distillation@1,0.5", EVEN, labelled([0, 2], dense=dense))
    divergence = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    expected = [0.5 * math.log(2) + 0.5 * divergence, 0.5 * math.log(4) + 0.5 * divergence]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_distillation_at_a_temperature_by_hand():
    """Logits over 2 are square roots of odds: 4, 1, 1 of the dense network become 2, 1, 1."""
    dense = Dense(jnp.log(jnp.array([[4.0, 1.0, 1.0]])))
    batch = labelled([0], dense=dense)
    losses, _ = run("distillation@2,1", np.zeros((1, 3)), batch)
    divergence = 0.5 * math.log(1.5) + 0.5 * math.log(0.75)
    np.testing.assert_allclose(losses, [4 * divergence], rtol=1e-5)


@pytest.mark.parametrize("name", ["class_dro@2", "group_dro@2"])
def test_robust_by_hand(name):
    """Two units of mean losses log 2 and log 4: exp(2 log 2) = 4 to 16, so weights 1/5 and 4/5."""
    batch = labelled([0, 2, 2], groups=[0, 1, 1], counts=[6, 0, 1])
    logits = np.concatenate([EVEN, EVEN[:1]])
    state = jnp.array([0.5, 0.5]) if name.startswith("group") else jnp.array([0.5, 0.0, 0.5])
    losses, after = run(name, logits, batch, state)
    np.testing.assert_allclose(after[jnp.array([0, -1])], [0.2, 0.8], rtol=1e-5)
    np.testing.assert_allclose(losses.mean(), 0.2 * math.log(2) + 0.8 * math.log(4), rtol=1e-5)


def test_robust_leaves_out_images_without_a_group():
    known, unknown = labelled([0], groups=[0]), labelled([0, 2], groups=[0, -1])
    one, two = (run("group_dro", EVEN[:n], b)[0] for n, b in ((1, known), (2, unknown)))
    np.testing.assert_allclose(one.mean(), two.mean(), rtol=1e-6)


def constrained(rights, labels, *, tolerance=0.1, rate=0.5, last=2, dense=(1.0, 1.0, 1.0)):
    """Losses, weights and states after batches of images that are right or wrong."""
    name, state, gone = f"constrained@{tolerance},{rate},{last}", None, []
    for right, label in zip(rights, labels, strict=True):
        given = np.where(right, label, (np.array(label) + 1) % 3)
        logits = 5.0 * np.eye(3)[given]
        batch = labelled(label, dense=Dense(None, jnp.asarray(dense)))
        losses, state = run(name, logits, batch, state)
        gone.append((np.asarray(losses / plain(logits, batch)), state))
    return gone


def test_constrained_by_hand():
    """Class 2 is always wrong, the others right: its gap is 1, that of all images 1/10."""
    labels = [[0, 1, 2]] * 3
    (first, _), (weights, state), (_, later) = constrained([[True, True, False]] * 3, labels)
    np.testing.assert_allclose(first, 1)  # no class has had two images yet
    multiplier = 0.5 * (1 - 0.1 - 0.1)
    np.testing.assert_allclose(state.multipliers, [0, 0, multiplier], rtol=1e-5)
    # to the mean over three images comes m times the mean of class 2
    expected = 1 + np.array([0, 0, 3 * multiplier])
    np.testing.assert_allclose(weights, expected, rtol=1e-5)
    np.testing.assert_allclose(later.multipliers, [0, 0, 2 * multiplier], rtol=1e-5)


def test_a_held_constraint_lowers_its_multiplier_to_zero():
    *_, (weights, state) = constrained(
        [[True, True, False]] * 2 + [[True] * 3] * 16, [[0, 1, 2]] * 18
    )
    assert (state.multipliers == 0).all()
    np.testing.assert_allclose(weights, 1)


def test_what_the_dense_network_had_wrong_too_is_no_loss():
    *_, (_, state) = constrained([[True, True, False]] * 5, [[0, 1, 2]] * 5, dense=(1.0, 1.0, 0.0))
    assert (state.multipliers == 0).all()


def test_the_last_images_are_remembered_in_a_ring(rng):
    """Against lists: of each class whether its last four images were right."""
    last, kept, state = 4, {unit: [] for unit in range(3)}, None
    for _ in range(6):
        label, right = rng.integers(0, 3, 11), rng.random(11) < 0.6
        logits = 5.0 * np.eye(3)[np.where(right, label, (label + 1) % 3)]
        batch = labelled(label, dense=Dense(None, jnp.ones(3)))
        _, state = run(f"constrained@0.01,0.01,{last}", logits, batch, state)
        for unit, one in zip(label, right, strict=True):
            kept[int(unit)].append(float(one))
        for unit, whole in kept.items():
            held = [value for value in state.right[unit].tolist() if value >= 0]
            assert sorted(held) == sorted(whole[-last:])
            assert int(state.seen[unit]) == len(whole)


REDUCED = [
    "class_balanced@0", "logit_adjustment@0", "ldam@0", "focal@0", "distillation@4,0",
]  # fmt: skip


@pytest.mark.parametrize("name", REDUCED)
def test_reduces_to_cross_entropy(name, rng):
    logits, batch = everything(rng)
    np.testing.assert_allclose(run(name, logits, batch)[0], plain(logits, batch), rtol=1e-5)


@pytest.mark.parametrize("name", ["inverse_frequency", "class_balanced", "balanced_softmax"])
def test_of_classes_of_equal_sizes_reduces_to_cross_entropy(name, rng):
    logits, batch = everything(rng)
    batch = batch._replace(class_counts=jnp.array([4, 4, 4]))
    np.testing.assert_allclose(run(name, logits, batch)[0], plain(logits, batch), rtol=1e-5)


@pytest.mark.parametrize("name", ["constrained", "group_constrained"])
def test_constraints_begin_as_cross_entropy(name, rng):
    logits, batch = everything(rng)
    np.testing.assert_allclose(run(name, logits, batch)[0], plain(logits, batch), rtol=1e-6)


def test_class_balanced_goes_towards_inverse_frequency(rng):
    """Where 1 - beta is below what float32 tells from 1, too; but for the weights' mean."""
    logits, batch = everything(rng)
    near = run("class_balanced@0.99999999", logits, batch)[0]
    inverse = run("inverse_frequency", logits, batch)[0]
    np.testing.assert_allclose(near / near.sum(), inverse / inverse.sum(), rtol=1e-4)


def test_logit_adjustment_is_balanced_softmax(rng):
    logits, batch = everything(rng)
    one, other = (run(name, logits, batch)[0] for name in ("logit_adjustment", "balanced_softmax"))
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_inverse_frequency_is_scikit_learns():
    labels = np.repeat([0, 1, 2], COUNTS)
    weights = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    batch = labelled([0, 1, 2])
    losses = run("inverse_frequency", np.zeros((3, 3)), batch)[0]
    np.testing.assert_allclose(losses, weights * math.log(3), rtol=1e-6)


def test_classes_without_training_images_give_no_infinities(rng):
    logits, batch = everything(rng)
    labels = jnp.minimum(batch.labels, 1)
    batch = batch._replace(labels=labels, class_counts=jnp.array([9, 1, 0]))
    for name in LOSSES:
        assert np.isfinite(run(name, logits, batch)[0]).all(), name


@pytest.mark.parametrize("name", LOSSES)
def test_every_row_is_finite_and_the_same_compiled_and_batched(name, rng):
    logits, batch = everything(rng)
    row = called(name)
    state = row.initial(3, GROUPS)

    def mean(logits, state):
        losses, state = row.function(logits, batch, state)
        return losses.mean(), state

    ask = jax.value_and_grad(mean, has_aux=True)
    (loss, after), gradient = ask(logits, state)
    for value in jax.tree.leaves((loss, after, gradient)):
        assert np.isfinite(value).all()
    assert jax.tree.structure(after) == jax.tree.structure(state)
    two = jax.jit(jax.vmap(ask))(*jax.tree.map(lambda leaf: jnp.stack([leaf] * 2), (logits, state)))
    ones = jax.tree.leaves(((loss, after), gradient))
    for one, pair in zip(ones, jax.tree.leaves(two), strict=True):
        np.testing.assert_allclose(pair[1], one, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_large_logits_are_finite(name, rng):
    logits, batch = everything(rng)
    losses = run(name, 1e4 * logits, batch)[0]
    assert np.isfinite(losses).all()


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("focal@2", "focal"),
        ("focal@2.50", "focal@2.5"),
        ("focal@-0", "focal@0"),
        ("distillation@4,0.90", "distillation"),
        ("distillation@2", "distillation@2"),
        ("constrained@0.01,0.01,20", "constrained@0.01,0.01,20"),
    ],
)
def test_a_loss_has_one_name(name, one):
    assert canonical(name) == one
    assert canonical(one) == one
    assert Technique(loss=name).name == f"magnitude-global-rewind+{one}"
    assert Technique.parse(f"magnitude-global-finetune+{name}").loss == one


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vocal", "loss 'vocal': not one of"),
        ("focal@x", "loss 'focal@x': gamma 'x': expected a number from 0 to 100"),
        ("focal@-1", "expected a number from 0 to 100"),
        ("focal@nan", "expected a number from 0 to 100"),
        ("focal@1,2", "expected at most 1 (gamma)"),
        ("focal@1e300", "expected a number from 0 to 100"),
        ("cross_entropy@1", "settings '1': expected none"),
        ("constrained@0.1,0.1,2.5", "last '2.5': expected a whole number"),
        ("distillation@0", "temperature '0': expected 0.1 to 100"),
    ],
)
def test_wrong_names_are_one_line(name, message):
    for build in (lambda: RecipeConfig(loss=name), lambda: Technique(loss=name)):
        with pytest.raises(InputError) as refused:
            build()
        assert "\n" not in str(refused.value)
    with pytest.raises(InputError) as refused:
        called(name)
    assert message in str(refused.value) or name == "vocal"


def test_what_cannot_work_is_refused():
    with pytest.raises(InputError, match="trains towards the dense network"):
        RecipeConfig(loss="distillation")
    with pytest.raises(InputError, match="none trains nothing"):
        StudyConfig(techniques=("magnitude-global-none+constrained",))
    with pytest.raises(InputError, match="asks for groups of the training images"):
        StudyConfig(techniques=("magnitude-global-finetune+group_dro",))
    with pytest.raises(InputError, match="asks for groups of the training images"):
        StudyConfig((TaskConfig(recipe=RecipeConfig(loss="group_dro")),))
    grouped = TaskConfig(DataConfig("npz:cells.npz", groups="g"))
    StudyConfig((grouped,), techniques=("magnitude-global-finetune+group_dro",))
