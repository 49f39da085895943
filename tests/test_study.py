"""The lifecycle: what is counted is what happened, and a killed study ends as an unbroken one."""

import dataclasses
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray as xr

from prune_fair import (
    DataConfig,
    InputError,
    ModelConfig,
    PlanConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
    open_study,
    run_study,
)
from prune_fair.datasets import load
from prune_fair.engine import evaluation, network
from prune_fair.pruning import quota
from prune_fair.store import StudyStore, find_problems, load_tree, read_study
from prune_fair.store.layout import piece_name

ROOT = Path(__file__).parent.parent
FINISHED = "fashion14/mlp/finished/c/*/*/?"
ONE_EPOCH = RecipeConfig(epochs=1)


FENCE = 540 // 100  # most test images that a network may see otherwise by rounding: one in 100


def moved(first: xr.DataArray, second: xr.DataArray) -> xr.DataArray:
    """How many test images, at least, two networks see otherwise, by their confusion counts."""
    return abs(first - second).sum(("true", "predicted")) / 2


def same(first: xr.DataTree, second: xr.DataTree) -> bool:
    pairs = zip(first.leaves, second.leaves, strict=True)
    return all(a.to_dataset().equals(b.to_dataset()) for a, b in pairs)


def digests(checkpoint):
    """Of every array in it, by its place in the tree."""
    leaves = jax.tree.leaves_with_path(load_tree(checkpoint))
    return {
        jax.tree_util.keystr(path): hashlib.sha256(np.ascontiguousarray(leaf)).hexdigest()
        for path, leaf in leaves
    }


def networks_of(study):
    """The digests of all networks that a study keeps, by their folder."""
    folders = (study / "checkpoints").glob("*/*/*/")
    return {str(folder.relative_to(study)): digests(folder) for folder in folders}


def test_results_are_whole_and_consistent(toy_results, toy_config):
    assert toy_results.finished.all()
    assert dict(toy_results.confusion.sizes) == {
        "technique": 2, "seed": 5, "level": 3, "split": 2, "true": 10, "predicted": 10
    }  # fmt: skip
    data = toy_config.tasks[0].data.load()
    for split in data.splits:
        images = toy_results.confusion.sel(split=split).sum("predicted")
        assert (images == np.bincount(data.part(split)[1])).all()
    assert toy_results.train_count.values.tolist() == data.train_count().tolist()
    assert toy_results.confusion.dtype == np.int32
    assert toy_results.true.values.tolist() == list("0123456789")


def test_level_0_is_the_same_dense_network_for_every_technique(toy_results):
    dense = toy_results.isel(level=0)
    assert (dense.confusion[0] == dense.confusion[1]).all()
    assert (dense.sparsity == 0).all()
    assert (dense.parameter_sparsity == 0).all()
    assert not (toy_results.confusion[0, :, 1] == toy_results.confusion[1, :, 1]).all()


def test_sparsity_is_measured_from_the_masks(toy_results):
    sizes = np.array([64 * 20, 20 * 10])  # the output layer is not prunable here
    magnitude = toy_results.sel(technique="magnitude-global-rewind")
    for level, asked in enumerate((0.0, 0.6, 0.84)):
        kept = quota("global", asked, {str(size): (size,) for size in sizes.tolist()})[0]
        assert np.allclose(magnitude.sparsity[:, level], 1 - kept / sizes.sum())
    by_layer = (magnitude.layer_sparsity[..., :2] * sizes).sum("layer") / sizes.sum()
    assert np.allclose(by_layer, magnitude.sparsity)
    assert (magnitude.layer_sparsity.sel(layer="output") == 0).all()
    channel = toy_results.isel(technique=1)
    assert np.allclose(channel.sparsity.mean("seed"), [0, 0.6, 0.84], atol=0.06)
    assert (channel.layer_sparsity.sel(layer="output")[:, 1:] > 0).all()


def test_a_member_equals_the_same_network_run_alone(toy_config, tmp_path):
    """Bit for bit: calls of one size are the same programs, which take one network at a time."""
    alone = dataclasses.replace(toy_config, seeds=1, seeds_per_piece=1)
    together, plan = dataclasses.replace(toy_config, seeds=3), PlanConfig(chunk=1, members=4)
    first, second = (
        run_study(each, tmp_path / str(each.seeds), plan=plan).leaves[0].to_dataset()
        for each in (alone, together)
    )
    for name in ("confusion", "sparsity", "layer_sparsity", "margin"):
        np.testing.assert_array_equal(first[name][:, 0], second[name][:, 0], err_msg=name)


def test_plan_that_changes_results_is_refused(toy_config, toy_study, tmp_path):
    for changed in (PlanConfig(dtype="bfloat16"), PlanConfig(shuffling="shared")):
        with pytest.raises(InputError, match="began with (float32|own); go on with that"):
            run_study(toy_config, toy_study, plan=changed)
    assert run_study(toy_config, toy_study, plan=PlanConfig(devices=1, chunk=1))


def test_twice_gives_equal_arrays(toy_config, toy_study, tmp_path):
    assert same(run_study(toy_config, tmp_path / "again"), open_study(toy_study))


def test_finished_study_is_not_run_again(toy_config, toy_study, monkeypatch):
    monkeypatch.setattr(StudyStore, "write_piece", None)
    heard = []
    results = run_study(
        toy_config, toy_study, progress=lambda n, reused=False: heard.append((n, reused))
    )
    assert heard == [(toy_config.networks, True)]
    assert results.attrs["complete"]


class KilledError(Exception):
    """Stands for kill -9 between two writes."""


@pytest.fixture(scope="module")
def gradual_config(toy_config):
    """Beside another technique, which trains by a program of its own."""
    techniques = "magnitude-global-gradual@3", "random-layerwise-channel-finetune"
    return dataclasses.replace(toy_config, techniques=techniques)


@pytest.fixture(scope="module")
def gradual_study(gradual_config, tmp_path_factory):
    path = tmp_path_factory.mktemp("studies") / "gradual"
    heard = []
    run_study(gradual_config, path, progress=lambda n, reused=False: heard.append(n))
    assert sum(heard) == gradual_config.networks
    return path


def test_gradual_pruning_ends_at_the_level_s_sparsity(gradual_study, toy_results):
    results = open_study(gradual_study)["digits/mlp"].to_dataset()
    assert results.finished.all()
    kept = [quota("global", each, {"all": (64 * 20 + 20 * 10,)})[0] for each in (0.0, 0.6, 0.84)]
    assert np.allclose(results.sparsity[0], 1 - np.array(kept) / (64 * 20 + 20 * 10))
    assert not results.diverged.any()
    spanned, whole = results.confusion[1], toy_results.confusion[1]
    other_seeds = whole.roll(seed=1)
    assert moved(spanned, whole).median() <= FENCE  # spans change rounding at most
    assert moved(spanned, other_seeds).min() > FENCE


def test_interrupted_gradual_study_goes_on_to_the_same_arrays(
    gradual_config, gradual_study, tmp_path, monkeypatch
):
    def interrupted(*arguments):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, "drop_networks", interrupted)
        with pytest.raises(KilledError):
            run_study(gradual_config, tmp_path)
    assert same(run_study(gradual_config, tmp_path), open_study(gradual_study))


def test_training_too_short_for_gradual_pruning_is_refused(gradual_config, tmp_path):
    often = ("magnitude-global-gradual@10000",)
    config = dataclasses.replace(gradual_config, techniques=often)
    with pytest.raises(InputError, match="gradual_prunings 10000: expected at most"):
        run_study(config, tmp_path / "study")
    assert not (tmp_path / "study/study.json").exists()


def interrupted_and_again(config, path, monkeypatch, moment, pieces):
    """The study once more, after it was stopped before or after the checkpoint of a piece, the
    pieces that came so far counted; none that is there is computed again.
    """
    whole, calls = getattr(StudyStore, moment), []

    def interrupted(*arguments):
        if len(calls) == pieces:
            raise KilledError
        calls.append(1)
        return whole(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, moment, interrupted)
        with pytest.raises(KilledError):
            run_study(config, path)
    assert not open_study(path).attrs["complete"]
    heard = []
    resumed = run_study(config, path, progress=lambda n, reused=False: heard.append((n, reused)))
    assert sum(n for n, _ in heard) == config.networks
    assert len(read_study(path)["runs"]) == 2
    return resumed


MOMENTS = [
    *(("save_networks", piece) for piece in (0, 2, 4)),
    *(("write_piece", piece) for piece in (0, 1, 3, 5)),
    ("drop_networks", 0),
]


@pytest.mark.parametrize(("moment", "pieces"), MOMENTS)
def test_interrupted_anywhere_goes_on_to_the_same_arrays(
    stub_config, stub_engine, stub_study, tmp_path, monkeypatch, moment, pieces
):
    resumed = interrupted_and_again(stub_config, tmp_path, monkeypatch, moment, pieces)
    assert same(resumed, open_study(stub_study))
    assert networks_of(tmp_path).items() >= networks_of(stub_study).items()


@pytest.mark.parametrize(("moment", "pieces"), [("save_networks", 2), ("write_piece", 4)])
def test_interrupted_training_goes_on_to_the_same_arrays(
    toy_config, toy_study, tmp_path, monkeypatch, moment, pieces
):
    """From pruned networks and their masks, and from dense ones, on the engine itself."""
    resumed = interrupted_and_again(toy_config, tmp_path, monkeypatch, moment, pieces)
    assert same(resumed, open_study(toy_study))
    assert networks_of(tmp_path).items() >= networks_of(toy_study).items()


def test_stub_engine_minds_what_it_goes_on_from(stub_config, stub_engine, tmp_path):
    """Else the tests above would see nothing: another parent changes all that comes after it."""
    first, path = dataclasses.replace(stub_config, seeds=2, seeds_per_piece=1), tmp_path / "s"
    run_study(first, path)
    for level in (0, 2):
        one, other = (path / "checkpoints/digits/mlp" / piece_name(seed, level) for seed in (0, 1))
        assert digests(one) != digests(other)
    expected = open_study(path)["digits/mlp"].to_dataset()
    swapped = path / "checkpoints/digits/mlp" / piece_name(0, 0)
    shutil.rmtree(swapped)
    shutil.copytree(path / "checkpoints/digits/mlp" / piece_name(1, 0), swapped)
    shutil.copy(*(path / "checkpoints/digits/mlp" / f"{piece_name(n, 0)}.json" for n in (1, 0)))
    (path / "digits/mlp/finished/c/0/0/1").unlink()
    found = run_study(first, path)["digits/mlp"].to_dataset()
    alike = (found.confusion == expected.confusion).all(("technique", "split", "true", "predicted"))
    assert alike.values.tolist() == [[True, False, True], [True, True, True]]


def test_one_shot_prunes_the_dense_network_at_every_level(toy_config, tmp_path):
    schedule = Schedule("one-shot", sparsities=(0.5, 0.9))
    technique = "magnitude-layerwise-finetune-output"
    config = dataclasses.replace(toy_config, schedule=schedule, techniques=(technique,), seeds=2)
    both = run_study(config, tmp_path / "both").leaves[0].to_dataset()
    only = Schedule("one-shot", sparsities=(0.9,))
    second = run_study(dataclasses.replace(config, schedule=only), tmp_path / "second")
    second = second.leaves[0].to_dataset()
    assert np.allclose(both.sparsity.mean("seed"), [[0, 0.5, 0.9]], atol=0.01)
    assert np.allclose(both.layer_sparsity[:, :, 2], 0.9, atol=0.01)
    assert (both.layer_sparsity[:, :, 2] == second.layer_sparsity[:, :, 1]).all()


def test_one_compile_of_the_training_program_a_task(toy_config, tmp_path, monkeypatch):
    traces, train = [], network.train

    def counted(*arguments):
        traces.append(1)
        return train(*arguments)

    monkeypatch.setattr(network, "train", counted)
    run_study(toy_config, tmp_path)
    assert len(traces) == 1


def test_one_compile_for_all_spans_and_one_a_gradual_technique(
    gradual_config, tmp_path, monkeypatch
):
    """Of all rewinding steps, and of the dense networks and the control that trains on."""
    traces, train = {"train": 0, "train_gradually": 0}, vars(network).copy()

    def counted(name):
        def traced(*arguments):
            traces[name] += 1
            return train[name](*arguments)

        return traced

    for name in traces:
        monkeypatch.setattr(network, name, counted(name))
    rewound = "magnitude-global-rewind", "magnitude-global-rewind@5", "dense-long"
    techniques = *gradual_config.techniques, *rewound
    results = run_study(dataclasses.replace(gradual_config, techniques=techniques), tmp_path)
    assert traces == {"train": 1, "train_gradually": 1}
    by_name = results["digits/mlp"].to_dataset()
    assert (by_name.sparsity.sel(technique="dense-long") == 0).all()
    late, early = (by_name.confusion.sel(technique=name) for name in rewound[:2])
    assert moved(late, early).sel(level=1).max() > 0


def test_what_prunes_alike_shares_a_compile(toy_config, tmp_path, monkeypatch):
    """Whatever comes after, and whatever loss, where the criterion does not ask for one."""
    traces, prune = [], network.prune

    def counted(task, technique, *arguments):
        traces.append(technique.name)
        return prune(task, technique, *arguments)

    monkeypatch.setattr(network, "prune", counted)
    names = (
        "magnitude-global-rewind", "magnitude-global-finetune@0.2", "saliency-global-none",
        "magnitude-global-rewind@5+balanced_softmax", "saliency-global-none+balanced_softmax",
    )  # fmt: skip
    run_study(dataclasses.replace(toy_config, techniques=names, seeds=2), tmp_path)
    scored = "saliency-global-none", "saliency-global-none+balanced_softmax"
    assert sorted(traces) == ["magnitude-global-none", *scored]


def test_changed_images_are_not_mixed_in(toy_config, stub_engine, tmp_path, monkeypatch):

    def kill(*arguments):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, "write_piece", kill)
        with pytest.raises(KilledError):
            run_study(toy_config, tmp_path)
    data = load("digits")
    data = data._replace(test_images=255 - data.test_images)
    monkeypatch.setattr("prune_fair.datasets.load", lambda name, groups, validation: data)
    with pytest.raises(InputError, match="images of digits/mlp are not those"):
        run_study(toy_config, tmp_path)


def killed(config, folder, engine, *moments):
    """Studies whose processes killed themselves at these durable writes."""
    command = [sys.executable, ROOT / "tests/killed.py", json.dumps(config.as_json()), folder]
    asked = {"JAX_NUM_CPU_DEVICES": "2", "JAX_DISABLE_MOST_OPTIMIZATIONS": "true"}  # as here
    done = subprocess.run(
        [*command, engine, *map(str, moments)],
        check=True, stdout=subprocess.PIPE, text=True,
        env={**os.environ, **asked, "COVERAGE_PROCESS_START": ""},
    )  # fmt: skip
    assert done.stdout.split() == [str(-signal.SIGKILL)] * len(moments)
    return [folder / str(moment) for moment in moments]


def test_kill_9_at_any_write_and_a_rerun_give_the_same_arrays(
    stub_config, stub_engine, stub_study, tmp_path
):
    """Of some 230 durable writes: before the first piece, within each, and at the end."""
    finished = []
    for path in killed(stub_config, tmp_path, "stub", *range(2, 220, 24)):
        finished.append(len([*path.glob("digits/mlp/finished/c/*/*/?")]))
        assert same(run_study(stub_config, path), open_study(stub_study))
        assert networks_of(path).items() >= networks_of(stub_study).items()
        assert find_problems(path) == []
    assert finished == sorted(finished)
    assert {*finished} >= {0, 1, 5}


def test_kill_9_of_a_training_and_a_rerun_give_the_same_arrays(toy_config, toy_study, tmp_path):
    [path] = killed(toy_config, tmp_path, "real", 150)
    assert 2 <= len([*path.glob("digits/mlp/finished/c/*/*/?")]) < 6
    assert same(run_study(toy_config, path), open_study(toy_study))
    assert networks_of(path).items() >= networks_of(toy_study).items()


@pytest.mark.whole
def test_kill_9_in_the_middle_and_the_same_command_give_the_same_arrays(tmp_path):
    command = [
        sys.executable, ROOT / "experiments" / "quickstart.py", "--seeds", "4",
        "--recipe.epochs", "3", "--schedule.levels", "4", "--techniques", "magnitude-global-rewind",
    ]  # fmt: skip
    environment = {**os.environ, "COVERAGE_PROCESS_START": ""}
    broken, unbroken = tmp_path / "broken", tmp_path / "unbroken"
    with subprocess.Popen([*command, "--out", broken], env=environment) as running:
        deadline = time.monotonic() + 120
        while not len([*broken.glob(FINISHED)]) >= 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
    finished = [*broken.glob(FINISHED)]
    assert 2 <= len(finished) < 5
    for out in (broken, unbroken):
        subprocess.run([*command, "--out", out], check=True, capture_output=True)
    assert same(open_study(broken), open_study(unbroken))


def test_layer_collapse_is_recorded_and_finite(toy_config, tmp_path):
    schedule = Schedule("one-shot", sparsities=(0.999,))
    config = dataclasses.replace(
        toy_config, schedule=schedule, techniques=("random-global-channel-rewind",), seeds=2
    )
    results = run_study(config, tmp_path).leaves[0].to_dataset()
    assert (results.layer_sparsity.isel(level=1).max("layer") == 1).any()
    assert (results.collapsed == (results.layer_sparsity == 1).any("layer")).all()
    assert np.isfinite(results.layer_sparsity).all()
    assert not results.diverged.any()


def test_every_part_of_a_technique_goes_through_a_study(toy_config, tmp_path):
    techniques = (
        "magnitude-global-none",
        "lamp-global-lr_rewind-output",
        "magnitude-erk-rewind-skipfirst",
        "movement-dense_0=0.5,dense_1=0.25-finetune",
        "snip-layerwise-rewind",
        "magnitude-layerwise-2:4-finetune-skipfirst",
    )
    task = dataclasses.replace(toy_config.tasks[0], model=ModelConfig("mlp", widths=(20, 16)))
    schedule, heard = Schedule("one-shot", sparsities=(0.5,)), []
    config = StudyConfig((task,), techniques, schedule, seeds=2)

    def listen(networks: int, *, reused: bool = False) -> None:
        heard.append(networks)

    results = run_study(config, tmp_path / "study", progress=listen)["digits/mlp"].to_dataset()
    assert sum(heard) == config.networks
    pruned = results.isel(level=1)
    asked = dict.fromkeys(techniques, 0.5) | {techniques[3]: (640 + 80) / (1280 + 320)}
    for name, sparsity in asked.items():
        assert pruned.sparsity.sel(technique=name).values == pytest.approx(sparsity, abs=1e-3)
    layers = pruned.layer_sparsity.isel(seed=0)
    assert layers.sel(technique=techniques[3]).values.tolist() == [0.5, 0.25, 0]
    assert layers.sel(technique=techniques[5]).values.tolist() == [0, 0.5, 0]
    assert layers.sel(technique=techniques[1], layer="output") > 0
    assert (layers.sel(technique=techniques[2], layer="dense_0") == 0).all()


def test_rewinding_to_an_early_step(toy_config, tmp_path):
    """Beside another technique, which is the same to the bit: the programs are."""
    results, heard = [], []

    def listen(networks: int, *, reused: bool = False) -> None:
        heard.append(networks)

    for number, step in enumerate((1, 30)):
        techniques = f"magnitude-global-rewind@{step}", "magnitude-global-finetune"
        config = dataclasses.replace(toy_config, techniques=techniques, seeds=2)
        heard.clear()
        study = run_study(config, tmp_path / str(number), progress=listen)
        assert sum(heard) == config.networks
        results.append(study["digits/mlp"].to_dataset())
    first, second = (each.confusion.values for each in results)
    assert (first[:, :, 0] == second[:, :, 0]).all()
    assert (first[1] == second[1]).all()
    assert not (first[0] == second[0]).all()


def test_rewind_step_must_leave_something_to_train(toy_config, tmp_path):
    late = dataclasses.replace(toy_config, techniques=("magnitude-global-rewind@10000",))
    with pytest.raises(InputError, match="rewind_step 10000: expected below"):
        run_study(late, tmp_path / "study")
    assert not (tmp_path / "study/study.json").exists()


def test_what_is_not_retrained_keeps_its_trained_weights(toy_config, tmp_path):
    config = dataclasses.replace(toy_config, seeds=2, techniques=("magnitude-global-none",))
    run_study(config, tmp_path / "study")
    store = StudyStore(tmp_path / "study", read_study(tmp_path / "study"))
    dense, pruned = (
        store.load_networks("digits/mlp", 0, level)[name]
        for level, name in ((0, "dense"), (2, "magnitude-global-none"))
    )
    before, after = (each["params"]["dense_0"]["kernel"] for each in (dense, pruned))
    assert np.array_equal(after, np.where(pruned["mask"]["dense_0"]["kernel"], before, 0))
    assert (after != before).any()


def test_dense_networks_that_diverge_are_refused(toy_config, tmp_path):
    """Nothing can be compared with them; asked again, the study says so again."""
    task = dataclasses.replace(
        toy_config.tasks[0], recipe=RecipeConfig(epochs=1, learning_rate=1e30)
    )
    config = StudyConfig((task,), toy_config.techniques[:1], Schedule(levels=1), seeds=2)
    for _ in range(2):
        with pytest.raises(InputError, match=r"2 of 2 dense networks \(seeds 0, 1\) .*\(1e\+30\)"):
            run_study(config, tmp_path)


def test_networks_of_the_last_level_can_be_had(toy_study, toy_config):
    study = read_study(toy_study)
    store = StudyStore(toy_study, study)
    saved = store.load_networks("digits/mlp", 3, 2)
    assert set(saved) == set(toy_config.techniques)
    leaves = jax.tree.leaves(saved["magnitude-global-rewind"])
    assert all(leaf.shape[0] == 2 for leaf in leaves)
    assert not (toy_study / "checkpoints/digits/mlp/seeds-00003.level-001").exists()
    with pytest.raises(InputError, match="are missing; restore them"):
        store.load_networks("digits/mlp", 3, 1)


def test_train_count_of_a_long_tail_is_of_the_stated_sizes(tmp_path):
    """n = 122 images in digits' smallest class, times 100^(-c / 9)."""
    data = DataConfig(imbalance_factor=100.0, validation=0.0)
    task = TaskConfig(data, ModelConfig("mlp", (8,)), ONE_EPOCH)
    config = StudyConfig((task,), schedule=Schedule(levels=1), seeds=1)
    results = run_study(config, tmp_path).leaves[0]
    assert results.train_count.values.tolist() == [122, 73, 44, 26, 16, 9, 6, 3, 2, 1]


def test_study_of_a_harder_task_trains_on_what_was_asked(tmp_path):
    data = DataConfig(classes=("8", "3", "1"), downsample=2, label_noise=0.2)
    recipe = dataclasses.replace(ONE_EPOCH, augment=("flip", "crop"))
    task = TaskConfig(data, ModelConfig("mlp", (8,)), recipe)
    config = StudyConfig((task,), schedule=Schedule(levels=1), seeds=2)
    results = run_study(config, tmp_path).leaves[0]
    assert results.true.values.tolist() == ["8", "3", "1"]
    assert results.train_count.values.tolist() == data.load().train_count().tolist()
    test_count = np.bincount(load("digits").test_labels)[[8, 3, 1]]
    assert (results.confusion.sel(split="test").sum("predicted") == test_count).all()
    assert results.layer_sparsity.layer.values.tolist() == ["dense_0", "output"]


@pytest.fixture
def grouped(tmp_path):
    """Digits with every third test image taken in the evening, in two pieces of seeds."""
    data = load("digits")
    groups = (np.arange(len(data.test_labels)) % 3 == 0).astype(np.uint8)
    np.savez(
        tmp_path / "digits.npz",
        x_train=data.train_images, y_train=data.train_labels,
        x_test=data.test_images, y_test=data.test_labels,
        light_test=groups, light_names=np.array(["day", "evening"]),
    )  # fmt: skip
    task = TaskConfig(
        DataConfig(f"npz:{tmp_path / 'digits.npz'}", groups="light"),
        ModelConfig("mlp", (8,)),
        ONE_EPOCH,
    )
    return StudyConfig((task,), schedule=Schedule(levels=1), seeds=3, seeds_per_piece=2)


def test_groups_are_counted_beside_classes(grouped, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 100)  # of 540, so that a batch is filled up
    results = run_study(grouped, tmp_path / "study")["digits/mlp"].to_dataset()
    counts = results.group_confusion
    assert counts.dims == ("technique", "seed", "level", "group", "true", "predicted")
    assert counts.dtype == np.int32
    assert counts.group.values.tolist() == ["day", "evening"]
    assert (counts.sum("group") == results.confusion).all()
    assert counts.sum(("true", "predicted")).values.tolist() == [[[[360, 180]] * 2] * 3]
    labels = grouped.tasks[0].data.load().test_labels
    evening = counts.sel(group="evening").sum("predicted")
    assert (evening == np.bincount(labels[::3], minlength=10)).all()


def test_results_without_groups_are_as_they_were(grouped, toy_results, tmp_path):
    assert "group_confusion" not in toy_results
    assert "group" not in toy_results.coords
    plain = dataclasses.replace(grouped.tasks[0].data, groups="")
    config = dataclasses.replace(
        grouped, tasks=(dataclasses.replace(grouped.tasks[0], data=plain),)
    )
    without = run_study(config, tmp_path / "without").leaves[0].to_dataset()
    counted = run_study(grouped, tmp_path / "with").leaves[0].to_dataset()
    counted = counted.drop_vars(["group_confusion", "group"])
    assert {*without.variables} == {*counted.variables}
    assert moved(without.confusion, counted.confusion).max() <= FENCE
    np.testing.assert_allclose(without.margin, counted.margin, atol=1e-3)
    rounded = ["confusion", "margin"]  # other programs count them
    assert without.drop_vars(rounded).equals(counted.drop_vars(rounded))


def test_changed_groups_are_not_mixed_in(grouped, stub_engine, tmp_path, monkeypatch):
    def kill(*arguments):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, "write_piece", kill)
        with pytest.raises(KilledError):
            run_study(grouped, tmp_path / "study")
    data = grouped.tasks[0].data.load()
    data = data._replace(test_groups=1 - data.test_groups)
    monkeypatch.setattr("prune_fair.datasets.load", lambda name, groups, validation: data)
    with pytest.raises(InputError, match="images of digits/mlp are not those"):
        run_study(grouped, tmp_path / "study")


def test_untrained_levels_together_equal_one_by_one(tmp_path, monkeypatch):
    """As much as fits at a time, and the technique beside one that trains, where levels wait.

    Bit for bit: as many techniques are the same programs, which take one network at a time.
    """
    task = TaskConfig(DataConfig("digits"), ModelConfig("mlp", (12,)), ONE_EPOCH)
    plan, other = PlanConfig(chunk=1, members=6), "random-global-none"
    untrained = "saliency-global-none", "random-layerwise-none"
    schedule = Schedule("one-shot", sparsities=(0.3, 0.6, 0.9))
    options = {"schedule": schedule, "seeds": 3, "seeds_per_piece": 2, "predictions": True}
    config = StudyConfig((task,), (*untrained, other), **options)
    together = run_study(config, tmp_path / "together", plan=plan)
    monkeypatch.setattr("prune_fair.engine.members.MOST_NUMBERS", 1)
    assert same(run_study(config, tmp_path / "alone", plan=plan), together)
    beside = dataclasses.replace(config, techniques=(*untrained, "magnitude-global-finetune"))
    waiting = run_study(beside, tmp_path / "waiting", plan=plan)["digits/mlp"].to_dataset()
    for name in ("confusion", "predictions", "sparsity"):
        own = waiting[name].sel(technique=list(untrained))
        expected = together["digits/mlp"][name].sel(technique=list(untrained))
        np.testing.assert_array_equal(own, expected, err_msg=name)
