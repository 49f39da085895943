"""Files that are whole or not there, durable once written, and known to be what was written."""

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from prune_fair.errors import writing_to

DIGEST = "sha256"


def write_whole(file: Path, content: bytes) -> None:
    """Writes a file beside its place, makes it durable, and moves it there.

    Raises:
        InputError: where that cannot be done; nothing is left then.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}.draft")
    with writing_to(file):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
            sync([draft])
            draft.replace(file)
            sync([file.parent])
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise


def sync(paths: Iterable[Path]) -> None:
    """Makes files and folders durable: a disk that loses power has them."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_file(file: Path) -> bytes:
    """What a regular file holds; anything else, such as a pipe, is not waited for.

    Raises:
        OSError: if it cannot be read, or is no regular file.
    """
    if file.exists() and not file.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")
    return file.read_bytes()


def sealed(content: Mapping[str, Any]) -> bytes:
    """JSON text that carries its own digest, by which damage is found.

    Example:
        >>> print(sealed({"seeds": 2}).decode())  # doctest: +ELLIPSIS
        {
         "seeds": 2,
         "sha256": "..."
        }
        <BLANKLINE>
    """
    bare = {name: value for name, value in content.items() if name != DIGEST}
    digest = hashlib.sha256(_text(bare)).hexdigest()
    return _text({**bare, DIGEST: digest})


def unsealed(text: bytes) -> Any:
    """The content of `sealed`.

    Raises:
        ValueError: if it is another text than was written.

    Example:
        >>> unsealed(sealed({"seeds": 2}))
        {'seeds': 2}
        >>> unsealed(sealed({"seeds": 2}).replace(b"2", b"3", 1))
        Traceback (most recent call last):
            ...
        ValueError: its digest is not that of its content
    """
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(content, dict) or sealed(content) != text:
        raise ValueError("its digest is not that of its content")
    del content[DIGEST]
    return content


def _text(content: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(content, indent=1)}\n".encode()
