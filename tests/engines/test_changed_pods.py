"""`check` names another tool where it sees one at work."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from pullguard.check.command import check


def _objects(stated: str, template: str) -> list[dict[str, Any]]:
    def spec(policy: str) -> dict[str, Any]:
        return {"containers": [{"name": "app", "image": "q.io/a:v1", "imagePullPolicy": policy}]}

    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "1", "controller": True}
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "agent-x", "namespace": "kube-system", "ownerReferences": [owner]},
            "spec": spec(stated),
        },
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "agent", "namespace": "kube-system"},
            "spec": {"template": {"spec": spec(template)}},
        },
    ]


_NOTE = (
    "another tool at work: pods of DaemonSet kube-system/agent say Always for app, their template says IfNotPresent; "
    "it may be the admission plugin AlwaysPullImages, a policy such as Kyverno's always-pull-images, "
    "or an edit of the template"
)


@pytest.mark.usefixtures("opa", "conftest_binary")
@pytest.mark.parametrize("engine", ["opa", "conftest"])
@pytest.mark.parametrize("piped", [True, False])
def test_a_pod_that_says_always_and_its_owner_does_not(
    tmp_path: Path, image_library: Path, engine: str, *, piped: bool
) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": _objects("Always", "IfNotPresent")})
    (tmp_path / "dump.json").write_text(text, "utf-8")
    report = check(
        ["-" if piped else str(tmp_path)],
        library=str(image_library),
        engine=engine,
        stdin=io.BytesIO(text.encode()),
    )
    assert [found.object.name for found in report.findings] == ["agent-x"]
    assert _NOTE in report.notes


_PROXY = {"name": "istio-proxy", "image": "q.io/proxy:v1", "imagePullPolicy": "Always"}
_INJECTED = (
    "another tool at work: pods of DaemonSet kube-system/agent have istio-proxy, which is not in their template; "
    "it may be a mutating webhook that injects it, such as those of Istio and Linkerd, a MutatingAdmissionPolicy, "
    "or an edit of the template: change it there"
)


@pytest.mark.usefixtures("opa")
@pytest.mark.parametrize("field", ["containers", "initContainers"])
@pytest.mark.parametrize(
    "injected", [_PROXY, {**_PROXY, "image": "q.io/proxy:main", "imagePullPolicy": "IfNotPresent"}]
)
def test_a_container_that_the_template_does_not_have(
    tmp_path: Path, image_library: Path, field: str, injected: dict[str, Any]
) -> None:
    pod, workload = _objects("IfNotPresent", "IfNotPresent")
    pod["spec"][field] = [*pod["spec"].get(field, []), injected]
    (tmp_path / "dump.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [pod, workload]}))
    report = check([str(tmp_path)], library=str(image_library))
    assert {found.container.name for found in report.findings if found.container is not None} == {"istio-proxy"}
    assert [note for note in report.notes if "another tool" in note] == [_INJECTED]


@pytest.mark.usefixtures("opa")
def test_a_container_without_findings_is_nobodys_business(tmp_path: Path, image_library: Path) -> None:
    pod, workload = _objects("Always", "Always")
    pod["spec"]["containers"].append({**_PROXY, "imagePullPolicy": "IfNotPresent"})
    (tmp_path / "dump.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [pod, workload]}))
    report = check([str(tmp_path)], library=str(image_library))
    assert len(report.findings) == 2
    assert not any("another tool" in note for note in report.notes)


@pytest.mark.usefixtures("opa")
@pytest.mark.parametrize(("stated", "template"), [("Always", "Always"), ("IfNotPresent", "Always")])
def test_no_tool_where_the_template_says_so_itself(
    tmp_path: Path, image_library: Path, stated: str, template: str
) -> None:
    for index, obj in enumerate(_objects(stated, template)):
        (tmp_path / f"{index}.json").write_text(json.dumps(obj), "utf-8")
    report = check([str(tmp_path)], library=str(image_library))
    assert len(report.findings) == 1 + (stated == "Always")
    assert not any("another tool" in note for note in report.notes)
