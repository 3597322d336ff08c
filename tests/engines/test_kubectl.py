"""Reading a live cluster through the real kubectl."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Lock
from types import SimpleNamespace
from typing import Any

import pytest

from pullguard.cluster.kubectl import RefusedError, connected
from pullguard.cluster.snapshot import Kind, Snapshot, from_cluster
from pullguard.core.errors import PullguardError
from pullguard.forecasting.situation import KINDS as _OUTAGE
from read_only_cluster import TOKEN, ReadOnlyCluster
from shared_engine import ENGINE

_KINDS = (
    Kind("", "Namespace", "namespaces"),
    Kind("", "Pod", "pods", namespaced=True),
    Kind("apps", "Deployment", "deployments", namespaced=True),
    Kind("config.gatekeeper.sh", "Config", "configs"),
)

Start = Callable[..., ReadOnlyCluster]


def _object(api_version: str, kind: str, name: str, namespace: str = "a") -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}


@pytest.fixture
def start() -> Iterator[Start]:
    clusters = []

    def start_cluster(*arguments: Any, **options: Any) -> ReadOnlyCluster:
        clusters.append(ReadOnlyCluster(*arguments, **options))
        return clusters[-1]

    yield start_cluster
    for cluster in clusters:
        cluster.stop()


def _read(cluster: ReadOnlyCluster, folder: Path, kubectl: str, **options: Any) -> Snapshot:
    kubeconfig = cluster.write_kubeconfig(folder / "kubeconfig")
    return from_cluster(ENGINE, _KINDS, kubeconfig=str(kubeconfig), kubectl=kubectl, **options)


def test_every_chunk_is_read(start: Start, tmp_path: Path, kubectl: str) -> None:
    pods = [_object("v1", "Pod", name) for name in "abcde"]
    cluster = start(_KINDS, {"Pod": pods})
    snapshot = _read(cluster, tmp_path, kubectl)
    assert snapshot.objects("Pod") == pods
    assert [entry.file for entry in snapshot.stored["Pod"]] == ["kubectl get pods"] * 5
    assert snapshot.objects("Namespace") == []
    assert snapshot.empty == ("Config", "Deployment", "Namespace")
    assert (snapshot.source, snapshot.live, snapshot.errors, snapshot.notes) == ("the cluster", True, (), ())
    assert [request.partition("&timeout=")[0] for request in cluster.requests if "/pods" in request] == [
        "/api/v1/pods?limit=500",
        "/api/v1/pods?continue=2&limit=500",
        "/api/v1/pods?continue=4&limit=500",
    ]


def test_what_is_forbidden_is_not_known_and_what_is_absent_is(start: Start, tmp_path: Path, kubectl: str) -> None:
    cluster = start(_KINDS[:3], {"Namespace": [_object("v1", "Namespace", "a")]}, forbidden=["Deployment"])
    snapshot = _read(cluster, tmp_path, kubectl, context="here")
    assert snapshot.unreadable == {"Deployment": "forbidden"}
    assert snapshot.empty == ("Config", "Pod")
    assert snapshot.source == "the cluster of context here"


def test_refused_credentials_end_it_and_are_not_shown(start: Start, tmp_path: Path, kubectl: str) -> None:
    cluster = start(_KINDS, {}, refused=True)
    with pytest.raises(PullguardError) as caught:
        _read(cluster, tmp_path, kubectl)
    assert caught.value.message.startswith("kubectl could not read namespaces: ")
    assert TOKEN not in str(caught.value)


def test_a_context_that_is_not_there_ends_it(start: Start, tmp_path: Path, kubectl: str) -> None:
    with pytest.raises(PullguardError, match=r"kubectl could not read namespaces: .*elsewhere"):
        _read(start(_KINDS, {}), tmp_path, kubectl, context="elsewhere")


def test_the_variable_names_the_file_too(
    start: Start, tmp_path: Path, kubectl: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(_KINDS, {"Pod": [_object("v1", "Pod", "a")]}).write_kubeconfig(tmp_path / "relative")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "relative")
    assert [pod["metadata"]["name"] for pod in from_cluster(ENGINE, _KINDS, kubectl=kubectl).objects("Pod")] == ["a"]
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'relative'}:{tmp_path / 'other'}")
    assert [pod["metadata"]["name"] for pod in from_cluster(ENGINE, _KINDS, kubectl=kubectl).objects("Pod")] == ["a"]
    monkeypatch.setenv("KUBECONFIG", "relative:other")
    with pytest.raises(PullguardError, match="KUBECONFIG lists relative paths"):
        from_cluster(ENGINE, _KINDS, kubectl=kubectl)


def test_a_kubeconfig_that_is_no_file_ends_it(tmp_path: Path, kubectl: str) -> None:
    with pytest.raises(PullguardError, match="is not a file"):
        from_cluster(ENGINE, _KINDS, kubeconfig=str(tmp_path / "absent"), kubectl=kubectl)


# ---- several kinds at once


class _Meeting(ReadOnlyCluster):
    """It answers a request for a list when four are open, and counts the most that were open at once."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.meeting = Barrier(4, timeout=60)
        self.open = self.most = 0
        self._lock = Lock()
        super().__init__(*arguments, **options)

    def answer(self, target: str) -> tuple[int, dict[str, Any]]:
        code, body = super().answer(target)
        if "limit=" not in target:
            return code, body
        with self._lock:
            self.open += 1
            self.most = max(self.most, self.open)
        try:
            self.meeting.wait()
        except BrokenBarrierError:
            return 500, {}
        finally:
            with self._lock:
                self.open -= 1
        return code, body


_MANY = [Kind("example.org", f"Kind{letter}", f"kind{letter}s") for letter in "abcdefgh"]


def test_four_kinds_are_read_at_once_and_no_more(tmp_path: Path, kubectl: str) -> None:
    objects = {kind.kind: [_object("example.org/v1", kind.kind, "x")] for kind in reversed(_MANY)}
    cluster = _Meeting(_MANY, objects, forbidden=["Kindc", "Kindf"])
    try:
        kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
        snapshot = from_cluster(ENGINE, _MANY, kubeconfig=str(kubeconfig), kubectl=kubectl)
    finally:
        cluster.stop()
    assert cluster.most == 4
    assert list(snapshot.stored) == [kind.kind for kind in _MANY]
    assert [kind for kind, stored in snapshot.stored.items() if stored] == [f"Kind{letter}" for letter in "abdegh"]
    assert snapshot.unreadable == {"Kindc": "forbidden", "Kindf": "forbidden"}


def test_what_still_runs_is_stopped_at_an_interrupt(tmp_path: Path, kubectl: str) -> None:
    kinds = [kind for kind in _OUTAGE if kind.group == ""]
    cluster = _Meeting(kinds[:3], {})
    try:
        kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
        command = [sys.executable, "-m", "pullguard", "outage", f"--kubeconfig={kubeconfig}"]
        environment = {**os.environ, "PATH": f"{Path(kubectl).parent}:{os.environ['PATH']}"}
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as process:
            while cluster.open < 3:
                assert process.poll() is None
                time.sleep(0.01)
            assert len(_running(kubeconfig)) >= 4
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        assert (process.returncode, said) == (130, b"")
        assert _running(kubeconfig) == []
    finally:
        cluster.meeting.abort()
        cluster.stop()


def _running(kubeconfig: Path) -> list[str]:
    """Return the programs that were started with a kubeconfig."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = entry.read_bytes().decode().split("\0")
            if f"--kubeconfig={kubeconfig}" in words:
                found.append(words[0])
    return found


# ---- what passes by itself


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the waits of kubectl, which take no time here."""
    waits: list[float] = []
    monkeypatch.setattr("pullguard.cluster.kubectl.time", SimpleNamespace(sleep=waits.append))
    return waits


def test_a_server_that_was_never_reached_is_tried_twice_more(
    start: Start, tmp_path: Path, kubectl: str, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another server may have had the same port.
    monkeypatch.setenv("KUBECACHEDIR", str(tmp_path / "cache"))
    cluster = start(_KINDS, {})
    kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
    cluster.stop()
    with pytest.raises(RefusedError) as caught:
        from_cluster(ENGINE, _KINDS, kubeconfig=str(kubeconfig), kubectl=kubectl)
    assert waited == [0.5, 1.0]
    # It logs a line for each of its attempts before it says so.
    assert "memcache.go" in caught.value.words
    said = r"The connection to the server 127\.0\.0\.1:\d+ was refused - did you specify the right host or port\?"
    assert re.fullmatch(f"kubectl could not read namespaces: {said}", caught.value.message)


def test_a_server_that_was_reached_is_waited_for(
    start: Start, tmp_path: Path, kubectl: str, waited: list[float]
) -> None:
    cluster = start(_KINDS, {})
    kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
    with connected(kubeconfig=str(kubeconfig), program=kubectl) as client:
        assert client.value("/api/v1/pods")["items"] == []
        cluster.stop()
        with pytest.raises(RefusedError, match="refused"):
            client.value("/api/v1/pods")
    assert waited == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


@pytest.mark.parametrize(("failures", "waits"), [(1, [0.5]), (4, [0.5, 1.0, 2.0, 4.0])])
def test_a_server_that_asks_for_patience_was_reached(  # noqa: PLR0917 - fixtures and parameters
    start: Start, tmp_path: Path, kubectl: str, waited: list[float], failures: int, waits: list[float]
) -> None:
    cluster = start(_KINDS, {"Pod": [_object("v1", "Pod", "a")]})
    cluster.faults += [("/namespaces?", "ServiceUnavailable")] * failures
    assert len(_read(cluster, tmp_path, kubectl).objects("Pod")) == 1
    assert waited == waits


def test_what_does_not_pass_is_not_tried_again(start: Start, tmp_path: Path, kubectl: str, waited: list[float]) -> None:
    _read(start(_KINDS, {}, forbidden=["Pod"]), tmp_path, kubectl)
    assert waited == []


def test_a_list_that_expires_begins_again_and_gives_each_object_once(
    start: Start, tmp_path: Path, kubectl: str, waited: list[float]
) -> None:
    pods = [_object("v1", "Pod", name, namespace) for namespace in "xy" for name in "abc"]
    cluster = start(_KINDS, {"Pod": pods})
    cluster.faults += [("continue=4", "Expired"), ("continue=2", "Expired")]
    with connected(kubeconfig=str(cluster.write_kubeconfig(tmp_path / "kubeconfig")), program=kubectl) as client:
        pages = list(client.pages("/api/v1/pods"))
    assert pages == [pods[:2], pods[2:4], [], [], [], pods[4:]]
    assert waited == []


def test_a_list_that_always_expires_ends_it(start: Start, tmp_path: Path, kubectl: str, waited: list[float]) -> None:
    cluster = start(_KINDS, {"Pod": [_object("v1", "Pod", name) for name in "abc"]})
    cluster.faults += [("continue=2", "Expired")] * 5
    with (
        connected(kubeconfig=str(cluster.write_kubeconfig(tmp_path / "kubeconfig")), program=kubectl) as client,
        pytest.raises(RefusedError, match="Expired"),
    ):
        list(client.pages("/api/v1/pods"))
    assert (cluster.faults, waited) == ([], [])
