"""The OPA server: who can use it, what is known of it, and that it never outlives its parent."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent

import pytest

import suite_tree
from pullguard.core.errors import PullguardError
from pullguard.suites import opa_server
from pullguard.suites.opa_server import OpaServer, RegoError, RegoFault

_SECONDS = 120


@pytest.fixture
def rego(checkout: Path) -> list[Path]:
    return [checkout / "rego/system/authz/authz.rego", checkout / "rego/gatekeeper/driver/driver.rego"]


@pytest.fixture
def server(opa: tuple[str, ...], rego: list[Path]) -> Iterator[OpaServer]:
    with OpaServer(opa, version="v1", rego=rego) as started:
        started.wait()
        yield started


def _status(port: int, headers: dict[str, str], path: str = "/v1/data") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _environment(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def _token(server: OpaServer) -> str:
    return server._token  # noqa: SLF001 - nobody else is told


@pytest.mark.parametrize("path", ["/v1/data", "/v1/policies", "/health", "/metrics", "/"])
def test_only_the_token_opens_it(server: OpaServer, path: str) -> None:
    token = _token(server)
    for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer "}, {"Authorization": token}):
        assert _status(server.port, headers, path) == 401
    assert _status(server.port, {"Authorization": f"Bearer {token}"}, path) == 200


def test_tokens_differ_and_are_told_to_nobody(server: OpaServer, opa: tuple[str, ...], rego: list[Path]) -> None:
    with OpaServer(opa, version="v1", rego=rego) as other:
        other.wait()
        assert len(_token(server)) >= 32
        assert _token(server) != _token(other)
    assert set(_environment(server.pid)) <= {"GOGC", "HOME", "PATH", "TMPDIR"}
    for path in ("cmdline", "environ", "fd/3", "fd/4", "fd/5"):
        file = Path(f"/proc/{server.pid}/{path}")
        if file.is_file():
            assert _token(server).encode() not in file.read_bytes()


def test_what_it_proves_itself_by_is_all_that_others_see(server: OpaServer) -> None:
    nonce = "/v1/data/pullguard/server/nonce"
    assert _status(server.port, {}, nonce) == 200
    for path in (
        "/v1/data/pullguard/server",
        "/v1/data/pullguard/server/tokenHash",
        "/v1/data/pullguard",
        f"{nonce}/x",
    ):
        assert _status(server.port, {}, path) == 401


def test_a_port_that_another_program_took_since_gets_no_token(server: OpaServer) -> None:
    os.kill(server.pid, signal.SIGKILL)
    assert _until(lambda: not _runs(server.pid))
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", server.port))
        except OSError as error:
            pytest.skip(f"a program beside the tests has the port already: {error}")
        taken.listen()
        with pytest.raises(PullguardError, match=r"^the OPA server was ended by SIGKILL$"):
            server.query("system.authz.allow", {})
        taken.settimeout(0.2)
        with pytest.raises(TimeoutError):
            taken.accept()


def _listening(pid: int) -> set[str]:
    """Return the hexadecimal addresses that a process listens on."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    found = set()
    for family in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{family}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1])
    return found


def test_it_listens_on_loopback_only(server: OpaServer) -> None:
    assert _listening(server.pid) == {f"0100007F:{server.port:04X}"}


def test_proxies_and_netrc_never_see_it(
    opa: tuple[str, ...], rego: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with OpaServer(opa, version="v1", rego=rego) as server:
        assert server.query("system.authz.allow", {}) is False


def test_what_opa_refuses(server: OpaServer) -> None:
    server.put("m/1", "package m\n\nf(x) := x\n")
    server.put("n", "package n\n\nimport data.m\n\nx := m.f(1)\n")
    assert server.query("n.x", None) == 1
    with pytest.raises(RegoError) as error:
        server.put("n", "package n\n\nx := {\n")
    assert error.value.faults[0] == RegoFault("rego_parse_error", "unexpected eof token", "n", 4)
    with pytest.raises(RegoError, match="empty module"):
        server.put("n", "")
    with pytest.raises(RegoError, match="invalid_operation"):
        server.delete("m/1")
    server.delete("n")
    server.delete("m/1")
    with pytest.raises(PullguardError, match=r"^OPA has no value for data\.n\.x$"):
        server.query("n.x", None)
    server.put("n", "package n\n\nx := 1\n\nx := 2 if input.y\n")
    with pytest.raises(RegoError) as error:
        server.query("n.x", {"y": True})
    (fault,) = error.value.faults
    assert (fault.code, fault.file, fault.row) == ("eval_conflict_error", "n", 5)


def test_v0_servers_take_v0(opa: tuple[str, ...], rego: list[Path]) -> None:
    with OpaServer(opa, version="v0", rego=rego) as server:
        server.put("n", 'package n\n\nx[y] { y := "a" }\n')
        assert server.query("n.x", None) == ["a"]
        with pytest.raises(RegoError, match="rego_parse_error"):
            server.put("n", 'package n\n\nx contains y if y := "a"\n')


def test_dead_server_is_noticed_at_once(server: OpaServer) -> None:
    start = time.monotonic()
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(PullguardError, match=r"^the OPA server was ended by SIGKILL$"):
        server.query("system.authz.allow", {})
    assert time.monotonic() - start < opa_server._ANSWER_SECONDS  # noqa: SLF001 - it does not wait for an answer


def test_server_that_does_not_start_says_why(opa: tuple[str, ...], rego: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.rego"
    broken.write_text("package broken\n\nx := {\n")
    with (
        OpaServer(opa, version="v1", rego=[*rego, broken]) as server,
        pytest.raises(PullguardError, match=r"ended with code 1: (?s:.*)broken\.rego:4: rego_parse_error"),
    ):
        server.wait()
    with pytest.raises(PullguardError, match=r"^/nowhere/opa cannot be run: No such file or directory$"):
        OpaServer(["/nowhere/opa"], version="v1", rego=rego).__enter__()


#: Answers every request, like an OPA without policies that lets everybody in.
_IMPOSTOR = """
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Impostor(BaseHTTPRequestHandler):
        def do_POST(self):
            print("asked", self.path, self.headers["Authorization"], flush=True)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"result": "' + b"0" * 43 + b'"}')

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Impostor)
    print(server.server_port, flush=True)
    server.serve_forever()
"""


@contextmanager
def _impostor() -> Iterator[int]:
    """Yield its port; in the end, assert that it was asked for the nonce and was told no token."""
    with subprocess.Popen([sys.executable, "-c", dedent(_IMPOSTOR)], stdout=subprocess.PIPE) as impostor:
        assert impostor.stdout is not None
        try:
            yield int(impostor.stdout.readline())
        finally:
            impostor.kill()
            asked = impostor.stdout.read()
        assert set(asked.splitlines()) == {b"asked /v1/data/pullguard/server/nonce None"}


def test_port_that_is_taken_is_given_up(
    opa: tuple[str, ...], rego: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    free = opa_server._free_port  # noqa: SLF001 - what happens between this and OPA's start is the test
    with _impostor() as taken, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ports = [taken, silent.getsockname()[1], free()]
        monkeypatch.setattr(opa_server, "_PROOF_SECONDS", 1.0)
        monkeypatch.setattr(opa_server, "_free_port", iter(ports).__next__)
        with OpaServer(opa, version="v1", rego=rego) as server:
            assert server.query("system.authz.allow", {}) is False
            assert server.port == ports[2]


def test_when_all_ports_are_taken(opa: tuple[str, ...], rego: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with _impostor() as taken:
        monkeypatch.setattr(opa_server, "_free_port", lambda: taken)
        with (
            OpaServer(opa, version="v1", rego=rego) as server,
            pytest.raises(PullguardError, match=r"^none of 5 ports on 127\.0\.0\.1 could be used for the OPA server$"),
        ):
            server.wait()


#: Takes time and no memory.
_SLOW = """\
package slow

ns := numbers.range(1, 5000)

x if {
	some a in ns
	some b in ns
	some c in ns
	a + b + c < 0
}
"""


def test_answers_that_take_too_long(opa: tuple[str, ...], rego: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opa_server, "_ANSWER_SECONDS", 0.5)
    with OpaServer(opa, version="v1", rego=rego) as server:
        # To load the policy takes no time, unless the machine is busy.
        with suppress(PullguardError):
            server.put("slow", _SLOW)
        with pytest.raises(PullguardError, match=r"^the OPA server has not answered for 0\.5 seconds$"):
            server.query("slow.x", {})


# ---- its end


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


_PARENT = """
    import os, signal, sys, time
    from pathlib import Path
    from pullguard.suites.opa_server import OpaServer

    opa, rego, wait = sys.argv[1].split(), [Path(path) for path in sys.argv[3:]], sys.argv[2] == "wait"
    with OpaServer(opa, version="v1", rego=rego) as server:
        if wait:
            server.wait()
        print(server.pid, flush=True)
        {then}
"""


@pytest.mark.parametrize("wait", ["wait", "at once"])
@pytest.mark.parametrize(
    ("then", "ended_by", "code"),
    [
        ("pass", None, 0),
        ("raise SystemExit(3)", None, 3),
        ("raise ValueError", None, 1),
        ("os._exit(4)", None, 4),
        ("os.abort()", None, -signal.SIGABRT),
        ("time.sleep(60)", signal.SIGINT, -signal.SIGINT),
        ("time.sleep(60)", signal.SIGTERM, -signal.SIGTERM),
        ("time.sleep(60)", signal.SIGHUP, -signal.SIGHUP),
        ("time.sleep(60)", signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_server_ends_with_its_parent(  # noqa: PLR0917 - fixtures and parameters
    opa: tuple[str, ...], rego: list[Path], then: str, ended_by: signal.Signals | None, code: int, wait: str
) -> None:
    script = dedent(_PARENT).format(then=then)
    parent = subprocess.Popen(
        [sys.executable, "-c", script, " ".join(opa), wait, *rego],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if ended_by is not None:
            assert _runs(pid)
            os.killpg(parent.pid, ended_by)
        assert parent.wait(_SECONDS) == code
    assert _until(lambda: not _runs(pid))


_ORPHAN = """
    import os, time
    from pullguard.core.programs import end_with_parent

    before_exec = end_with_parent()
    parent = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == parent:
        time.sleep(0.001)
    before_exec()
    print("still here", flush=True)
"""


def test_child_whose_parent_is_gone_already_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", dedent(_ORPHAN)], capture_output=True, text=True, timeout=_SECONDS, check=True
    )
    assert done.stdout == ""


def _children(parent: int) -> set[int]:
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == parent and fields[0] != "Z":
                found.add(int(folder.name))
    return found


@pytest.mark.parametrize(
    ("ended_by", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_the_whole_command_leaves_nothing_behind(tmp_path: Path, ended_by: signal.Signals, code: int) -> None:
    for kind, version in (("Old", "v0"), ("New", "v1")):
        head = 'violation[{"msg": msg}] {' if version == "v0" else 'violation contains {"msg": msg} if {'
        body = f'package any\n\n{head}\n\tnumbers.range(1, 200000000)[_] == -1\n\tmsg := "never"\n}}\n'
        folder = tmp_path / kind
        suite_tree.save(folder / "t.yaml", suite_tree.template(kind, body, version=version))
        suite_tree.save(folder / "c.yaml", suite_tree.constraint(kind))
        suite_tree.save(folder / "o.yaml", suite_tree.resource())
        suite_tree.suite(folder, suite_tree.test("t", "t.yaml", "c.yaml", suite_tree.case("c", "o.yaml")))
    command = [sys.executable, "-c", "import sys; from pullguard.cli import main; sys.exit(main())"]
    parent = subprocess.Popen(
        [*command, "test", tmp_path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with parent:
        assert _until(lambda: len(_children(parent.pid)) == 4)
        children = _children(parent.pid)
        time.sleep(0.5)
        os.killpg(parent.pid, ended_by)
        assert parent.wait(_SECONDS) == code
        assert parent.stderr is not None
        assert b"Traceback" not in parent.stderr.read()
    assert _until(lambda: not any(map(_runs, children)))
