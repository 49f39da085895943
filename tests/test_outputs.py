"""What this program writes for people replaces its own files alone."""

import json
import os
from pathlib import Path

import pytest

from prune_fair import open_example, plots, report
from prune_fair.errors import InputError
from prune_fair.outputs import (
    FOLDER_MARK,
    check_folder,
    is_ours,
    new_folder,
    signed,
    write_file,
)

OURS = {"networks_sha256": "a"}


def listing(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def write(folder: Path, force: bool = False, text: str = "new", identity=OURS) -> None:
    with new_folder(folder, identity, force) as draft:
        draft.mkdir()
        (draft / "part").mkdir()
        (draft / "part/numbers").write_text(text)


@pytest.mark.parametrize(
    "text", ["", "# Notes", "# Notes\n", "a\r\nb\n\n", "written by prune_fair"]
)
def test_a_text_is_known_again_until_somebody_changes_it(text):
    ours = signed(text.encode())
    assert is_ours(ours)
    assert not is_ours(text.encode())
    assert not is_ours(b"my line\n" + ours)
    assert not is_ours(ours + b"my line\n")
    assert not is_ours(ours.replace(b"sha256", b"sha512"))


@pytest.mark.parametrize("content", [b"", b"mine", b"\x89PNG\r\nmine", b"\xff\xfe\n\n"])
def test_a_file_of_somebody_else_is_left_alone(tmp_path, content):
    file = tmp_path / "report.html"
    file.write_bytes(content)
    with pytest.raises(InputError, match="was not written by this version of prune_fair"):
        write_file(file, b"new")
    assert listing(tmp_path) == {"report.html": content}


def test_a_folder_or_a_broken_link_is_no_file_to_write(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("folder", "link"):
        with pytest.raises(InputError, match="is no file"):
            write_file(tmp_path / name, b"new")
    assert sorted(os.listdir(tmp_path)) == ["folder", "link"]


def test_what_fails_leaves_the_file_of_before(tmp_path, monkeypatch):
    file = tmp_path / "card.md"
    write_file(file, b"old")
    before = listing(tmp_path)

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="card.md: cannot be written .No space left"):
        write_file(file, b"new")
    assert listing(tmp_path) == before


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "jpg"])
def test_a_picture_replaces_its_own_and_nothing_else(tmp_path, ending):
    axes = plots.layer_sparsities(open_example()["digits/mlp"])
    ours, theirs = tmp_path / f"ours.{ending}", tmp_path / f"theirs.{ending}"
    plots.save(axes, ours)
    plots.save(axes, ours)
    content = ours.read_bytes()
    for changed in (content + b"<!-- my note -->\n", content[:-200] + content[-199:], content[:50]):
        theirs.write_bytes(changed)
        with pytest.raises(InputError, match="was not written by this version of prune_fair"):
            plots.save(axes, theirs)
        assert theirs.read_bytes() == changed


def test_a_link_stays_a_link(tmp_path):
    write_file(tmp_path / "card.md", b"old")
    (tmp_path / "link.md").symlink_to("card.md")
    write_file(tmp_path / "link.md", b"new")
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "card.md").read_bytes().startswith(b"new\n")


def test_a_loop_of_links_and_a_name_that_is_none_are_refused_in_a_line(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for name in ("a", "x\0y"):
        with pytest.raises(InputError):
            write_file(tmp_path / name, b"new")
    with pytest.raises(InputError):
        check_folder(tmp_path / "a", OURS, force=True, flag="--export")


def test_a_folder_that_cannot_be_made_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("mine")
    for name in ("file/x", "a" * 300):
        with pytest.raises(InputError, match="cannot be written"):
            check_folder(tmp_path / name, OURS, force=False, flag="--export")


def test_a_card_replaces_a_card_and_no_notes(tmp_path, no_pictures):
    path = open_example().attrs["path"]
    first = report.write_card(path, out=tmp_path / "card.html")
    again = report.write_card(path, out=tmp_path / "card.html")
    assert first.html == again.html
    notes = listing(tmp_path)["card.md"] + b"\nSigned: me\n"
    first.markdown.write_bytes(notes)
    with pytest.raises(InputError, match=r"card.md: was not .* or has been changed since"):
        report.write_card(path, out=tmp_path / "card.html")
    assert first.markdown.read_bytes() == notes


def test_a_folder_is_written_beside_and_moved(tmp_path):
    folder = tmp_path / "deep/chosen"
    write(folder)
    assert {*listing(tmp_path)} == {"deep/chosen/part/numbers", f"deep/chosen/{FOLDER_MARK}"}
    with pytest.raises(InputError, match="an earlier export of the same networks; give --force"):
        write(folder)
    write(folder, force=True, text="newer")
    assert (folder / "part/numbers").read_text() == "newer"
    assert sorted(os.listdir(tmp_path / "deep")) == ["chosen"]
    (empty := tmp_path / "empty").mkdir()
    write(empty)
    assert (empty / FOLDER_MARK).exists()


@pytest.mark.parametrize("force", [False, True])
def test_nothing_of_a_user_is_taken_for_ours(tmp_path, force):
    def refused(folder, words, identity=OURS):
        before = listing(tmp_path)
        with pytest.raises(InputError, match=words):
            write(folder, force, identity=identity)
        assert listing(tmp_path) == before

    (theirs := tmp_path / "thesis").mkdir()
    (theirs / "chapter.tex").write_text("ten years")
    refused(theirs, "holds what prune_fair did not write there")
    (theirs / FOLDER_MARK).write_text("[]")
    refused(theirs, "holds what prune_fair did not write there")
    (theirs / FOLDER_MARK).write_text(json.dumps({"mark": "written by prune_fair", "files": {}}))
    refused(theirs, "holds an export of other networks")
    refused(theirs / "chapter.tex", "is no folder")
    write(ours := tmp_path / "ours")
    refused(ours, "holds an export of other networks", {"networks_sha256": "b"})
    (ours / "notes").write_text("mine")
    refused(ours, "holds 'notes', which prune_fair did not write")
    (ours / "notes").unlink()
    (ours / "part/numbers").write_text("mine")
    refused(ours, "holds 'part/numbers', which prune_fair did not write")
    (link := tmp_path / "link").symlink_to(theirs)
    refused(link, "is no folder")


def _pipe(place: Path) -> None:
    os.mkfifo(place)


def _link_to_folder(place: Path) -> None:
    place.symlink_to("..")


def _link_to_file(place: Path) -> None:
    place.symlink_to(place.with_name(FOLDER_MARK))


def _unreadable(place: Path) -> None:
    place.write_text("mine")
    place.chmod(0)


@pytest.mark.parametrize("where", ["mine", "part/mine"])
@pytest.mark.parametrize("make", [Path.mkdir, _pipe, _link_to_folder, _link_to_file, _unreadable])
def test_what_is_no_file_is_a_user_s_too(tmp_path, make, where):
    write(folder := tmp_path / "chosen")
    make(folder / where)
    with pytest.raises(InputError, match=f"holds {where!r}, which prune_fair did not write"):
        write(folder, force=True)
    assert os.path.lexists(folder / where)


def test_a_pipe_in_place_of_the_mark_is_not_waited_for(tmp_path):
    write(folder := tmp_path / "chosen")
    (folder / FOLDER_MARK).unlink()
    _pipe(folder / FOLDER_MARK)
    with pytest.raises(InputError, match="holds what prune_fair did not write there"):
        write(folder, force=True)


def test_empty_folders_of_ours_are_ours(tmp_path):
    def written(force: bool) -> None:
        with new_folder(tmp_path / "chosen", OURS, force) as draft:
            (draft / "empty").mkdir(parents=True)
            (draft / "part").mkdir()
            (draft / "part/numbers").write_text("new")

    written(force=False)
    (tmp_path / "chosen/part/numbers").unlink()
    written(force=True)
    mark = tmp_path / "chosen" / FOLDER_MARK
    stated = json.loads(mark.read_text())
    assert {name: stated["files"].pop(name) for name in ("empty", "part")}  # as earlier versions
    (tmp_path / "chosen/empty").rmdir()
    mark.write_text(json.dumps(stated))
    written(force=True)


def test_the_working_directory_stays(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for folder in (".", "..", tmp_path / "here", "../here/."):
        with pytest.raises(InputError, match="is the working directory, or holds it"):
            check_folder(Path(folder), OURS, force=True, flag="--export")


def test_a_folder_that_fails_half_way_leaves_nothing(tmp_path):
    write(folder := tmp_path / "chosen")
    before = listing(tmp_path)

    def half_way():
        with new_folder(folder, OURS, force=True) as draft:
            draft.mkdir()
            (draft / "half").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert listing(tmp_path) == before
