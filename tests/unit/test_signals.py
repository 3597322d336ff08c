"""Signals that a program ignores from its start, as under nohup or in the background of a shell without job control."""

import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

_IGNORING = ("sh", "-c", 'trap "" HUP INT; exec "$@"', "sh")

_HANGS_UP = """
    import os, signal
    from pullguard.core.programs import private_folder

    with private_folder() as folder:
        os.kill(os.getpid(), signal.SIGHUP)
        print(folder, flush=True)
"""


def test_nohup_works() -> None:
    command = [sys.executable, "-c", dedent(_HANGS_UP)]
    ignoring = subprocess.run([*_IGNORING, *command], capture_output=True, text=True, timeout=600, check=True)
    assert not Path(ignoring.stdout.strip()).exists()
    assert ignoring.stdout != ""
    usual = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert (usual.returncode, usual.stdout) == (128 + signal.SIGHUP, "")


def test_what_tests_start_ignores_neither_of_them() -> None:
    done = subprocess.run(["grep", "SigIgn", "/proc/self/status"], capture_output=True, text=True, check=True)
    ignored = int(done.stdout.split()[1], 16)
    assert not ignored & (1 << signal.SIGHUP - 1 | 1 << signal.SIGINT - 1)


def test_neither_under_nohup() -> None:
    """The test above, where pytest itself was started with both ignored."""
    one = f"{__file__}::{test_what_tests_start_ignores_neither_of_them.__name__}"
    command = [*_IGNORING, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", one]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout
