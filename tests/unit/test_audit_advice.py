"""What an audit advises, by how what violates came into its pod."""

from pathlib import Path
from typing import Any

import pytest

from audit_samples import JSON, always, constraint, dump, owned, violation
from pullguard.audit.command import audit
from pullguard.audit.model import AuditFinding

_LATER = "Running pods stay as they are until they are replaced."
_INJECTOR = "what injects it, a mutating webhook such as those of Istio and Linkerd, or a MutatingAdmissionPolicy"
_WEBHOOKS = "kubectl get mutatingwebhookconfigurations"
_RESTART = "kubectl -n kube-system rollout restart {}"
_LOOK = "kubectl -n kube-system get -o yaml {}"

_APP: JSON = {"name": "app", "image": "example.org/app:1", "imagePullPolicy": "IfNotPresent"}
_PROXY: JSON = {"name": "istio-proxy", "image": "example.org/app:1", "imagePullPolicy": "Always"}
_VOLUME: JSON = {"name": "data", "image": {"reference": "example.org/data:1", "pullPolicy": "Always"}}
_SAID_OF_PROXY = always("istio-proxy")
_SAID_OF_VOLUME = 'image volume "data" image "example.org/data:1": pullPolicy is Always'
_CHANGED = (
    "The template of Deployment web has another image or pull policy for container app: change what changes pods on "
    "their way in, the admission plugin AlwaysPullImages, a mutating webhook or a MutatingAdmissionPolicy "
    f"(`pullguard scope` shows which). {_LATER}"
)
_DEBUGGING = (
    "Somebody has added the ephemeral container debugger-x with `kubectl debug`. It cannot be changed, and is gone "
    "once the pod is replaced."
)
_STATIC = (
    "Edit the file of the static pod on its node, usually below /etc/kubernetes/manifests; the API server only shows a "
    "mirror of it. If the file does not say so, only the mirror was changed on its way in: the pod is as the file says."
)


def _spec(*containers: JSON, **more: Any) -> JSON:
    return {"containers": list(containers), **more}


def _making(*containers: JSON, **more: Any) -> JSON:
    return {"spec": {"template": {"spec": _spec(*containers, **more)}}}


def _deployment(pod: JSON, template: JSON | None = None, replica_set: JSON | None = None) -> list[JSON]:
    template = _making(_APP) if template is None else template
    return [
        owned("Deployment", "web", **template),
        owned("ReplicaSet", "web-1", "Deployment web", **(template if replica_set is None else replica_set)),
        owned("Pod", "web-1-a", "ReplicaSet web-1", spec=pod),
    ]


def _finding(
    folder: Path, objects: list[JSON], message: str = _SAID_OF_PROXY, name: str = "web-1-a", hidden: int = 0
) -> AuditFinding:
    path = folder / "dump.json"
    path.write_text(dump(constraint([violation("Pod", name, message)], 1 + hidden), *objects), "utf-8")
    (found,) = audit([str(path)]).findings
    return found


@pytest.mark.parametrize(
    ("pod", "message", "what"),
    [
        (_spec(_APP, _PROXY), _SAID_OF_PROXY, "container istio-proxy"),
        (_spec(_APP, initContainers=[_PROXY]), f"init {_SAID_OF_PROXY}", "container istio-proxy"),
        (
            _spec(_APP, volumes=[_VOLUME]),
            'image volume "data" image "example.org/data:1": pullPolicy is Always',
            "image volume data",
        ),
        # Policies of others.
        (
            _spec(_PROXY, _APP),
            "container <istio-proxy> has an invalid image <app:1>",
            "container istio-proxy",
        ),
        (_spec(_PROXY, _APP), "istio-proxy: no probe, unlike app", "container istio-proxy"),
        (_spec({**_PROXY, "name": "a" * 63}, _APP), always(f"{'a' * 18}...{'a' * 19}"), f"container {'a' * 63}"),
    ],
)
def test_what_is_injected(tmp_path: Path, pod: JSON, message: str, what: str) -> None:
    found = _finding(tmp_path, _deployment(pod), message)
    advice = f"The template of Deployment web has no {what}: change {_INJECTOR}. {_LATER}"
    assert (found.workload.name, found.advice, found.command) == ("web", advice, _WEBHOOKS)
    # What is not shown says nothing of it.
    assert _finding(tmp_path, _deployment(pod), message, hidden=1).advice == advice


@pytest.mark.parametrize(
    ("objects", "name", "workload", "advice"),
    [
        pytest.param(
            [
                owned("CronJob", "tidy", apiVersion="batch/v1", spec={"jobTemplate": _making(_APP)}),
                owned("Job", "tidy-1", "CronJob tidy", **_making(_APP)),
                owned("Pod", "tidy-1-a", "Job tidy-1", spec=_spec(_APP, _PROXY)),
            ],
            "tidy-1-a",
            "CronJob tidy",
            "",
            id="a Job",
        ),
        pytest.param(
            [
                owned("ReplicaSet", "blue-1", "Rollout blue", **_making(_APP)),
                owned("Pod", "blue-1-a", "ReplicaSet blue-1", spec=_spec(_APP, _PROXY)),
            ],
            "blue-1-a",
            "Rollout blue",
            "",
            id="a controller that is not known",
        ),
        pytest.param(
            [
                owned("DaemonSet", "agent", **_making(_APP)),
                owned("Pod", "agent-a", "DaemonSet agent", spec=_spec(_APP, _PROXY)),
            ],
            "agent-a",
            "DaemonSet agent",
            ", unless the pods are older than the template",
            id="a template that can change",
        ),
    ],
)
def test_who_else_makes_pods(tmp_path: Path, objects: list[JSON], name: str, workload: str, advice: str) -> None:
    found = _finding(tmp_path, objects, name=name)
    expected = f"The template of {workload} has no container istio-proxy: change {_INJECTOR}{advice}. {_LATER}"
    assert (f"{found.workload.kind} {found.workload.name}", found.advice) == (workload, expected)


@pytest.mark.parametrize(
    ("objects", "message", "command"),
    [
        pytest.param(_deployment(_spec(_PROXY), _making(_PROXY)), _SAID_OF_PROXY, _LOOK, id="the template says so too"),
        pytest.param(
            _deployment(_spec(_PROXY), _making({**_PROXY, "imagePullPolicy": "IfNotPresent"}), _making(_PROXY)),
            _SAID_OF_PROXY,
            _RESTART,
            id="the pods are older",
        ),
        pytest.param(
            _deployment(_spec(_PROXY, _APP)), "the label team is missing", _RESTART, id="the message names none of it"
        ),
        pytest.param(
            _deployment(_spec({"name": "r"}, _APP)), 'image "example.org/r/r:1" has no digest', _RESTART, id="an image"
        ),
        pytest.param(
            [*_deployment(_spec(_PROXY, _APP))[:1], owned("Pod", "web-1-a", "Deployment web")],
            _SAID_OF_PROXY,
            _LOOK,
            id="the pod is not known",
        ),
        pytest.param(
            [owned("Pod", "web-1-a", "Deployment web", spec=_spec(_PROXY))],
            _SAID_OF_PROXY,
            _LOOK,
            id="its owner is not known",
        ),
    ],
)
def test_what_is_not_injected(tmp_path: Path, objects: list[JSON], message: str, command: str) -> None:
    found = _finding(tmp_path, objects, message)
    assert found.command == command.format("deployment.apps/web")


def test_an_owner_that_is_not_known_may_have_it(tmp_path: Path) -> None:
    found = _finding(tmp_path, [owned("Pod", "web-1-a", "Deployment web", spec=_spec(_PROXY))])
    assert found.advice == (
        "Deployment web itself passes. If its template has what the message names, its objects are older than "
        f"it, or something changes them on their way in; if not, change {_INJECTOR}."
    )


def test_pods_that_were_changed_on_their_way_in(tmp_path: Path) -> None:
    changed = _spec({**_APP, "imagePullPolicy": "Always"})
    found = _finding(tmp_path, _deployment(changed), always("app"))
    assert (found.advice, found.command) == (_CHANGED, _WEBHOOKS)
    # A DaemonSet's pods may be older than its template.
    agent = [owned("DaemonSet", "agent", **_making(_APP)), owned("Pod", "agent-a", "DaemonSet agent", spec=changed)]
    assert _finding(tmp_path, agent, always("app"), "agent-a").command == _RESTART.format("daemonset.apps/agent")


@pytest.mark.parametrize("owner", ["", "ReplicaSet web-1"])
def test_containers_for_debugging(tmp_path: Path, owner: str) -> None:
    objects = [owned("Pod", "web-1-a", owner, spec=_spec(_APP, ephemeralContainers=[{**_PROXY, "name": "debugger-x"}]))]
    if owner:
        objects += _deployment(_spec(_APP))[:2]
    found = _finding(tmp_path, objects, f"ephemeral {always('debugger-x')}")
    assert (found.advice, found.command) == (_DEBUGGING, "")


def test_static_pods(tmp_path: Path) -> None:
    found = _finding(tmp_path, [owned("Pod", "etcd-n", "Node n", spec=_spec(_PROXY))], name="etcd-n")
    assert (found.advice, found.command) == (_STATIC, "")


def test_what_violates_itself_is_changed_itself(tmp_path: Path) -> None:
    # Nobody else can tell that something was injected into a pod of its own.
    found = _finding(tmp_path, [owned("Pod", "web-1-a", spec=_spec(_APP, _PROXY))])
    assert found.advice.startswith("Most fields of a pod are immutable")
