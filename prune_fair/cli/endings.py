"""How a command ends before its end: by a mistake, a signal, a closed pipe or a lack of memory."""

import atexit
import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from prune_fair.errors import InputError, printable

GRACE = 8.0  # seconds from a signal to the end of the process, whatever it is doing
SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPED = "stopped: what is finished is kept; give the same command again to go on"
MISTAKE = 2


class Stopped(KeyboardInterrupt):
    """A signal asks the process to end; raised in the main thread."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number


def hear_signals() -> dict[int, Any]:
    """Has a signal end the process at once, with a line, until `one_line_errors` takes over.

    It is for the first line of a program, whose imports may take seconds. An exception would not
    do there: what imports modules drops those that are raised in its callbacks.

    Returns:
        What `let_go_of_signals` takes.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}  # Python hears of signals in the main thread alone
    return _handled_by(_end_at_once)


def let_go_of_signals(before: Mapping[int, Any]) -> None:
    """Puts back the handlers that were there before `hear_signals`."""
    for number, handler in before.items():
        if handler is not None:  # one that no Python installed cannot be put back
            signal.signal(number, handler)


@contextmanager
def ending_at_once() -> Iterator[None]:
    """As `hear_signals`, in a context."""
    before = hear_signals()
    try:
        yield
    finally:
        let_go_of_signals(before)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """One line on standard error for what ends a command early, and an exit status that says it.

    That is 2 for a mistake of the user, a file that cannot be written or read, and memory that
    does not suffice; 130 and 143 for SIGINT and SIGTERM; 141, without a line, where nobody reads
    what is printed. Errors of the program keep their traceback.
    """
    try:
        with _stopping_soon():
            yield
            if sys.stdout is not None:
                sys.stdout.flush()
    except Stopped as stopped:
        print(STOPPED, file=sys.stderr)
        atexit.register(_leave, stopped.status)  # JAX would wait for what its devices still compute
        raise SystemExit(stopped.status) from None
    except SystemExit as ended:  # Rich ends so, with 1, where nobody reads
        if isinstance(ended.__context__, BrokenPipeError):
            _let_go_of_output()
            raise SystemExit(128 + signal.SIGPIPE) from None
        raise
    except BrokenPipeError:
        _let_go_of_output()
        raise SystemExit(128 + signal.SIGPIPE) from None
    except Exception as error:
        written = _let_go_of_output()
        line = explained(error, "a file" if written else "standard output")
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        raise SystemExit(MISTAKE) from None


def explained(error: Exception, place: str = "a file") -> str | None:
    """What a user can do about an error, in one line; None for what is an error of the program.

    Args:
        error: any.
        place: what could not be written or read where the system does not say.

    Example:
        >>> explained(FileNotFoundError(2, "No such file or directory", "images.npz"))
        'images.npz: no such file or directory; what is finished is kept: mend it and go on'
        >>> explained(ZeroDivisionError())
    """
    if isinstance(error, InputError):
        return printable(error)  # and not joined: names in it are shown as they are
    text = printable(" ".join(str(error).split()))
    exhausted = type(error).__name__ in ("JaxRuntimeError", "XlaRuntimeError") and any(
        sign in text for sign in ("RESOURCE_EXHAUSTED", "Out of memory", "bad_alloc")
    )
    if isinstance(error, MemoryError) or exhausted:
        return (
            f"out of memory ({text[:150] or 'of this machine'}); what is finished is kept: lower "
            "--plan.members or --plan.chunk, --recipe.batch-size or the network's width, and give "
            "the same command again"
        )
    if isinstance(error, RuntimeError) and text.startswith("Unable to initialize backend"):
        return f"{text[:300]}; expected a device that JAX can use, or JAX_PLATFORMS=cpu"
    if isinstance(error, OSError):
        place, reason = printable(error.filename or place), (error.strerror or text).lower()
        return f"{place}: {reason}; what is finished is kept: mend it and go on"
    return None


@contextmanager
def _stopping_soon() -> Iterator[None]:
    """SIGINT and SIGTERM raise `Stopped`, and end the process in seconds where that cannot be.

    While XLA runs or compiles, Python raises nothing. A second thread hears of the signal by a pipe
    (`signal.set_wakeup_fd`), and ends the process if it has not ended by itself, or at a second
    signal. Files are written beside their place and moved there, so any moment will do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = _handled_by(_stop)
    threading.Thread(target=_end_in_time, args=(reader,), daemon=True).start()
    try:
        yield
    finally:
        let_go_of_signals(before)
        signal.set_wakeup_fd(wakeup)
        os.close(writer)


def _handled_by(handler: Callable[[int, FrameType | None], NoReturn]) -> dict[int, Any]:
    """Has signals handled so, but for those that are ignored; gives the handlers of before."""
    heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heard}


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)


def _end_at_once(number: int, frame: FrameType | None) -> NoReturn:
    shown = "\x1b[?25h" if os.isatty(2) else ""  # a progress bar hides the cursor
    with contextlib.suppress(OSError):
        os.write(2, f"{shown}{STOPPED}\n".encode())
    os._exit(128 + number)


def _end_in_time(reader: int) -> None:
    """Waits for a signal's number in a pipe, then for the pipe's end, but not for long."""
    number = 0
    while number not in SIGNALS:
        heard = os.read(reader, 1)
        if not heard:
            os.close(reader)
            return
        number = heard[0]
    ready, _, _ = select.select([reader], [], [], GRACE)
    if ready and not os.read(reader, 1):
        os.close(reader)
        return
    _end_at_once(number, None)


def _leave(status: int) -> NoReturn:
    _let_go_of_output()
    os._exit(status)


def _let_go_of_output() -> bool:
    """Writes what was printed, or drops it where it cannot be written; gives whether it could."""
    if sys.stdout is None:
        return True
    try:
        sys.stdout.flush()
        return _has_room()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False


def _has_room() -> bool:
    """Whether more could be printed: what failed in the midst of printing is flushed no more."""
    try:
        place = sys.stdout.fileno()
    except ValueError:  # no file of the system's
        return True
    os.write(place, b"")
    return not os.path.isfile(place) or os.fstatvfs(place).f_bavail > 0
