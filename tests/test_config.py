import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prune_fair import (
    DataConfig,
    InputError,
    ModelConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
)
from prune_fair.config.plain import changed, to_json
from prune_fair.datasets import SOURCES, known_shape, load

RECORDED = "f8db5e269afbf4e328fc8263baa5ffadfeae4dd0f28d594c6c8ae89cc640e736"


def test_fingerprint_covers_every_field(toy_config):
    task = toy_config.tasks[0]
    others = [
        dataclasses.replace(toy_config, seeds=6),
        dataclasses.replace(toy_config, techniques=toy_config.techniques[:1]),
        dataclasses.replace(toy_config, tasks=(dataclasses.replace(task, data=DataConfig()),)),
        dataclasses.replace(
            toy_config,
            tasks=(
                dataclasses.replace(task, recipe=dataclasses.replace(task.recipe, momentum=0.5)),
            ),
        ),
        toy_config,
    ]
    prints = [config.fingerprint() for config in others]
    assert len(set(prints)) == len(prints)
    assert prints[-1] == dataclasses.replace(toy_config).fingerprint()
    assert len(prints[0]) == 64


def test_fingerprint_does_not_depend_on_the_order_of_classes():
    a, b = (DataConfig(keep=keep) for keep in ({"3": 0.5, "8": 0.2}, {"8": 0.2, "3": 0.5}))
    a, b = (StudyConfig((TaskConfig(data),)).fingerprint() for data in (a, b))
    assert a == b


names = st.text("abc0", min_size=1, max_size=3)
fractions = st.floats(0.01, 1, exclude_max=True)
DATA = st.fixed_dictionaries(
    {
        "keep": st.dictionaries(names, fractions, max_size=2),
        "imbalance_factor": st.floats(1, 100),
        "downsample": st.integers(1, 4),
        "label_noise": st.floats(0, 0.9),
    }
)
RECIPE = st.fixed_dictionaries(
    {
        "epochs": st.integers(1, 99),
        "learning_rate": st.floats(1e-6, 10),
        "optimizer": st.sampled_from(("sgd", "adam")),
        "augment": st.sampled_from(((), ("flip",), ("crop", "flip"))),
        "loss": st.sampled_from(("cross_entropy", "balanced_softmax")),
    }
)
SCHEDULE = st.one_of(
    st.fixed_dictionaries({"rate": fractions, "levels": st.integers(1, 20)}),
    st.fixed_dictionaries({"name": st.just("linear"), "sparsity": fractions}),
    st.just({"name": "one-shot", "sparsities": (0.25, 0.5)}),
)


@settings(deadline=None)
@given(
    data=DATA,
    widths=st.lists(st.integers(1, 99), max_size=3).map(tuple),
    recipe=RECIPE,
    schedule=SCHEDULE,
    seeds=st.integers(1, 9),
    name=st.sampled_from(("", "mine", "a/b")),
)
def test_any_config_is_the_same_after_json(data, widths, recipe, schedule, seeds, name):
    model = ModelConfig(widths=widths)
    task = TaskConfig(DataConfig(**data), model, RecipeConfig(**recipe), name)
    config = StudyConfig((task,), schedule=Schedule(**schedule), seeds=seeds, predictions=True)
    text = json.dumps(config.as_json(), allow_nan=False)
    again = StudyConfig.from_json(json.loads(text))
    assert again == config
    assert again.fingerprint() == config.fingerprint()


def test_what_is_left_out_of_json_has_its_default():
    content = {"tasks": [{"data": {"keep": {"3": 1}}}], "seeds": 4}
    expected = StudyConfig((TaskConfig(DataConfig(keep={"3": 1.0})),), seeds=4)
    assert StudyConfig.from_json(content) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], r"config is \[\]: expected an object"),
        ({"seed": 3}, "unknown field of config 'seed': did you mean 'seeds'"),
        ({"seeds": "3"}, "config.seeds is '3': expected a whole number"),
        ({"seeds": 3.0}, "config.seeds is 3.0: expected a whole number"),
        ({"predictions": 1}, "config.predictions is 1: expected true or false"),
        ({"seeds": True}, "config.seeds is True: expected a whole number"),
        ({"techniques": "random-global-rewind"}, "config.techniques is .*: expected a list"),
        ({"tasks": [{"data": {"keep": {"3": "x"}}}]}, r"config.tasks\[0\].data.keep.3 is 'x'"),
        ({"schedule": {"rate": 2}}, "rate 2.0: expected a fraction"),
    ],
)
def test_json_of_another_form_is_refused(content, message):
    with pytest.raises(InputError, match=message):
        StudyConfig.from_json(content)


def test_a_recorded_fingerprint_stays_valid():
    """Recorded on 2026-11-25: a field that comes later, at its default, leaves it as it is."""
    task = TaskConfig(
        DataConfig("digits", keep={"8": 0.2}), ModelConfig(widths=(20,)), RecipeConfig(epochs=3)
    )
    config = StudyConfig((task,), ("random-global-rewind",), Schedule(rate=0.5, levels=2), seeds=4)
    assert config.fingerprint() == RECORDED


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Schedule("linear", rate=0.5), "takes sparsity and levels, and no rate .0.5.;"),
        (lambda: Schedule(sparsity=0.5), "'geometric' takes rate and levels, and no sparsity"),
        (lambda: Schedule(sparsities=(0.5,)), "takes rate and levels, and no sparsities"),
        (lambda: Schedule("one-shot", levels=9, sparsities=(0.5,)), "and no levels .9.; leave tha"),
    ],
)
def test_what_a_schedule_does_not_read_is_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()


def test_names_are_kept_as_techniques_give_them():
    config = StudyConfig(techniques=("magnitude-global-rewind@0", "saliency@8-global-none"))
    assert config.techniques == ("magnitude-global-rewind", "saliency-global-none")
    with pytest.raises(InputError, match="expected each once"):
        StudyConfig(techniques=("magnitude-global-rewind@0", "magnitude-global-rewind"))


def test_a_task_may_have_a_name_of_its_own():
    tasks = TaskConfig(name="tail-10"), TaskConfig(DataConfig(imbalance_factor=10.0), name="tail/1")
    assert StudyConfig(tasks).task_names == ("tail-10", "tail/1")
    assert TaskConfig().node == "digits/mlp"


def test_counts_of_networks(toy_config):
    assert toy_config.pruned_networks == 2 * 2 * 5
    assert toy_config.networks == 2 * 2 * 5 + 5


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("digits", "digits"),
        ("tfds:fashion_mnist", "fashion_mnist"),
        ("idx:a/b/kmnist/", "kmnist"),
        ("npz:a/pets.npz", "pets"),
    ],
)
def test_labels_fit_a_file_system(name, label):
    assert DataConfig(name).label == label


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: DataConfig("digit"), "unknown dataset 'digit': did you mean 'digits'"),
        (lambda: DataConfig(keep={"3": 0.0}), "keep fraction 0.0 of class '3'"),
        (lambda: DataConfig(imbalance_factor=0.5), "imbalance_factor 0.5"),
        (lambda: DataConfig(classes=("3",)), "classes 3: expected at least two"),
        (lambda: DataConfig(classes=("3", "8"), keep={"1": 0.5}), "unknown class '1'"),
        (lambda: DataConfig(downsample=0), "downsample 0"),
        (lambda: DataConfig(label_noise=1.0), "label_noise 1.0"),
        (lambda: DataConfig(groups="sex"), "groups 'sex': dataset 'digits' has none"),
        (lambda: DataConfig("idx:a", groups="g"), "expected one of npz:FILE, tfds:NAME"),
        (lambda: ModelConfig("lenet"), "unknown model 'lenet': did you mean 'lenet5'"),
        (lambda: ModelConfig(widths=(0,)), "expected at least 1 each"),
        (lambda: ModelConfig("vit", width=0.0), "width 0.0: expected a number above 0"),
        (lambda: RecipeConfig(recalibrate_images=-1), "recalibrate_images -1"),
        (lambda: RecipeConfig(epochs=0), "epochs 0"),
        (lambda: RecipeConfig(batch_size=0), "batch_size 0"),
        (lambda: RecipeConfig(optimizer="sdg"), "did you mean 'sgd'"),
        (lambda: RecipeConfig(augment=("flop",)), "unknown augmentation 'flop': did you mean 'fl"),
        (lambda: RecipeConfig(augment=("flip", "flip")), "augment flip, flip: expected each once"),
        (lambda: RecipeConfig(decay="step"), "unknown decay"),
        (lambda: RecipeConfig(learning_rate=0.0), "learning_rate 0.0"),
        (lambda: RecipeConfig(momentum=1.0), "momentum 1.0"),
        (lambda: RecipeConfig(weight_decay=-1.0), "weight_decay -1.0"),
        (lambda: RecipeConfig(loss="hinge"), "unknown loss 'hinge'"),
        (lambda: TaskConfig(name="../x"), "task '../x' '..': expected 1 to"),
        (lambda: TaskConfig(name="runs/x"), "task 'runs/x': runs is a study's own; choose another"),
        (
            lambda: StudyConfig((TaskConfig(name="a"), TaskConfig(name="a/b"))),
            "task 'a/b' lies in 'a'; rename one",
        ),
        (lambda: StudyConfig(techniques=("dense",)), "the dense network is level 0 of every"),
        (lambda: StudyConfig(seeds=0), "seeds 0: expected at least 1"),
        (lambda: StudyConfig(seeds_per_piece=0), "seeds_per_piece 0"),
        (lambda: StudyConfig(techniques=()), "no techniques"),
        (lambda: StudyConfig(techniques=("random-global-rewind",) * 2), "expected each once"),
        (
            lambda: StudyConfig(techniques=("random-globl-rewind",)),
            "did you mean 'random-global-rewind'",
        ),
        (
            lambda: StudyConfig(techniques=("magnitude-layerwise-2:4-rewind",)),
            "has sparsity 0.5 at every level, the schedule asks for 0.3, 0.51",
        ),
        (
            lambda: StudyConfig(
                (TaskConfig(model=ModelConfig("resnet18")),),
                ("magnitude-global-channel-rewind",),
            ),
            "technique 'magnitude-global-channel-rewind': channels of resnet18 cannot be removed",
        ),
        (
            lambda: study("magnitude-layerwise-2:4-gradual", sparsities=(0.5,)),
            "2:4 has one sparsity, and no others on the way to it that gradual could prune to",
        ),
        (
            lambda: study(
                "magnitude-layerwise-4:8-rewind",
                ModelConfig("lenet5"),
                (0.5,),
                DataConfig("fashion_mnist"),
            ),
            "layer conv_0 has 25 inputs, no multiple of 8; use .* '-skipfirst' if it is the first",
        ),
        (
            lambda: study("magnitude-layerwise-4:8-rewind", ModelConfig(widths=(50, 40)), (0.5,)),
            "layer dense_1 has 50 inputs, no multiple of 8",
        ),
        (
            lambda: study("magnitude-dense_7=0.5-rewind"),
            "unknown prunable layer in technique .* 'dense_7': did you mean 'dense_",
        ),
        (
            lambda: study("movement-global-reinit"),
            "moved from the initialisation, and the schedule prunes networks that reinit began els",
        ),
        (
            lambda: study("movement-layerwise-set"),
            "the schedule prunes networks that set began els",
        ),
        (lambda: StudyConfig(tasks=()), "no tasks"),
        (lambda: StudyConfig(tasks=(TaskConfig(),) * 2), "expected each once"),
    ],
)
def test_refusals(build, message):
    with pytest.raises(InputError, match=message):
        build()


def study(technique, model=ModelConfig(), sparsities=(), data=DataConfig()) -> StudyConfig:
    schedule = Schedule("one-shot", sparsities=sparsities) if sparsities else Schedule()
    return StudyConfig((TaskConfig(data, model),), (technique,), schedule)


def test_techniques_that_fit_are_taken():
    lenet5 = ModelConfig("lenet5")
    assert study("magnitude-layerwise-2:4-rewind", sparsities=(0.5,))
    assert study("magnitude-layerwise-4:8-rewind-skipfirst", ModelConfig(widths=(8,) * 3), (0.5,))
    assert study("magnitude-conv_0=0.5,dense_1=0.9-rewind", lenet5, (), DataConfig("fashion_mnist"))
    assert study("magnitude-global-gradual")
    assert study("movement-global-reinit", sparsities=(0.5, 0.9))
    assert study("movement-layerwise-rigl", sparsities=(0.5, 0.9))
    assert study("movement-layerwise-straight_through")


def test_what_is_known_with_the_images_is_refused_later():
    """Where they are not here, or cannot be made smaller so."""
    elsewhere = [DataConfig(f"{source}:not_here") for source in ("idx", "npz", "tfds")]
    for data in (*elsewhere, DataConfig(downsample=3)):
        assert study("magnitude-dense_7=0.5-rewind", data=data)
    with pytest.raises(InputError, match="layer dense_0 has 4 inputs, no multiple of 8"):
        study("magnitude-layerwise-4:8-rewind", sparsities=(0.5,), data=DataConfig(downsample=4))


@pytest.mark.parametrize("source", ["idx", "npz", "tfds"])
def test_images_that_are_here_say_what_does_not_fit(source, by_source):
    """Images of 6 x 6: 2:4 divides their 36 inputs, 4:8 does not."""
    name = by_source[source]
    assert known_shape(name) == ((6, 6, 1), 3)
    assert study(
        "magnitude-layerwise-2:4-rewind", ModelConfig(widths=(8,)), (0.5,), DataConfig(name)
    )
    with pytest.raises(InputError, match="layer dense_0 has 36 inputs, no multiple of 8"):
        study("magnitude-layerwise-4:8-rewind", sparsities=(0.5,), data=DataConfig(name))
    with pytest.raises(InputError, match="unknown prunable layer in technique .* 'dense_7'"):
        study("magnitude-dense_7=0.5-rewind", data=DataConfig(name))


@pytest.fixture
def by_source(tmp_path, write_idx_folder, monkeypatch):
    """The same kind of images in each way that a dataset is named by where it lies."""
    write_idx_folder(tmp_path / "idx", (6, 6), (6, 3), 3)
    data = load(f"idx:{tmp_path / 'idx'}")
    arrays = {"x_train": data.train_images, "y_train": data.train_labels}
    np.savez(tmp_path / "all.npz", **arrays, x_test=data.test_images, y_test=data.test_labels)
    records = [{"image": image, "label": 0} for image in data.test_images]
    features = dict.fromkeys(("image", "label"), SimpleNamespace(names=["ant", "bee", "cow"]))
    builder = SimpleNamespace(
        info=SimpleNamespace(features=features, splits=("train", "test")),
        as_data_source=lambda split: {"test": records}[split],  # training images are not read
    )
    monkeypatch.setattr("tensorflow_datasets.builder", lambda *_, **__: builder)
    return {
        "idx": f"idx:{tmp_path / 'idx'}",
        "npz": f"npz:{tmp_path / 'all.npz'}",
        "tfds": "tfds:any",
    }


def test_techniques_that_fit_every_model_build_none(monkeypatch):
    """Nor do they look at images."""
    monkeypatch.setattr("prune_fair.config.study.build", None)
    monkeypatch.setattr("prune_fair.datasets.known_shape", None)
    assert study("magnitude-global-rewind-output")


def test_known_shapes_are_those_of_the_images():
    data = DataConfig(classes=("3", "8", "1"), downsample=2)
    for asked in (DataConfig(), data):
        loaded = asked.load()
        known = known_shape(asked.name, asked.classes, asked.downsample)
        assert known == (loaded.train_images.shape[1:], len(loaded.class_names))
    assert {name for name in SOURCES if ":" not in name} == {"digits", "fashion14", "fashion_mnist"}


def test_a_study_s_config_leaves_the_choice_of_devices_open():
    """It builds abstract models, and must not start JAX's backend."""
    script = (
        "import jax; from prune_fair import StudyConfig; "
        "StudyConfig(techniques=('magnitude-dense_0=0.5-rewind',)); "
        "jax.config.update('jax_num_cpu_devices', 3); assert jax.device_count('cpu') == 3"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@dataclasses.dataclass(frozen=True)
class Numbers:
    """Fields of floats, of every form that configs have."""

    rate: float = 2.0
    part: float | None = None
    kept: Mapping[str, float] = dataclasses.field(default_factory=dict)
    many: tuple[float, ...] = ()
    whole: int = 2


@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
def test_a_whole_number_is_the_float_of_its_field(zero):
    """In Python 1 and 1.0 are one number, and so are a config and its fingerprint."""
    numbers = Numbers(1, zero, {"a": 1}, (zero, 1), 1)
    expected = {"rate": 1.0, "part": 0.0, "kept": {"a": 1.0}, "many": [0.0, 1.0], "whole": 1}
    assert json.dumps(to_json(numbers)) == json.dumps(changed(numbers)) == json.dumps(expected)
    assert changed(Numbers(2)) == {}
