"""Files and folders that this program writes for people: it replaces its own, nobody else's.

A text carries the digest of its content in its last line, a picture a mark in its metadata, a
folder a file that lists all others with their digests. What lacks that, or was changed since, is a
user's and stays.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prune_fair.errors import InputError, check

MARK = "written by prune_fair"
FOLDER_MARK = "prune_fair.json"
_PICTURES = (b"\x89PNG\r\n", b"<?xml", b"%PDF-", b"%!PS-")
_LAST_LINE = re.compile(rf"<!-- {MARK}, sha256 of what stands above: ([0-9a-f]{{64}}) -->\n")


def signed(text: str) -> str:
    """A text with a last line, a comment in HTML and Markdown, by which it is known again.

    Example:
        >>> is_ours(signed("# Card").encode()), is_ours(b"# Notes")
        (True, False)
    """
    text = text if text.endswith("\n") else f"{text}\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text}<!-- {MARK}, sha256 of what stands above: {digest} -->\n"


def is_ours(content: bytes) -> bool:
    """Whether this program wrote a file of that content, and nobody has changed it since.

    Of pictures only the mark is known, which editors of pictures do not keep.
    """
    above, _, last = content.removesuffix(b"\n").rpartition(b"\n")
    found = _LAST_LINE.fullmatch(last.decode(errors="replace") + "\n")
    if found is not None:
        return hashlib.sha256(above + b"\n").hexdigest() == found[1]
    return content.startswith(_PICTURES) and MARK.encode() in content


def check_replaceable(file: Path, flag: str = "--out") -> None:
    """Raises `InputError` for a path where something is that this program did not write."""
    expected = (
        "expected a new name, or that of a file which prune_fair wrote; move it away, or name "
        f"another with {flag}"
    )
    try:
        if not os.path.lexists(file):
            return
        check(file.is_file(), f"{file}: is no file; {expected}")
        ours = is_ours(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); {expected}") from error
    check(ours, f"{file}: was not written by prune_fair, or has been changed since; {expected}")


def write_file(file: Path, content: bytes, flag: str = "--out") -> None:
    """Writes a file whole: beside its place, then moved there; makes its folder.

    Raises:
        InputError: where something is that this program did not write, or it cannot be written.
    """
    check_replaceable(file, flag)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(content)
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(draft, 0o666 & ~umask)
            os.replace(draft, file)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"{file}: cannot be written ({reason}); name another with {flag}"
        ) from error


def check_folder(folder: Path, identity: Mapping[str, Any], force: bool, flag: str) -> None:
    """Raises `InputError` unless a folder may be written: it is new, empty, or ours and forced.

    Args:
        folder: to be written.
        identity: that its mark has to have, for it to be replaced.
        force: whether one of ours may be replaced.
        flag: by which another is named.
    """
    expected = f"expected a new folder or an empty one; name another with {flag}"
    check(
        not Path.cwd().is_relative_to(folder.resolve()),
        f"{folder}: is the working directory, or holds it; {expected}",
    )
    if not os.path.lexists(folder):
        return
    check(folder.is_dir() and not folder.is_symlink(), f"{folder}: is no folder; {expected}")
    if not any(folder.iterdir()):
        return
    foreign = _foreign_to(folder, identity)
    check(not foreign, f"{folder}: holds {foreign}; {expected}")
    check(
        force,
        f"{folder}: holds an earlier export of the same networks; give --force to replace it, or "
        f"name another folder with {flag}",
    )


@contextmanager
def new_folder(
    folder: Path, identity: Mapping[str, Any], force: bool = False, flag: str = "--out"
) -> Iterator[Path]:
    """Gives a path beside a folder to write into; at the end it is marked and takes its place.

    Raises:
        InputError: as `check_folder`, or where it cannot be written.
    """
    folder = folder.expanduser()
    check_folder(folder, identity, force, flag)
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=folder.absolute().parent, prefix=f".{folder.name}."
        ) as beside:
            draft = Path(beside, "new")
            yield draft
            mark = {"mark": MARK, **identity, "files": _digests(draft)}
            (draft / FOLDER_MARK).write_text(json.dumps(mark, indent=1) + "\n")
            check_folder(folder, identity, force, flag)  # it may have been filled since
            if folder.exists():
                folder.rename(Path(beside, "old"))
            draft.rename(folder)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"{folder}: cannot be written ({reason}); name another with {flag}"
        ) from error


def _foreign_to(folder: Path, identity: Mapping[str, Any]) -> str:
    """What in a folder is not an export of that identity; empty where all of it is."""
    try:
        mark = json.loads((folder / FOLDER_MARK).read_text())
        known, files = mark["mark"] == MARK, {**mark.pop("files")}
    except (OSError, ValueError, KeyError, TypeError):
        return "what prune_fair did not write there"
    if not known or any(mark.get(name) != value for name, value in identity.items()):
        return "an export of other networks"
    there = _digests(folder)
    there.pop(FOLDER_MARK, None)
    changed = sorted(name for name in there if there[name] != files.get(name))
    return f"{changed[0]!r}, which prune_fair did not write" if changed else ""


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path from there."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if not file.is_dir() or file.is_symlink()
    }
