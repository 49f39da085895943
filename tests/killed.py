"""A process that runs a study and kills itself at its n-th durable write; for several n at once.

    python tests/killed.py CONFIG FOLDER ENGINE N...

Each study is FOLDER/N. ENGINE is `stub` or `real`. A fork is a process of its own, and spares the
seconds that importing takes; nothing of JAX runs before it.
"""

import json
import os
import signal
import sys
import warnings
from pathlib import Path

import stub_engine

from prune_fair import StudyConfig, run_study


def run_and_die(config, path, fatal):
    """Runs a study; the write of that number, from 1, is never made durable."""
    written, sync = [], os.fsync

    def fsync(descriptor):
        written.append(descriptor)
        if len(written) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(descriptor)

    os.fsync = fsync
    run_study(config, path)


if __name__ == "__main__":
    config, folder, engine, *moments = sys.argv[1:]
    config = StudyConfig.from_json(json.loads(config))
    if engine == "stub":
        stub_engine.replace_engine()
    for moment in moments:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of forks: no thread runs yet
            child = os.fork()
        if not child:
            run_and_die(config, Path(folder) / moment, int(moment))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
