import dataclasses
import json
import multiprocessing
import os
import re
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tyro

from prune_fair import InputError, open_example, open_study, run_study
from prune_fair.cli.flags import flag_registry
from prune_fair.datasets import COMPLEXITY, class_complexity
from prune_fair.store import StudyStore, read_study, writing
from prune_fair.store.results import EXAMPLE
from prune_fair.types import SCHEMA_VERSION, Dataset

sys.path.insert(0, str(Path(__file__).parent.parent / "experiments"))
from quickstart import quickstart


def test_study_json_says_what_was_run_and_where(toy_study, toy_config):
    study = read_study(toy_study)
    assert study["config"] == toy_config.as_json()
    assert study["fingerprint"] == toy_config.fingerprint()
    assert study["complete"] is True
    run = study["runs"][-1]
    assert run["packages"]["jax"]
    assert run["plan"]["devices"] == 2
    assert run["hardware"]["cores"] == os.cpu_count()
    assert run["seconds"] > 0
    assert study["tasks"]["digits/mlp"]["layers"] == ["dense_0", "dense_1", "output"]


def test_attributes_of_the_tree(toy_study, toy_config):
    tree = open_study(toy_study)
    assert json.loads(tree.attrs["config"])["seeds"] == 5
    assert json.loads(tree["digits/mlp"].attrs["config"])["model"]["widths"] == [20, 10]
    assert tree["digits/mlp"].sparsity.attrs["units"] == "fraction of prunable weights removed"


def test_another_study_is_refused_with_the_difference(toy_study, toy_config):
    before = read_study(toy_study)
    other = dataclasses.replace(toy_config, seeds=7)
    with pytest.raises(InputError, match="seeds is 5 there, 7 here") as error:
        run_study(other, toy_study)
    assert "--out" in str(error.value)
    task = dataclasses.replace(
        toy_config.tasks[0], recipe=dataclasses.replace(toy_config.tasks[0].recipe, epochs=9)
    )
    with pytest.raises(InputError, match=r"tasks\.0\.recipe\.epochs is 3 there, 9 here"):
        run_study(dataclasses.replace(toy_config, tasks=(task,)), toy_study)
    assert read_study(toy_study) == before


def test_other_files_are_refused(toy_config, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"holds other files and no study \(thesis\.tex\)"):
        run_study(toy_config, tmp_path)


def test_directory_that_cannot_be_made(toy_config, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        run_study(toy_config, tmp_path / "file" / "study")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_directory_that_cannot_be_written(toy_config, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        run_study(toy_config, tmp_path / "study")


def test_path_that_is_no_study(tmp_path):
    with pytest.raises(InputError, match="no study"):
        open_study(tmp_path)
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(InputError, match="no study"):
        open_study(tmp_path)


def test_other_schema_version_is_refused(tmp_path):
    (tmp_path / "study.json").write_text(json.dumps({"schema_version": 0}))
    with pytest.raises(InputError, match="schema version 0"):
        open_study(tmp_path)


def _hold(path, held, release):
    with writing(path, {}, "fingerprint"):
        held.set()
        release.wait(60)


def test_a_second_process_is_refused(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, held, release))
    process.start()
    try:
        assert held.wait(60)
        with pytest.raises(InputError, match="another process"), writing(tmp_path, {}, "f"):
            pass
    finally:
        release.set()
        process.join()


def test_study_that_has_not_begun(tmp_path):
    with writing(tmp_path, {"seeds": 1, "tasks": []}, "f") as store:
        store.write_study()
    with pytest.raises(InputError, match="no results yet"):
        open_study(tmp_path)


def test_a_study_of_100_000_networks_opens_in_seconds(tmp_path, rng):
    """No clock: it has few enough pieces, and each is read once."""
    techniques, seeds, levels, block = [f"m{i}" for i in range(10)], 833, 13, 64
    axes = {
        "techniques": techniques,
        "levels": levels,
        "layers": ["a"],
        "classes": [str(c) for c in range(10)],
        "train_count": [1] * 10,
        "data_sha256": "",
    }
    study = {
        "config": {"seeds": seeds, "tasks": [{}]},
        "fingerprint": "f",
        "schema_version": SCHEMA_VERSION,
    }
    study |= {"complete": True, "tasks": {"d/m": axes}, "runs": [{"started": time.time()}]}
    store, pieces = StudyStore(tmp_path, study), 0
    for first in range(0, seeds, block):
        rows = list(range(first, min(first + block, seeds)))
        for level in range(levels):
            names = ["dense"] if level == 0 else techniques
            shape = (len(names), len(rows))
            store.write_piece(
                "d/m", level, names, rows,
                {
                    "confusion": rng.integers(0, 9, (*shape, 10, 10), dtype=np.int32),
                    "margin": np.zeros((*shape, 10), np.float32),
                    "sparsity": np.full(shape, level / levels),
                    "parameter_sparsity": np.zeros(shape),
                    "layer_sparsity": np.zeros((*shape, 1)),
                    "diverged": np.zeros(shape, bool),
                    "collapsed": np.zeros(shape, bool),
                },
            )  # fmt: skip
            pieces += 1
    results = open_study(tmp_path)["d/m"]
    assert pieces < 200
    assert results.finished.all()
    assert results.confusion.sizes["seed"] * (levels - 1) * len(techniques) > 99_000


def test_complexity_of_the_training_images_is_measured_once(toy_study, toy_config):
    expected = class_complexity(toy_config.tasks[0].data.load())
    results = open_study(toy_study)["digits/mlp"]
    assert results.measure.values.tolist() == list(COMPLEXITY)
    assert np.array_equal(results.complexity, np.stack(list(expected.values())))


def test_a_resumed_study_keeps_its_complexity(tmp_path):
    images = np.zeros((2, 1, 1, 1), np.uint8)
    data = Dataset(images, np.array([0, 1]), images, np.array([0, 1]), ("a", "b", "none"))
    with writing(tmp_path, {"seeds": 1, "tasks": [{}]}, "f") as store:
        store.describe_task("d/m", ["m0"], 2, ["a"], data)
        written = store.study["tasks"]["d/m"]["complexity"]
        assert written["neighbour_disagreement"] == [1.0, 1.0, None]
        written["neighbour_disagreement"] = [0.25, 0.5, None]
        store.describe_task("d/m", ["m0"], 2, ["a"], data)
    values = open_study(tmp_path)["d/m"].complexity.sel(measure="neighbour_disagreement")
    assert values[:2].values.tolist() == [0.25, 0.5]
    assert np.isnan(values[2])


def test_margin_of_dense_and_pruned_networks(toy_results):
    assert toy_results.margin.dims == ("technique", "seed", "level", "true")
    assert ((toy_results.margin > -1) & (toy_results.margin < 1)).all()
    dense = toy_results.margin.isel(level=0)
    assert np.array_equal(dense[0], dense[1])
    assert dense.mean() > 0


def test_the_example_is_what_its_command_makes_now():
    """Where this fails, a study is made or read otherwise than before: `make example`."""
    study = read_study(EXAMPLE)
    script, *flags = study["runs"][0]["command"]
    assert script == "experiments/quickstart.py"
    config, _ = tyro.cli(quickstart, args=flags, registry=flag_registry())
    assert study["config"] == config.as_json()
    assert study["fingerprint"] == config.fingerprint()
    results = open_example()["digits/mlp"]
    assert results.finished.all()
    assert results.votes.sum("predicted").isel(technique=0, level=0).sum(
        "half"
    ).values.tolist() == ([config.seeds] * results.sizes["image"])


def test_the_example_is_small_and_names_no_machine():
    files = [file for file in EXAMPLE.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".json", ".nc"}
    assert sum(file.stat().st_size for file in files) < 1.05e6
    text = (EXAMPLE / "study.json").read_text()
    assert not re.search(r'"[/~]|[A-Za-z]:\\\\', text)
    assert socket.gethostname() not in text
