"""Networks that were trained elsewhere: audited as a study's are."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint
import pytest
from flax import linen, nnx

import prune_fair
from prune_fair import DataConfig, ModelConfig, RecipeConfig, Schedule, StudyConfig, TaskConfig
from prune_fair.auditing import export
from prune_fair.data import Dataset
from prune_fair.datasets import load
from prune_fair.errors import InputError
from prune_fair.models import MLP
from prune_fair.pruning import kernels
from prune_fair.store import load_tree

TECHNIQUES = ("magnitude-global-none", "saliency-layerwise-none", "random-global-none")
SCHEDULE = Schedule("one-shot", sparsities=(0.5, 0.9))


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two seeds of a real study, pruned one-shot without retraining, and its directory."""
    path = tmp_path_factory.mktemp("audited") / "study"
    task = TaskConfig(
        DataConfig("digits", validation=0.0),
        ModelConfig("mlp", (20, 10)),
        RecipeConfig(3, learning_rate=0.2),
    )
    config = StudyConfig((task,), TECHNIQUES, SCHEDULE, seeds=2, predictions=True)
    plan = prune_fair.PlanConfig(lowering="native")
    return prune_fair.run_study(config, path, plan=plan)["digits/mlp"].to_dataset(), path


@pytest.fixture(scope="module")
def networks(study):
    """The study's dense networks, as Flax Linen has them."""
    saved = load_tree(study[1] / "checkpoints/digits/mlp/seeds-00000.level-000")["dense"]
    of_seed = [jax.tree.map(lambda leaf, at=at: leaf[at], saved["params"]) for at in (0, 1)]
    return [{"params": params} for params in of_seed]


def mlp(variables, images):
    return MLP(10, widths=(20, 10)).apply(variables, images)


@pytest.fixture(scope="module")
def audited(networks, digits, tmp_path_factory):
    path = tmp_path_factory.mktemp("audited") / "audit"
    results = prune_fair.audit(
        mlp,
        networks,
        DataConfig("digits"),
        path,
        name="mine",
        techniques=TECHNIQUES,
        schedule=SCHEDULE,
        pixels="standardised",
    )
    return results["digits/mine"].to_dataset(), path


FENCE = 540 // 100  # most test images that another program may see otherwise: one in 100


def moved(first, second):
    """How many test images, at least, networks see otherwise, by their confusion counts."""
    return np.abs(np.asarray(first) - np.asarray(second)).sum(axis=(-2, -1)) / 2


def test_an_audit_equals_the_study_that_its_networks_are_from(study, audited):
    """Their programs differ, so rounding may decide on images and weights on the fence."""
    for name in ("sparsity", "layer_sparsity", "train_count"):
        np.testing.assert_array_equal(audited[0][name], study[0][name], err_msg=name)
    assert moved(audited[0].confusion, study[0].confusion).max() <= FENCE
    differ = audited[0].predictions.values != study[0].predictions.values
    assert differ.sum(axis=-1).max() <= FENCE
    for level in (1, 2):
        masks = [
            load_tree(path / f"checkpoints/digits/{task}/seeds-00000.level-00{level}")
            for path, task in ((audited[1], "mine"), (study[1], "mlp"))
            if level == 2 or task == "mine"  # a study keeps the last level only
        ]
        assert {*masks[0]} == {*TECHNIQUES}
        for other in masks[1:]:
            for technique, saved in other.items():
                pairs = jax.tree.map(np.not_equal, masks[0][technique]["mask"], saved["mask"])
                unlike = np.mean(np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(pairs)]))
                assert unlike <= (0.002 if technique.startswith("saliency") else 0), technique


def test_an_audit_is_gone_on_with_and_is_not_mixed_with_another(audited, networks, digits):
    asked = {
        "name": "mine",
        "techniques": TECHNIQUES,
        "schedule": SCHEDULE,
        "pixels": "standardised",
    }
    again = prune_fair.audit(mlp, networks, DataConfig("digits"), audited[1], **asked)
    np.testing.assert_array_equal(again["digits/mine"].confusion, audited[0].confusion)
    with pytest.raises(InputError, match="networks_sha256 is .* there"):
        prune_fair.audit(mlp, networks[::-1], DataConfig("digits"), audited[1], **asked)
    with pytest.raises(InputError, match="pixels is standardised there, unit here"):
        prune_fair.audit(
            mlp, networks, DataConfig("digits"), audited[1], **{**asked, "pixels": "unit"}
        )


def test_an_exported_network_is_the_one_that_was_counted(audited, networks, digits, tmp_path):
    folders = export(audited[1], TECHNIQUES[1], 2, tmp_path / "chosen", mlp, networks[0])
    assert [folder.name for folder in folders] == ["0", "1"]
    for seed, folder in enumerate(folders):
        with orbax.checkpoint.StandardCheckpointer() as checkpointer:
            kept = checkpointer.restore(folder)
        pixels = digits.train_images / 255
        images = (digits.test_images / 255 - pixels.mean()) / pixels.std()
        logits = mlp(kept["variables"], jnp.asarray(images, jnp.float32))
        counts = np.zeros((10, 10), int)
        np.add.at(counts, (digits.test_labels, np.argmax(logits, axis=1)), 1)
        counted = audited[0].confusion.sel(technique=TECHNIQUES[1], seed=seed, level=2)
        assert moved(counts, counted) <= FENCE
        mask = kept["mask"]["params"]
        kernel_masks = kernels(mask, ["dense_0", "dense_1"])
        assert np.concatenate([m.ravel() for m in kernel_masks]).mean() == pytest.approx(
            0.1, abs=1e-3
        )
        first, first_mask = kept["variables"]["params"]["dense_0"], mask["dense_0"]
        assert first_mask["bias"].all()
        assert (first["kernel"][~first_mask["kernel"]] == 0).all()


@pytest.mark.parametrize(
    ("technique", "level", "message"),
    [
        ("magnitude-globl-none", 1, "did you mean 'magnitude-global-none'"),
        (TECHNIQUES[0], 7, "level 7: expected 0 to 2"),
        (TECHNIQUES[0], 0, "level 0 of magnitude-global-none: level 0 is dense"),
    ],
)
def test_exports_that_are_refused(audited, networks, digits, tmp_path, technique, level, message):
    with pytest.raises(InputError, match=message):
        export(audited[1], technique, level, tmp_path / "x", mlp, networks[0])


def test_an_export_into_the_audit_is_refused(audited, networks):
    for place in (audited[1], audited[1] / "sub"):
        with pytest.raises(InputError, match="the study's directory"):
            export(audited[1], TECHNIQUES[0], 1, place, mlp, networks[0])


def test_variables_of_another_architecture_are_no_shape_to_export_in(audited, tmp_path):
    def linear(variables, images):
        return images.reshape(len(images), 64) @ variables["w"]

    with pytest.raises(InputError, match="variables: at .* expected networks of one architecture"):
        export(audited[1], TECHNIQUES[0], 1, tmp_path / "x", linear, {"w": np.zeros((64, 10))})


def test_only_audits_are_exported(study, networks, digits, tmp_path):
    with pytest.raises(InputError, match="no audit"):
        export(study[1], TECHNIQUES[0], 1, tmp_path, mlp, networks[0])


class Convolutional(nnx.Module):
    """NNX with BatchNorm, whose statistics are no parameters."""

    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(1, 4, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.out = nnx.Linear(256, 10, use_bias=False, rngs=rngs)

    def __call__(self, images):
        features = self.norm(self.conv(images))
        return self.out(nnx.relu(features).reshape(len(images), -1))


@pytest.fixture
def any_rank():
    """NNX broadcasts biases, which these tests else forbid."""
    with jax.numpy_rank_promotion("allow"):
        yield


def test_nnx_networks_are_audited(any_rank, digits, tmp_path):
    module = Convolutional(nnx.Rngs(0))
    module.eval()
    graph, state = nnx.split(module)

    def apply(variables, images):
        return nnx.merge(graph, variables)(images)

    results = prune_fair.audit(
        apply,
        [jax.tree.map(np.asarray, state)],
        digits,
        tmp_path / "audit",
        techniques=["magnitude-global-none-output", "saliency-global-lr_rewind"],
        schedule=SCHEDULE,
        recipe=RecipeConfig(epochs=1, learning_rate=0.05),
    )
    node = results["arrays/network"].to_dataset()
    assert node.layer.values.tolist() == ["conv", "out"]
    assert node.attrs["config"]
    np.testing.assert_allclose(node.sparsity[0, 0], [0, 0.5, 0.9], atol=0.01)
    dense = np.zeros((10, 10), int)
    predicted = np.argmax(module(jnp.asarray(digits.test_images / 255, jnp.float32)), axis=1)
    np.add.at(dense, (digits.test_labels, predicted), 1)
    assert moved(node.confusion[0, 0, 0], dense) <= FENCE
    accuracy = prune_fair.analysis.network_metrics(node, ["accuracy"]).accuracy
    assert accuracy[1, 0, 1] > accuracy[1, 0, 0] + 0.2  # of random weights, trained an epoch
    saved = load_tree(tmp_path / "audit/checkpoints/arrays/network/seeds-00000.level-001")
    statistics = saved["saliency-global-lr_rewind"]["state"]
    assert {*statistics} == {"norm/mean", "norm/var"}
    np.testing.assert_array_equal(
        statistics["norm/var"][0], jax.tree.leaves(state["norm"]["var"])[0]
    )


def test_plain_jax_networks_of_several_seeds_and_float_images_are_audited(digits, tmp_path):
    def apply(layers, images):
        hidden = images.reshape(len(images), -1)
        for kernel, bias in layers[:-1]:
            hidden = jax.nn.relu(hidden @ kernel + bias[None])
        return hidden @ layers[-1][0]

    def network(seed):
        rng = np.random.default_rng(seed)
        shapes = (64, 12), (12, 10)
        return [
            (rng.normal(size=shape).astype(np.float32), np.zeros(shape[1], np.float32))
            for shape in shapes
        ]

    arrays = {
        "x_train": digits.train_images / 16 - 3.0,
        "y_train": digits.train_labels,
        "x_test": digits.test_images / 16 - 3.0,
        "y_test": digits.test_labels,
    }
    results = prune_fair.audit(
        apply,
        [network(seed) for seed in range(4)],
        arrays,
        tmp_path,
        techniques=["magnitude-layerwise-none"],
        schedule=SCHEDULE,
    )
    node = results["arrays/network"].to_dataset()
    assert node.layer.values.tolist() == ["0", "1"]
    assert prune_fair.analysis.uncertainty(node)[:2] == ("seeds", 4)
    kernel = network(2)[0][0]
    quantile = np.sort(np.abs(kernel).ravel())[round(0.9 * kernel.size) - 1]
    pruned = [(np.where(np.abs(kernel) > quantile, kernel, 0), network(2)[0][1]), network(2)[1]]
    logits = apply(pruned, arrays["x_test"].astype(np.float32))
    right = (np.argmax(logits, axis=1) == digits.test_labels).sum()
    assert abs(np.trace(node.confusion[0, 2, 2].values) - right) <= FENCE
    assert np.isfinite(node.complexity).all()
    assert json.loads(node.attrs["config"])["model"]["name"] == "given:network"


def scaled(variables, images):
    return images.reshape(len(images), -1) @ variables["kernel"]


KERNEL = {"kernel": np.ones((64, 10), np.float32)}
GOOD = {"apply": scaled, "networks": [KERNEL], "techniques": ["magnitude-global-none-output"]}
LABELS = np.arange(20) % 10
IMAGES = np.zeros((20, 8, 8), np.uint8)
ARRAYS = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES, "y_test": LABELS}


CHOSEN_ON = IMAGES[:10, ..., None], LABELS[:10]
DATASET = Dataset(IMAGES[..., None], LABELS, IMAGES[..., None], LABELS, tuple("0123456789"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"networks": KERNEL}, r"networks are a dict: expected a list .*\[variables\] for one"),
        ({"networks": []}, "networks are a list: expected a list of the variables"),
        (
            {"networks": [{"kernel": np.ones((32, 10), np.float32)}]},
            r"`apply` fails for these variables and images \(n, 8, 8, 1\): TypeError: dot_general",
        ),
        ({"networks": [{"weights": np.ones((64, 10))}]}, "KeyError: 'kernel'; expected the var"),
        (
            {"networks": [KERNEL, {"kernel": np.ones((64, 11), np.float32)}]},
            r"network 1: at kernel it has \(64, 11\), the first network \(64, 10\)",
        ),
        (
            {"networks": [KERNEL, {**KERNEL, "b": 1.0}]},
            "network 1: at b it has .*first.* nothing",
        ),
        (
            {"data": {**ARRAYS, "x_test": IMAGES[:, :4], "x_train": IMAGES[:, :4]}},
            r"\(n, 4, 8, 1\)",
        ),
        ({"data": {**ARRAYS, "x_train": IMAGES[:, :4]}}, "expected one shape"),
        ({"data": {**ARRAYS, "y_test": LABELS + 1}}, "labels run up to 10; expected 0 to 9, one"),
        ({"data": {**ARRAYS, "class_names": np.array(["a"])}}, "1 names in class_names but labels"),
        ({"data": {"x_train": IMAGES}}, r"x_test has images of \(\)"),
        ({"apply": lambda v, x: x}, r"`apply` gives \(2, 8, 8, 1\) for .* expected logits"),
        ({"apply": lambda v, x: x[:, 0, :, 0] * v["kernel"][:1, :8]}, "multiplies none of its par"),
        (
            {"techniques": ["magnitude-global-rewind"]},
            "starts from an initialisation, which an audit",
        ),
        ({"techniques": ["movement-global-none"]}, "movement looks at the initialisation"),
        ({"techniques": ["magnitude-global-finetune"]}, "finetune trains, and no recipe is given"),
        ({"techniques": ["magnitude-global-channel-none"]}, "an audit prunes single weights"),
        ({"techniques": ["magnitude-global-none"]}, "no layer of this model is left to prune"),
        *(
            ({"data": DATASET.with_part("validation", *part)}, message)
            for part, message in (
                ((CHOSEN_ON[0], LABELS[:10] + 1), "labels run up to 10; expected 0 to 9, one"),
                ((CHOSEN_ON[0], LABELS[:10] - 1), "y_validation runs from -1 to 8"),
                ((CHOSEN_ON[0], None), "dataset .*: no array 'y_validation' in it"),
                ((CHOSEN_ON[0][:0], LABELS[:0]), r"\(0, 8, 8, 1\); expected images .* at least 1"),
                ((CHOSEN_ON[0], LABELS), "20 numbers in y_validation but 10 images"),
                ((CHOSEN_ON[0][:, :4], LABELS[:10]), "expected one shape"),
            )
        ),
        ({"data": DATASET._replace(group_names=("a", "b"))}, "no array 'g_test' in it"),
        (
            {"data": DATASET._replace(group_names=("a", "b"), test_groups=LABELS)},
            "2 names in group_names but labels up to 9",
        ),
        ({"pixels": "bytes"}, "unknown pixels 'bytes'"),
        ({"plan": prune_fair.PlanConfig(dtype="bfloat16")}, "computes in its own; leave it out"),
        (
            {"recipe": RecipeConfig(recalibrate_images=64)},
            "recalibrate_images 64: a handed-over network cannot; use 0",
        ),
    ],
)
def test_refusals_in_one_line(tmp_path, changed, message):
    asked = {"data": ARRAYS, "path": tmp_path / "audit", "schedule": SCHEDULE, **GOOD, **changed}
    with pytest.raises(InputError, match=message) as error:
        prune_fair.audit(
            asked.pop("apply"), asked.pop("networks"), asked.pop("data"), asked.pop("path"), **asked
        )
    assert "\n" not in str(error.value)
    assert not (tmp_path / "audit/results").exists()


def test_a_study_refuses_a_model_that_is_to_be_handed_over(tmp_path):
    task = TaskConfig(DataConfig("digits"), ModelConfig("given:mine"))
    with pytest.raises(InputError, match="use prune_fair.audit"):
        prune_fair.run_study(StudyConfig((task,)), tmp_path)
    with pytest.raises(InputError, match="handed over as arrays and are not kept"):
        DataConfig("given:arrays").load()


def test_linen_networks_train_on_with_their_batch_statistics(any_rank, digits, tmp_path):
    class Normed(linen.Module):
        @linen.compact
        def __call__(self, images, train: bool = False):
            hidden = linen.Dense(16)(images.reshape(len(images), -1))
            hidden = linen.BatchNorm(use_running_average=not train, momentum=0.5)(hidden)
            return linen.Dense(10)(jax.nn.relu(hidden))

    variables = Normed().init(jax.random.key(0), jnp.zeros((1, 8, 8, 1)))

    def train(variables, images):
        logits, updated = Normed().apply(variables, images, train=True, mutable=["batch_stats"])
        return logits, {**variables, **updated}

    recipe = RecipeConfig(epochs=2, learning_rate=0.1)
    asked = {"techniques": ["magnitude-global-lr_rewind"], "schedule": SCHEDULE, "recipe": recipe}
    means = {}
    for name, apply_train in (("frozen", None), ("moving", train)):
        folder = tmp_path / name
        prune_fair.audit(
            Normed().apply, [variables], digits, folder, apply_train=apply_train, **asked
        )
        saved = load_tree(folder / "checkpoints/arrays/network/seeds-00000.level-002")
        means[name] = saved[asked["techniques"][0]]["state"]["batch_stats/BatchNorm_0/mean"]
    assert (means["frozen"] == 0).all()
    assert np.abs(means["moving"]).max() > 0.1
