"""`pullguard-push`, with the real pullguard on PATH and servers on loopback."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_TIMEOUT = 120.0
_GROUP = "/metrics/job/pullguard"


@dataclass
class Gateway:
    """A server that answers as it is told, and keeps what it was sent."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, str, bytes]] = field(default_factory=list)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    told = Gateway()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((self.command, self.path, self.headers["Content-Type"], content))
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_PUT  # noqa: N815 - as the base class calls it

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class calls it
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}{_GROUP}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def push(checkout: Path) -> "Push":
    return Push(checkout)


@dataclass(frozen=True)
class Push:
    checkout: Path

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, str(self.checkout / "packaging" / "image" / "push.py"), *arguments],
            env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
            cwd=self.checkout / "tests" / "data",
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )

    def said(self, done: "subprocess.CompletedProcess[str]") -> str:
        """Return what it has said itself, without the notes of pullguard."""
        return "".join(line for line in done.stderr.splitlines(True) if not line.startswith("pullguard: "))

    def written(self, *arguments: str) -> bytes:
        """Return the metrics that pullguard writes."""
        done = subprocess.run(
            [sys.executable, "-m", "pullguard", *arguments, "--output=metrics"],
            cwd=self.checkout / "tests" / "data",
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
        return done.stdout


def test_findings_are_pushed_and_no_failure(push: Push, gateway: Gateway) -> None:
    done = push(gateway.url, "outage", "outage/cluster.yaml", "--event=restart")
    assert (done.returncode, done.stdout, push.said(done)) == (0, "", "")
    metrics = push.written("outage", "outage/cluster.yaml", "--event=restart")
    assert b"pullguard_outage_protected_pods" in metrics
    assert gateway.requests == [("PUT", _GROUP, "text/plain; version=0.0.4", metrics)]


def test_what_could_not_be_read_fails_after_the_push(push: Push, gateway: Gateway, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: [")
    done = push(gateway.url, "outage", "outage/cluster.yaml", str(broken))
    assert done.returncode == 2
    assert len(gateway.requests) == 1
    assert b"pullguard_outage_errors 1\n" in gateway.requests[0][3]


def test_a_command_that_cannot_begin_pushes_nothing(push: Push, gateway: Gateway) -> None:
    done = push(gateway.url, "outage", "--event=lose", "outage/cluster.yaml")
    assert (done.returncode, gateway.requests) == (2, [])
    assert "which nodes are lost is not said" in done.stderr


@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (400, b"text format parsing error in line 1\n", {}, "400 Bad Request: text format parsing error in line 1"),
        (503, b"", {}, "503 Service Unavailable"),
        (307, b"", {"Location": "http://127.0.0.1:1/elsewhere"}, "307 Temporary Redirect"),
        (400, b"\x1b[31mred\xff\n", {}, "400 Bad Request: \\x1b[31mred\N{REPLACEMENT CHARACTER}"),
        (400, b"x" * 100_000, {}, f"400 Bad Request: {'x' * 300}"),
    ],
    ids=["refused", "unavailable", "elsewhere", "control characters", "long"],
)
def test_a_refusal_is_told(  # noqa: PLR0917 - a table of cases
    push: Push, gateway: Gateway, status: int, body: bytes, headers: dict[str, str], said: str
) -> None:
    gateway.status, gateway.body, gateway.headers = status, body, headers
    done = push(gateway.url, "outage", "outage/cluster.yaml")
    assert (done.returncode, done.stdout) == (3, "")
    assert push.said(done) == f"pullguard-push: the Pushgateway at {gateway.url} did not take the metrics: {said}\n"
    assert len(gateway.requests) == 1


def test_a_refusal_that_breaks_off_is_told(push: Push, gateway: Gateway) -> None:
    gateway.status, gateway.body, gateway.headers = 400, b"what is this", {"Transfer-Encoding": "chunked"}
    done = push(gateway.url, "outage", "outage/cluster.yaml")
    said = f"pullguard-push: the Pushgateway at {gateway.url} did not take the metrics: 400 Bad Request\n"
    assert (done.returncode, push.said(done)) == (3, said)


def test_an_address_where_nothing_answers_is_told(push: Push) -> None:
    url = f"http://127.0.0.1:1{_GROUP}"
    done = push(url, "outage", "outage/cluster.yaml")
    assert (done.returncode, push.said(done)) == (
        3,
        f"pullguard-push: the Pushgateway at {url} did not take the metrics: [Errno 111] Connection refused\n",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "usage: pullguard-push URL audit|outage [OPTION...]"),
        (("audit",), "usage: pullguard-push URL audit|outage [OPTION...]"),
        ((f"http://host{_GROUP}", "check"), "usage: pullguard-push URL audit|outage [OPTION...]"),
        (("file:///etc/passwd", "audit"), "'file:///etc/passwd' is not the address of a group"),
        (("http://host:9091", "audit"), "'http://host:9091' is not the address of a group"),
        (("http:///metrics/job/x", "audit"), "'http:///metrics/job/x' is not the address of a group"),
        ((f"http://host:port{_GROUP}", "audit"), f"'http://host:port{_GROUP}' is not an address"),
        ((f"http://me:secret@host{_GROUP}", "audit"), "an address must not hold a password"),
        ((f"http://host{_GROUP}/ü", "audit"), f"'http://host{_GROUP}/ü' is not an address"),
        ((f"http://a..b{_GROUP}", "audit"), f"'http://a..b{_GROUP}' is not an address"),
    ],
)
def test_wrong_arguments_are_told(push: Push, arguments: tuple[str, ...], said: str) -> None:
    done = push(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"pullguard-push: {said}")
    assert "secret" not in done.stderr
