"""The Rego of libraries and Suites reaches nothing: no server, no file, no environment; and it has an end."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import suite_tree
from pullguard.check.command import check
from pullguard.core import programs
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Report
from pullguard.engine.batches import Batch
from pullguard.engine.conftest import conftest
from pullguard.engine.groups import groups
from pullguard.engine.protocol import Engine
from pullguard.library.store import load
from pullguard.suites.command import run as suites
from small_library import constraint, template, write_library

#: Ways to reach out of the policies, with a port to reach.
REACHES = {
    "http.send": 'http.send({{"method": "get", "url": "http://127.0.0.1:{port}/"}})',
    "http.send in brackets": 'http["send"]({{"method": "get", "url": "http://127.0.0.1:{port}/"}})',
    "net.lookup_ip_addr": 'net.lookup_ip_addr("localhost")',
    "opa.runtime": "opa.runtime()",
    "json.verify_schema of http": 'json.verify_schema({{"$ref": "http://127.0.0.1:{port}/"}})',
    "json.verify_schema of a file": 'json.verify_schema({{"$ref": "file:///etc/hostname"}})',
    "json.match_schema": 'json.match_schema({{}}, {{"$ref": "http://127.0.0.1:{port}/"}})',
}
_HEADS = {"v0": 'violation[{{"msg": "x"}}] {{', "v1": 'violation contains {{"msg": "x"}} if {{'}
_POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"


@pytest.fixture
def port() -> Iterator[int]:
    """Yield a port on which nobody is to be asked anything."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.1)
        yield server.getsockname()[1]
        with pytest.raises(TimeoutError):
            server.accept()


def _rego(body: str, version: str) -> str:
    return f"package a\n\n{_HEADS[version].format()}\n\t{body}\n}}\n"


@pytest.fixture
def judged(tmp_path: Path, conftest_binary: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Return what judges a pod by a policy, by one of the engines."""
    monkeypatch.setenv("PATH", str(conftest_binary.parent), prepend=":")
    (tmp_path / "pod.yaml").write_text(_POD)

    def judge(body: str, version: str, **how: Any) -> Report:
        library = write_library(
            tmp_path / "library", template("A", _rego(body, version), version=version), constraint("A", "a")
        )
        return check([str(tmp_path / "pod.yaml")], library=library, **how)

    return judge


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", REACHES)
def test_libraries_in_conftest(judged: Callable[..., Report], port: int, way: str, version: str) -> None:
    with pytest.raises(PullguardError, match=rf"undefined function {way.partition(' ')[0]}"):
        judged(REACHES[way].format(port=port), version, engine="conftest")


def test_conftest_has_no_functions_of_its_own_that_read_files(judged: Callable[..., Report]) -> None:
    with pytest.raises(PullguardError, match="undefined function parse_config_file"):
        judged('parse_config_file("/etc/hostname")', "v1", engine="conftest")


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", REACHES)
def test_suites(tmp_path: Path, port: int, way: str, version: str) -> None:
    body = _rego(REACHES[way].format(port=port), version)
    suite_tree.save(tmp_path / "t.yaml", suite_tree.template("A", body, version=version))
    suite_tree.save(tmp_path / "c.yaml", suite_tree.constraint("A"))
    suite_tree.save(tmp_path / "o.yaml", suite_tree.resource())
    suite_tree.suite(tmp_path, suite_tree.test("t", "t.yaml", "c.yaml", suite_tree.case("c", "o.yaml")))
    report = suites([str(tmp_path)])
    (test,) = report.suites[0].tests
    function = way.partition(" ")[0]
    assert (report.exit_code, test.outcome) == (2, "error")
    assert f"undefined function {function}" in test.message


def test_every_function_that_is_withheld_is_tried(checkout: Path) -> None:
    listed = re.search(r"var Withheld = .*", (checkout / "tools/engine/judge/modules.go").read_text())
    assert listed is not None
    assert {way.partition(" ")[0] for way in REACHES} == set(re.findall(r'"([\w.]+)"', listed[0]))


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", REACHES)
def test_libraries(judged: Callable[..., Report], port: int, way: str, version: str) -> None:
    with pytest.raises(PullguardError, match=rf"undefined function {way.partition(' ')[0]}"):
        judged(REACHES[way].format(port=port), version)


def test_memory_of_the_engine_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(_POD)
    body = "count(numbers.range(1, 1000000000)) > 0"
    library = write_library(tmp_path / "library", template("A", _rego(body, "v1")), constraint("A", "a"))
    # Less than the engine allows itself, so that the test needs less too.
    script = 'ulimit -d 800000 && exec "$@"'
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "pullguard", "check", "--library", library]
    ended = subprocess.run(
        [*command, str(tmp_path / "pod.yaml")], capture_output=True, text=True, timeout=300, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "pullguard: pullguard-engine needed more memory than it may have, or than there is; "
        "see whether a policy takes it, or give pullguard less to read at once\n"
    )


_GREEDY = "count(numbers.range(1, 1000000000)) > 0"
_TOO_MUCH = r"it needed more than 1 GB of memory$"


def test_memory_of_conftest_is_bounded(tmp_path: Path, conftest_binary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MEMORY", 2**30)
    library = write_library(tmp_path / "library", template("A", _rego(_GREEDY, "v1")), constraint("A", "a"))
    with Engine() as engine:
        loaded = load(engine, library)
    (group,) = groups(loaded.templates, loaded.constraints)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    (tmp_path / "own").mkdir()
    run = conftest(str(conftest_binary), group, folder=tmp_path / "own").start(Batch([json.dumps(pod)], {}))
    with pytest.raises(PullguardError, match=_TOO_MUCH):
        run.answers()


def test_memory_of_opa_servers_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MEMORY", 2**30)
    suite_tree.save(tmp_path / "t.yaml", suite_tree.template("A", _rego(_GREEDY, "v1")))
    suite_tree.save(tmp_path / "c.yaml", suite_tree.constraint("A"))
    suite_tree.save(tmp_path / "o.yaml", suite_tree.resource())
    suite_tree.suite(tmp_path, suite_tree.test("t", "t.yaml", "c.yaml", suite_tree.case("c", "o.yaml")))
    with pytest.raises(PullguardError, match=_TOO_MUCH):
        suites([str(tmp_path)])


def test_the_engine_sees_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with Engine() as engine:
        pid = engine.start()._child.pid  # noqa: SLF001 - only a test wants to know
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    names = {entry.partition(b"=")[0] for entry in environment.split(b"\0")}
    assert names <= {b"", b"GOGC", b"HOME", b"PATH", b"TMPDIR"}


def test_programs_that_judge_see_nothing_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("CONFTEST_POLICY", "elsewhere")
    ended = programs.start(["env"], folder=tmp_path, timeout=10, confined=True).wait()
    assert {line.partition(b"=")[0] for line in ended.stdout.splitlines()} <= {b"HOME", b"PATH", b"TMPDIR"}
    # What is not confined, such as kubectl, is ours.
    assert b"AWS_SECRET_ACCESS_KEY=secret" in programs.start(["env"], folder=tmp_path, timeout=10).wait().stdout


@pytest.mark.parametrize("way", REACHES)
def test_opa_in_the_engine(checkout: Path, port: int, way: str) -> None:
    """Its server goes by no capabilities, so the functions are not there at all."""
    query = REACHES[way].format(port=port)
    command = [str(checkout / ".tools/bin/pullguard-engine"), "opa", "eval", "--format", "raw", query]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 2
    assert f"undefined function {way.partition(' ')[0]}" in ended.stderr + ended.stdout
