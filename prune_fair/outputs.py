"""Files and folders that this program writes for people: it replaces its own, nobody else's.

A file carries the digest of its content in its last line, a folder a file that lists all others
with their digests. What lacks that, or was changed since, is a user's and stays.
"""

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from prune_fair.errors import InputError, check

MARK = "written by prune_fair"
FOLDER_MARK = "prune_fair.json"
COMMENTS = {".pdf": "% {}", ".ps": "% {}", ".eps": "% {}"}  # of other files a comment of HTML
FOLDER = "a folder"
SAID = f"{MARK}, sha256 of what stands above:"
_LAST_LINE = re.compile(rf"(?:<!--|%) {SAID} ([0-9a-f]{{64}})(?: -->)?")


def signed(content: bytes, ending: str = ".html") -> bytes:
    """A file's content with one more line at its end, by which it is known again.

    It is a comment in HTML, Markdown, SVG, PDF and PostScript, and stands behind the end of PNG and
    JPEG pictures, which is not read.

    Args:
        content: of the file.
        ending: of its name.

    Example:
        >>> is_ours(signed(b"# Card")), is_ours(b"# Notes")
        (True, False)
    """
    content += b"" if content.endswith(b"\n") else b"\n"
    said = f"{SAID} {hashlib.sha256(content).hexdigest()}"
    return content + COMMENTS.get(ending, "<!-- {} -->").format(said).encode() + b"\n"


def is_ours(content: bytes) -> bool:
    """Whether this program wrote a file of that content, and nobody has changed it since."""
    above, _, last = content.removesuffix(b"\n").rpartition(b"\n")
    found = _LAST_LINE.fullmatch(last.decode(errors="replace"))
    return found is not None and hashlib.sha256(above + b"\n").hexdigest() == found[1]


def check_replaceable(file: Path) -> None:
    """Raises `InputError` for a path where something is that this program did not write."""
    expected = "expected a new name, or that of a file of its own; move it away, or name another"
    try:
        if not os.path.lexists(file):
            return
        check(file.is_file(), f"{file}: is no file; {expected}")
        ours = is_ours(file.read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{file}: cannot be read ({reason}); {expected}") from error
    check(
        ours,
        f"{file}: was not written by this version of prune_fair, or has been changed since; "
        f"{expected}",
    )


def write_file(file: Path, content: bytes) -> None:
    """Writes a file whole and signed: beside its place, then moved there; makes its folder.

    Raises:
        InputError: where something is that this program did not write, or it cannot be written.
    """
    check_replaceable(file)
    try:
        place = Path(os.path.realpath(file))  # a link stays one
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:50]}.")
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(signed(content, file.suffix.lower()))
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(draft, 0o666 & ~umask)
            os.replace(draft, place)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{file}: cannot be written ({reason}); name another file") from error


def check_folder(folder: Path, identity: Mapping[str, Any], force: bool, flag: str) -> None:
    """Raises `InputError` unless a folder may be written: it is new, empty, or ours and forced.

    Args:
        folder: to be written.
        identity: that its mark has to have, for it to be replaced.
        force: whether one of ours may be replaced.
        flag: by which another is named.
    """
    expected = f"expected a new folder or an empty one; name another with {flag}"
    place = Path(os.path.realpath(folder))
    check(
        not Path.cwd().is_relative_to(place),
        f"{folder}: is the working directory, or holds it; {expected}",
    )
    above = next(each for each in place.parents if os.path.lexists(each))
    check(
        above.is_dir() and os.access(above, os.W_OK) and len(os.fsencode(place.name)) <= 200,
        f"{folder}: cannot be written; {expected}",
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
            old = Path(beside, "old")
            if folder.exists():
                folder.rename(old)
            try:
                draft.rename(folder)
            except BaseException:
                if old.exists():
                    old.rename(folder)
                raise
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"{folder}: cannot be written ({reason}); name another with {flag}"
        ) from error


def _foreign_to(folder: Path, identity: Mapping[str, Any]) -> str:
    """What in a folder is not an export of that identity; empty where all of it is."""
    try:
        if not stat.S_ISREG((folder / FOLDER_MARK).lstat().st_mode):
            return "what prune_fair did not write there"
        mark = json.loads((folder / FOLDER_MARK).read_text())
        known, files = mark["mark"] == MARK, {**mark.pop("files")}
    except (OSError, ValueError, KeyError, TypeError):
        return "what prune_fair did not write there"
    if not known or any(mark.get(name) != value for name, value in identity.items()):
        return "an export of other networks"
    folders = {str(above): FOLDER for name in files for above in PurePath(name).parents}
    there, ours = _digests(folder), {**files, **folders}
    there.pop(FOLDER_MARK, None)
    changed = sorted(name for name in there if there[name] != ours.get(name))
    return f"{changed[0]!r}, which prune_fair did not write" if changed else ""


def _digests(folder: Path) -> dict[str, str]:
    """What everything below a folder is, by its path from there; `_digest` says it."""
    return {str(each.relative_to(folder)): _digest(each) for each in sorted(folder.rglob("*"))}


def _digest(path: Path) -> str:
    """A file's SHA-256, or what else is there; only files are opened, for a pipe would wait."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        return FOLDER
    if not stat.S_ISREG(mode):
        return "neither a file nor a folder"
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except PermissionError:
        return "a file that cannot be read"
