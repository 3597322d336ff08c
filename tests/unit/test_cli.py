"""The command line itself: what it documents, and how it ends."""

import argparse
import fcntl
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pullguard import __version__, cli
from pullguard.check.formats import REPORTERS
from pullguard.completion.manual import commands


def _commands() -> dict[str, argparse.ArgumentParser]:
    return commands(cli.parser())


def _options() -> Iterator[tuple[str, str]]:
    for name, command in _commands().items():
        for action in command._actions:  # noqa: SLF001 - argparse has no public list of them
            for option in action.option_strings:
                if option not in {"-h", "--help"}:
                    yield name, option


def _page_of(command: str, checkout: Path) -> str:
    """Return the page that says how a command is written: with placeholders for what users name."""
    (page,) = (
        page.read_text()
        for page in sorted((checkout / "docs").glob("*.md"))
        if page.name not in {"index.md", "tour.md", "tour.zh-CN.md"}  # which show commands, and explain none
        and re.search(rf"^    pullguard {command}(?: .*[A-Z]{{2}}.*)?$", page.read_text(), re.MULTILINE)
    )
    return page


@pytest.mark.parametrize("command", sorted(_commands()))
def test_every_command_is_in_the_tour(command: str, checkout: Path) -> None:
    assert f"pullguard {command}" in (checkout / "docs/tour.md").read_text()


@pytest.mark.parametrize(("command", "option"), list(_options()))
def test_every_option_is_on_its_page(command: str, option: str, checkout: Path) -> None:
    assert re.search(rf"`{option}\b", _page_of(command, checkout))


@pytest.mark.parametrize("name", REPORTERS)
def test_every_format_is_documented(name: str, checkout: Path) -> None:
    assert re.search(rf"^\| `{name}` \|", (checkout / "docs/check.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", sorted(_commands()))
def test_every_command_shows_examples(command: str) -> None:
    own = _commands()[command]
    assert re.search(rf"^examples:\n  .*\bpullguard {command}\b", own.epilog or "", re.MULTILINE)
    assert own.format_help().endswith(f"{own.epilog}\n")  # as it is written, not filled


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"pullguard {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["check"], ["chekc", "x"], ["check", "--fail-on", "all", "x"], ["test", "-o", "x"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main(arguments)
    assert "usage: pullguard" in capsys.readouterr().err


def test_an_error_is_one_line_and_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "absent.yaml"
    assert cli.main(["generate", "--config", str(config), "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"pullguard: {config}: ")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("name", ["--library=x", "-h", "--write-baseline", "--x.yaml"])
def test_names_of_files_are_no_options(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where a shell, or pre-commit, puts the names of all files of a change there."""
    (tmp_path / "x").write_text("#!/bin/sh\ntouch it-ran\n")
    (tmp_path / "x").chmod(0o755)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("kind: A\n")
    monkeypatch.chdir(tmp_path)
    for arguments in (["check", name, "a.yaml"], ["fix", "--diff", "a.yaml", name], ["test", name]):
        assert cli.main(arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err == (
            f"pullguard: {name} is an option and the name of a file; "
            f"put -- before the names of files, or write ./{name}\n"
        )
    assert cli.main(["check", "--", name]) == 0
    assert "in 1 object of 1 file" in capsys.readouterr().out
    assert not (tmp_path / "it-ran").exists()


def test_a_missing_engine_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pullguard.core.resources._CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "pullguard: pullguard-engine was not found; install pullguard from a wheel for this platform, or run "
        "`make tools` in a checkout of pullguard\n"
    )


def test_a_reader_that_goes_away_is_no_error(checkout: Path) -> None:
    samples = checkout / "rego/policies/protected_pull_policy/samples"
    with subprocess.Popen(
        [sys.executable, "-m", "pullguard", "check", "--everywhere", "-o", "json", *[str(samples)] * 20],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=600) == 128 + signal.SIGPIPE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_its_code(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pullguard", "check", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b"kind: Pod\n")
        process.stdin.flush()
        while _unread(process.stdin.fileno()):
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(timeout=600) == 128 + number
        assert process.stderr.read() == b""


def _unread(pipe: int) -> int:
    """Return how many bytes of a pipe nobody has read."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


_INTERRUPTED = """\
import os, runpy, signal, sys

class Finder:
    left = int(sys.argv.pop(1))

    def find_spec(self, name, path=None, target=None):
        if "pullguard.__main__" in sys.modules and name not in {"gc", "signal"}:  # which it has to have for that
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
sys.argv[0] = "pullguard"
from pullguard.__main__ import main
code = main()
sys.exit(code)
"""


@pytest.mark.parametrize("number", [*range(1, 12), 20, 30, 50, 80])
def test_an_interrupt_while_it_starts_leaves_no_trace(number: int, tmp_path: Path) -> None:
    """The one that comes with the import of a module, from the first one of the command on."""
    (tmp_path / "a.yaml").write_text("{}")
    command = [sys.executable, "-c", _INTERRUPTED, str(number), "check", str(tmp_path / "a.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stderr) in {(-signal.SIGINT, ""), (128 + signal.SIGINT, "")}


def test_the_usage_of_the_command_is_shown_for_an_option_that_it_does_not_have(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["check", "-q", "a.yaml"])
    error = capsys.readouterr().err
    assert (raised.value.code, error.split("[")[0]) == (2, "usage: pullguard check ")
    assert error.endswith("pullguard check: error: unrecognized arguments: -q\n")


def test_a_command_is_parsed_alone_as_among_all() -> None:
    everything = commands(cli.parser())
    for name, command in everything.items():
        ((own, alone),) = commands(cli.parser(name)).items()
        assert (own, alone.format_help()) == (name, command.format_help())
    assert commands(cli.parser("chekc")).keys() == everything.keys()
