"""`import pullguard`: the functions that the command line calls."""

import re
import subprocess
import sys
from pathlib import Path

import pullguard
from pullguard.audit.command import audit
from pullguard.check.command import check
from pullguard.discover.command import discover
from pullguard.fix.command import fix
from pullguard.generate.command import generate
from pullguard.images.command import images
from pullguard.outage.command import outage
from pullguard.prefetch.command import prefetch
from pullguard.scope.command import scope
from pullguard.suites.command import run

_PAGE = Path(__file__).resolve().parents[2] / "docs/python.md"


def test_the_example_of_the_page(tmp_path: Path) -> None:
    text = _PAGE.read_text("utf-8")
    example, printed = re.findall(r"^```(?:python)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == (printed, "", 0)


def test_each_function_is_that_of_the_command_line() -> None:
    assert (pullguard.audit, pullguard.check, pullguard.discover, pullguard.fix) == (audit, check, discover, fix)
    assert (pullguard.generate, pullguard.images, pullguard.outage) == (generate, images, outage)
    assert (pullguard.prefetch, pullguard.scope, pullguard.test) == (prefetch, scope, run)


def test_the_page_names_each_function() -> None:
    functions = re.findall(r"^\| `(\w+)\(", _PAGE.read_text("utf-8"), re.MULTILINE)
    assert functions == sorted(set(pullguard.__all__) - {"PullguardError"})


def test_a_function_keeps_its_name_whatever_is_imported() -> None:
    program = (
        "import pullguard\n"
        "from pullguard.check.formats import REPORTERS\n"
        "from pullguard.fix import command\n"
        "print(pullguard.check.__module__, pullguard.fix.__module__, command.__name__)\n"
        "print('check' in dir(pullguard), hasattr(pullguard, 'nothing'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "pullguard.check.command pullguard.fix.command pullguard.fix.command\nTrue False\n"


def test_importing_it_loads_nothing_else() -> None:
    program = "import sys, pullguard\nprint(sorted(name for name in sys.modules if name.startswith('pullguard')))\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "['pullguard']\n"
