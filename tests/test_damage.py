"""A study's directory that is damaged, full or gone: one line that says where, and nothing lost."""

import io
import json
import shutil

import numpy as np
import pytest
import xarray as xr

from prune_fair import (
    DataConfig,
    InputError,
    ModelConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
    open_study,
    run_study,
)
from prune_fair.datasets import load
from prune_fair.store import load_tree, read_study, save_tree, writing
from prune_fair.store.pieces import piece_name
from prune_fair.store.results import EXAMPLE

TASK = "digits/mlp"
PIECES = f"results/{TASK}"


def one_line(build) -> str:
    with pytest.raises(InputError) as refused:
        build()
    message = str(refused.value)
    assert message.isprintable()
    assert len(message) < 700
    return message


@pytest.fixture
def study(tmp_path):
    """A copy of the example, to be damaged."""
    return shutil.copytree(EXAMPLE, tmp_path / "study")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"null", b"3", b'"text"', b"{", b"{}", b"\xff\xfe", b"\x00", b"nan",
        b"[" * 100_000, b"9" * 5000,
    ],
)  # fmt: skip
def test_study_json_that_is_none(study, content):
    (study / "study.json").write_bytes(content)
    for use in (open_study, read_study, lambda path: writing(path, {}, "f").__enter__()):
        assert str(study) in one_line(lambda use=use: use(study))


def _set(path: str, value):
    def damage(content):
        *parents, last = path.split(".")
        for name in parents:
            content = content[int(name) if name.isdigit() else name.replace("|", ".")]
        if value is None:
            del content[last]
        else:
            content[last] = value

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_set("config", None), "it has no 'config'"),
        (_set("tasks", None), "it has no 'tasks'"),
        (_set("runs", None), "it has no 'runs'"),
        (_set("complete", None), "it has no 'complete'"),
        (_set("fingerprint", 3), "'fingerprint' is 3 where text was expected"),
        (_set("complete", "yes"), "where true or false was expected"),
        (_set("runs", [[]]), "'runs', entry 0 is [] where an object was expected"),
        (_set("runs", [{"started": 1, "plan": {}}]), "has no 'shuffling'"),
        (_set("config.seeds", -3), "'seeds' is -3 where a whole number from 1"),
        (_set("config.seeds", 10**12), "'seeds' is 1000000000000 where a whole number from 1"),
        (_set("config.seeds", 2.5), "'seeds' is 2.5 where a whole number"),
        (_set("config.seeds", True), "'seeds' is True where a whole number"),
        (_set("config.seeds", 10**7), "GiB of memory, this machine has"),
        (_set("config.tasks", {}), "where a list was expected"),
        (_set("config.tasks", []), "it has 1 tasks, its config 0"),
        (_set(f"tasks.{TASK}.levels", 10**12), "'levels' is 1000000000000"),
        (_set(f"tasks.{TASK}.levels", 0), "'levels' is 0"),
        (_set(f"tasks.{TASK}.techniques", "random"), "where a list was expected"),
        (_set(f"tasks.{TASK}.techniques", ["a", "a"]), "has techniques twice"),
        (_set(f"tasks.{TASK}.classes", [1, 2]), "is 1 where text was expected"),
        (_set(f"tasks.{TASK}.classes", ["a", "b"]), "numbers of train_count for 2 classes"),
        (_set(f"tasks.{TASK}.train_count", ["a"]), "where a whole number from 0"),
        (_set(f"tasks.{TASK}.complexity", {"x": "y"}), "where a list was expected"),
        (_set(f"tasks.{TASK}.complexity", {"x": [1.0]}), "1 numbers of x for 10 classes"),
        (_set(f"tasks.{TASK}.images", 10**15), "'images' is 1000000000000000"),
        (_set(f"tasks.{TASK}.images", 2**31 - 1), "GiB of memory, this machine has"),
        (_set(f"tasks.{TASK}", 7), "is 7 where an object was expected"),
    ],
)
def test_study_json_with_something_else_inside(study, damage, message):
    content = json.loads((study / "study.json").read_text())
    damage(content)
    (study / "study.json").write_text(json.dumps(content))
    found = one_line(lambda: open_study(study))
    assert message in found
    assert str(study) in found


@pytest.mark.parametrize("name", ["../../x", "..", "/etc", "a/../../b", "", "a//b", "a/.b", "a\nb"])
def test_names_of_tasks_do_not_leave_the_study(study, name):
    content = json.loads((study / "study.json").read_text())
    content["tasks"] = {name: content["tasks"][TASK]}
    (study / "study.json").write_text(json.dumps(content))
    for use in (open_study, read_study):
        assert "name of a task" in one_line(lambda use=use: use(study))


def _text(file):
    file.write_text("not a piece")


def _folder(file):
    file.unlink()
    file.mkdir()


def _cut(file):
    file.write_bytes(file.read_bytes()[:700])


def _other_level(file):
    shutil.copy(file.with_name(file.name.replace("level-001", "level-002")), file)


def _dense(file):
    shutil.copy(file.with_name(file.name.replace("level-001", "level-000")), file)


def _rewritten(change):
    def rewrite(file):
        piece = xr.load_dataset(io.BytesIO(file.read_bytes()), engine="scipy")
        change(piece).to_netcdf(file, engine="scipy")

    return rewrite


@pytest.mark.parametrize(
    "damage",
    [
        _text,
        _folder,
        _cut,
        _other_level,
        _dense,
        lambda file: file.write_bytes(b""),
        _rewritten(lambda piece: piece.isel(technique=[0])),
        _rewritten(lambda piece: piece.isel(true=[0])),
        _rewritten(lambda piece: piece.drop_vars("confusion")),
        _rewritten(lambda piece: piece.assign(confusion=piece.confusion.astype(float))),
        _rewritten(lambda piece: piece.assign_coords(level=[-6])),
        _rewritten(lambda piece: piece.assign_coords(seed=piece.seed + 1)),
        _rewritten(lambda piece: piece.assign_coords(seed=piece.seed + 0.5)),
        _rewritten(lambda piece: piece.assign_coords(technique=["a", "b", "c"])),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_pieces_that_are_none_of_this_study(study, damage):
    (file,) = (study / PIECES).glob("*level-001.nc")
    damage(file)
    message = one_line(lambda: open_study(study))
    assert str(file) in message
    assert "move it away and give the study's command again" in message


@pytest.mark.filterwarnings("ignore")
def test_bytes_that_flip_give_results_or_one_line(study, rng):
    (file,) = (study / PIECES).glob("*level-003.nc")
    whole, messages = file.read_bytes(), []
    for _ in range(40):
        damaged = bytearray(whole)
        for place in rng.integers(0, 1500, 4):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged)
        try:
            open_study(study)
        except InputError as error:
            messages.append(str(error))
    assert messages
    assert all(message.isprintable() for message in messages)


CONFIG = {"seeds": 1, "tasks": [{}]}


@pytest.fixture
def store(tmp_path):
    """A study that is being written."""
    with writing(tmp_path / "study", CONFIG, "f") as store:
        store.describe_task(TASK, ["m"], 2, ["a"], load("digits"))
        store.begin_run({})
        yield store


def _write(store):
    values = np.zeros((1, 1))
    store.write_piece(TASK, 0, ["dense"], [0], {"sparsity": values})


WRITERS = [
    lambda store: store.write_study(),
    _write,
    lambda store: store.save_networks(TASK, 0, 0, {"a": np.zeros(3)}),
]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("replaced", [False, True])
def test_a_study_that_is_removed_while_it_runs(store, write, replaced):
    shutil.rmtree(store.path)
    if replaced:
        (store.path).mkdir()
        (store.path / ".lock").touch()
    assert "was removed or replaced while its study ran" in one_line(lambda: write(store))
    assert not [*store.path.glob("results*")]


@pytest.mark.parametrize("write", WRITERS[:2])
def test_a_full_disk_is_said_and_leaves_no_draft(store, monkeypatch, write):
    before = (store.path / "study.json").read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    message = one_line(lambda: write(store))
    assert "cannot be written (No space left on device); what is finished is kept" in message
    assert str(store.path) in message
    assert not [*store.path.rglob("*.draft")]
    assert (store.path / "study.json").read_bytes() == before
    monkeypatch.undo()
    write(store)


def test_a_full_disk_under_a_checkpoint(tmp_path, monkeypatch):
    from orbax.checkpoint import StandardCheckpointer

    def full(self, folder, *_, **__):
        (folder.parent / f"{folder.name}.orbax-checkpoint-tmp-7").mkdir()
        raise ValueError("RESOURCE_EXHAUSTED:\n x: No space left on device [os_error_code='28']")

    monkeypatch.setattr(StandardCheckpointer, "save", full)
    message = one_line(lambda: save_tree(tmp_path / "net", {"a": np.zeros(3)}))
    assert f"{tmp_path / 'net'}: cannot be written (No space left on device)" in message
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["foreign", "empty"])
def test_folders_that_are_no_checkpoints(tmp_path, name):
    (tmp_path / name).mkdir()
    if name == "foreign":
        (tmp_path / name / "_METADATA").write_text("{")
    assert "cannot be read as an Orbax checkpoint" in one_line(lambda: load_tree(tmp_path / name))


def test_homes_of_nobody(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for use in (open_study, load_tree, lambda path: load(f"idx:{path}")):
        assert "~nobody_such" in one_line(lambda use=use: use("~nobody_such/x"))


def test_networks_that_no_machine_holds(tmp_path):
    task = TaskConfig(model=ModelConfig(widths=(10**6, 10**6)))
    message = one_line(lambda: run_study(StudyConfig((task,), seeds=1), tmp_path))
    assert "2 networks of 1,000,076,000,010 parameters take 7,451 GiB of memory" in message
    assert not (tmp_path / "study.json").exists()


def test_labels_that_are_not_utf_8(tmp_path, write_idx_folder):
    write_idx_folder(tmp_path / "d", (6, 6), (6, 3), 3)
    (tmp_path / "d/labels.txt").write_bytes(b"caf\xe9\nb\nc\n")
    message = one_line(lambda: load(f"idx:{tmp_path / 'd'}"))
    assert "labels.txt: cannot be read" in message
    assert "UTF-8" in message


def test_archives_that_ask_for_terabytes(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=np.zeros((3, 2), np.uint8))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content.replace(b"(3, 2), }      ", b"(9999999999999,"))
    assert "cannot be read" in one_line(lambda: load(f"npz:{tmp_path / 'a.npz'}"))


def test_a_piece_that_is_taken_away_is_computed_again(tmp_path):
    """From a finished study, where the networks before it are no longer kept."""
    recipe = RecipeConfig(epochs=1)
    task = TaskConfig(DataConfig(), ModelConfig("mlp", widths=(8,)), recipe)
    config = StudyConfig((task,), schedule=Schedule(levels=3), seeds=2)
    before = run_study(config, tmp_path)[TASK].to_dataset()
    piece = tmp_path / PIECES / f"{piece_name(0, 2)}.nc"
    piece.write_text("damaged")
    assert str(piece) in one_line(lambda: open_study(tmp_path))
    piece.unlink()
    told = []
    after = run_study(config, tmp_path, progress=lambda n, *, reused=False: told.append(n))
    assert after[TASK].to_dataset().identical(before)
    assert after.attrs["complete"]
    assert sum(told) == config.networks
    shutil.rmtree(tmp_path / f"checkpoints/{TASK}" / piece_name(0, 3))
    assert run_study(config, tmp_path)[TASK].to_dataset().identical(before)
