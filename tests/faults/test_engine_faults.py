"""An engine that is killed, cut off, or writes what it should not: one clear error, and never a clean input.

Kills of pullguard itself leave no file that is cut.
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullguard import cli
from pullguard.core.resources import ENGINE, find_tool

_POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: d{number}, namespace: kube-system}}
spec:
  containers: [{{name: main, imagePullPolicy: Always, image: "registry.example.com/dns:v1"}}]
"""

#: Passes on what the engine writes, except for a change at one position; then it ends, so that neither waits forever.
_MANGLER = """\
    #!{python}
    import os, subprocess, sys, time

    place, how, what = {place}, {how!r}, {what!r}
    engine = subprocess.Popen([{engine!r}, *sys.argv[1:]], stdout=subprocess.PIPE)
    passed = 0
    while chunk := os.read(engine.stdout.fileno(), 65536):
        at = place - passed
        if 0 <= at < len(chunk):
            after = chunk[at + 1 :]
            os.write(1, chunk[:at] + {{"cut": b"", "drop": after, "replace": what + after}}.get(how, what + chunk[at:]))
            if how != "cut":
                time.sleep(0.3)
                while len(chunk := os.read(engine.stdout.fileno(), 65536)) > 0 and passed < 10 * place + 10000:
                    os.write(1, chunk)
                    passed += len(chunk)
            break
        passed += len(chunk)
        os.write(1, chunk)
    engine.kill()
"""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("manifest") / "a.yaml"
    file.write_text("---\n".join(_POD.format(number=number) for number in range(5)))
    return file


def _mangler(folder: Path, place: int, how: str, what: bytes) -> Path:
    program = folder / "engine"
    text = dedent(_MANGLER).format(
        python=sys.executable, place=place, how=how, what=what, engine=str(find_tool(ENGINE))
    )
    program.write_text(text)
    program.chmod(0o755)
    return program


@settings(max_examples=30, deadline=None)
@given(
    place=st.integers(0, 4000),
    how=st.sampled_from(["cut", "drop", "replace", "insert"]),
    what=st.sampled_from(
        [b"\n", b"{", b"}", b"]", b'"', b"0", b"9", b",", b"x", b"\x00", b"\xff", b"null\n", b"[]\n", b"{}\n"]
    ),
)
def test_answers_that_are_not_what_they_should_be(
    manifest: Path, tmp_path_factory: pytest.TempPathFactory, place: int, how: str, what: bytes
) -> None:
    program = _mangler(tmp_path_factory.mktemp("mangler"), place, how, what)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pullguard.engine.process.find_tool", lambda _: program)
        output, error = _run(["check", "--library", "builtin", str(manifest)], patch)
    code = output.code
    assert code in {1, 2}, (output, error)
    assert "internal error" not in error
    if code == 2 and error:
        assert error.startswith("pullguard: "), error
        assert error.count("\n") == 1, error
    elif code == 1:
        assert "and 0 errors in 5 objects of 1 file" in output.text or how in {"replace", "insert", "drop"}


class _Output:
    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text


def _run(arguments: list[str], patch: pytest.MonkeyPatch) -> tuple[_Output, str]:
    """Run a command in this process; capsys is for whole tests, not for each example."""
    import io  # noqa: PLC0415

    out, err = io.StringIO(), io.StringIO()
    patch.setattr(sys, "stdout", out)
    patch.setattr(sys, "stderr", err)
    code = cli.main(arguments)
    return _Output(code, out.getvalue()), err.getvalue()


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
def many(tmp_path: Path) -> Path:
    for number in range(20):
        text = "---\n".join(_POD.format(number=place) for place in range(number * 100, number * 100 + 100))
        (tmp_path / f"{number:02}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("seed", range(8))
def test_an_engine_that_is_killed(many: Path, seed: int) -> None:
    delay = random.Random(seed).uniform(0, 0.6)  # noqa: S311 - nothing is secret here
    command = [sys.executable, "-m", "pullguard", "check", "--library", "builtin", str(many)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30
        while not (children := _children(process.pid)) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(delay)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        output, error = process.communicate(timeout=60)
    if process.returncode == 1:
        assert "2000 findings (2000 high) and 0 errors in 2000 objects of 20 files" in output
    else:
        assert process.returncode == 2, error
        assert (error.count("\n"), error.startswith("pullguard: pullguard-engine ")) == (1, True), error


def _until_killed(command: list[str], delay: float, cwd: Path) -> None:
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(delay)
        process.kill()


@pytest.mark.parametrize("seed", range(6))
def test_fix_that_is_killed_leaves_whole_files(many: Path, seed: int) -> None:
    before = {file: file.read_text() for file in sorted(many.iterdir())}
    delay = random.Random(seed).uniform(0.3, 2.5)  # noqa: S311 - as above
    _until_killed([sys.executable, "-m", "pullguard", "fix", "--library", "builtin", "."], delay, many)
    for file, text in before.items():
        assert file.read_text() in {text, text.replace("Always", "IfNotPresent")}


@pytest.mark.parametrize("seed", range(4))
def test_a_library_that_is_written_has_whole_files(tmp_path: Path, checkout: Path, seed: int) -> None:
    command = [sys.executable, "-m", "pullguard", "generate", "--out", str(tmp_path / "library")]
    delay = random.Random(seed).uniform(0.3, 2.5)  # noqa: S311 - as above
    _until_killed(command, delay, checkout)
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        whole = checkout / file.relative_to(tmp_path)
        # What was being written has a name of its own, which nobody reads.
        assert not whole.exists() or file.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("seed", range(4))
def test_nothing_runs_on_when_it_is_killed(many: Path, seed: int) -> None:
    delay = random.Random(seed).uniform(0, 0.6)  # noqa: S311 - as above
    command = [sys.executable, "-m", "pullguard", "check", "--library", "builtin", str(many)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 30
        while not (children := _children(process.pid)) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(delay)
        process.kill()
    while any(_runs_engine(child) for child in children):
        assert time.monotonic() < until + 60
        time.sleep(0.01)


def _runs_engine(process: int) -> bool:
    """Tell whether a process is an engine, and not one that got its number since."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return ENGINE.encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


@pytest.mark.parametrize("seed", range(6))
def test_reports_are_whole_or_not_there(many: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "check",
        "--library",
        "builtin",
        "--output-file",
        "r.sarif",
        "--baseline",
        "b.json",
        "--write-baseline",
    ]
    whole = many.parent / f"{many.name}-whole"
    whole.mkdir()
    for file in many.iterdir():
        (whole / file.name).write_text(file.read_text())
    command = [sys.executable, "-m", "pullguard", *arguments, "."]
    subprocess.run(command, cwd=whole, capture_output=True, timeout=120, check=True)
    delay = random.Random(seed).uniform(0.5, 2.5)  # noqa: S311 - as above
    _until_killed(command, delay, many)
    for name in ("r.sarif", "b.json"):
        if (many / name).exists():
            assert (many / name).read_text() == (whole / name).read_text()
    assert capsys.readouterr().out == ""


def test_the_mangler_passes_on_what_it_does_not_change(manifest: Path, tmp_path: Path) -> None:
    """So that the test above tests something."""
    program = _mangler(tmp_path, 10**9, "cut", b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pullguard.engine.process.find_tool", lambda _: program)
        output, error = _run(["check", "--library", "builtin", str(manifest)], patch)
    assert (output.code, error) == (1, "")
    assert "5 findings (5 high) and 0 errors in 5 objects of 1 file" in output.text
