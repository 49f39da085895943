"""A study's directory that is damaged, full or gone: one line that says where, and nothing lost."""

import json
import os
import shutil

import numpy as np
import pytest
import stub_engine
from drawn import drawn_study, layout, write

from prune_fair import (
    DataConfig,
    InputError,
    ModelConfig,
    RecipeConfig,
    Schedule,
    StudyConfig,
    TaskConfig,
    cli,
    open_study,
    run_study,
)
from prune_fair.datasets import load
from prune_fair.store import (
    EXAMPLE,
    StudyStore,
    find_problems,
    load_tree,
    read_study,
    save_tree,
    set_aside,
    writing,
)
from prune_fair.store.files import sealed, unsealed
from prune_fair.store.layout import piece_name
from prune_fair.store.studies import layouts_of
from prune_fair.study import repair

TASK = "digits/mlp"


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


PREDICTIONS = f"tasks.{TASK}.variables.predictions"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_set("config", None), "it has no 'config'"),
        (_set("tasks", None), "it has no 'tasks'"),
        (_set("metadata", None), "it has no 'metadata'"),
        (_set("fingerprint", 3), "'fingerprint' is 3 where text was expected"),
        (_set("metadata", {"../x/zarr.json": "0"}), "name of a file"),
        (_set("config.seeds", -3), "'seeds' is -3 where a whole number from 1"),
        (_set("config.seeds", 10**12), "'seeds' is 1000000000000 where a whole number from 1"),
        (_set("config.seeds", 2.5), "'seeds' is 2.5 where a whole number"),
        (_set("config.seeds", True), "'seeds' is True where a whole number"),
        (_set("config.tasks", {}), "where a list was expected"),
        (_set("config.tasks", []), "it has 1 tasks, its config 0"),
        (_set(f"tasks.{TASK}.sizes.seed", 10**7), "GiB of memory, this machine has"),
        (_set(f"tasks.{TASK}.sizes.seed", 10**12), "'seed' is 1000000000000"),
        (_set(f"tasks.{TASK}.sizes.level", 10**12), "'level' is 1000000000000"),
        (_set(f"tasks.{TASK}.sizes.level", 0), "'level' is 0"),
        (_set(f"tasks.{TASK}.sizes.image", 10**15), "'image' is 1000000000000000"),
        (_set(f"tasks.{TASK}.sizes.image", 2**31 - 1), "GiB of memory, this machine has"),
        (_set(f"tasks.{TASK}.seeds_per_piece", 0), "'seeds_per_piece' is 0"),
        (_set(f"tasks.{TASK}.labels.technique", "random"), "where a list was expected"),
        (_set(f"tasks.{TASK}.labels.technique", ["a", "a"]), "has technique twice"),
        (_set(f"tasks.{TASK}.labels.true", [1, 2]), "is 1 where text was expected"),
        (_set(f"tasks.{TASK}.sizes.image", None), "has no axis 'image' of "),
        (_set(f"{PREDICTIONS}.dims", ["seed", "technique"]), "of axes ['seed', 'technique']"),
        (_set(f"{PREDICTIONS}.dims", ["block", "level"]), "has no axis 'block' of 'predictions'"),
        (_set(f"{PREDICTIONS}.dtype", "object"), "of dtype 'object'"),
        (_set(f"{PREDICTIONS}.missing", "x"), "where a number or a whole number or true or false"),
        (_set(f"tasks.{TASK}.variables", {"../x": {}}), "has no 'dims'"),
        (_set(f"tasks.{TASK}.facts.data_sha256", 1), "is 1 where text was expected"),
        (_set(f"tasks.{TASK}", 7), "is 7 where an object was expected"),
    ],
)
def test_study_json_with_something_else_inside(study, damage, message):
    content = unsealed((study / "study.json").read_bytes())
    damage(content)
    (study / "study.json").write_text(json.dumps(content))
    assert "its digest is not that of its content" in one_line(lambda: open_study(study))
    (study / "study.json").write_bytes(sealed(content))
    found = one_line(lambda: open_study(study))
    assert message in found
    assert str(study) in found


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_set("plan", None), "it has no 'plan'"),
        (_set("plan", {}), "has no 'shuffling'"),
        (_set("seconds", "x"), "'seconds' is 'x' where a number"),
        (_set("hardware", []), "where an object was expected"),
    ],
)
def test_records_of_runs_with_something_else_inside(study, damage, message):
    (file,) = study.glob("runs/*.json")
    content = unsealed(file.read_bytes())
    damage(content)
    file.write_bytes(sealed(content))
    found = one_line(lambda: open_study(study))
    assert message in found
    assert str(file) in found


@pytest.mark.parametrize("name", ["../../x", "..", "/etc", "a/../../b", "", "a//b", "a/.b", "a\nb"])
def test_names_of_tasks_do_not_leave_the_study(study, name):
    content = unsealed((study / "study.json").read_bytes())
    content["tasks"] = {name: content["tasks"][TASK]}
    (study / "study.json").write_bytes(sealed(content))
    for use in (open_study, read_study, find_problems):
        assert "name of a task" in one_line(lambda use=use: use(study))


def _text(file):
    file.write_text("not a chunk")


def _folder(file):
    file.unlink()
    file.mkdir()


def _cut(file):
    file.write_bytes(file.read_bytes()[:-9])


def _flipped(file, place=None, bit=3):
    content = bytearray(file.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 1 << bit
    file.write_bytes(content)


DAMAGES = [
    _text,
    _folder,
    _cut,
    _flipped,
    lambda file: file.write_bytes(b""),
    lambda file: file.unlink(),
]


@pytest.mark.parametrize("name", ["predictions", "confusion", "finished", "sparsity"])
@pytest.mark.parametrize(
    "damage",
    DAMAGES,
)
def test_chunks_that_are_not_what_was_written(study, damage, name):
    damage(study / TASK / layouts_of(read_study(study))[TASK].chunk(name, 0, 1))
    if name == "finished" and damage in (_folder, DAMAGES[-1]):  # it is the commit that is gone
        assert not open_study(study)[TASK].finished[:, :, 1].any()
        problems = find_problems(study)
        assert [problem.kind for problem in problems] == ["unfinished"]
        return
    message = one_line(lambda: open_study(study))
    for part in (str(study), name, TASK, "seeds 0 to 15, level 1", f"check {study} --repair"):
        assert part in message
    (problem,) = find_problems(study)
    assert (problem.task, problem.first_seed, problem.level) == (TASK, 0, 1)


def test_labels_and_what_no_piece_has_are_looked_at_too(study):
    _flipped(study / TASK / "true/c/0")
    _flipped(study / TASK / "train_count/c/0")
    assert f"train_count of {TASK} is damaged" in one_line(lambda: open_study(study))
    shown = " ".join(problem.message for problem in find_problems(study))
    assert f"true of {TASK} is damaged" in shown
    assert f"train_count of {TASK} is damaged" in shown


def test_chunks_of_another_piece_in_its_place(study):
    """Their own checksums are right: the commit is looked at, and it is of another study's form."""
    layout = layouts_of(read_study(study))[TASK]
    file = study / TASK / layout.chunk("finished", 0, 1)
    file.write_bytes((study / TASK / layout.chunk("diverged", 0, 1)).read_bytes())
    assert f"finished of {TASK} is not set" in one_line(lambda: open_study(study))
    (problem,) = find_problems(study)
    assert "seeds 0 to 15, level 1" in problem.message


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A drawn study with networks of its first and last level, and the record of a run."""
    path = tmp_path_factory.mktemp("studies") / "saved"
    with drawn_study(path, layout()) as store:
        store.begin_run({"shuffling": "own", "dtype": "float32"})
        for level in (0, 1):
            store.save_networks("d/m", 0, level, {"m": {"kernel": np.arange(6.0)}})
            write(store, "d/m", 0, level)
    return path


def test_a_bit_flipped_anywhere_is_found(saved, tmp_path):
    """In every file but empty locks. What opens such a study refuses it, or gives the same."""
    results = open_study(saved)["d/m"].to_dataset()
    files = [file.relative_to(saved) for file in saved.rglob("*") if file.is_file()]
    files = [file for file in files if (saved / file).stat().st_size]
    labels = {*results.coords}  # which are those of study.json
    assert len(files) > 40
    path = shutil.copytree(saved, tmp_path / "s")
    for number, name in enumerate(files):
        for place, bit in ((0, 0), (-1, 6), (None, number % 8)):
            shutil.copy(saved / name, path / name)
            _flipped(path / name, place, bit)
            if name.name == "study.json":
                assert "study.json" in one_line(lambda: find_problems(path))
                continue
            problems = find_problems(path)
            assert problems, name
            assert all(problem.message.isprintable() for problem in problems)
            if "checkpoints" in name.parts:
                assert "the networks of d/m, seeds 0 to 0, level" in problems[0].message
                store, level = StudyStore(path, read_study(path)), problems[0].level
                with pytest.raises(InputError, match="networks of that piece are"):
                    store.load_networks("d/m", 0, level)
            if "checkpoints" in name.parts or (name.match("d/m/*/c/0") and name.parts[2] in labels):
                assert open_study(path)["d/m"].to_dataset().identical(results)
            else:
                assert "--repair" in one_line(lambda: open_study(path))
        shutil.copy(saved / name, path / name)
    assert find_problems(path) == []


def test_what_is_set_aside_is_made_again(saved, tmp_path):
    """All at once, of a study whose pieces are written again by hand."""
    path = shutil.copytree(saved, tmp_path / "s")
    runs = [*path.glob("runs/*.json")]
    network = path / "checkpoints/d/m" / piece_name(0, 1)
    (record,) = runs
    for file in (
        record, path / "zarr.json", path / "d/m/predictions/zarr.json", path / "d/m/true/c/0",
        path / "d/m/image_label/c/0", path / "d/m/margin/c/0/0/0/0", network / "_METADATA",
    ):  # fmt: skip
        _flipped(file)
    (path / "d/m/confusion/c/0/0/1/0/0").unlink()
    for _ in range(2):
        set_aside(path, find_problems(path))
    assert {problem.kind for problem in find_problems(path)} == {"unfinished", "damaged"}
    assert record.with_name(f"{record.name}.damaged").exists()
    with drawn_study(path, layout()) as store:
        for level in (0, 1):
            assert not store.has_piece("d/m", 0, level)
            store.save_networks("d/m", 0, level, {"m": {"kernel": np.arange(6.0)}})
            write(store, "d/m", 0, level)
    assert find_problems(path) == []
    assert open_study(path)["d/m"].to_dataset().identical(open_study(saved)["d/m"].to_dataset())


def test_files_of_others_are_not_removed(saved, tmp_path):
    path = shutil.copytree(saved, tmp_path / "s")
    notes = path / "checkpoints/d/m" / piece_name(0, 1) / "notes.txt"
    notes.write_text("mine")
    for file in ("notes.txt", "runs/notes.json", "d/m/notes.txt", "d/m/predictions/c/notes"):
        (path / file).write_text("mine")
    message = one_line(lambda: set_aside(path, find_problems(path)))
    assert "holds 'notes.txt', which is not of this study; move it away" in message
    assert notes.read_text() == "mine"
    notes.unlink()
    assert find_problems(path) == []


SMALL = StudyConfig(
    (TaskConfig(DataConfig(), ModelConfig("mlp", widths=(8,)), RecipeConfig(epochs=1)),),
    schedule=Schedule(levels=3),
    seeds=3,
    seeds_per_piece=2,
)


@pytest.fixture(scope="module")
def stubbed(tmp_path_factory):
    """A study of the stub engine, with its directory and its results."""
    path = tmp_path_factory.mktemp("studies") / "stubbed"
    with stub_engine.stubbed():
        return path, run_study(SMALL, path)[TASK].to_dataset()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The same, trained."""
    path = tmp_path_factory.mktemp("studies") / "trained"
    return path, run_study(SMALL, path)[TASK].to_dataset()


def _chunk(name):
    return lambda path: _flipped(path / TASK / f"{name}/c/0/1/2")


def _network(level):
    return lambda path: _flipped(
        next((path / "checkpoints" / TASK / piece_name(2, level)).glob("d/*"))
    )


@pytest.mark.parametrize(
    "damage",
    [
        _chunk("sparsity"), _chunk("finished"), _network(0), _network(3),
        lambda path: shutil.rmtree(path / TASK),
        lambda path: shutil.rmtree(path / "checkpoints" / TASK),
        lambda path: _flipped(path / "zarr.json"),
        lambda path: _flipped(path / TASK / "complexity/c/0/0"),
    ],
)  # fmt: skip
def test_a_repair_gives_the_same_results(stubbed, stub_engine, tmp_path, damage, capsys):
    check_repair(*stubbed, tmp_path, damage, capsys)


def test_a_repair_of_what_was_trained_gives_the_same_results(trained, tmp_path, capsys):
    """A block goes on from its dense networks, the other is trained again from its beginning."""

    def damage(path):
        _flipped(path / TASK / "sparsity/c/0/0/2")
        _network(0)(path)

    check_repair(*trained, tmp_path, damage, capsys)


def check_repair(source, expected, tmp_path, damage, capsys):
    """What `check` finds of a damage it repairs, to the same results and networks."""
    path = shutil.copytree(source, tmp_path / "s")
    networks = {file.name: load_tree(file) for file in source.glob(f"checkpoints/{TASK}/*0?")}
    damage(path)
    with pytest.raises(SystemExit) as stop:
        cli.main(["check", str(path), "--json"])
    assert stop.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert found["problems"]
    assert not found["whole"]
    cli.main(["check", str(path), "--repair", "--json"])
    repaired = json.loads(capsys.readouterr().out)
    assert repaired["whole"]
    assert all(problem["repaired"] for problem in repaired["problems"])
    assert open_study(path)[TASK].to_dataset().identical(expected)
    for name, tree in networks.items():
        again = load_tree(path / f"checkpoints/{TASK}" / name)
        np.testing.assert_equal(again, tree)
    cli.main(["check", str(path)])
    assert "is whole" in capsys.readouterr().out


def test_status_says_how_far_a_study_is(stubbed, copy_study, tmp_path, capsys):
    path = copy_study(stubbed[0], tmp_path / "s", finished=lambda first, level: first == 0)
    cli.main(["status", str(path), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["tasks"][TASK] == {
        "pieces": 8, "finished": 4, "blocks": 2, "blocks_in_work": 0
    }  # fmt: skip
    assert not found["complete"]
    assert not found["running"]
    cli.main(["status", str(path)])
    shown = capsys.readouterr().out
    assert f"{TASK}: 4 of 8 pieces finished" in shown
    assert "not running; `" in shown
    cli.main(["status", str(stubbed[0])])
    assert capsys.readouterr().out.endswith("complete\n")


def test_an_audit_is_repaired_by_its_own_command(tmp_path):
    from prune_fair import audit

    def linear(variables, images):
        return images.reshape(len(images), 64) @ variables["kernel"]

    network = {"kernel": np.random.default_rng(0).normal(size=(64, 10)).astype(np.float32)}
    technique = ["magnitude-global-none-output"]
    asked = {"techniques": technique, "schedule": Schedule("one-shot", sparsities=(0.5,))}
    before = audit(linear, [network], DataConfig(), tmp_path / "a", **asked)
    (task,) = read_study(tmp_path / "a")["tasks"]
    _flipped(tmp_path / "a" / task / "sparsity/c/0/0/1")
    assert "give the audit's command again" in one_line(lambda: repair(tmp_path / "a"))
    after = audit(linear, [network], DataConfig(), tmp_path / "a", **asked)
    assert after[task].to_dataset().identical(before[task].to_dataset())
    assert find_problems(tmp_path / "a") == []


@pytest.fixture
def store(tmp_path):
    """A study that is being written."""
    with drawn_study(tmp_path / "study", layout()) as store:
        store.begin_run({"shuffling": "own", "dtype": "float32"})
        yield store


WRITERS = [
    lambda store: store.begin_run({}),
    lambda store: write(store, "d/m", 0, 0),
    lambda store: store.save_networks("d/m", 0, 0, {"a": np.zeros(3)}),
    lambda store: store.claim("d/m", 0),
]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("replaced", [False, True])
def test_a_study_that_is_removed_while_it_runs(store, write, replaced):
    shutil.rmtree(store.path)
    if replaced:
        (store.path).mkdir()
        (store.path / ".lock").touch()
    assert "was removed or replaced while its study ran" in one_line(lambda: write(store))
    assert {*store.path.glob("*")} <= {store.path / ".lock"}


@pytest.mark.parametrize("write", WRITERS[:3])
def test_a_full_disk_is_said_and_leaves_no_draft(store, monkeypatch, write):
    before = (store.path / "study.json").read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    message = one_line(lambda: write(store))
    assert "cannot be written (No space left on device); what is finished is kept" in message
    assert str(store.path) in message
    assert not [*store.path.rglob("*.draft"), *store.path.rglob("*.partial")]
    assert not store.has_piece("d/m", 0, 0)
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


@pytest.fixture
def own(toy_study, tmp_path):
    """A copy of the toy study, with its networks."""
    return shutil.copytree(toy_study, tmp_path / "own")


@pytest.mark.parametrize("place", ["digits/zarr.json", "study.json"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(place, own):
    (own / place).unlink()
    os.mkfifo(own / place)
    assert "it is no regular file" in one_line(lambda: open_study(own))


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
@pytest.mark.parametrize("what", ["chunk", "folder", "checkpoint"])
def test_a_repair_removes_nothing_where_what_is_not_ours_is_in_the_way(make, what, own):
    if what == "chunk":
        place = own / TASK / layouts_of(read_study(own))[TASK].chunk("sparsity", 0, 1)
        place.unlink()
    elif make is os.mkdir:
        return  # a folder is what belongs there
    elif what == "folder":
        place = own / TASK / "margin/c"
        shutil.rmtree(place)
    else:
        place = sorted((own / "checkpoints" / TASK).glob("*level-000"))[0]
        shutil.rmtree(place)
    make(place)
    before = {file for file in own.rglob("*") if file.is_file()}
    line = one_line(lambda: set_aside(own, find_problems(own)))
    assert f"{place}: is none of this study's files; move it away" in line
    assert {file for file in own.rglob("*") if file.is_file()} == before


def test_a_damaged_record_of_a_run_is_repaired_from_the_command_line(own, capsys):
    [record, *_] = sorted((own / "runs").glob("*.json"))
    record.write_bytes(record.read_bytes().replace(b"seconds", b"secondz", 1))
    cli.main(["check", str(own), "--repair"])
    assert "is whole" in capsys.readouterr().out
    assert record.with_name(f"{record.name}.damaged").is_file()


def test_a_pipe_in_the_place_of_metadata_is_not_removed(own):
    (own / "digits/zarr.json").unlink()
    os.mkfifo(own / "digits/zarr.json")
    line = one_line(lambda: set_aside(own, find_problems(own)))
    assert "digits/zarr.json: is none of this study's files; move it away" in line
