"""What happens to objects that say Always, in every kind of namespace and at every level, and what scope predicts."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from installed_library import constraints, install, uninstall, wait_until_enforced
from local_cluster.fixtures import Cluster
from local_cluster.servers import NotReadyError, wait_until
from offenders import MESSAGE, collection, cron_job, pod, workload
from pullguard.generate.command import generate

_CONFIGURATION = """\
protectedNamespaces: {names: [kube-system, gatekeeper-system, ignored, excluded]}
"""
_NAMESPACES = ("kube-system", "gatekeeper-system", "ignored", "excluded", "elsewhere")
_IGNORED = {"admission.gatekeeper.sh/ignore": "yes"}

# Objects are audited in each namespace, except where Gatekeeper's own Config excludes it.
_ONLY_AUDITED = {"kube-system": "audited", "gatekeeper-system": "audited", "ignored": "audited", "excluded": "nothing"}


@dataclass(frozen=True, slots=True)
class State:
    """What is applied, and what happens then.

    Attributes:
        folders: The folders of the library that are applied next to the templates.
        pod: What happens to a pod, by namespace, in scope's words.
        workload: What happens to a Deployment or a CronJob, by namespace.
    """

    folders: tuple[str, ...]
    pod: Mapping[str, str]
    workload: Mapping[str, str]


def _state(*folders: str, pod: Mapping[str, str] | None = None, workload: Mapping[str, str] | None = None) -> State:
    """Return a state. `workload` is what differs from audit alone; `pod` is what differs from that for pods."""
    everywhere = {**_ONLY_AUDITED, **(workload or {})}
    return State(folders, {**everywhere, **(pod or {})}, everywhere)


_WARNED_BY_WEBHOOK = {"kube-system": "warned"}
_WARNED_BY_POLICY = {"gatekeeper-system": "warned", "ignored": "warned"}
_DENIED_BY_WEBHOOK = {"kube-system": "denied-by-webhook"}
_DENIED_BY_POLICY = {"gatekeeper-system": "denied-by-policy", "ignored": "denied-by-policy"}
_DENIED = {**_DENIED_BY_WEBHOOK, **_DENIED_BY_POLICY}
_STATES = (
    _state("audit"),
    _state("warn", workload=_WARNED_BY_WEBHOOK),
    _state("deny", workload=_DENIED_BY_WEBHOOK),
    _state("deny", "admission/audit", workload=_DENIED_BY_WEBHOOK),
    _state("warn", "admission/warn", workload={**_WARNED_BY_WEBHOOK, **_WARNED_BY_POLICY}),
    _state("deny", "admission/deny", workload=_DENIED),
    _state(
        "deny", "admission/deny", "mutation/kubernetes", workload=_DENIED, pod=dict.fromkeys(_ONLY_AUDITED, "mutated")
    ),
    _state("deny", "mutation/gatekeeper", workload=_DENIED_BY_WEBHOOK, pod={"kube-system": "mutated"}),
)
_ADDED = ("admission/policies", "mutation/kubernetes", "mutation/gatekeeper")

_BY_POLICY = re.compile(
    r"ValidatingAdmissionPolicy 'protected-pull-policy' with binding 'protected-pull-policy-[a-z-]+' "
    r"denied request: (.*)$"
)
_BY_WEBHOOK = re.compile(
    r'^admission webhook "validation\.gatekeeper\.sh" denied the request: \[protected-pull-policy-by-name\] (.*)$'
)
_TOLD = re.compile(
    r"^(?:\[protected-pull-policy-by-name\]|Validation failed for ValidatingAdmissionPolicy 'protected-pull-policy' "
    r"with binding 'protected-pull-policy-[a-z-]+':) (.*)$"
)


@pytest.fixture(scope="module")
def library(cluster: Cluster, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a library that protects a namespace of every kind; the namespaces exist."""
    folder = tmp_path_factory.mktemp("outcomes")
    (folder / "pullguard.yaml").write_text(_CONFIGURATION, "utf-8")
    generate(folder / "pullguard.yaml", folder / "library", rego=checkout / "rego")
    config = {
        "apiVersion": "config.gatekeeper.sh/v1alpha1",
        "kind": "Config",
        "metadata": {"name": "config", "namespace": "gatekeeper-system"},
        "spec": {"match": [{"excludedNamespaces": ["excluded"], "processes": ["*"]}]},
    }
    made = [
        *(_namespace("ignored", _IGNORED), _namespace("excluded"), _namespace("elsewhere"), config),
    ]
    listed = {"apiVersion": "v1", "kind": "List", "items": made}
    cluster.kubectl("apply", "--filename=-", stdin=listed)
    install(cluster, folder / "library", "audit")
    yield folder / "library"
    uninstall(cluster, folder / "library")
    cluster.kubectl("delete", "--filename=-", stdin=listed)


def _namespace(name: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}}


@pytest.fixture(params=_STATES, ids=lambda state: "+".join(state.folders))
def state(request: pytest.FixtureRequest, cluster: Cluster, library: Path) -> Iterator[State]:
    """Apply a state, and wait until it is in force."""
    applied: State = request.param
    for folder in applied.folders:
        cluster.kubectl("apply", "-k", library / folder)
    wait_until_enforced(cluster)
    wait_until(lambda: _outcomes(cluster, dry_run=True) == _admitted(applied), timeout=60, what="it to be in force")
    yield applied
    for kind in ("Pod", "Deployment", "CronJob"):
        for namespace in _NAMESPACES:
            cluster.client.request("DELETE", f"{collection(kind, namespace)}?labelSelector=tests")
    for folder in _ADDED:
        cluster.kubectl("delete", "--ignore-not-found", "-k", library / folder)


def test_what_happens_and_what_scope_says(cluster: Cluster, state: State) -> None:
    scoped = {
        namespace: {"pod": state.pod[namespace], "deployment": state.workload[namespace]} for namespace in state.pod
    }
    assert _predicted(cluster) == scoped

    expected = {
        **{namespace: {**outcomes, "cronjob": outcomes["deployment"]} for namespace, outcomes in scoped.items()},
        "elsewhere": dict.fromkeys(_KINDS, "nothing"),
    }
    admitted = _outcomes(cluster, dry_run=False)
    start = _now()
    happened: dict[str, dict[str, str]] = {}

    def as_expected() -> bool:
        audited = _audited(cluster, start)
        happened.update(
            {
                namespace: {
                    kind: "audited" if outcome == "nothing" and (namespace, _KINDS[kind]) in audited else outcome
                    for kind, outcome in outcomes.items()
                }
                for namespace, outcomes in admitted.items()
            }
        )
        return happened == expected

    # An audit lists the kinds one after the other. The next audit finds what it has missed.
    with contextlib.suppress(NotReadyError):
        wait_until(as_expected, timeout=30, what="audit")
    assert happened == expected


_KINDS = {"pod": "Pod", "deployment": "Deployment", "cronjob": "CronJob"}


def _offender(kind: str) -> dict[str, Any]:
    made = {"pod": pod, "deployment": lambda name: workload("Deployment", name), "cronjob": cron_job}[kind]("offender")
    made["metadata"]["labels"] = {"tests": "outcomes"}
    return made


def _admitted(state: State) -> dict[str, dict[str, str]]:
    """Return what admission shows of a state, which excludes audit."""

    def shown(outcome: str) -> str:
        return "nothing" if outcome == "audited" else outcome

    return {
        namespace: {
            "pod": shown(state.pod.get(namespace, "nothing")),
            "deployment": shown(state.workload.get(namespace, "nothing")),
            "cronjob": shown(state.workload.get(namespace, "nothing")),
        }
        for namespace in _NAMESPACES
    }


def _outcomes(cluster: Cluster, *, dry_run: bool) -> dict[str, dict[str, str]]:
    """Create an offender of every kind in every namespace, and return what admission did."""
    query = "?dryRun=All" if dry_run else ""
    found: dict[str, dict[str, str]] = {}
    for namespace in _NAMESPACES:
        for name, kind in _KINDS.items():
            body = _offender(name)
            if dry_run:
                body["metadata"]["name"] = "rehearsal"
            answer = cluster.client.request("POST", collection(kind, namespace) + query, body)
            found.setdefault(namespace, {})[name] = _outcome(answer.code, answer.body, answer.warnings)
    return found


def _outcome(code: int, body: Any, warnings: tuple[str, ...]) -> str:
    """Return what admission did, in scope's words, and check that its message is ours."""
    for pattern, outcome in ((_BY_POLICY, "denied-by-policy"), (_BY_WEBHOOK, "denied-by-webhook")):
        refused = pattern.search(body.get("message", ""))
        if refused is not None:
            assert refused[1] == MESSAGE
            return outcome
    assert code == 201, body["message"]
    if body["kind"] == "Pod" and body["spec"]["containers"][0]["imagePullPolicy"] != "Always":
        return "mutated"
    told = [found[1] for warning in warnings if (found := _TOLD.match(warning))]
    assert set(told) <= {MESSAGE}
    return "warned" if told else "nothing"


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _audited(cluster: Cluster, start: str) -> set[tuple[str, str]]:
    """Return the offenders (namespace, kind) in an audit that began after a given time, or none before there is one."""
    found = [
        constraint["status"] for constraint in constraints(cluster) if constraint["kind"] == "K8sProtectedPullPolicy"
    ]
    if any(status.get("auditTimestamp", "") <= start for status in found):
        return set()
    return {
        (violation["namespace"], violation["kind"])
        for status in found
        for violation in status.get("violations", [])
        if violation["name"] == "offender" and violation["message"] == MESSAGE
    }


def _predicted(cluster: Cluster) -> dict[str, dict[str, str]]:
    """Return scope's prediction, by namespace."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pullguard", "scope", "--output=json"),
            f"--kubeconfig={cluster.kubectl.kubeconfig}",
        ],
        env={"PATH": f"{cluster.kubectl.program.parent}:/usr/bin:/bin", "HOME": str(cluster.plane.folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    report = json.loads(done.stdout)
    assert report["errors"] == []
    assert report["unreadable"] == {}
    certain = {
        found["name"]: (found["pod"]["certain"], found["deployment"]["certain"]) for found in report["namespaces"]
    }
    assert certain == dict.fromkeys(certain, (True, True))
    return {
        found["name"]: {"pod": found["pod"]["outcome"], "deployment": found["deployment"]["outcome"]}
        for found in report["namespaces"]
    }
