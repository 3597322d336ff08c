"""What the last words of a program say about its end."""

import os
import re
import signal
from pathlib import Path

import pytest

from pullguard.core import systems
from pullguard.core.programs import OUT_OF_MEMORY, is_out_of_memory, signals_held


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("fatal error: runtime: out of memory", True),
        ("runtime: failed to create new OS thread (have 5 already; errno=11)", True),
        ("fork/exec /proc/self/exe: cannot allocate memory", True),
        # The runtime itself, on a stack of its own, against Go code that follows no pointer.
        ("SIGSEGV: segmentation violation\nPC=0x437cbd m=5 sigcode=1 addr=0x0\n", True),
        ("panic: runtime error: invalid memory address\n[signal SIGSEGV: segmentation violation code=0x1]\n", False),
        ("", False),
    ],
)
def test_too_little_memory(said: str, expected: bool) -> None:
    assert is_out_of_memory(said) is expected


def test_the_engine_knows_too_little_memory_by_the_same_words(checkout: Path) -> None:
    words = (checkout / "tools/engine/memory/words.go").read_text("utf-8")
    assert re.findall("`(.*)`", words) == [OUT_OF_MEMORY]


def _interrupted(times: int) -> list[int]:
    """Return which steps are done of a block that gets signals after its first one."""
    done: list[int] = []

    def run() -> None:
        with signals_held():
            done.append(1)
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
            done.append(2)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return done


def test_a_signal_is_held_until_the_block_is_done() -> None:
    assert _interrupted(1) == [1, 2]


def test_a_second_signal_ends_the_block() -> None:
    assert _interrupted(2) == [1]


def test_programs_of_the_current_folder_are_not_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a repository under check, and PATH may lead there by an empty or a relative entry."""
    (folder / "bin").mkdir()
    for place in ("git", "bin/git", "bin/gator"):
        (folder / place).touch(0o755)
    (folder / "bin" / "opa").touch(0o644)
    (folder / "bin" / "conftest").mkdir()
    relative = os.pathsep.join(("", ".", "bin"))
    monkeypatch.setenv("PATH", relative)
    assert systems.which("git") is None
    monkeypatch.setenv("PATH", os.pathsep.join((relative, str(folder / "bin"))))
    names = ("git", "gator", "opa", "conftest", "kubectl", "./git", "bin/gator", "./opa")
    expected = (
        f"{folder}/bin/git",
        f"{folder}/bin/gator",
        None,
        None,
        None,
        f"{folder}/git",
        f"{folder}/bin/gator",
        None,
    )
    assert tuple(map(systems.which, names)) == expected
