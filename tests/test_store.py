import dataclasses
import json
import multiprocessing
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tyro
from drawn import drawn, drawn_study, layout, write, write_all

from prune_fair import InputError, StudyConfig, open_example, open_study, run_study
from prune_fair.cli.flags import flag_registry
from prune_fair.data import SCHEMA_VERSION
from prune_fair.datasets import COMPLEXITY, class_complexity
from prune_fair.store import (
    EXAMPLE,
    Variable,
    find_problems,
    read_study,
    status_of,
    writing,
)

sys.path.insert(0, str(Path(__file__).parent.parent / "experiments"))
from digits import digits


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
    assert study["tasks"]["digits/mlp"]["labels"]["layer"] == ["dense_0", "dense_1", "output"]


def test_attributes_of_the_tree(toy_study, toy_config):
    tree = open_study(toy_study)
    assert json.loads(tree.attrs["config"])["seeds"] == 5
    assert json.loads(tree["digits/mlp"].attrs["config"])["model"]["widths"] == [20, 10]
    assert tree["digits/mlp"].sparsity.attrs["units"] == "fraction"


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


@pytest.mark.parametrize(
    ("version", "reader"), [(3, "prune_fair 0.1.0"), (99, "the version that wrote it")]
)
def test_other_schema_version_is_refused(tmp_path, version, reader):
    old = {"schema_version": version, "fingerprint": "f", "runs": [], "complete": True}
    (tmp_path / "study.json").write_text(json.dumps(old))
    for use in (open_study, find_problems, status_of, lambda path: run_study(StudyConfig(), path)):
        with pytest.raises(InputError, match=f"schema version {version}, .* open it with {reader}"):
            use(tmp_path)


def _work(path, like, first, claimed, release):
    with drawn_study(path, like) as store:
        assert store.claim("d/m", first)
        claimed.set()
        release.wait(60)
        for level in like.levels:
            write(store, "d/m", first, level)


@pytest.fixture
def in_another_process(tmp_path):
    """Claims a block of a drawn study in a process of its own, which writes it when it is let."""
    context = multiprocessing.get_context("spawn")
    claimed, release = context.Event(), context.Event()
    like = layout(seeds=4, block=2)
    process = context.Process(target=_work, args=(tmp_path / "s", like, 2, claimed, release))

    def finish():
        release.set()
        process.join(60)
        return process.exitcode

    process.start()
    assert claimed.wait(60)
    yield tmp_path / "s", like, finish
    finish()


def test_two_processes_write_two_blocks(in_another_process):
    path, like, finish = in_another_process
    with drawn_study(path, like) as store:
        assert store.claims.in_work("d/m", 2)
        assert not store.claim("d/m", 2)
        store.check_work_left()  # a block is left
        assert store.claim("d/m", 0)
        for level in like.levels:
            write(store, "d/m", 0, level)
        with pytest.raises(InputError, match="another process is running this study; wait for it"):
            store.check_work_left()
        assert status_of(path)["tasks"]["d/m"]["blocks_in_work"] == 1
        assert [problem.kind for problem in find_problems(path)] == []
        assert finish() == 0
        store.check_work_left()
        assert store.is_whole(["d/m"])
    assert open_study(path).attrs["complete"]
    with drawn_study(path.with_name("alone"), like) as store:
        write_all(store)
    alone = open_study(path.with_name("alone"))["d/m"].to_dataset()
    assert open_study(path)["d/m"].to_dataset().identical(alone)


def test_the_claim_of_a_process_that_ended_is_free(in_another_process):
    path, like, finish = in_another_process
    finish()
    with drawn_study(path, like) as store:
        assert not store.claims.in_work("d/m", 2)
        assert store.claim("d/m", 2)


def test_claims_of_finished_blocks_are_given_up(tmp_path):
    with drawn_study(tmp_path, layout(seeds=2)) as store:
        assert store.claim("d/m", 0)
        for level in (0, 1):
            write(store, "d/m", 0, level)
        assert store.claim("d/m", 1)
        assert store.claims.held == [("d/m", 1)]


def test_a_study_all_of_which_is_in_work_is_refused(toy_config, toy_study, copy_study, tmp_path):
    path = copy_study(toy_study, tmp_path / "s", finished=lambda first, level: level < 2)
    with writing(path, toy_config.as_json(), toy_config.fingerprint()) as store:
        for first in (0, 3):
            assert store.claim("digits/mlp", first)
        with pytest.raises(InputError, match="another process is running this study"):
            run_study(toy_config, path)


def test_study_that_has_not_begun(tmp_path):
    with drawn_study(tmp_path, layout()):
        pass
    tree = open_study(tmp_path)
    assert not tree.attrs["complete"]
    assert not tree["d/m"].finished.any()
    assert tree["d/m"].image_label.values.tolist() == [0, 1, 1]


def test_a_kill_between_the_first_files_is_made_good(tmp_path):
    with drawn_study(tmp_path, layout()):
        pass
    (tmp_path / "d/m/predictions/zarr.json").unlink()
    shutil.rmtree(tmp_path / "d/m/true")
    with drawn_study(tmp_path, layout()) as store:
        write_all(store)
    assert find_problems(tmp_path) == []


def test_what_lies_in_a_piece_that_is_not_finished_counts_for_nothing(tmp_path):
    with drawn_study(tmp_path, layout(seeds=2)) as store:
        write(store, "d/m", 0, 0)
        write(store, "d/m", 0, 1)
        expected = open_study(tmp_path)["d/m"].to_dataset()
        write(store, "d/m", 1, 0)
        (tmp_path / "d/m/finished/c/0/1/0").unlink()
        assert open_study(tmp_path)["d/m"].to_dataset().identical(expected)
        (tmp_path / "d/m/confusion/c/0/1/0/0/0").write_bytes(b"half")
        (tmp_path / "d/m/confusion/c/0/1/0/0/0.1f.partial").write_bytes(b"half")
        assert open_study(tmp_path)["d/m"].to_dataset().identical(expected)
        write(store, "d/m", 1, 0)
    assert not [*tmp_path.rglob("*.partial")]
    assert open_study(tmp_path)["d/m"].finished[0].values.tolist() == [[True, True], [True, False]]


def test_a_finished_piece_is_never_written_again(tmp_path):
    with drawn_study(tmp_path, layout()) as store:
        write_all(store)
        files = {file: file.stat() for file in tmp_path.rglob("c/**/*") if file.is_file()}
        zeros = {name: np.zeros_like(part) for name, part in drawn(layout(), 0, 1).items()}
        write(store, "d/m", 0, 1, zeros)
    assert open_study(tmp_path)["d/m"].confusion.values.any()
    assert all(file.stat().st_mtime_ns == before.st_mtime_ns for file, before in files.items())


def test_study_json_and_metadata_are_written_once(toy_config, tmp_path):
    """Of two runs each has a file of its own, and nothing else of the description changes."""
    with drawn_study(tmp_path, layout()) as store:
        store.begin_run({"shuffling": "own", "dtype": "float32"})
        write(store, "d/m", 0, 0)
    described = [tmp_path / "study.json", *tmp_path.rglob("zarr.json")]
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in described}
    with drawn_study(tmp_path, layout()) as store:
        store.begin_run({"shuffling": "own", "dtype": "float32"})
        write(store, "d/m", 0, 1)
    assert before == {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in described}
    assert len([*tmp_path.glob("runs/*.json")]) == len(read_study(tmp_path)["runs"]) == 2


def test_a_piece_with_other_variables_is_refused(tmp_path):
    with drawn_study(tmp_path, layout()) as store:
        part = drawn(layout(), 0, 0)
        del part["predictions"]
        with pytest.raises(ValueError, match="expected .*predictions"):
            write(store, "d/m", 0, 0, part)
        assert not store.has_piece("d/m", 0, 0)


def test_techniques_are_laid_in_their_places(tmp_path):
    like = layout(techniques=("m", "n"))
    with drawn_study(tmp_path, like) as store:
        write(store, "d/m", 0, 0)
        part = drawn(like, 0, 1)
        store.write_piece("d/m", 1, ["n", "m"], [0], part)
    results = open_study(tmp_path)["d/m"]
    assert np.array_equal(results.confusion[::-1, :, 1], part["confusion"])
    assert (results.confusion[0, :, 0] == results.confusion[1, :, 0]).all()
    assert np.array_equal(results.predictions[::-1, :, 1], part["predictions"])


def test_every_chunk_is_there_and_has_a_checksum(tmp_path):
    """Also one of nothing but the missing value, which Zarr would leave out."""
    with drawn_study(tmp_path, layout()) as store:
        for level in (0, 1):
            part = {name: np.zeros_like(each) for name, each in drawn(layout(), 0, level).items()}
            write(store, "d/m", 0, level, part)
    for file in tmp_path.glob("d/m/*/zarr.json"):
        metadata = json.loads(file.read_text())
        assert metadata["zarr_format"] == 3
        assert metadata["codecs"][-1]["name"] == "crc32c"
    assert (tmp_path / "d/m/confusion/c/0/0/1/0/0").stat().st_size > 4


def test_names_of_tasks_are_not_those_of_other_folders(tmp_path):
    with (
        writing(tmp_path, {"seeds": 1, "tasks": [{}]}, "f") as store,
        pytest.raises(InputError, match="runs is a study's own"),
    ):
        store.describe({"runs/mlp": layout()}, {})
    assert not (tmp_path / "study.json").exists()


READER = """
import sys
sys.modules["prune_fair"] = None  # whoever imports it fails
import warnings
warnings.simplefilter("error")
import xarray
tree = xarray.open_datatree(sys.argv[1], engine="zarr").load()
task = tree["digits/mlp"]
assert task["confusion"].attrs["units"] == "images", task["confusion"].attrs
assert task["finished"].values.all()
assert tree.attrs["schema_version"] == int(sys.argv[2])
print(task["confusion"].sel(technique=sys.argv[3], true="8", predicted="3").sum().item())
assert task["predictions"].dtype == "uint8", task["predictions"].dtype
print((task["predictions"] == 3).sum().item(), *task["confusion"].dims)
"""


def test_xarray_reads_a_study_without_this_package(toy_study, toy_results, toy_config):
    technique = toy_config.techniques[1]
    words = [sys.executable, "-c", READER, toy_study, str(SCHEMA_VERSION), technique]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    confused = toy_results.confusion.sel(technique=technique, true="8", predicted="3")
    said = (toy_results.predictions == 3).sum().item()
    dims = " ".join(map(str, toy_results.confusion.dims))
    assert done.stdout.splitlines() == [str(confused.sum().item()), f"{said} {dims}"]


def test_a_study_of_100_000_networks_opens_in_seconds(tmp_path, rng):
    """No clock: it has few enough pieces, and each is read once."""
    like = layout(833, 13, 64, [f"m{i}" for i in range(10)])
    with drawn_study(tmp_path, like) as store:
        write_all(store)
    results = open_study(tmp_path)["d/m"]
    assert len(like.blocks) * len(like.levels) < 200
    assert results.finished.all()
    assert results.confusion.sizes["seed"] * 12 * 10 > 99_000


def test_complexity_of_the_training_images_is_measured_once(toy_study, toy_config):
    expected = class_complexity(toy_config.tasks[0].data.load())
    results = open_study(toy_study)["digits/mlp"]
    assert results.measure.values.tolist() == list(COMPLEXITY)
    assert np.array_equal(results.complexity, np.stack(list(expected.values())))


def test_a_resumed_study_keeps_its_complexity(tmp_path):
    """It is computed once; NaN is kept as such."""
    like = layout()._replace(
        labels={**layout().labels, "measure": ["neighbour_disagreement"]},
        variables={"complexity": Variable(("measure", "true"), "float64", np.nan, "", "")},
    )

    def fail():
        raise AssertionError

    for make in (lambda: np.array([[0.25, np.nan]]), fail):
        with writing(tmp_path, {"seeds": 1, "tasks": [{}]}, "f") as store:
            store.describe({"d/m": like}, {"d/m": {"complexity": make}})
    values = open_study(tmp_path)["d/m"].complexity.sel(measure="neighbour_disagreement")
    assert values[0] == 0.25
    assert np.isnan(values[1])


def test_margin_of_dense_and_pruned_networks(toy_results):
    assert toy_results.margin.dims == ("technique", "seed", "level", "split", "true")
    assert ((toy_results.margin > -1) & (toy_results.margin < 1)).all()
    dense = toy_results.margin.isel(level=0)
    assert np.array_equal(dense[0], dense[1])
    assert dense.mean() > 0


def test_the_example_is_what_its_command_makes_now():
    """Where this fails, a study is made or read otherwise than before: `make example`."""
    study = read_study(EXAMPLE)
    script, *flags = study["runs"][0]["command"]
    assert script == "experiments/digits.py"
    config, _ = tyro.cli(digits, args=flags, registry=flag_registry())
    assert StudyConfig.from_json(study["config"]) == config  # a field may have come later
    assert study["fingerprint"] == config.fingerprint()
    results = open_example()["digits/mlp"]
    assert results.finished.all()
    said, labels = results.predictions.values, results.image_label.values
    for at in np.ndindex(results.finished.shape):
        counts = np.bincount(labels * 10 + said[at], minlength=100)
        assert np.array_equal(counts.reshape(10, 10), results.confusion.values[at])


def test_the_example_is_small_and_names_no_machine():
    files = [file for file in EXAMPLE.rglob("*") if file.is_file()]
    assert {*EXAMPLE.iterdir()} == {
        EXAMPLE / n for n in ("study.json", "zarr.json", "runs", "digits")
    }
    assert sum(file.stat().st_size for file in files) < 0.2e6
    assert len(files) < 120
    for file in (EXAMPLE / "study.json", *EXAMPLE.glob("runs/*.json")):
        text = file.read_text()
        assert not re.search(r'"[/~]|[A-Za-z]:\\\\', text)
        assert socket.gethostname() not in text


def test_the_example_is_in_the_package():
    """Every file of it is matched by what is packed, which Git and wheels would leave out else."""
    packed = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    patterns = packed["tool"]["setuptools"]["package-data"]["prune_fair.store"]
    found = {file for pattern in patterns for file in EXAMPLE.parent.glob(pattern)}
    assert {file for file in EXAMPLE.rglob("*") if file.is_file()} <= found
