"""The manual page: it has all that the parser has, and man(1) has nothing to say against it."""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard import __version__, cli
from pullguard.completion.manual import commands, manual


def _page(text: str, tmp_path: Path, *, width: int = 200) -> str:
    """Return a page as man shows it; a warning of roff fails."""
    man = shutil.which("man")
    if man is None or shutil.which("groff") is None:
        pytest.skip("man is not installed")
    file = tmp_path / "pullguard.1"
    file.write_text(text)
    environment = {"MANWIDTH": str(width), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MAN_KEEP_FORMATTING": ""}
    ended = subprocess.run([man, "--warnings", "-l", file], env=environment, capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    return re.sub(".\b", "", ended.stdout)


def test_everything_is_on_the_page(tmp_path: Path) -> None:
    unbroken = re.sub("\N{HYPHEN}\n *", "", _page(manual(cli.parser()), tmp_path))
    page = " ".join(unbroken.split())
    assert f"pullguard {__version__}" in page
    for name, command in commands(cli.parser()).items():
        assert f"pullguard {name} " in page
        assert " ".join((command.description or "").split()) in page
        for action in command._actions:  # noqa: SLF001 - argparse has no public list of them
            assert all(option in page for option in action.option_strings if option not in {"-h", "--help"})
        examples = (command.epilog or "").split("\n\n")[0].removeprefix("examples:").split("\n")
        assert all(" ".join(line.split()) in page for line in examples)


def test_a_page(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser(prog="tool", description="Does things.", epilog="exit codes:\n  0  good")
    own = parser.add_subparsers().add_parser(
        "run", description=".Run 'it'.", epilog="examples:\n  tool run -x\n      \\fBthis\n\nexit codes:\n  0  good"
    )
    own.add_argument("-x", "--extra", metavar="N", help="more; default: %(default)s", default=3)
    own.add_argument("--flag", action="store_true", help="yes")
    own.add_argument("kind", choices=("a", "b"), help="a kind")
    own.add_argument("files", nargs="*", metavar="FILE", help="files")
    page = _page(manual(parser), tmp_path, width=80)
    assert (
        page[page.index("NAME") : page.rindex("\n", 0, -1)].rstrip()
        == """\
NAME
       tool - does things

SYNOPSIS
       tool COMMAND [OPTIONS] [ARGUMENTS]

COMMANDS
   tool run
       .Run 'it'.

       tool run [OPTIONS] a|b [FILE...]

       -x, --extra N
              more; default: 3

       --flag yes

       a|b    a kind

       FILE   files

       Examples
           tool run -x
               \\fBthis

OPTIONS
EXIT CODES
       0  good"""
    )


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20))
def test_no_text_is_a_request_of_roff(text: str) -> None:
    parser = argparse.ArgumentParser(prog="tool", description="d")
    parser.add_subparsers().add_parser("run", description=text)
    lines = manual(parser).splitlines()
    (written,) = (lines[place + 1] for place, line in enumerate(lines) if line == ".SS tool run")
    assert not written.startswith((".", "'"))
    assert "\\" not in re.sub(r"\\(e|-|&|\(aq|\(ga)", "", written)


def test_wheels_are_built_without_dependencies(checkout: Path) -> None:
    """Where a wheel is built, only the build backend is installed, and the page is made from the parser."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pullguard.cli import parser\n"
        "from pullguard.completion.manual import manual\n"
        "print(len(manual(parser())) > 1000)\n"
    )
    command = [sys.executable, "-I", "-S", "-c", program, str(checkout / "generator")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
