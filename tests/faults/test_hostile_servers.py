"""API servers that answer what no API server does, behind the real kubectl: one clear error, never a clean report."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml

from pullguard.audit.command import audit
from pullguard.cluster import kubectl as module
from pullguard.cluster.kubectl import connected
from pullguard.cluster.snapshot import Kind, from_cluster
from pullguard.core.errors import PullguardError
from read_only_cluster import TOKEN, ReadOnlyCluster
from shared_engine import ENGINE

_KIND = "K8sProtectedPullPolicy"
_KINDS = (
    Kind("", "Namespace", "namespaces"),
    Kind("", "Pod", "pods", namespaced=True),
    Kind("constraints.gatekeeper.sh", _KIND, _KIND.lower()),
    Kind("templates.gatekeeper.sh", "ConstraintTemplate", "constrainttemplates"),
)
_CONSTRAINTS = f"/apis/constraints.gatekeeper.sh/v1beta1/{_KIND.lower()}"
_TEMPLATES = "/apis/templates.gatekeeper.sh/v1/constrainttemplates"
_NAMESPACES = "/api/v1/namespaces"
_PODS = "/api/v1/pods"

#: What a rescan asks for, but for the lists of owners.
ASKED = (
    *("/apis", "/apis/constraints.gatekeeper.sh", "/apis/constraints.gatekeeper.sh/v1beta1", _CONSTRAINTS),
    *(_TEMPLATES, "/api/v1", _NAMESPACES, _PODS),
)


def _list(items: Any, metadata: Any = None) -> bytes:
    return json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": metadata or {}, "items": items}).encode()


ANSWERS = {
    "an array": b"[]",
    "null": b"null",
    "a number": b"5",
    "no fields": b"{}",
    "nothing": b"",
    "a page for people": b"<html>proxy</html>",
    "cut off": b'{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":',
    "too deep": b'{"kind":"PodList","apiVersion":"v1","metadata":{},"items":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "fields of other types": b'{"kind":5,"apiVersion":[],"metadata":"x","items":{"a":1},"groups":5,"resources":{}}',
    "fields of null": json.dumps(
        dict.fromkeys(["kind", "apiVersion", "metadata", "items", "groups", "resources", "preferredVersion"])
    ).encode(),
    "items that are not objects": _list([None, 5, []]),
    "entries that are not objects": b'{"groups":[null],"resources":[5],"preferredVersion":[],"kind":"x"}',
    "objects without names": _list([{"metadata": {}}, {}]),
    "objects with odd names": _list([{"metadata": {"name": "a", "namespace": {}, "labels": [5]}, "spec": "\u001b[2J"}]),
}

Start = Callable[..., ReadOnlyCluster]


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pullguard.cluster.kubectl.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def start(checkout: Path) -> Iterator[Start]:
    template = yaml.safe_load((checkout / "library/policies/protected_pull_policy/template.yaml").read_text("utf-8"))
    constraint = {
        "metadata": {"name": "c"},
        "spec": {"enforcementAction": "dryrun", "match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}},
    }
    pods = [
        {"metadata": {"name": name, "namespace": "a"}, "spec": {"containers": [{"name": "c", "image": "q.io/x:1"}]}}
        for name in "abc"
    ]
    clusters: list[ReadOnlyCluster] = []

    def start_cluster(kind: type[ReadOnlyCluster] = ReadOnlyCluster) -> ReadOnlyCluster:
        clusters.append(kind(_KINDS, {"ConstraintTemplate": [template], _KIND: [constraint], "Pod": pods}))
        return clusters[-1]

    yield start_cluster
    for cluster in clusters:
        cluster.stop()


_DISCOVERY = (
    *("an array", "null", "no fields", "too deep", "fields of other types", "fields of null"),
    "entries that are not objects",
)
_LISTED = ("an array", "null", "cut off", "too deep", "fields of other types", "items that are not objects")
#: What a list may hold as far as anybody can tell.
_ODD = ("objects with odd names",)


@pytest.mark.parametrize("path", ASKED)
def test_a_rescan_of_what_answers_otherwise(start: Start, path: str, tmp_path: Path, kubectl: str) -> None:
    cluster = start()
    kubeconfig = str(cluster.write_kubeconfig(tmp_path / "kubeconfig"))
    assert audit(scan=True, kubeconfig=kubeconfig, kubectl=kubectl).errors == ()
    is_list = path in {_CONSTRAINTS, _TEMPLATES, _NAMESPACES, _PODS}
    for name in _LISTED if is_list else _DISCOVERY:
        cluster.answers = {path: ANSWERS[name]}
        assert _code_of(lambda: audit(scan=True, kubeconfig=kubeconfig, kubectl=kubectl).exit_code("deny")) == 2, name
    for name in _ODD if is_list else ():
        cluster.answers = {path: ANSWERS[name]}
        _code_of(lambda: audit(scan=True, kubeconfig=kubeconfig, kubectl=kubectl).exit_code("deny"))


@pytest.mark.parametrize("name", ANSWERS)
def test_a_snapshot_of_what_answers_otherwise(start: Start, name: str, tmp_path: Path, kubectl: str) -> None:
    cluster = start()
    cluster.answers = {_PODS: ANSWERS[name]}
    kubeconfig = str(cluster.write_kubeconfig(tmp_path / "kubeconfig"))

    def read() -> int:
        snapshot = from_cluster(ENGINE, _KINDS[:2], kubeconfig=kubeconfig, kubectl=kubectl)
        return 2 if snapshot.errors else len(snapshot.objects("Pod"))

    assert _code_of(read) == (0 if name in _ODD else 2)


def _code_of(run: Callable[[], int]) -> int:
    """Return what something returns; 2 where it says in words why it cannot."""
    try:
        return run()
    except PullguardError as error:
        return 2 if TOKEN not in str(error) else -1


class _Circle(ReadOnlyCluster):
    """The pages of a list of it follow each other in a circle."""

    def answer(self, target: str) -> tuple[int, dict[str, Any]]:
        code, body = super().answer(target)
        query = parse_qs(target.partition("?")[2])
        if target.startswith((_PODS, _NAMESPACES)) and code == 200:
            following = {"": "2", "2": "4", "4": "2"}[query.get("continue", [""])[0]]
            body = {**body, "metadata": {"continue": following}}
        return code, body


class _Endless(ReadOnlyCluster):
    """There always is another page."""

    def answer(self, target: str) -> tuple[int, dict[str, Any]]:
        code, body = super().answer(target)
        if target.startswith(_PODS) and code == 200:
            place = int(parse_qs(target.partition("?")[2]).get("continue", ["0"])[0])
            body = {**body, "metadata": {"continue": str(place + 1)}}
        return code, body


def test_pages_in_a_circle(start: Start, tmp_path: Path, kubectl: str) -> None:
    kubeconfig = str(start(_Circle).write_kubeconfig(tmp_path / "kubeconfig"))
    with pytest.raises(PullguardError, match=r"is not a list \(a continue token is repeated"):
        audit(scan=True, kubeconfig=kubeconfig, kubectl=kubectl)
    with connected(kubeconfig=kubeconfig, program=kubectl) as client:
        with pytest.raises(PullguardError, match=rf"{_PODS} is not a list \(a continue token is repeated"):
            list(client.pages(_PODS))
        with pytest.raises(PullguardError, match=rf"{_PODS} is not a list \(a continue token is repeated"):
            list(client.page_files([_PODS]))


def test_pages_without_an_end(start: Start, tmp_path: Path, kubectl: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_PAGES", 5)
    with connected(
        kubeconfig=str(start(_Endless).write_kubeconfig(tmp_path / "kubeconfig")), program=kubectl
    ) as client:
        with pytest.raises(PullguardError, match=rf"{_PODS} is not a list \(it does not end"):
            list(client.pages(_PODS))
        with pytest.raises(PullguardError, match=rf"{_PODS} is not a list \(it does not end"):
            list(client.page_files([_PODS]))
