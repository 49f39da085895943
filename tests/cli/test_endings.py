"""Commands that end early: by a signal, a closed pipe, a full disk or a lack of memory."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest

from prune_fair.cli import endings
from prune_fair.errors import InputError, unknown, writing_to
from prune_fair.store.results import EXAMPLE

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("prune-fair")

# Says when it begins; what follows is under way when the signal comes.
PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
import jax
from prune_fair.cli import endings
from prune_fair.study.background import in_background
endings.GRACE = {grace}
begun = lambda: print("begun", file=sys.stderr, flush=True)
with endings.one_line_errors():
    {body}
"""
IN_PYTHON = "begun(); time.sleep(60)"
IN_XLA = (
    "run = jax.jit(lambda n: jax.lax.while_loop(lambda i: i < n, lambda i: i + 1, 0)); "
    "run(1).block_until_ready(); begun(); run(2**31 - 1).block_until_ready(); time.sleep(60)"
)
SAVING = """
    def save():
        time.sleep(0.2); begun(); time.sleep(1); print("saved", flush=True)
    with in_background() as submit:
        submit(save); time.sleep(60)
"""


def stopped(body: str, number: int, grace: float = 8.0, signals: int = 1):
    """A process that is told to end while it runs that."""
    program = PROGRAM.format(body=body.strip("\n").removeprefix("    "), grace=grace)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "begun\n"
    began = time.monotonic()
    for _ in range(signals):
        process.send_signal(number)
        time.sleep(0.3)
    out, err = process.communicate(timeout=60)
    return process.returncode, time.monotonic() - began, out, err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("body", [IN_PYTHON, IN_XLA])
def test_a_signal_ends_the_process_whatever_it_does(body, number, status):
    ended, seconds, _, err = stopped(body, number, grace=0.5)
    assert ended == status
    assert seconds < 5
    assert err == f"{endings.STOPPED}\n"


def test_what_is_being_saved_is_saved():
    ended, _, out, err = stopped(SAVING, signal.SIGTERM)
    assert (ended, out, err) == (143, "saved\n", f"{endings.STOPPED}\n")


def test_a_second_signal_does_not_wait_for_it():
    ended, seconds, out, err = stopped(SAVING.replace("sleep(1)", "sleep(50)"), 2, signals=2)
    assert (ended, out, err) == (130, "", f"{endings.STOPPED}\n")
    assert seconds < 5


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    "command",
    [
        [COMMAND, "metrics", "q"],
        [sys.executable, "-m", "prune_fair", "list"],
        [sys.executable, ROOT / "experiments/quickstart.py"],
        [sys.executable, ROOT / "experiments/fashion_mnist.py"],
    ],
)
def test_a_signal_that_comes_while_modules_are_imported(tmp_path, command, number, status):
    slow = "import sys, time\nprint('begun', file=sys.stderr, flush=True)\ntime.sleep(60)\n"
    (tmp_path / "numpy.py").write_text(slow)
    heard = "import os, signal, sys; signal.signal(2, signal.SIG_DFL); "
    heard += "os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", heard, *command],  # a shell's background ignores it
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "begun\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (status, f"{endings.STOPPED}\n")


@pytest.mark.parametrize("module", ["prune_fair.cli", "prune_fair.cli.endings"])
def test_what_hears_of_signals_is_imported_in_no_time(module):
    heavy = "{'jax', 'numpy', 'tyro', 'xarray', 'rich'}"
    program = f"import sys, {module}; sys.exit(str({heavy} & {{*sys.modules}} or ''))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_importing_the_library_handles_no_signal():
    before = [signal.getsignal(number) for number in endings.SIGNALS]
    program = (
        "import signal, prune_fair.cli; from prune_fair import DataConfig\n"
        "assert signal.getsignal(signal.SIGINT) == signal.default_int_handler\n"
        "assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL"
    )
    begin = "import signal; signal.signal(2, signal.default_int_handler)\n"
    subprocess.run([sys.executable, "-c", begin + program], check=True)
    with endings.ending_at_once():
        assert [signal.getsignal(number) for number in endings.SIGNALS] != before
    assert [signal.getsignal(number) for number in endings.SIGNALS] == before


def test_a_signal_that_was_ignored_stays_so():
    """As in a shell's background, or under nohup."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with endings.one_line_errors():
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def test_afterwards_signals_are_what_they_were():
    before = [signal.getsignal(number) for number in endings.SIGNALS]
    with endings.one_line_errors():
        pass
    assert [signal.getsignal(number) for number in endings.SIGNALS] == before


@pytest.mark.parametrize("words", [["metrics", EXAMPLE], ["metrics", EXAMPLE, "--json"], ["list"]])
def test_a_pipe_that_nobody_reads_ends_it_silently(words):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([COMMAND, *words], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_a_disk_that_is_full():
    """Where little is printed it shows at the end, where much is, in the midst of it."""
    for words in (["list"], ["metrics", EXAMPLE, "--names", "all", "--json"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([COMMAND, *words], stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 2
        assert done.stderr.count(b"\n") == 1
        assert done.stderr.startswith(b"error: standard output: no space left on device; ")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InputError("seeds 0"), "error: seeds 0\n"),
        (MemoryError("Unable to allocate 7 TiB"), "out of memory (Unable to allocate 7 TiB)"),
        (jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: 9 bytes\n more"), "lower --plan.members"),
        (RuntimeError("Unable to initialize backend 'tpu': none"), "or JAX_PLATFORMS=cpu"),
        (PermissionError(13, "Permission denied", "a/b"), "a/b: permission denied"),
        (PermissionError(13, "Permission denied", "a\nb"), r"a\nb: permission denied"),
        (OSError("of\n  another library"), "error: a file: of another library; what"),
        (unknown("class", "\x1b", ["c\nnewline", "c\t\ttabs"]), r"Valid: c\nnewline, c\t\ttabs"),
        (InputError(" a  name "), "error:  a  name \n"),
    ],
)
def test_errors_in_a_line(capsys, error, message):
    with pytest.raises(SystemExit) as stop, endings.one_line_errors():
        raise error
    err = capsys.readouterr().err
    assert stop.value.code == 2
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError("bug"), jax.errors.JaxRuntimeError("INTERNAL: bug")])
def test_bugs_keep_their_traceback(error):
    with pytest.raises(type(error), match="bug"), endings.one_line_errors():
        raise error


def test_writing_to_says_where():
    message = r"figures: cannot be written \(full\); what is finished"
    with pytest.raises(InputError, match=message), writing_to("figures"):
        raise OSError(28, "full")
