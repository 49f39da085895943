import dataclasses

import pytest

from prune_fair import DataConfig, InputError, ModelConfig, RecipeConfig, StudyConfig, TaskConfig


def test_fingerprint_covers_every_field(toy_config):
    task = toy_config.tasks[0]
    others = [
        dataclasses.replace(toy_config, seeds=6),
        dataclasses.replace(toy_config, methods=toy_config.methods[:1]),
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
        (lambda: RecipeConfig(finetune_learning_rate=0.0), "finetune_learning_rate 0.0"),
        (lambda: StudyConfig(seeds=0), "seeds 0: expected at least 1"),
        (lambda: StudyConfig(seeds_per_piece=0), "seeds_per_piece 0"),
        (lambda: StudyConfig(methods=()), "no methods"),
        (lambda: StudyConfig(methods=("random-global-rewind",) * 2), "expected each once"),
        (
            lambda: StudyConfig(methods=("random-globl-rewind",)),
            "did you mean 'random-global-rewind'",
        ),
        (
            lambda: StudyConfig(methods=("magnitude-layerwise-2:4-rewind",)),
            "has sparsity 0.5 at every level, the schedule asks for 0.3, 0.51",
        ),
        (
            lambda: StudyConfig(
                (TaskConfig(model=ModelConfig("resnet18")),),
                ("magnitude-global-channel-rewind",),
            ),
            "method 'magnitude-global-channel-rewind': channels of resnet18 cannot be removed",
        ),
        (lambda: StudyConfig(tasks=()), "no tasks"),
        (lambda: StudyConfig(tasks=(TaskConfig(),) * 2), "expected each once"),
    ],
)
def test_refusals(build, message):
    with pytest.raises(InputError, match=message):
        build()
