"""Machines under load, users without rights: whatever is missing, no command calls clean what it did not judge.

Each test runs the command as a process of its own, in the state that it is about.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pullguard import __version__, cli

_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: dns, namespace: kube-system}
spec:
  containers: [{name: main, imagePullPolicy: Always, image: registry.example.com/dns:v1}]
"""
_CLUSTER = """\
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sProtectedPullPolicy
metadata: {name: protected}
spec: {enforcementAction: dryrun, match: {namespaces: [kube-system]}}
status: {auditTimestamp: "2026-01-01T00:00:00Z", totalViolations: 0, violations: []}
---
apiVersion: v1
kind: Namespace
metadata: {name: kube-system}
"""
# root reads everything, unless it has none of its capabilities.
_AS_OTHERS = 'set -- setpriv --inh-caps=-all --bounding-set=-all "$@"' if os.geteuid() == 0 else ""
_INTERNAL = "internal error"

Ended = subprocess.CompletedProcess[str]
Pullguard = Callable[..., Ended]

# The library is named: otherwise it is first generated again, to see whether it can be relied on, which takes long.
_LIBRARY = ["--library", "library"]

#: Each command with what it reads, and its exit code where all is well.
COMMANDS = {
    "audit": (["audit", "cluster.yaml"], 0),
    "check": (["check", *_LIBRARY, "deploy"], 1),
    "check with conftest": (["check", *_LIBRARY, "--engine", "conftest", "deploy"], 1),
    "check of stdin": (["check", *_LIBRARY, "-"], 1),
    "check with a baseline": (["check", *_LIBRARY, "--baseline", "known.json", "--write-baseline", "deploy"], 0),
    "check with files": (["check", *_LIBRARY, "--output-file", "a.sarif", "--output-file", "a.md", "deploy"], 1),
    "completion": (["completion", "bash"], 0),
    "explain": (["explain", "pull-policy-always"], 0),
    "fix": (["fix", *_LIBRARY, "--diff", "deploy"], 1),
    "fix of stdin": (["fix", *_LIBRARY, "-"], 0),
    "generate": (["generate", "--out", "generated"], 0),
    "init": (["init", "new.yaml"], 0),
    "scope": (["scope", "cluster.yaml"], 0),
    "test": (["test", "library/policies/protected_image_pinning"], 0),
}
_every_command = pytest.mark.parametrize("name", COMMANDS)


@pytest.fixture
def place(tmp_path: Path, checkout: Path, image_library: Path) -> Path:
    """Return a folder with something for each command."""
    shutil.copytree(image_library, tmp_path / "library")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "a.yaml").write_text(_POD)
    (tmp_path / "pullguard.yaml").write_text((checkout / "pullguard.yaml").read_text())
    (tmp_path / "cluster.yaml").write_text(_CLUSTER)
    return tmp_path


@pytest.fixture
def pullguard(place: Path, conftest_binary: Path) -> Pullguard:
    """Return what runs a command in that folder, from a shell that prepares something if it is told to."""

    def run(
        name: str, *, before: str = "", cwd: Path = place, env: dict[str, str] | None = None, **options: Any
    ) -> Ended:
        script = f'{before}\nexec "$@"'
        environment = {**os.environ, "PATH": f"{conftest_binary.parent}:{os.environ['PATH']}", **(env or {})}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "input": _POD}
        command = ["sh", "-c", script, "sh", sys.executable, "-m", "pullguard", *COMMANDS[name][0]]
        return subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            text=True,
            errors="replace",
            timeout=600,
            check=False,
            **{**streams, **options},
        )

    return run


def assert_error(ended: Ended) -> None:
    """Assert that a command said that it could not do what it was to do, and as no fault of its own."""
    assert ended.returncode == 2, ended
    assert ended.stderr.splitlines()[-1].startswith("pullguard: "), ended
    assert _INTERNAL not in ended.stderr, ended


@_every_command
def test_each_works(name: str, pullguard: Pullguard) -> None:
    ended = pullguard(name)
    assert (ended.returncode, ended.stderr if "fix" not in name else "") == (COMMANDS[name][1], ""), ended


@_every_command
def test_closed_standard_output(name: str, pullguard: Pullguard) -> None:
    """What cannot be printed is an error: an exit code alone would say that all of it was said."""
    assert_error(pullguard(name, before="exec >&-"))


@_every_command
def test_full_standard_output(name: str, pullguard: Pullguard) -> None:
    assert_error(pullguard(name, before="exec >/dev/full"))


@_every_command
@pytest.mark.parametrize("stderr", ["&-", "/dev/full"])
def test_no_standard_error(name: str, stderr: str, pullguard: Pullguard) -> None:
    # fix has its report there.
    expected = 2 if name.startswith("fix") and stderr == "/dev/full" else COMMANDS[name][1]
    assert pullguard(name, before=f"exec 2>{stderr}").returncode == expected


@_every_command
def test_no_output_at_all(name: str, pullguard: Pullguard) -> None:
    assert pullguard(name, before="exec >/dev/full 2>/dev/full").returncode == 2


@_every_command
def test_closed_standard_input(name: str, pullguard: Pullguard) -> None:
    ended = pullguard(name, before="exec <&-")
    if "stdin" not in name:
        assert ended.returncode == COMMANDS[name][1], ended
        return
    assert ended.returncode == 2, ended
    assert "<stdin>: error: there is no standard input; name a file instead" in ended.stdout + ended.stderr


@_every_command
def test_all_closed(name: str, pullguard: Pullguard) -> None:
    assert pullguard(name, before="exec <&- >&- 2>&-").returncode == 2


@_every_command
def test_ascii(name: str, place: Path, pullguard: Pullguard) -> None:
    (place / "deploy" / "a.yaml").write_text(_POD.replace("dns", "dnü"), "utf-8")
    (place / "deploy").rename(place / "dëploy")
    (place / "deploy").symlink_to("dëploy")
    for env in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        (place / "new.yaml").unlink(missing_ok=True)
        (place / "new.schema.json").unlink(missing_ok=True)
        assert pullguard(name, env=env).returncode == COMMANDS[name][1]


@_every_command
def test_a_working_directory_that_is_gone(name: str, tmp_path: Path, pullguard: Pullguard) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    ended = pullguard(name, cwd=gone, before=f"rmdir {gone}")
    assert_error(ended)
    assert "the working directory cannot be used (No such file or directory); leave it" in ended.stderr


@pytest.mark.parametrize("name", ["check", "check with conftest", "fix"])
@pytest.mark.parametrize("what", ["deploy", "deploy/sub", "deploy/a.yaml"])
def test_what_may_not_be_read_is_an_error(name: str, what: str, place: Path, pullguard: Pullguard) -> None:
    (place / "deploy" / "sub").mkdir()
    (place / what).chmod(0)
    try:
        ended = pullguard(name, before=_AS_OTHERS)
    finally:
        (place / what).chmod(0o755)
    assert ended.returncode == 2, ended
    assert (
        f"{what}: error: cannot be read: Permission denied; see whether you may read it" in ended.stdout + ended.stderr
    )


@_every_command
def test_no_memory(name: str, pullguard: Pullguard) -> None:
    """Whichever part of it gets none: it works, or says that it does not."""
    pullguard(name)  # compiles modules that have changed, for which Python needs more
    for megabytes in (20, 60, 200):
        ended = pullguard(name, before=f"ulimit -v {megabytes * 1024}")
        assert ended.returncode in {2, COMMANDS[name][1]}, (megabytes, ended)
        said = "pullguard: " in ended.stderr or "1 with errors" in ended.stdout
        assert (ended.returncode == 2) == said, (megabytes, ended)


def test_what_cannot_be_imported_is_no_finding() -> None:
    """Where memory is short, any import may fail, and Python's own exit code would be that of findings."""
    script = "import sys; sys.modules['pullguard.cli'] = None; from pullguard.__main__ import main; sys.exit(main())"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "pullguard: cannot go on (ModuleNotFoundError); it may need more memory\n"


@pytest.fixture
def little_space(place: Path) -> str:
    """Return what a shell does to leave hardly any space in a folder `full`, which is that for temporary files too."""
    if os.geteuid():
        pytest.skip("only root may mount a filesystem")
    (place / "full").mkdir()
    mount = 'mount -t tmpfs -o size=64k tmpfs full && export TMPDIR=$PWD/full && exec "$@"'
    return f"set -- unshare --mount sh -c '{mount}' sh \"$@\""


#: 4,000 pods, the last of which has a finding.
_MANY = "---\n".join([_POD.replace("kube-system", "default")] * 3999 + [_POD])


@_every_command
def test_a_disk_that_is_full(name: str, place: Path, pullguard: Pullguard, little_space: str) -> None:
    """It is judged whole, or it is an error; nothing that comes through a pipe is cut where the disk ends."""
    (place / "deploy" / "a.yaml").write_text(_MANY)
    ended = pullguard(name, before=little_space, input=_MANY)
    if ended.returncode != COMMANDS[name][1]:
        assert_error(ended)
    elif name == "fix of stdin":
        assert ended.stdout == _MANY.replace("Always", "IfNotPresent", 4000).replace("IfNotPresent", "Always", 3999)
    elif name == "check with a baseline":
        assert "1 known finding in the baseline known.json, which was written" in ended.stdout
    elif name.startswith("check"):
        assert "1 finding (1 high) and 0 errors in 4000 objects of 1 file" in ended.stdout


@pytest.mark.parametrize("name", ["check of stdin", "fix of stdin"])
def test_standard_input_is_kept_whole(name: str, pullguard: Pullguard, little_space: str) -> None:
    ended = pullguard(name, before=little_space, input=_MANY)
    assert_error(ended)
    assert ended.stderr == (
        "pullguard: standard input could not be kept in a temporary file (No space left on device); "
        "free space, or name a folder with more of it in the variable TMPDIR\n"
    )
    assert ended.stdout == ""


def test_a_limit_on_files(place: Path, pullguard: Pullguard) -> None:
    """What cannot be written is said; the findings are printed, and old files stay as they were."""
    for name in ("a.md", "known.json"):
        (place / name).write_text("old" if name == "a.md" else '{"version": 1, "findings": []}')
    before = (place / "known.json").read_text()
    ended = pullguard("check with files", before="ulimit -f 4")
    assert ended.returncode == 2, ended
    assert "a.sarif: error: cannot be written (File too large)" in ended.stdout
    assert "1 finding (1 high) and 1 error in 1 object" in ended.stdout
    assert ((place / "a.md").read_text() != "old", (place / "a.sarif").exists()) == (True, False)
    ended = pullguard("check with a baseline", before="ulimit -f 0")
    assert "known.json: error: cannot be written (File too large)" in ended.stdout, ended
    assert "1 finding (1 high) and 1 error in 1 object" in ended.stdout
    assert (ended.returncode, (place / "known.json").read_text()) == (2, before)
    assert sorted(path.name for path in place.iterdir()) == [
        *("a.md", "cluster.yaml", "deploy", "known.json", "library", "pullguard.yaml"),
    ]


def test_a_pipe_that_does_not_wait_is_read_to_its_end(place: Path) -> None:
    """Who opened it may have said so; what has not come yet still comes."""
    for arguments in (["check", *_LIBRARY, "-"], ["fix", "--diff", "-"], ["check", "--engine", "conftest", "-"]):
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        command = [sys.executable, "-m", "pullguard", *arguments]
        with subprocess.Popen(command, cwd=place, stdin=reader, stdout=subprocess.PIPE, text=True) as process:
            os.close(reader)
            time.sleep(1)
            os.write(writer, _POD.replace("kube-system", "default").encode() + b"---\n")
            time.sleep(1)
            os.write(writer, _POD.encode())
            os.close(writer)
            output, _ = process.communicate(timeout=600)
        assert process.returncode == 1, output
        assert "image: registry.example.com/dns:v1" in output or "1 finding (1 high)" in output


def test_a_fault_of_pullguard_is_no_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("\x1b[2J::error::")

    (tmp_path / "a.yaml").write_text(_POD)
    monkeypatch.setattr("pullguard.judging.judge.judge", fail)
    assert cli.main(["check", *_LIBRARY, str(tmp_path)]) == 2
    *trace, last = capsys.readouterr().err.splitlines()
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1] == r"KeyError: '\x1b[2J::error::'"
    assert last == (
        f"pullguard: internal error (KeyError): a fault of pullguard {__version__}, so nothing can be said of the "
        "input; please report it with the lines above, the command line and, if you may, what it read"
    )
