"""What a drill makes of pods, and what it makes of their statuses; pure."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.core.errors import PullguardError
from pullguard.drill import objects, running, statuses
from pullguard.drill.command import _address
from pullguard.drill.formats import json as json_format
from pullguard.drill.formats import text
from pullguard.drill.model import Address, Agreement, Asked, Container, DrillReport, Plan, Planned, Seen
from pullguard.drill.statuses import State
from pullguard.forecasting.drilled import Drilled, DrilledPod, read_drilled
from pullguard.forecasting.model import Sight, Use, Verdict, WorkloadRef

JSON = dict[str, Any]

_DRILL = objects.Drill("pullguard-drill-0a1b2c", "node-1", "kube-system", 60)

#: A pod that has all that must not be in a copy.
_POD: JSON = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web-1",
        "namespace": "kube-system",
        "labels": {"app": "web"},
        "annotations": {"a": "b"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True}],
    },
    "spec": {
        "serviceAccountName": "web",
        "imagePullSecrets": [{"name": "registry"}],
        "runtimeClassName": "gvisor",
        "priorityClassName": "system-node-critical",
        "priority": 2000001000,
        "hostNetwork": True,
        "hostPID": True,
        "restartPolicy": "Always",
        "nodeName": "elsewhere",
        "initContainers": [{"name": "init", "image": "a/init:1", "imagePullPolicy": "Always", "command": ["migrate"]}],
        "containers": [
            {
                "name": "main",
                "image": "a/web:1",
                "imagePullPolicy": "IfNotPresent",
                "command": ["web"],
                "args": ["--serve"],
                "env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                "ports": [{"containerPort": 80, "hostPort": 80}],
                "livenessProbe": {"httpGet": {"port": 80}},
                "lifecycle": {"postStart": {"exec": {"command": ["x"]}}},
                "resources": {"requests": {"cpu": "4"}},
                "securityContext": {"privileged": True},
                "volumeMounts": [
                    {"name": "data", "mountPath": "/data"},
                    {"name": "files", "mountPath": "/files", "subPath": "x"},
                    {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
                ],
            }
        ],
        "ephemeralContainers": [{"name": "debug", "image": "a/debug:1"}],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "files", "image": {"reference": "a/files:1", "pullPolicy": "Always"}},
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        ],
    },
}
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def test_a_copy_has_what_decides_about_images_and_nothing_else() -> None:
    labels = {
        "pullguard/drill": "pullguard-drill-0a1b2c",
        "pullguard/part": "copy",
        "app.kubernetes.io/managed-by": "pullguard",
    }
    nothing = {"command": ["/pullguard-drill/runs-nothing"], "securityContext": _RESTRICTED}
    assert objects.copy(_DRILL, 3, _POD, 50) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "pullguard-drill-0a1b2c-3", "namespace": "kube-system", "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 50,
            "ttlSecondsAfterFinished": 30,
            "template": {
                "metadata": {"labels": {**labels, "pullguard/job": "pullguard-drill-0a1b2c-3"}},
                "spec": {
                    "activeDeadlineSeconds": 50,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "nodeName": "node-1",
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": 1,
                    "tolerations": [{"operator": "Exists"}],
                    "serviceAccountName": "web",
                    "imagePullSecrets": [{"name": "registry"}],
                    "runtimeClassName": "gvisor",
                    "containers": [
                        {"name": "init", "image": "a/init:1", "imagePullPolicy": "Always", **nothing},
                        {
                            "name": "main",
                            "image": "a/web:1",
                            "imagePullPolicy": "IfNotPresent",
                            **nothing,
                            "volumeMounts": [{"name": "files", "mountPath": "/pullguard-drill/1"}],
                        },
                    ],
                    "volumes": [{"name": "files", "image": {"reference": "a/files:1", "pullPolicy": "Always"}}],
                },
            },
        },
    }


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
_FIELDS = st.sampled_from([*_POD["spec"], "hostUsers", "schedulerName", "hostAliases", "resourceClaims", "x"])
_OF_CONTAINERS = st.sampled_from([*_POD["spec"]["containers"][0], "envFrom", "volumeDevices", "restartPolicy", "x"])


@given(st.dictionaries(_FIELDS, _VALUES), st.dictionaries(_OF_CONTAINERS, _VALUES))
def test_nothing_that_a_pod_states_makes_a_copy_run_anything(spec: JSON, container: JSON) -> None:
    stated = {**container, "name": "c"}
    pod = {**_POD, "spec": {**spec, "containers": [stated], "initContainers": [stated]}}
    made = objects.copy(_DRILL, 1, pod, 50)["spec"]["template"]["spec"]
    assert made.keys() <= {
        *(
            "activeDeadlineSeconds",
            "automountServiceAccountToken",
            "containers",
            "enableServiceLinks",
            "imagePullSecrets",
        ),
        *("nodeName", "restartPolicy", "runtimeClassName", "serviceAccountName", "terminationGracePeriodSeconds"),
        *("tolerations", "volumes"),
    }
    assert (made["nodeName"], made["automountServiceAccountToken"], made["restartPolicy"]) == ("node-1", False, "Never")
    assert all(volume.keys() == {"name", "image"} for volume in made.get("volumes", []))
    for each in made["containers"]:
        assert each.keys() <= {"command", "image", "imagePullPolicy", "name", "securityContext", "volumeMounts"}
        assert each["command"] == ["/pullguard-drill/runs-nothing"]
        assert each["securityContext"] == _RESTRICTED


def test_the_agent_is_bound_to_its_time_and_not_privileged() -> None:
    job = objects.agent(_DRILL, "a/nft:1", [Address("10.0.0.1", 5000), Address("quay.io", 443)])
    assert job["spec"]["activeDeadlineSeconds"] == 120
    spec = job["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["hostNetwork"]
    assert not {"hostPID", "hostIPC", "volumes"} & spec.keys()
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
        "readOnlyRootFilesystem": True,
        "runAsUser": 0,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["command"][3:] == [
        *("agent", "pullguard_drill_0a1b2c", "60", "10.0.0.1", "5000", "quay.io", "443")
    ]


def test_what_admission_changes_is_told() -> None:
    job = objects.copy(_DRILL, 1, _POD, 50)
    made: JSON = json.loads(json.dumps({"spec": job["spec"]["template"]["spec"]}))
    assert objects.changes(made, job) == []
    made["spec"]["containers"].append({"name": "sidecar", "image": "mesh:1"})
    assert objects.changes(made, job) == []
    made["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent"
    made["spec"]["containers"][1]["image"] = "mirror/a/web:1"
    made["spec"]["imagePullSecrets"] = []
    assert objects.changes(made, job) == [
        "imagePullPolicy of container init: Always -> IfNotPresent",
        "image of container main: a/web:1 -> mirror/a/web:1",
        "imagePullSecrets",
    ]


_REFUSED = 'failed to do request: Head "http://r/v2/": dial tcp 10.0.0.1:443: connect: connection refused'
_STATES: Mapping[str, tuple[JSON, State]] = {
    "always": (
        {"waiting": {"reason": "ErrImagePull", "message": _REFUSED}},
        State("stays down", f"ErrImagePull: {_REFUSED}"),
    ),
    "never": ({"waiting": {"reason": "ErrImageNeverPull"}}, State("stays down", "ErrImageNeverPull")),
    "containerd": ({"terminated": {"reason": "StartError", "message": "no such file"}}, State("starts", "")),
    "cri-o": (
        {"waiting": {"reason": "CreateContainerError", "message": f"executable file `{objects.NOTHING}` not found"}},
        State("starts", ""),
    ),
    "unpacking": (
        {"waiting": {"reason": "CreateContainerError", "message": "no space\nleft"}},
        State("not seen", "CreateContainerError: no space left"),
    ),
    "begins": ({"waiting": {"reason": "ContainerCreating"}}, State("not seen", "ContainerCreating")),
    "runs": ({"running": {"startedAt": "x"}}, State("starts", "")),
    "lost": ({"terminated": {"reason": "ContainerStatusUnknown"}}, State("not seen", "ContainerStatusUnknown")),
    "odd": ({"waiting": "x"}, State("not seen", "")),
    "none": ({}, State("not seen", "")),
}


def test_states() -> None:
    pod = {"status": {"containerStatuses": [{"name": name, "state": state} for name, (state, _) in _STATES.items()]}}
    assert statuses.states(pod) == {name: state for name, (_, state) in _STATES.items()}
    for odd in ({}, {"status": {"containerStatuses": "x"}}, {"status": None}):
        assert statuses.states(odd) == {}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, "not known"),
        (State("starts", ""), "answers"),
        (State("stays down", _REFUSED), "no answer"),
        (State("stays down", "dial tcp: lookup r on 10.0.0.2:53: no such host"), "no answer"),
        (State("stays down", "net/http: TLS handshake timeout"), "no answer"),
        (State("stays down", 'failed to resolve reference "r/a:b": r/a:b: not found'), "answers"),
        (State("stays down", "unexpected status from HEAD request to https://r: 401 Unauthorized"), "answers"),
        (State("stays down", "reading manifest b in r/a: manifest unknown"), "answers"),
        (State("stays down", "requested access to the resource is denied"), "answers"),
        (State("stays down", "Back-off pulling image"), "not known"),
        (State("not seen", "ContainerCreating"), "not known"),
    ],
)
def test_whether_a_registry_answers(state: State | None, expected: str) -> None:
    assert statuses.answer(state) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quay.io", "quay.io:443"),
        ("Registry.example:5000", "Registry.example:5000"),
        ("10.0.0.1", "10.0.0.1:443"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("[fd00::1]", "[fd00::1]:443"),
        ("[FD00:0::1]:5000", "[fd00::1]:5000"),
        *((wrong, None) for wrong in ("", ":443", "a:", "a:0", "a:65536", "a:b", "10.0.0.300", "1.2.3", "fd00::1")),
        *((wrong, None) for wrong in ("a b", "a;b", "$(x)", "-a", "a/b", "[a", "[fd00::1]x", "a:4٣")),
    ],
)
def test_addresses(text: str, expected: str | None) -> None:
    if expected is not None:
        assert str(_address(text)) == expected
        return
    with pytest.raises(PullguardError, match="is not an address; say HOST or HOST:PORT with --address"):
        _address(text)


def _planned(verdict: Verdict = "starts") -> Planned:
    use = Use("containers", "main", "a:1", ("Always",), verdict, "always", 1, 0, 0, 0, ())
    return Planned(WorkloadRef("kube-system", "Deployment", "web"), "web-1", 2, verdict, (use,))


@pytest.mark.parametrize(
    ("forecast", "sights", "changed", "expected"),
    [
        ("starts", ["starts", "starts"], (), "as forecast"),
        ("stays down", ["starts", "stays down"], (), "as forecast"),
        ("starts", ["starts", "stays down", "not seen"], (), "contradicted"),
        ("stays down", ["starts"], (), "contradicted"),
        ("unknown", ["starts"], (), "left open"),
        ("starts", ["starts", "not seen"], (), "not seen"),
        ("starts", [], (), "not seen"),
        ("stays down", ["starts"], ("imagePullPolicy",), "changed"),
        ("stays down", [], ("imagePullPolicy",), "not seen"),
    ],
)
def test_agreements(forecast: Verdict, sights: list[Sight], changed: tuple[str, ...], expected: Agreement) -> None:
    containers = tuple(Container(str(index), "a:1", sight, "") for index, sight in enumerate(sights))
    assert Seen(_planned(forecast), "copy", containers, changed).agreement == expected


_PLAN = Plan(
    source="the cluster",
    node="node-1",
    namespaces=("kube-system",),
    registries={"quay.io": "quay.io/a"},
    addresses=(Address("quay.io", 443),),
    seconds=60,
    pods=(_planned("stays down"),),
    unreadable={},
    errors=(),
    notes=("a note",),
)
_ASKED = Asked("quay.io", "quay.io/a:x", "answers", "no answer", "no answer", "answers", _REFUSED)
_DOWN = Seen(_planned("stays down"), "copy", (Container("main", "a:1", "stays down", f"ErrImagePull: {_REFUSED}"),))
_UP = Seen(_planned("starts"), "copy", (Container("main", "a:1", "starts", ""),))
_REPORT = DrillReport(_PLAN, "pullguard-drill-0a1b2c", (_ASKED,), (_DOWN,), 12.34, ())


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (_REPORT, 1),
        (replace(_REPORT, seen=(_UP,)), 0),
        (replace(_REPORT, seen=(replace(_UP, planned=_planned("stays down")),)), 1),
        (replace(_REPORT, seen=(_UP, Seen(_planned(), "", why="it is gone"))), 2),
        (replace(_REPORT, seen=(_UP,), problems=("it was not cut off",)), 2),
        (replace(_REPORT, seen=(_UP,), plan=replace(_PLAN, unreadable={"Assign": "forbidden"})), 2),
    ],
)
def test_exit_codes(report: DrillReport, expected: int) -> None:
    assert report.exit_code == expected


def test_text() -> None:
    stream = io.StringIO()
    text.write(replace(_REPORT, problems=("it was not \x1b[31mundone",)), stream)
    assert (
        stream.getvalue()
        == f"""\
Drill on node-1 without quay.io, for 12 seconds:
  as forecast   Deployment/kube-system/web (2 pods)
    forecast: stays down
      container main (a:1): imagePullPolicy Always asks the registry, whatever the node has
    seen:     stays down
      main (a:1): ErrImagePull: {_REFUSED}

Of 1 copy: 1 did what was forecast
error: it was not \\x1b[31mundone

Note: a note
"""
    )


def test_json() -> None:
    stream = io.StringIO()
    json_format.write(_REPORT, stream)
    value = json.loads(stream.getvalue())
    assert value["format"] == "pullguard-drill/v1"
    assert value["summary"] == {"as forecast": 1, "left open": 0, "contradicted": 0, "changed": 0, "not seen": 0}
    assert value["asked"] == [
        {
            "registry": "quay.io",
            "image": "quay.io/a:x",
            "before": "answers",
            "first": "no answer",
            "last": "no answer",
            "after": "answers",
            "why": _REFUSED,
        }
    ]
    (pod,) = value["pods"]
    assert (pod["name"], pod["forecast"], pod["seen"], pod["agreement"]) == (
        *("web", "stays down", "stays down", "as forecast"),
    )


def test_the_page_of_a_forecast_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "drill.json"
    with file.open("w", encoding="utf-8") as stream:
        json_format.write(replace(_REPORT, seen=(_DOWN, replace(_UP, why="late", changed=("image",)))), stream)
    ref = WorkloadRef("kube-system", "Deployment", "web")
    assert read_drilled(str(file)) == Drilled(
        drill="pullguard-drill-0a1b2c",
        node="node-1",
        registries=("quay.io",),
        lasted=12.3,
        pods=(
            DrilledPod(ref, 2, "stays down", "stays down", "as forecast", (f"main (a:1): ErrImagePull: {_REFUSED}",)),
            DrilledPod(ref, 2, "starts", "starts", "changed", ("image", "late")),
        ),
        problems=(),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"format": "pullguard-drill/v2"},
        {"node": 1},
        {"lasted": "x"},
        {"pods": [1]},
        {"pods": [{}]},
        {"registries": [None]},
        {"problems": None},
    ],
)
def test_what_is_not_the_report_of_a_drill_is_refused(change: JSON, tmp_path: Path) -> None:
    file = tmp_path / "drill.json"
    file.write_text(json.dumps({**json_format.report_object(_REPORT), **change}), "utf-8")
    with pytest.raises(PullguardError, match="is not the report of a drill; name a file that"):
        read_drilled(str(file))


@pytest.mark.parametrize("text", ["", "x", "[]", '{"format": "pullguard-drill/v1"}', "[" * 100_000])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "drill.json"
    file.write_text(text, "utf-8")
    with pytest.raises(PullguardError, match="is not the report of a drill"):
        read_drilled(str(file))


class _LateCluster:
    """A cluster that makes an object some looks after it was first looked at."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.deleted: list[str] = []

    def parsed(self, path: str, make: Callable[[Any], Any]) -> Any:
        self.looks -= "/jobs" in path
        is_there = self.looks <= 0 and "/jobs" in path and not self.deleted
        return make({"items": [{"metadata": {"name": "late"}}] if is_there else []})

    def delete(self, path: str) -> None:
        self.deleted.append(path)


@pytest.mark.parametrize(("quiet", "deleted"), [(0.0, 0), (0.2, 1)])
def test_an_object_that_comes_late_is_removed(monkeypatch: pytest.MonkeyPatch, quiet: float, deleted: int) -> None:
    monkeypatch.setattr(running, "_POLL", 0.01)
    cluster: Any = _LateCluster(3)
    assert running.clean(cluster, ["kube-system"], quiet=quiet) == 0
    assert len(cluster.deleted) == deleted
